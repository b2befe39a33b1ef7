"""A claim in the pages of others: what it shows, who may frame it, and what it says when there is no claim."""

import html
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app, in_context
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, content, put, standing

PATH = "/embed/claims/ldz-murmuria-pain"
MAX_SCRIPT_BYTES = 12_000


def claims(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    address: str | None = "/v1/claims?limit=200"
    while address:
        page = client.get(address).json()
        items += page["items"]
        address = page["next"]
    return items


def text_of(page: str) -> str:
    """The words of a page, without its title."""
    body = page.partition("<body>")[2]
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", "", body)).split())


def test_no_choice_leaves_out_what_must_travel_with_a_claim(client: TestClient) -> None:
    every = claims(client)
    assert len(every) > 50
    for claim in every:
        evidence = claim["evidence"]
        text = text_of(client.get(f"/embed/claims/{claim['id']}", params={"footnotes": "none"}).text)

        sides = f"Sources for the claim: {evidence['by_stance']['supports']['documents']}, against: "
        sides += str(evidence["by_stance"]["disputes"]["documents"])
        words = [
            evidence["answer"],
            evidence["verdict"]["label"],
            evidence["verdict"]["tone"],
            sides,
            claim["statement"],
        ]
        words += [words for words in (evidence["counts_text"], claim["caveat"]) if words]
        missing = [words for words in words if " ".join(words.split()) not in text]
        assert (claim["id"], missing) == (claim["id"], [])
        assert "not medical advice" in text
        assert "<ol" not in text


def test_footnotes_are_numbered_through_and_link_to_what_is_cited(client: TestClient) -> None:
    claim = client.get("/v1/claims/ldz-murmuria-pain").json()
    page = client.get(PATH).text

    starts = [int(start) for start in re.findall(r'<ol start="(\d+)"', page)]
    lengths = [group.count("<li>") for group in page.split("<ol ")[1:]]
    assert starts == [1 + sum(lengths[:index]) for index in range(len(lengths))]
    assert sum(lengths) == len(claim["citations"])
    for cited in claim["citations"]:
        document = cited["document"]
        if document["links"]["doi"]:
            assert f'href="{html.escape(document["links"]["doi"])}" target="_blank" rel="noopener"' in page
        if document["pmid"]:
            assert f'href="https://pubmed.ncbi.nlm.nih.gov/{document["pmid"]}/"' in page


def test_a_retracted_source_is_marked_and_stands_last(small: Database) -> None:
    put(small, amended(content(small, "document", "paper-a"), **standing("current", "retracted")))

    with serving(small.url.render_as_string(hide_password=False)) as client:
        text = text_of(client.get("/embed/claims/drug-eases-ache").text)

    assert text.index("Against the claim paper-b. 2024.") < text.index(
        "Retracted, counts for nothing RETRACTED: paper-a. 2013."
    )


def test_a_withdrawn_claim_says_so_in_the_frame_and_names_what_replaces_it(
    scratch_client: TestClient, scratch: Database
) -> None:
    serial = scratch_client.get("/v1/meta").json()["serial"]
    before = content(scratch, "claim", "ldz-gripes-remission")
    put(scratch, amended(before, status="retired", successor="ldz-murmuria-pain"))

    gone = scratch_client.get("/embed/claims/ldz-gripes-remission")
    then = scratch_client.get("/embed/claims/ldz-gripes-remission", params={"serial": serial})

    assert gone.status_code == 410
    assert "This claim was withdrawn" in text_of(gone.text)
    assert 'href="/claims/ldz-murmuria-pain"' in gone.text
    assert "frame-ancestors *" in gone.headers["content-security-policy"]
    assert then.status_code == 200
    assert f"as of serial {serial}" in text_of(then.text)
    assert f'href="/claims/ldz-gripes-remission?serial={serial}"' in then.text


def test_an_unknown_claim_is_named_as_such_in_the_frame(client: TestClient) -> None:
    response = client.get("/embed/claims/nobody-said-this")

    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no claim with this id." in text_of(response.text)


@pytest.mark.parametrize("parameter", ["theme", "footnotes", "serial", "colour"])
def test_a_wrong_parameter_is_named(client: TestClient, parameter: str) -> None:
    response = client.get(PATH, params={parameter: "purple"})

    assert response.status_code == 422
    assert [fault["field"] for fault in response.json()["errors"]] == [parameter]


def test_the_pages_for_iframes_alone_may_be_framed(client: TestClient) -> None:
    paths = ["/", "/docs", "/reference", "/claims/ldz-murmuria-pain", "/v1/claims/ldz-murmuria-pain", PATH]

    framed = {
        path: re.findall(r"frame-ancestors ([^;]+)", client.get(path).headers["content-security-policy"])
        for path in paths
    }

    assert framed == {path: ["'none'"] for path in paths} | {PATH: ["*"]}


def test_the_page_runs_nothing_and_is_not_sent_twice(client: TestClient) -> None:
    first = client.get(PATH)
    again = client.get(PATH, headers={"If-None-Match": first.headers["etag"]})

    assert "<script" not in first.text
    assert " style=" not in first.text
    assert "script-src" not in first.headers["content-security-policy"]
    assert first.headers["content-security-policy"].startswith("default-src 'none'")
    assert (again.status_code, again.content) == (304, b"")


def test_the_script_is_small_and_is_not_sent_twice(client: TestClient) -> None:
    first = client.get("/embed.js", params={"v": "2"})
    again = client.get("/embed.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert len(first.content) < MAX_SCRIPT_BYTES
    assert first.headers["content-encoding"]
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_the_script_writes_data_as_text_alone(client: TestClient) -> None:
    script = client.get("/embed.js").text

    found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\.style\b|<style", script)
    assert found == []


@pytest.mark.parametrize("path", ["/embed.js", "/v1/claims/ldz-murmuria-pain", "/static/embed.css"])
def test_pages_of_other_sites_may_read_what_an_embedded_claim_needs(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Origin": "https://clinic.example"})

    assert response.headers["access-control-allow-origin"] == "*"
    if path.startswith("/v1/"):
        assert "Dataset-Serial" in response.headers["access-control-expose-headers"]


def test_a_limit_to_some_sites_holds_for_what_the_script_reads(scratch: Database) -> None:
    settings = Settings(
        database_url=scratch.url.render_as_string(hide_password=False), cors_origins=("https://clinic.example",)
    )
    app = create_app(settings)
    with TestClient(in_context(app, settings, with_cache=False)) as client:
        allowed = client.get("/v1/claims/ldz-murmuria-pain", headers={"Origin": "https://clinic.example"})
        other = client.get("/v1/claims/ldz-murmuria-pain", headers={"Origin": "https://other.example"})

    assert allowed.headers["access-control-allow-origin"] == "https://clinic.example"
    assert "access-control-allow-origin" not in other.headers


def test_what_a_curator_writes_is_shown_as_text(scratch_client: TestClient, scratch: Database) -> None:
    before = content(scratch, "claim", "ldz-gripes-remission")
    put(scratch, amended(before, caveat="Beware of <b>bold</b> & <i>other</i> words."))

    page = scratch_client.get("/embed/claims/ldz-gripes-remission").text

    assert "Beware of &lt;b&gt;bold&lt;/b&gt; &amp; &lt;i&gt;other&lt;/i&gt; words." in page
