"""What is said of a citation beside its stance is shown with it and changes no grade; all its quotations are held."""

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
QUOTES: list[Fields] = [
    {"text": "the mean ache fell by half in this trial", "locator": {"section": "Results", "page": "12"}},
    {"text": "nobody in this trial left because of harm", "locator": {"figure": "Table 3"}},
]
QUALIFIED: Fields = {
    "extent": "partially",
    "extent_note": "Only the ache in the morning was measured.",
    "strength": {"value": "B", "scale": "Levels of a society"},
    "quotes": QUOTES,
}


def qualified(database: Database, **fields: Any) -> None:
    """`drug-eases-ache` with more said of its first citation."""
    claim = content(database, "claim", "drug-eases-ache")
    first, *others = claim.content.model_dump(mode="json")["citations"]
    put(database, amended(claim, citations=[{**first, **fields}, *others]))


@pytest.fixture
def client(small: Database) -> Iterator[TestClient]:
    with serving(small.url.render_as_string(hide_password=False)) as client:
        yield client


def whole(quote: Fields) -> Fields:
    return {"text": quote["text"], "locator": {"section": None, "page": None, "figure": None, **quote["locator"]}}


def test_qualifiers_are_shown_and_change_no_grade(small: Database, client: TestClient) -> None:
    before = read_json(client, "/v1/claims/drug-eases-ache")["evidence"]
    qualified(small, **QUALIFIED)
    claim = read_json(client, "/v1/claims/drug-eases-ache")
    assert claim["evidence"] == before
    alone = read_json(client, "/v1/citations/cit-a")
    for shown in (next(one for one in claim["citations"] if one["id"] == "cit-a"), alone):
        assert {name: shown[name] for name in ("extent", "extent_note", "strength")} == {
            name: QUALIFIED[name] for name in ("extent", "extent_note", "strength")
        }
        assert shown["quotes"] == [whole(quote) for quote in QUOTES]
        assert shown["locator"]["quote"] == QUOTES[0]["text"]
    other = next(one for one in claim["citations"] if one["id"] == "cit-b")
    assert [other[name] for name in ("extent", "extent_note", "strength", "quotes")] == [None, None, None, []]


def test_pages_briefs_and_other_formats_show_them(small: Database, client: TestClient) -> None:
    qualified(small, **QUALIFIED)
    page = client.get("/claims/drug-eases-ache").text
    texts: list[str] = [QUALIFIED["extent_note"], *(quote["text"] for quote in QUOTES)]
    for text in (*texts, "Strength by Levels of a society: B.", "Table 3"):
        assert text in page
    brief = read_json(client, "/v1/briefs/drug/ache")
    (helps,) = [section for section in brief["sections"] if section["id"] == "does-it-help"]
    (cited,) = helps["statements"][0]["citations"]["supports"][:1]
    assert (cited["extent"], cited["extent_note"], len(cited["quotes"])) == ("partially", texts[0], 2)
    assert [note["extent"] for note in helps["statements"][0]["footnotes"]].count("partially") == 1
    for form in ("markdown", "html"):
        shown = client.get(f"/v1/briefs/drug/ache?format={form}").text
        assert all(text in shown for text in texts)
    evidence = client.get("/fhir/r5/Evidence/cit-a").text
    assert texts[0] in evidence
    line = next(
        one
        for one in read_json(client, "/v1/claims/drug-eases-ache?format=va-spec")["hasEvidenceLines"]
        if one["id"] == "/v1/citations/cit-a"
    )
    assert line["strengthOfEvidenceProvided"]["name"] == "B"
    assert {one["name"] for one in line["extensions"]} >= {"extent", "extent_note", "quotes"}
    linked = client.get("/v1/claims/drug-eases-ache?format=jsonld").text
    assert all(quote["text"] in linked for quote in QUOTES)


@pytest.mark.parametrize("quote", [quote["text"] for quote in QUOTES])
def test_any_of_the_quotations_verifies(small: Database, client: TestClient, quote: str) -> None:
    identified = [{"scheme": "doi", "value": "10.1234/paper-a"}]
    put(small, amended(content(small, "document", "paper-a"), identifiers=identified))
    qualified(small, quotes=QUOTES)
    item = {"claim": "drug-eases-ache", "identifier": "10.1234/paper-a", "quote": quote}
    (found,) = client.post("/v1/verify", json={"items": [item]}).json()["items"]
    assert found["quote"] == {"result": "in_recorded_quote", "citation": "cit-a"}


def test_the_single_quotation_of_earlier_states_is_read(small: Database, client: TestClient) -> None:
    place = {"section": "Results", "page": None, "figure": None}
    qualified(small, locator={**place, "quote": QUOTES[0]["text"]})
    shown = read_json(client, "/v1/citations/cit-a")
    assert shown["quotes"] == [{"text": QUOTES[0]["text"], "locator": place}]
    assert shown["locator"] == {**place, "quote": QUOTES[0]["text"]}
    earlier = read_json(client, shown["links"]["permalink"])
    assert earlier["quotes"] == shown["quotes"]


LONG = " ".join(f"word{n}" for n in range(26))


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"extent": "partially"}, ["extent_note"]),
        ({"extent_note": "Only a part."}, ["extent_note"]),
        ({"quotes": [{"text": f"words number {n}"} for n in range(6)]}, ["quotes"]),
        ({"quotes": [{"text": "the same words"}] * 2}, ["quotes"]),
        ({"quotes": [{"text": "a few words"}, {"text": LONG}]}, ["quotes[1].text"]),
        ({"locator": {"quote": LONG}}, ["locator.quote"]),
        ({"quotes": QUOTES, "locator": {"quote": "other words"}}, ["locator.quote"]),
    ],
)
def test_what_does_not_fit_is_refused(small: Database, fields: Fields, faults: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        qualified(small, **fields)
    found = [fault.field.removeprefix("claim/drug-eases-ache: citations[0].") for fault in refused.value.errors]
    assert found == faults


@pytest.mark.parametrize("stance", ["mixed", "inconclusive", "background", "not_assessed"])
def test_only_a_side_can_be_taken_partially_or_strongly(small: Database, stance: str) -> None:
    claim = record(
        "claim",
        "another",
        citations=[
            citation("cit-other", "paper-a", "trial-a", stance, **{**QUALIFIED, "quotes": []}),
        ],
    )
    with pytest.raises(InvalidInput) as refused:
        put(small, claim)
    assert [fault.field for fault in refused.value.errors] == [
        "claim/another: citations[0].extent",
        "claim/another: citations[0].strength",
    ]
