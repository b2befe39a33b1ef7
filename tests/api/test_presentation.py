"""How much of a record an answer shows: chosen fields, fewer citations, labels beside enumeration values."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.core.shape import paths_of, shape_of
from app.registry import RESOURCES
from app.storage.resource import Resource
from tests.contract.support import Item, the_error
from tests.serving import read_json

CLAIM = "/v1/claims/ldz-murmuria-pain"
LIST = "/v1/claims?condition=murmuria"
every_type = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.type)


# --- fields -------------------------------------------------------------------------------------------------------


def test_only_the_fields_asked_for_are_shown_and_what_must_travel_with_a_claim(client: TestClient) -> None:
    whole = read_json(client, CLAIM)
    shown = read_json(client, f"{CLAIM}?fields=statement,citations.document.doi&fields=intervention")

    assert set(shown) == {
        "id", "type", "statement", "intervention", "caveat", "caveat_required", "evidence", "citations",
        "citations_truncated", "inheritance", "links",
    }  # fmt: skip
    assert set(shown["evidence"]) == {"verdict", "answer", "counts_text", "by_stance"}
    assert shown["citations"] == [
        {"document": {name: c["document"][name] for name in ("doi", "standing")}} for c in whole["citations"]
    ]
    for name in ("statement", "intervention", "caveat", "links"):
        assert shown[name] == whole[name]
    for name, value in shown["evidence"].items():
        assert value == whole["evidence"][name]


@every_type
def test_lists_and_items_of_every_type_take_fields_and_keep_id_type_and_links(
    client: TestClient, resource: Resource
) -> None:
    leaf = next(name for name, field in shape_of(resource.read).items() if not field.model and name not in ("id",))
    page = read_json(client, f"{resource.path}?fields={leaf}&limit=2")
    for item in page["items"]:
        assert {"id", "type", "links", leaf} <= set(item)
        assert len(item) < len(shape_of(resource.read))
        assert read_json(client, f"{resource.path}/{item['id']}?fields={leaf}") == item
    assert set(page) >= {"items", "next", "next_cursor", "total", "total_is"}


@every_type
def test_every_field_can_be_asked_for(client: TestClient, resource: Resource) -> None:
    whole = read_json(client, f"{resource.path}?limit=1")["items"][0]
    address = f"{resource.path}/{whole['id']}"
    paths = [path for path in paths_of(resource.read) if "." not in path or path.count(".") == 1]
    for start in range(0, len(paths), 30):
        shown = read_json(client, f"{address}?fields={','.join(paths[start : start + 30])}")
        assert all(shown[path] == whole[path] for path in paths[start : start + 30] if "." not in path)


def test_a_claim_named_inside_a_record_keeps_what_must_travel_with_its_text(client: TestClient) -> None:
    asserted = read_json(client, "/v1/side-effects/insomnia?fields=assertions.text")["assertions"]
    warned = read_json(client, "/v1/interventions/low-dose-zelvane?fields=inherited_warnings.statement")

    assert {"text", "claim_id", "verdict", "answer", "caveat", "supports", "disputes"} <= set(asserted[0])
    assert {"statement", "id", "verdict", "answer", "caveat", "links"} <= set(warned["inherited_warnings"][0])


def test_a_record_as_it_was_takes_fields(client: TestClient) -> None:
    whole = read_json(client, f"{CLAIM}?serial=1")
    shown = client.get(f"{CLAIM}?serial=1&fields=statement")

    assert shown.json()["statement"] == whole["statement"]
    assert "citations" not in shown.json()
    assert "immutable" in shown.headers["cache-control"]


@pytest.mark.parametrize("address", [CLAIM, LIST])
def test_the_etag_is_of_what_is_shown(client: TestClient, address: str) -> None:
    joint = "&" if "?" in address else "?"
    shown = client.get(f"{address}{joint}fields=statement")

    assert shown.headers["etag"] != client.get(address).headers["etag"]
    assert shown.headers["etag"] != client.get(f"{address}{joint}fields=caveat").headers["etag"]
    again = client.get(f"{address}{joint}fields=statement", headers={"If-None-Match": shown.headers["etag"]})
    assert again.status_code == 304


def test_a_page_of_footnotes_is_small(client: TestClient) -> None:
    footnotes = "citations.stance,citations.document.label,citations.document.doi"
    page = client.get(f"/v1/claims?kind=efficacy&fields={footnotes}")

    assert len(page.json()["items"]) == 20
    assert len(page.content) < 60_000


def test_a_cursor_does_not_depend_on_the_fields(client: TestClient) -> None:
    cursor = read_json(client, f"{LIST}&limit=2")["next_cursor"]

    assert read_json(client, f"{LIST}&limit=2&fields=statement&cursor={cursor}")["items"]


def test_a_cursor_goes_on_when_only_the_citations_shown_change(client: TestClient) -> None:
    whole = read_json(client, f"{LIST}&limit=4")["items"]
    cursor = read_json(client, f"{LIST}&limit=2&citations=none")["next_cursor"]
    for shown in ("all", "top", "none"):
        following = read_json(client, f"{LIST}&limit=2&citations={shown}&cursor={cursor}")["items"]
        assert [claim["id"] for claim in following] == [claim["id"] for claim in whole[2:]]


def test_an_unknown_field_is_refused_with_the_nearest(client: TestClient) -> None:
    misspelt = the_error(client, CLAIM, fields="statment")
    misplaced = the_error(client, LIST, fields="statement,doi")

    assert (misspelt["field"], misspelt["code"]) == ("fields", "unknown_value")
    assert "statement" in misspelt["did_you_mean"]
    assert misplaced["did_you_mean"][0] == "citations.document.doi"


def test_at_most_thirty_paths_are_taken(client: TestClient) -> None:
    paths = paths_of(RESOURCES[0].read)

    assert the_error(client, CLAIM, fields=",".join(["statement"] * 31))["code"] == "too_long"
    assert client.get(f"/v1/interventions?fields={','.join(paths[:30])}").status_code == 200


@pytest.mark.parametrize("query", ["fields=statement", "labels=true", "citations=top"])
def test_what_says_how_json_looks_does_not_go_with_another_format(client: TestClient, query: str) -> None:
    assert the_error(client, f"{CLAIM}?format=jsonld&{query}")["code"] == "json_only"


# --- citations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [CLAIM, f"{LIST}&limit=1&id=ldz-murmuria-pain"])
def test_citations_are_embedded_as_far_as_they_are_asked_for(client: TestClient, address: str) -> None:
    def claim(query: str) -> Item:
        answer = read_json(client, f"{address}{'&' if '?' in address else '?'}{query}")
        found: Item = answer["items"][0] if "items" in answer else answer
        return found

    whole, top, none = (claim(f"citations={which}") for which in ("all", "top", "none"))

    assert [c["stance"] for c in top["citations"]] == ["disputes", "supports"]
    assert top["citations"][0] == whole["citations"][0]
    assert none["citations"] == []
    assert (whole["citations_truncated"], top["citations_truncated"], none["citations_truncated"]) == (
        False, True, True,
    )  # fmt: skip
    assert none["evidence"] == whole["evidence"]
    assert none["links"] == whole["links"]


def test_doses_are_marked_on_what_is_shown(client: TestClient) -> None:
    page = read_json(client, f"{LIST}&dose=4.5%20mg&fields=citations.dose_match")

    marks = [citation["dose_match"] for item in page["items"] for citation in item["citations"]]
    assert {"overlaps", "not_reported"} <= set(marks)
    assert page["dose"]["overlaps"] == marks.count("overlaps")


# --- labels -------------------------------------------------------------------------------------------------------


@every_type
def test_every_enumeration_value_has_its_label_beside_it(client: TestClient, resource: Resource) -> None:
    labels = {
        term["value"]: term["label"]
        for vocabulary in read_json(client, "/v1/vocabularies")["items"]
        for term in vocabulary["terms"]
        if vocabulary["name"] == "status"
    }
    plain = read_json(client, f"{resource.path}?limit=3")["items"]
    labelled = read_json(client, f"{resource.path}?limit=3&labels=true")["items"]

    assert [item["status_label"] for item in labelled] == [labels[item["status"]] for item in plain]
    assert [without_labels(item) for item in labelled] == plain


def without_labels(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_labels(part) for name, part in value.items() if not name.endswith("_label")}
    return [without_labels(part) for part in value] if isinstance(value, list) else value


def test_labels_of_lists_are_lists_and_of_nothing_null(client: TestClient) -> None:
    claim = read_json(client, "/v1/claims/ldz-ravens-pain?labels=true")
    indirect = next(c for c in claim["citations"] if c["indirect_because"])
    certain = next(c for c in claim["citations"] if c["stance_reason"] is None)

    assert claim["evidence"]["consensus_label"] == "Conflicting"
    assert len(indirect["indirect_because_label"]) == len(indirect["indirect_because"])
    assert certain["stance_reason_label"] is None
    assert claim["citations"][0]["study"]["design_label"][0].isupper()


# --- footnotes ----------------------------------------------------------------------------------------------------


def test_footnotes_are_numbered_within_their_claim_whatever_is_left_out(client: TestClient) -> None:
    whole = read_json(client, CLAIM)["citations"]
    top = read_json(client, f"{CLAIM}?citations=top&fields=citations.number,citations.id")["citations"]

    assert [citation["number"] for citation in whole] == list(range(1, len(whole) + 1))
    assert all((citation["number"], citation["id"]) in [(c["number"], c["id"]) for c in whole] for citation in top)
    assert len({citation["number"] for citation in top}) == 2
    for citation in whole[:3]:
        assert read_json(client, citation["links"]["self"])["number"] == citation["number"]


def test_a_citation_leads_to_its_document_by_the_best_address(client: TestClient) -> None:
    for citation in read_json(client, CLAIM)["citations"]:
        links, document = citation["links"], citation["document"]
        first = next((links[name] for name in ("doi", "pubmed") if links[name]), None)
        if first is not None:
            assert links["best"] == first
        assert (links["doi"] is None) == (document["doi"] is None)
        assert (links["pubmed"] is None) == (document["pmid"] is None)
        record = read_json(client, links["document"])
        assert {name: record["links"][name] for name in ("best", "doi", "pubmed", "url")} == {
            name: links[name] for name in ("best", "doi", "pubmed", "url")
        }
        assert links["url"] == record["url"]


# --- side effects -------------------------------------------------------------------------------------------------


def test_side_effects_show_frequency_onset_and_mitigation_with_their_references(client: TestClient) -> None:
    insomnia = read_json(client, "/v1/side-effects/insomnia")
    reported = [
        (reference["document"]["id"], frequency["events"], frequency["total"], frequency["percent"])
        for shown in insomnia["frequency"]
        for reference in shown["references"]
        for frequency in reference["frequencies"]
    ]

    assert ("larch-2018", 41, 49, 84.0) in reported
    assert [shown["claim_id"] for shown in insomnia["mitigation"]] == ["ldz-morning-intake"]
    assert read_json(client, "/v1/side-effects/headache")["onset"][0]["timepoint"] == "start of treatment"


def test_a_frequency_is_what_the_source_reports_for_each_arm(client: TestClient) -> None:
    shown = read_json(client, "/v1/side-effects/insomnia")["frequency"]
    larch = next(one for one in shown if one["claim_id"] == "ldz-insomnia")["references"][0]

    assert [
        (frequency["role"], frequency["events"], frequency["total"], frequency["percent"])
        for frequency in larch["frequencies"]
    ] == [("intervention", 41, 49, 84.0), ("comparator", 43, 50, 86.0)]
    assert larch["links"]["best"].startswith("https://doi.org/")


def test_what_a_side_effect_shows_are_its_assertions(client: TestClient) -> None:
    side_effects = read_json(client, "/v1/side-effects?limit=200")["items"]
    assert any(side_effect["assertions"] for side_effect in side_effects)
    for side_effect in side_effects:
        shown = [
            one["claim_id"]
            for field in ("frequency", "onset", "course", "severity", "mitigation")
            for one in side_effect[field]
        ]
        aspects = ("occurrence", "onset", "course", "severity", "mitigation")
        asserted = [one["claim_id"] for one in side_effect["assertions"] if one["aspect"] in aspects]
        assert sorted(shown) == sorted(asserted)


@pytest.mark.parametrize(
    ("path", "remedies"),
    [
        ("/v1/claims", ("fields", "citations")),
        (CLAIM, ("fields", "citations")),
        ("/v1/documents", ("fields",)),
        ("/v1/outcomes/pain", ("fields",)),
    ],
)
def test_who_asks_to_include_records_is_told_how_to_choose_from_what_is_there(
    client: TestClient, path: str, remedies: tuple[str, ...]
) -> None:
    error = the_error(client, path, include="documents")
    assert (error["field"], error["code"], error["did_you_mean"]) == ("include", "unknown_parameter", None)
    assert [name for name in ("fields", "citations") if f"`{name}`" in error["message"]] == list(remedies)
    assert set(remedies) <= set(error["allowed"])


def test_a_table_which_shows_no_fields_says_only_that_it_does_not_know_include(client: TestClient) -> None:
    error = the_error(client, "/v1/claims.csv", include="documents")
    assert error["message"] == "This address does not know this parameter."
