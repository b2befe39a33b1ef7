"""Read, search, page, parts and conditional requests, on both engines."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from app.fhir.rendered import RenderedResource, ResourceCache
from app.fhir.types import TYPES
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.storage.database import Database
from app.storage.history import StoredRecord
from app.storage.read_view import DatasetState
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from tests.factories import CURATOR, amended
from tests.fhir.conftest import BASE, Json, fhir_client

R5 = "/fhir/r5"
NAMES = [fhir_type.name for fhir_type in TYPES]


def ids(bundle: Json) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def links(bundle: Json) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def pages(client: TestClient, address: str) -> Iterator[Json]:
    while address:
        bundle = client.get(address).json()
        yield bundle
        address = path_of(links(bundle)["next"]) if "next" in links(bundle) else ""


# --- metadata and read ------------------------------------------------------------------------------------------------


def test_metadata_tells_every_type_with_its_search_parameters(facade: TestClient) -> None:
    statement = facade.get(f"{R5}/metadata").json()
    told = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}

    assert statement["fhirVersion"] == "5.0.0"
    assert statement["implementation"]["url"] == f"{BASE}{R5}"
    assert set(told) == {*NAMES, "Library"}
    for fhir_type in TYPES:
        interactions = [interaction["code"] for interaction in told[fhir_type.name]["interaction"]]
        assert ("vread" in interactions) != fhir_type.is_aggregate
        names = [parameter["name"] for parameter in told[fhir_type.name]["searchParam"]]
        assert names == ["_id", *(parameter.name for parameter in fhir_type.parameters)]


def test_a_read_carries_version_date_and_media_type(facade: TestClient) -> None:
    answer = facade.get(f"{R5}/Citation/alder-2013")
    resource = answer.json()

    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["etag"] == f'W/"{resource["meta"]["versionId"]}"'
    assert answer.headers["last-modified"].endswith(" GMT")
    assert answer.headers["dataset-serial"] == "1"
    assert {"system": "https://doi.org", "value": "10.5555/zelvane.1"} in resource["citedArtifact"]["identifier"]


def test_a_client_that_has_the_version_hears_304(facade: TestClient) -> None:
    for address in (f"{R5}/Citation/alder-2013", f"{R5}/Evidence?_count=2", f"{R5}/metadata"):
        tag = facade.get(address).headers["etag"]
        again = facade.get(address, headers={"If-None-Match": tag})

        assert tag.startswith('W/"')
        assert (again.status_code, again.content) == (304, b"")


def test_head_answers_as_get_does_without_a_body(facade: TestClient) -> None:
    answer = facade.head(f"{R5}/Substance/zelvane")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"].startswith('W/"')


def test_the_library_is_the_data_set(facade: TestClient) -> None:
    read = facade.get(f"{R5}/Library/zelvane-evidence").json()
    found = facade.get(f"{R5}/Library").json()
    other = facade.get(f"{R5}/Library?_id=other").json()

    assert "not medical advice" in read["description"]
    assert ids(found) == ["zelvane-evidence"]
    assert (other["total"], ids(other)) == (0, [])


@pytest.mark.parametrize(
    ("asked", "media_type"),
    [
        ({"Accept": "application/fhir+json"}, "application/fhir+json"),
        ({"Accept": "application/fhir+json; fhirVersion=5.0"}, "application/fhir+json"),
        ({"Accept": "application/json+fhir"}, "application/fhir+json"),
        ({"Accept": "application/json"}, "application/json"),
        ({"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}, "application/fhir+json"),
        ({"Accept": "application/fhir+xml, application/fhir+json;q=0.5"}, "application/fhir+json"),
    ],
)
def test_the_accept_header_chooses(facade: TestClient, asked: dict[str, str], media_type: str) -> None:
    answer = facade.get(f"{R5}/Substance/zelvane", headers=asked)

    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("value", ["json", "application/json", "application/fhir%2Bjson", "application/fhir+json"])
def test_format_goes_before_accept(facade: TestClient, value: str) -> None:
    answer = facade.get(f"{R5}/Substance/zelvane?_format={value}", headers={"Accept": "application/fhir+xml"})

    assert answer.status_code == 200


# --- parts ------------------------------------------------------------------------------------------------------------


def test_elements_are_chosen_and_what_must_travel_stays(facade: TestClient) -> None:
    resource = facade.get(f"{R5}/ClinicalUseDefinition/ldz-murmuria-pain?_elements=indication").json()

    assert set(resource) == {"resourceType", "id", "meta", "extension", "type", "indication"}
    assert resource["meta"]["tag"][0]["code"] == "SUBSETTED"


@pytest.mark.parametrize("summary", ["true", "data", "text"])
def test_no_summary_shows_a_statement_without_its_caveat(facade: TestClient, summary: str) -> None:
    for name in ("Evidence", "ClinicalUseDefinition", "ArtifactAssessment"):
        bundle = facade.get(f"{R5}/{name}?_count=5&_summary={summary}").json()
        for entry in bundle["entry"]:
            resource = entry["resource"]
            told = str(resource.get("note", "")) + str(resource.get("extension", ""))
            assert "Caveat: " in told
            assert ("text" in resource) == (summary == "text")


def test_counts_come_without_entries(facade: TestClient) -> None:
    for query in ("_summary=count", "_count=0"):
        bundle = facade.get(f"{R5}/Evidence?{query}").json()
        assert "entry" not in bundle
        assert set(links(bundle)) == {"self"}
        assert bundle["total"] > 20


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_pages_lose_and_repeat_nothing(facade: TestClient, name: str) -> None:
    found: list[str] = []
    for bundle in pages(facade, f"{R5}/{name}?_count=7"):
        assert len(ids(bundle)) <= 7
        found += ids(bundle)

    assert found == sorted(set(found))
    assert len(found) == bundle["total"]


@pytest.mark.parametrize("sort", ["_id", "title"])
def test_order_is_kept_over_pages_in_both_directions(facade: TestClient, sort: str) -> None:
    upward, downward = (
        [found for bundle in pages(facade, f"{R5}/Citation?_count=3&_sort={way}{sort}") for found in ids(bundle)]
        for way in ("", "-")
    )

    assert upward == downward[::-1]
    assert len(upward) == len(set(upward)) == facade.get(f"{R5}/Citation?_count=0").json()["total"]


def test_citations_are_ordered_by_their_titles(facade: TestClient) -> None:
    found = facade.get(f"{R5}/Citation?_id=zelvane-label,glow-2009&_sort=title").json()
    titles = [entry["resource"]["citedArtifact"]["title"][0]["text"] for entry in found["entry"]]

    assert [title.split()[0] for title in titles] == ["What", "ZELVIA"]
    assert ids(found) == ["glow-2009", "zelvane-label"]


def test_an_order_that_is_not_known_is_ignored_and_not_told_as_used(facade: TestClient) -> None:
    bundle = facade.get(f"{R5}/Evidence?_sort=-date&_count=2").json()

    assert links(bundle)["self"] == f"{BASE}{R5}/Evidence?_count=2"
    assert links(facade.get(f"{R5}/Evidence?_sort=-_id&_count=2").json())["self"].endswith("?_sort=-_id&_count=2")


@pytest.mark.parametrize("name", [*NAMES, "Library"])
def test_a_search_by_post_answers_as_the_one_by_get(facade: TestClient, name: str) -> None:
    by_get = facade.get(f"{R5}/{name}?_count=2&_summary=true&_format=json")
    by_post = facade.post(
        f"{R5}/{name}/_search?_count=2",
        data={"_summary": "true", "_format": "json"},
        headers={"If-None-Match": by_get.headers["etag"]},
    )

    assert by_post.status_code == 200
    assert by_post.json() == by_get.json()
    assert by_post.headers["content-type"] == "application/fhir+json; charset=utf-8"


def test_a_form_may_be_empty_and_carry_any_text(facade: TestClient) -> None:
    assert facade.post(f"{R5}/Citation/_search").json()["total"] >= 10
    found = facade.post(f"{R5}/Citation/_search", data={"identifier": "https://doi.org|10.5555/ZELVANE.1"}).json()
    assert ids(found) == ["alder-2013"]
    assert facade.post(f"{R5}/Citation/_search", data={"title": "naïve & 100%"}).json()["total"] == 0


def test_entries_are_the_resources_that_a_read_answers(facade: TestClient) -> None:
    for name in NAMES:
        entry = facade.get(f"{R5}/{name}?_count=1").json()["entry"][0]
        assert entry["fullUrl"] == f"{BASE}{R5}/{name}/{entry['resource']['id']}"
        assert facade.get(path_of(entry["fullUrl"])).json() == entry["resource"]


def test_the_self_link_tells_what_took_part(facade: TestClient) -> None:
    bundle = facade.get(f"{R5}/ClinicalUseDefinition?type=warning&colour=red&subject=&_count=3").json()

    assert links(bundle)["self"] == f"{BASE}{R5}/ClinicalUseDefinition?type=warning&_count=3"


SEARCHES = [
    ("Citation?identifier=https://doi.org|10.5555/ZELVANE.1", {"alder-2013"}),
    ("Citation?identifier=99900001", {"alder-2013"}),
    ("Citation?identifier=https://pubmed.ncbi.nlm.nih.gov|99900001", {"alder-2013"}),
    ("Citation?identifier=https://doi.org|99900001", set()),
    ("Citation?_id=alder-2013,birch-2024,nobody", {"alder-2013", "birch-2024"}),
    ("Citation?_id=alder-2013&_id=birch-2024", set()),
    ("Citation?title:contains=TOLD BY ALDER", {"alder-2013"}),
    ("Citation?title:exact=what zelvane", set()),
    ("Substance?code=http://www.nlm.nih.gov/research/umls/rxnorm|9990001", {"zelvane"}),
    ("Substance?code=http://www.whocc.no/atc|9990001", set()),
    ("Substance?code=low-dose-zelvane", {"low-dose-zelvane"}),
    ("Substance?status=active&_id=zelvane", {"zelvane"}),
    ("Substance?status=inactive", set()),
    ("MedicationKnowledge?code=9990001", {"zelvane"}),
    ("MedicationKnowledge?ingredient=Substance/low-dose-zelvane", {"low-dose-zelvane"}),
    ("ClinicalUseDefinition?type=banana", set()),
    ("ClinicalUseDefinition?interaction=other", set()),
    ("ClinicalUseDefinition?subject=Citation/zelvane", set()),
]


@pytest.mark.parametrize(("query", "expected"), SEARCHES)
def test_searches_find(facade: TestClient, query: str, expected: set[str]) -> None:
    bundle = facade.get(f"{R5}/{query}").json()

    assert set(ids(bundle)) == expected
    assert bundle["total"] == len(expected)


def test_a_condition_is_found_by_code_in_its_system_or_by_its_id(facade: TestClient) -> None:
    by_code, by_system, by_id = (
        ids(facade.get(f"{R5}/ClinicalUseDefinition?_count=200&indication={token}").json())
        for token in ("M99.97", "http://hl7.org/fhir/sid/icd-10-cm|m99.97", "murmuria")
    )

    assert "ldz-murmuria-pain" in by_code
    assert by_code == by_system == by_id


def test_a_dose_regimen_finds_the_harms_of_its_drug_and_none_of_its_benefits(facade: TestClient) -> None:
    def found(query: str) -> set[str]:
        return set(ids(facade.get(f"{R5}/ClinicalUseDefinition?_count=200&{query}").json()))

    low, drug = found("subject=Substance/low-dose-zelvane"), found(f"subject={BASE}{R5}/Substance/zelvane")
    indications = found("type=indication")

    assert "zelvane-lort-contraindication" in low
    assert drug - low == drug & indications
    assert drug - low


def test_every_clinical_use_is_found_by_its_type(facade: TestClient) -> None:
    types = ("indication", "contraindication", "interaction", "undesirable-effect", "warning")
    totals = [facade.get(f"{R5}/ClinicalUseDefinition?_count=0&type={name}").json()["total"] for name in types]
    together = facade.get(f"{R5}/ClinicalUseDefinition?_count=0&type={','.join(types)}").json()["total"]

    assert all(totals)
    assert sum(totals) == together == facade.get(f"{R5}/ClinicalUseDefinition?_count=0").json()["total"]


def test_strict_handling_refuses_what_lenient_handling_ignores(facade: TestClient) -> None:
    lenient = facade.get(f"{R5}/Evidence?colour=red&_count=1")
    strict = facade.get(f"{R5}/Evidence?colour=red&_count=1", headers={"Prefer": "handling=strict"})

    assert lenient.status_code == 200
    assert strict.status_code == 400
    assert strict.json()["issue"][0]["code"] == "not-supported"


def test_without_a_public_address_links_are_path_absolute(seeded: Database) -> None:
    with fhir_client(seeded, base="") as client:
        bundle = client.get(f"{R5}/Evidence?_count=1").json()

    assert links(bundle)["next"].startswith(f"{R5}/Evidence?_count=1&_after=")
    assert "fullUrl" not in bundle["entry"][0]


# --- change -----------------------------------------------------------------------------------------------------------


def change(database: Database, record_type: str, record_id: str, **fields: object) -> None:
    with database.write() as session:
        content = CurrentRecords(session).content(Key(record_type, record_id))
        publish(session, CURATOR, [amended(Change(record_type, content), **fields)], "For a test.")


def test_a_change_of_what_is_shown_changes_the_version(scratch: Database, scratch_facade: TestClient) -> None:
    citing = f"{R5}/ClinicalUseDefinition/ldz-murmuria-pain"
    other = f"{R5}/Substance/lorts"
    before = [scratch_facade.get(address).headers["etag"] for address in (citing, other)]

    change(scratch, "document", "alder-2013", label="Alder and others 2013")
    after = scratch_facade.get(citing, headers={"If-None-Match": before[0]})

    assert before == ['W/"1"', 'W/"1"']
    assert (after.status_code, after.headers["etag"]) == (200, 'W/"2"')
    assert "Alder and others 2013" in after.text
    assert scratch_facade.get(other, headers={"If-None-Match": before[1]}).status_code == 304


def test_a_retired_record_is_gone_and_no_longer_found(scratch: Database, scratch_facade: TestClient) -> None:
    change(scratch, "claim", "zelvane-hypersensitivity", status="retired", successor="zelvane-liver-warning")
    with scratch.read() as session:
        retired = session.get_one(StoredRecord, ("claim", "zelvane-hypersensitivity"))
        assert retired.status == "retired"

    for name in ("ClinicalUseDefinition", "ArtifactAssessment"):
        gone = scratch_facade.get(f"{R5}/{name}/zelvane-hypersensitivity")
        found = scratch_facade.get(f"{R5}/{name}?_id=zelvane-hypersensitivity").json()
        issue = gone.json()["issue"][0]
        assert (gone.status_code, issue["code"]) == (410, "deleted")
        assert "zelvane-liver-warning" in issue["diagnostics"]
        assert found["total"] == 0


# --- the cache --------------------------------------------------------------------------------------------------------


def resource(record_id: str, size: int = 10) -> RenderedResource:
    return RenderedResource(record_id, b"x" * size, 1, "2026-01-01T00:00:00Z")


FIRST, SECOND = DatasetState(0, 1, "first"), DatasetState(0, 2, "second")


def test_the_cache_holds_one_serial_within_its_bytes_and_keeps_what_was_read_again() -> None:
    cache = ResourceCache(max_bytes=40)
    cache.put(FIRST, "Evidence", resource("a"))
    cache.put(FIRST, "Evidence", resource("b"))
    cache.get(FIRST, "Evidence", "a")
    cache.put(FIRST, "Evidence", resource("c"))
    cache.put(FIRST, "Evidence", resource("d"))

    assert [bool(cache.get(FIRST, "Evidence", name)) for name in "abcd"] == [True, False, True, True]

    cache.put(SECOND, "Evidence", resource("e"))
    cache.put(FIRST, "Evidence", resource("f"))

    assert cache.get(FIRST, "Evidence", "a") is None
    assert [bool(cache.get(SECOND, "Evidence", name)) for name in "aef"] == [False, True, False]


def test_the_cache_serves_a_data_set_that_was_restored_to_an_earlier_serial() -> None:
    """On PostgreSQL nothing but its serial and its publication tells it from the former."""
    cache = ResourceCache()
    cache.put(FIRST, "Evidence", resource("a", size=10))
    cache.put(SECOND, "Evidence", resource("a", size=20))
    for restored in (FIRST, DatasetState(0, 1, "another")):
        cache.put(restored, "Evidence", resource("a", size=30))
        held = cache.get(restored, "Evidence", "a")
        assert held is not None
        assert len(held.body) == 30
