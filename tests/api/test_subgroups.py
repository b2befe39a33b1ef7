"""A claim on some people alone says so wherever it is shown, can be filtered by, and never answers for everybody."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.core.errors import InvalidInput
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, citation, content, put, record
from tests.serving import read_json

Fields = dict[str, Any]
WOMEN: Fields = {"id": "women", "label": "women", "basis": "sex"}
RAISED: Fields = {
    "id": "raised-crp",
    "label": "people with a raised CRP",
    "basis": "biomarker",
    "codes": [{"system": "mesh", "code": "X1", "relation": "relatedMatch", "verified": False}],
}


def on_women(claim_id: str = "drug-eases-ache-in-women", **fields: Any) -> Any:
    """A claim with far more weight than the one on everybody, and without any other side."""
    trials = [
        record("study", f"large-{n}", participants=500, conditions=["ache"], design="randomized_parallel_trial")
        for n in (1, 2)
    ]
    papers = [
        record("document", f"large-paper-{n}", issued="2025", studies=[{"study": f"large-{n}", "role": "primary"}])
        for n in (1, 2)
    ]
    cited = [citation(f"cit-large-{n}", f"large-paper-{n}", f"large-{n}") for n in (1, 2)]
    claim = record("claim", claim_id, subgroup=WOMEN, citations=cited, **fields)
    return [*trials, *papers, claim]


@pytest.fixture
def client(small: Database) -> Iterator[TestClient]:
    put(small, *on_women())
    with serving(small.url.render_as_string(hide_password=False)) as client:
        yield client


def test_the_answer_names_the_people(client: TestClient) -> None:
    claim = read_json(client, "/v1/claims/drug-eases-ache-in-women")
    assert claim["subgroup"] == {**WOMEN, "codes": []}
    assert claim["evidence"]["answer"].startswith("In women, the drug ")
    everybody = read_json(client, "/v1/claims/drug-eases-ache")
    assert everybody["subgroup"] is None
    assert "women" not in everybody["evidence"]["answer"]


def test_a_record_that_gathers_no_votes_names_the_people_too(small: Database) -> None:
    put(small, record("claim", "as-reported", form="study_report", wording=None, subgroup=WOMEN))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        answer = read_json(client, "/v1/claims/as-reported")["evidence"]["answer"]
    assert answer == "One study reported, in women: The drug eases the ache."


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("subgroup=women", {"drug-eases-ache-in-women"}),
        ("subgroup=everybody", {"drug-eases-ache", "low-dose-eases-ache", "drug-causes-insomnia"}),
        (
            "subgroup=women&subgroup=everybody",
            {"drug-eases-ache-in-women", "drug-eases-ache", "low-dose-eases-ache", "drug-causes-insomnia"},
        ),
        ("subgroup=women&kind=safety", set()),
    ],
)
def test_claims_are_filtered_by_the_people_they_are_about(client: TestClient, asked: str, expected: set[str]) -> None:
    assert {claim["id"] for claim in read_json(client, f"/v1/claims?{asked}")["items"]} == expected


def test_facets_count_subgroups(client: TestClient) -> None:
    facets = read_json(client, "/v1/claims?facets=true")["facets"]
    assert facets["subgroup"] == [{"value": "everybody", "count": 3}, {"value": "women", "count": 1}]


def test_an_unknown_subgroup_is_refused_with_what_is_near(client: TestClient) -> None:
    answer = client.get("/v1/claims?subgroup=womem")
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["field"], fault["code"], fault["did_you_mean"]) == ("subgroup", "unknown_value", ["women"])
    assert "womem" not in answer.text


def test_the_map_gives_a_subgroup_a_cell_of_its_own(client: TestClient) -> None:
    shown = read_json(client, "/v1/evidence-map?intervention=drug")
    (cell,) = shown["cells"]
    assert cell["claim_ids"] == ["drug-eases-ache"]
    assert (cell["headline_claim"]["id"], cell["studies"], cell["participants"]) == ("drug-eases-ache", 2, 100)
    assert (cell["other_claims"], cell["subgroup"]) == (0, None)
    (own,) = shown["subgroup_cells"]
    assert own["subgroup"] == {"id": "women", "label": "women"}
    assert (own["condition"], own["outcome"], own["coverage"]) == ("ache", "pain", "found")
    assert (own["headline_claim"]["id"], own["studies"], own["participants"]) == ("drug-eases-ache-in-women", 2, 1000)
    assert [row["studies"] for row in shown["conditions"]] == [2]


def test_coverage_answers_for_everybody_and_lists_subgroups_apart(client: TestClient) -> None:
    summary = read_json(client, "/v1/coverage?intervention=drug&condition=ache")["summary"]
    assert summary["headline_claim"]["id"] == "drug-eases-ache"
    assert (summary["studies"], summary["participants"], summary["other_claims"]) == (2, 100, 2)
    assert [finding["claim"]["id"] for finding in summary["outcomes"]] == ["drug-eases-ache"]
    (finding,) = summary["subgroups"]
    assert (finding["subgroup"]["id"], finding["claim"]["id"]) == ("women", "drug-eases-ache-in-women")


def test_where_nothing_is_recorded_for_everybody_nothing_answers(small: Database) -> None:
    put(small, *on_women(conditions=["ailment"]))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        known = read_json(client, "/v1/coverage?intervention=drug&condition=ailment")
        shown = read_json(client, "/v1/evidence-map?intervention=drug&condition=ailment")
        brief = read_json(client, "/v1/briefs/drug/ailment")
        page = client.get("/conditions/ailment?intervention=drug").text
    assert (known["status"], known["summary"]["headline_claim"]) == ("found", None)
    assert known["summary"]["best_design"] is None
    assert known["sentence"].startswith(
        "drug and ailment: evidence is recorded in women alone, and none for everybody."
    )
    (cell,) = shown["cells"]
    assert (cell["coverage"], cell["headline_claim"], cell["claim_ids"]) == ("not_searched", None, [])
    assert brief["notice"]["claim"] is None
    assert brief["notice"]["summary"] == known["sentence"]
    assert "evidence is recorded in women alone" in page


def test_briefs_and_pages_say_whom_it_is_about(client: TestClient) -> None:
    brief = read_json(client, "/v1/briefs/drug/ache")
    assert brief["notice"]["claim"]["id"] == "drug-eases-ache"
    (helps,) = [section for section in brief["sections"] if section["id"] == "does-it-help"]
    assert [(one["claim_id"], one["topic"]) for one in helps["statements"]] == [
        ("drug-eases-ache", "By outcome"),
        ("drug-eases-ache-in-women", "In women"),
    ]
    assert helps["statements"][1]["subgroup"] == {"id": "women", "label": "women"}
    assert "In women, the drug " in client.get("/v1/briefs/drug/ache?format=markdown").text
    assert "women (sex)" in client.get("/claims/drug-eases-ache-in-women").text
    drawn = client.get("/evidence-map?intervention=drug").text
    assert 'aria-label="ache in women"' in drawn
    assert "ache in women, pain: In women, the drug " in drawn
    assert "pain (in women)" in client.get("/conditions/ache?intervention=drug&layer=clinicians").text


def test_the_list_of_conditions_answers_for_everybody_alone(client: TestClient) -> None:
    page = client.get("/conditions?intervention=drug").text
    answer = read_json(client, "/v1/claims/drug-eases-ache")["evidence"]["answer"]
    assert answer in page
    assert "In women" not in page


def test_other_formats_say_whom_it_is_about(client: TestClient) -> None:
    definition = read_json(client, "/fhir/r5/Evidence/cit-large-1")
    assert definition["variableDefinition"][0]["description"].startswith("women")
    statement = read_json(client, "/v1/claims/drug-eases-ache-in-women?format=va-spec")
    extensions = {one["name"]: one["value"] for one in statement["proposition"]["extensions"]}
    assert extensions["subgroup"]["id"] == "women"
    table = client.get("/v1/claims.csv?subgroup=women").text
    assert ",women," in table


def test_a_claim_does_not_take_the_verdict_of_one_on_other_people(small: Database) -> None:
    """`low-dose-eases-ache` restates `drug-eases-ache`; once that is about women alone, it answers for itself."""
    put(small, amended(content(small, "claim", "drug-eases-ache"), subgroup=WOMEN))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        assert read_json(client, "/v1/claims/low-dose-eases-ache")["evidence"]["verdict"]["code"] == "uncited"
        put(small, amended(content(small, "claim", "low-dose-eases-ache"), subgroup=WOMEN))
        own = read_json(client, "/v1/claims/low-dose-eases-ache")["evidence"]
    assert own["verdict"]["code"] == "conflicting_leaning_against"
    assert own["answer"].startswith("In women, ")


def test_codes_of_a_subgroup_are_kept(small: Database) -> None:
    put(small, record("claim", "in-raised-crp", subgroup=RAISED))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        claim = read_json(client, "/v1/claims/in-raised-crp")
    assert [code["code"] for code in claim["subgroup"]["codes"]] == ["X1"]


@pytest.mark.parametrize(
    ("group", "field"),
    [
        ({**WOMEN, "id": "everybody"}, "subgroup.id"),
        ({**WOMEN, "id": "some-women", "label": "women."}, "subgroup.label"),
        ({**RAISED, "id": "women"}, "subgroup"),
    ],
)
def test_what_cannot_be_a_subgroup_is_refused(small: Database, group: Fields, field: str) -> None:
    put(small, *on_women())
    with pytest.raises(InvalidInput) as refused:
        put(small, record("claim", "another", subgroup=group))
    assert [fault.field for fault in refused.value.errors] == [f"claim/another: {field}"]


def test_all_claims_of_a_subgroup_can_be_renamed_together(small: Database) -> None:
    put(small, *on_women(), record("claim", "another", subgroup=WOMEN))
    renamed = {**WOMEN, "label": "women of any age"}
    both = [content(small, "claim", claim_id) for claim_id in ("drug-eases-ache-in-women", "another")]
    with pytest.raises(InvalidInput):
        put(small, amended(both[0], subgroup=renamed))
    put(small, *(amended(claim, subgroup=renamed) for claim in both))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        listed = read_json(client, "/v1/claims?subgroup=women")["items"]
    assert [claim["subgroup"]["label"] for claim in listed] == ["women of any age"] * 2
