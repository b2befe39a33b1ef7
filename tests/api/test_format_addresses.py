"""References at an address for each format, and how awkward documents look from outside."""

import json
import re
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from rdflib import Graph
from starlette.testclient import TestClient

from app.bibliography import ALL_FORMATS, csl_json
from app.storage.database import Database
from tests.factories import put, record

SUFFIXES = {"csl-json": "csl.json", "bibtex": "bib", "ris": "ris", "text": "txt", "html": "html"}
QUERIES = {
    "/v1/bibliography": "brief=low-dose-zelvane/murmuria",
    "/v1/claims": "stance=disputes",
    "/v1/claims/ldz-murmuria-pain": "",
    "/v1/documents": "limit=20",
    "/v1/documents/alder-2013": "",
}
"""A path of references, and a query that keeps its answer short."""


@pytest.mark.parametrize("name", ALL_FORMATS)
def test_an_address_for_each_format_answers_as_the_parameter_does(client: TestClient, name: str) -> None:
    for path, query in QUERIES.items():
        answered = client.get(f"{path}.{SUFFIXES[name]}?{query}")
        assert answered.status_code == 200
        assert answered.headers["content-type"].partition(";")[0] == ALL_FORMATS[name].media_type
        if path.startswith("/v1/claims"):
            query = query or "id=ldz-murmuria-pain"
            path = "/v1/bibliography"
        assert answered.text == client.get(f"{path}?{query}&format={name}".replace("?&", "?")).text
        assert len(answered.text) > 100


def test_only_formats_with_styles_take_one(client: TestClient) -> None:
    for path, query in QUERIES.items():
        assert client.get(f"{path}.txt?style=apa&{query}".rstrip("&")).status_code == 200
        refused = client.get(f"{path}.ris?style=apa&{query}".rstrip("&"))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "style")


def test_addresses_refuse_as_the_others_do(client: TestClient) -> None:
    assert client.get("/v1/documents/nothing.ris").status_code == 404
    assert client.get("/v1/claims/nothing.bib").status_code == 404
    assert client.get("/v1/documents/Not-A-Slug.ris").status_code == 422
    assert client.get("/v1/documents.ris?format=bibtex").status_code == 422
    assert client.get("/v1/claims.ris?condtion=murmuria").json()["errors"][0]["did_you_mean"][0] == "condition"
    assert client.get("/v1/documents.docx").status_code == 404
    assert client.get("/v1/documents/alder-2013.ris?serial=1").status_code == 200


def test_pages_of_documents_go_on_at_their_own_address(client: TestClient) -> None:
    address, seen = "/v1/documents.ris?limit=60", ""
    while address:
        answered = client.get(address)
        seen += answered.text
        address = answered.links["next"]["url"] if "next" in answered.links else ""
        assert not address or address.startswith("/v1/documents.ris?")
    assert seen.count("\nER  - ") == client.get("/v1/documents").json()["total"]


def test_html_is_shown_and_runs_nothing(client: TestClient) -> None:
    answered = client.get("/v1/documents/larch-2018.html?style=apa")
    assert "content-disposition" not in answered.headers
    assert answered.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<i>Invented Bones &amp; Joints</i>" in answered.text
    assert '<a href="https://doi.org/10.5555/zelvane.9">https://doi.org/10.5555/zelvane.9</a>' in answered.text


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_references_are_compressed_as_json_is(client: TestClient, coding: str) -> None:
    for path in ("/v1/documents?limit=50", *(f"/v1/documents.{suffix}?limit=50" for suffix in SUFFIXES.values())):
        answered = client.get(path, headers={"accept-encoding": coding})
        assert answered.headers.get("content-encoding") == coding, path


def test_csl_is_what_its_schema_says(client: TestClient) -> None:
    items = client.get("/v1/documents.csl.json?limit=200").json()
    jsonschema.Draft202012Validator(csl_json.SCHEMA).validate(items)
    operation = client.get("/openapi.json").json()["paths"]["/v1/documents.csl.json"]["get"]
    ((media_type, content),) = operation["responses"]["200"]["content"].items()
    assert media_type == "application/vnd.citationstyles.csl+json"
    schema: dict[str, Any] = csl_json.SCHEMA
    documented, ours = content["schema"]["items"], schema["items"]  # in the document answers are open
    assert documented["required"] == ours["required"]
    assert documented["properties"].keys() == ours["properties"].keys()


# --- awkward documents --------------------------------------------------------------------------------------------

DOIS = {
    "hash": "10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#",
    "query": "10.1000/a?b&c%d",
    "braces": '10.1000/{a}|b^c`d\\e"f',
}


@pytest.fixture
def awkward(scratch: Database, scratch_client: TestClient) -> TestClient:
    put(
        scratch,
        *(
            record(
                "document",
                key,
                title="An <i>awkward</i> &amp; title",
                url="https://example.org/{a}|b^c`d?e=%",
                identifiers=[{"scheme": "doi", "value": doi}],
                standing=[{"standing": "retracted", "notice": {"doi": f"https://doi.org/{doi}"}}],
            )
            for key, doi in DOIS.items()
        ),
    )
    return scratch_client


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own use of it
def test_a_doi_is_encoded_in_links_and_raw_in_its_fields(awkward: TestClient) -> None:
    for key, doi in DOIS.items():
        address = f"https://doi.org/{quote(doi, safe='/:;()&')}"
        item = awkward.get(f"/v1/documents/{key}").json()
        assert (item["doi"], item["identifiers"][0]["url"]) == (doi, address)
        ris = awkward.get(f"/v1/documents/{key}.ris").text
        assert f"DO  - {doi}\n" in ris
        assert f"UR  - {address}\n" in ris
        assert f'<a href="{address.replace("&", "&amp;")}">' in awkward.get(f"/v1/documents/{key}.html").text
        assert json.loads(awkward.get(f"/v1/documents/{key}.csl.json").text)[0]["DOI"] == doi
        linked = awkward.get(f"/v1/documents/{key}?format=jsonld").json()
        assert (linked["@id"], linked["correction"], linked["name"]) == (
            address, {"@id": address}, "An awkward & title",
        )  # fmt: skip
        graph = Graph().parse(data=json.dumps(linked), format="json-ld", publicID="https://evidence.example")
        assert len(Graph().parse(data=graph.serialize(format="nt"), format="nt")) == len(graph)
        assert not re.search(r'<[^>]*[{}|\\^`" ][^>]*>', graph.serialize(format="nt"))


@pytest.mark.parametrize("path", ["/v1/documents/alder-2013", "/v1/documents", "/v1/bibliography"])
def test_who_accepts_html_alone_is_told_its_address(client: TestClient, path: str) -> None:
    refused = client.get(f"{path}?{QUERIES[path]}", headers={"Accept": "text/html"})
    assert refused.status_code == 406
    (address,) = re.findall(r"/v1/\S+\.html", refused.json()["detail"])
    assert client.get(f"{address}?{QUERIES[path]}").headers["content-type"].startswith("text/html")
    assert ".html" not in client.get(path, headers={"Accept": "image/png"}).json()["detail"]
