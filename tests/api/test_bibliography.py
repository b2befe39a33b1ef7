"""Reference lists and formats, asked for over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.bibliography import FORMATS
from app.bibliography import reference_list as bibliography
from app.storage.database import Database
from tests.factories import amended, content, put

PATH = "/v1/bibliography"
DOCUMENT = "/v1/documents/alder-2013"
CLAIM = "/v1/claims/ldz-murmuria-pain"
RIS = "application/x-research-info-systems"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def _cited(client: TestClient, query: str) -> list[str]:
    claims: dict[str, Any] = client.get(f"/v1/claims?limit=200&{query}").json()
    return [citation["document"]["id"] for claim in claims["items"] for citation in claim["citations"]]


@pytest.mark.parametrize("query", ["condition=murmuria&kind=efficacy", "stance=disputes", "id=ldz-murmuria-pain"])
def test_bibliography_holds_every_cited_document_once(client: TestClient, query: str) -> None:
    found = client.get(f"{PATH}?{query}").json()

    ids = [item["id"] for item in found["items"]]
    assert len(ids) == len(set(ids)) == found["total"]
    assert set(ids) == set(_cited(client, query))
    assert [item["number"] for item in found["items"]] == list(range(1, len(ids) + 1))


def test_claims_appear_in_the_order_asked_for(client: TestClient) -> None:
    forwards, backwards = (client.get(f"{PATH}?kind=safety&sort={sort}").json() for sort in ("id", "-id"))
    assert {item["id"] for item in forwards["items"]} == {item["id"] for item in backwards["items"]}
    assert forwards["items"][0]["id"] != backwards["items"][0]["id"]


def test_brief_has_the_same_numbers_in_its_bibliography(client: TestClient) -> None:
    brief = client.get("/v1/briefs/low-dose-zelvane/murmuria").json()
    found = client.get(f"{PATH}?brief=low-dose-zelvane/murmuria").json()

    numbers = {item["id"]: item["number"] for item in found["items"]}
    assert numbers == {reference["document"]["id"]: reference["number"] for reference in brief["references"]}


def test_brief_is_narrowed_by_filters(client: TestClient) -> None:
    found = client.get(f"{PATH}?brief=rxnorm:9990001/icd10cm:M99.97&stance=disputes").json()
    assert {item["id"] for item in found["items"]} <= set(_cited(client, "stance=disputes"))


def test_bibliography_is_refused_rather_than_cut(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bibliography, "MAX_REFERENCES", 3)

    for query in ("kind=efficacy", "brief=low-dose-zelvane/murmuria"):
        refused = client.get(f"{PATH}?{query}")
        assert refused.status_code == 422
        assert refused.json()["code"] == "too_many_references"


@pytest.mark.parametrize("parameter", ["limit=5", "cursor=abcdefghij", "citations=top", "style=mla", "format=jsonld"])
def test_what_makes_no_sense_of_a_whole_list_is_refused(client: TestClient, parameter: str) -> None:
    refused = client.get(f"{PATH}?{parameter}")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == parameter.partition("=")[0]


def test_unknown_brief_is_named_as_such(client: TestClient) -> None:
    refused = client.get(f"{PATH}?brief=low-dose-zelvan/murmuria")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["did_you_mean"][0] == "low-dose-zelvane"


@pytest.mark.parametrize("name", FORMATS)
def test_bibliography_is_downloaded_under_a_name(client: TestClient, name: str) -> None:
    answered = client.get(f"{PATH}?brief=low-dose-zelvane/murmuria&format={name}")

    file = f"low-dose-zelvane-murmuria.{FORMATS[name].extension}"
    assert answered.headers["content-disposition"] == f'attachment; filename="{file}"'
    assert answered.headers["content-type"].startswith(FORMATS[name].media_type)


def test_how_to_cite_names_what_was_asked_for(client: TestClient) -> None:
    whole, claim, brief = (
        client.get(f"{PATH}?{query}").json()["how_to_cite"]
        for query in ("kind=advice", "id=ldz-murmuria-pain", "brief=low-dose-zelvane/murmuria")
    )
    assert whole.startswith("Zelvane Evidence [data set]. Release 1, serial 1, ")
    assert whole.endswith("Licence CC0-1.0. Available from: /v1/meta")
    assert "Claim ldz-murmuria-pain, version 1" in claim
    assert claim.endswith("/v1/claims/ldz-murmuria-pain?serial=1")
    assert "Brief: Low-dose zelvane and murmuria" in brief


def test_known_bibliography_is_not_sent_again(client: TestClient) -> None:
    for query in ("", "&format=bibtex", "&format=text&style=bmj"):
        first = client.get(f"{PATH}?kind=efficacy{query}", headers={"accept-encoding": "identity"})
        again = client.get(f"{PATH}?kind=efficacy{query}", headers={"if-none-match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert "Accept" in again.headers["vary"].split(", ")


def test_representations_have_tags_of_their_own(client: TestClient) -> None:
    accepts = ["application/json", *(known.media_type for known in FORMATS.values()), "text/x-bibliography; style=apa"]
    tags = {
        client.get(f"{PATH}?kind=advice", headers={"accept": accept, "accept-encoding": "identity"}).headers["etag"]
        for accept in accepts
    }
    assert len(tags) == len(accepts)


# --- documents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        (BROWSER, "application/json"),
        ("application/vnd.citationstyles.csl+json", "application/vnd.citationstyles.csl+json"),
        ("application/citeproc+json", "application/vnd.citationstyles.csl+json"),
        ("application/x-bibtex, application/json;q=0.9", "application/x-bibtex; charset=utf-8"),
        (f"application/json;q=0.1, {RIS};q=0.2", f"{RIS}; charset=utf-8"),
        ("text/x-bibliography", "text/x-bibliography; style=ama; charset=utf-8"),
        ("text/x-bibliography; style=apa; locale=en-US", "text/x-bibliography; style=apa; charset=utf-8"),
        ("application/vnd.schemaorg.ld+json", "application/ld+json"),
        ("application/json;q=0, application/*", "application/vnd.citationstyles.csl+json"),
    ],
)  # fmt: skip
def test_document_comes_in_the_format_that_the_client_likes_best(
    client: TestClient, accept: str, media_type: str
) -> None:
    answered = client.get(DOCUMENT, headers={"accept": accept})
    assert (answered.status_code, answered.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize("accept", ["image/png", "text/html", ",;;/q=x", "a" * 5000, "*/*;q=0", "application/;q=nan"])
@pytest.mark.parametrize("path", [DOCUMENT, "/v1/documents", f"{PATH}?kind=advice", CLAIM])
def test_unknown_media_type_is_told_what_there_is(client: TestClient, path: str, accept: str) -> None:
    refused = client.get(path, headers={"accept": accept})
    assert refused.status_code == 406
    assert "application/json" in refused.json()["errors"][0]["allowed"]


def test_unknown_style_is_told_which_there_are(client: TestClient) -> None:
    by_header = client.get(DOCUMENT, headers={"accept": "text/x-bibliography; style=mla"})
    by_name = client.get(f"{DOCUMENT}?format=text&style=mla")
    for refused in (by_header, by_name):
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["allowed"] == ["ama", "apa", "vancouver", "bmj"]


def test_format_goes_before_accept(client: TestClient) -> None:
    answered = client.get(f"{DOCUMENT}?format=text&style=vancouver", headers={"accept": "application/json"})
    assert answered.text.endswith("2013 Feb;1(2):1\u201310. doi:10.5555/zelvane.1 PubMed PMID: 99900001.\n")


def test_list_of_documents_keeps_its_pages_in_every_format(client: TestClient) -> None:
    address, seen = "/v1/documents?limit=4&format=ris", ""
    while address:
        answered = client.get(address)
        seen += answered.text
        address = answered.links["next"]["url"] if "next" in answered.links else ""
    assert seen.count("\nER  - ") == client.get("/v1/documents").json()["total"]


def test_document_as_it_was_keeps_its_form(scratch: Database, scratch_client: TestClient) -> None:
    before = scratch_client.get(f"{DOCUMENT}?format=bibtex").text
    notice = {"doi": "10.1000/notice"}
    retracted = {"standing": "retracted", "on": "2026-01", "source": "crossref", "notice": notice}
    put(scratch, amended(content(scratch, "document", "alder-2013"), standing=[retracted]))

    was = scratch_client.get(f"{DOCUMENT}?format=bibtex&serial=1")
    assert was.text == before
    assert "immutable" in was.headers["cache-control"]
    for name in FORMATS:
        marked = scratch_client.get(f"{PATH}?document=alder-2013&format={name}").text
        assert "RETRACTED: What zelvane did, as told by Alder" in marked
        assert "Retracted 2026-01. Notice: https://doi.org/10.1000/notice." in marked
    item = next(
        item for item in scratch_client.get(f"{PATH}?document=alder-2013").json()["items"] if item["id"] == "alder-2013"
    )
    assert (item["standing"], item["notice"]["doi"]) == ("retracted", "10.1000/notice")
    assert item["text"].endswith("Notice: https://doi.org/10.1000/notice.")


# --- claims -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "media_type"), [("jsonld", "application/ld+json"), ("va-spec", "application/vnd.ga4gh.va-spec+json")]
)
def test_claim_comes_in_other_forms(client: TestClient, name: str, media_type: str) -> None:
    by_name = client.get(f"{CLAIM}?format={name}")
    by_header = client.get(CLAIM, headers={"accept": media_type})
    as_it_was = client.get(f"{CLAIM}?format={name}&serial=1")

    assert by_name.headers["content-type"] == by_header.headers["content-type"] == media_type
    assert by_name.json() == by_header.json() == as_it_was.json()
