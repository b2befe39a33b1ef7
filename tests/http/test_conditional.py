"""Conditional reads: RFC 9110, sections 8.8 and 13.1.2."""

import pytest
from starlette.datastructures import MutableHeaders
from starlette.testclient import TestClient

from app.http.conditional import etag, matching_tag, separate_codings


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ("", False),
        ("*", True),
        (" * ", True),
        ('"abc"', True),
        ('W/"abc"', True),
        ('"old", "abc"', True),
        ('"old",W/"abc" , "older"', True),
        ('"a,b", "abc"', True),
        ('"abc-gzip"', True),
        ('"abc-br"', True),
        ('"old"', False),
        ('W/"old"', False),
        ("abc", False),
        ('"ABC"', False),
        ('"abcd"', False),
        ('"*"', False),
    ],
)
def test_if_none_match_compares_weakly_over_lists(header: str | None, matches: bool) -> None:
    assert (matching_tag(header, '"abc"') is not None) is matches


def test_an_etag_tells_bytes_and_parts_apart() -> None:
    tags = {etag(b"a"), etag(b"b"), etag(b"a", "build-1"), etag(b"a", "build-1", "json"), etag(b"a", "build-1json")}

    assert len(tags) == 5
    assert etag(b"a", "build-1") == etag(b"a", "build-1")
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


def test_304_has_no_body_and_the_same_headers(client: TestClient) -> None:
    full = client.get("/v1/claims/a")
    again = client.get("/v1/claims/a", headers={"If-None-Match": full.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    body_alone = {"content-type", "content-length", "x-request-id"}
    assert {name: value for name, value in full.headers.items() if name not in body_alone} == {
        name: value for name, value in again.headers.items() if name not in body_alone
    }
    assert full.headers["cache-control"] == "no-cache"
    assert full.headers["cdn-cache-control"].startswith("public, s-maxage=")
    assert full.headers["vary"] == "Accept-Encoding, Origin"


def test_a_stale_etag_gets_the_body(client: TestClient) -> None:
    assert client.get("/v1/claims/a", headers={"If-None-Match": '"stale"'}).json() == {"id": "a"}


def test_304_names_the_representation_the_client_holds(client: TestClient) -> None:
    held = client.get("/v1/claims/a").headers["etag"][:-1] + '-gzip"'

    answer = client.get("/v1/claims/a", headers={"If-None-Match": f'"stale", {held}'})

    assert (answer.status_code, answer.headers["etag"]) == (304, held)


def test_a_compressed_representation_has_its_own_etag() -> None:
    headers = MutableHeaders({"etag": '"abc"', "content-encoding": "zstd"})

    separate_codings(headers)
    separate_codings(headers)

    assert headers["etag"] == '"abc-zstd"'
