"""Every error is a problem: one shape, bounded, traceable, and never an echo of what was sent."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from starlette.testclient import TestClient

from app.registry import RESOURCES
from tests.contract.support import UNIVERSAL_HEADERS, Item

MARK = "zq7marker"
"""Stands in everything hostile that is sent; an answer that contains it echoes."""

ERRORS = [
    ("GET", "/v1/claims/{mark}", 404),
    ("GET", "/v1/nowhere/{mark}", 404),
    ("GET", "/v1/claims/", 404),
    ("GET", "/v1/claims?{mark}=1", 422),
    ("GET", "/v1/claims?kind={mark}", 422),
    ("GET", "/v1/claims?kind=efficacy&kind={mark}", 422),
    ("GET", "/v1/claims?condition={mark}", 422),
    ("GET", "/v1/claims?condition=icd10cm:{mark}", 422),
    ("GET", "/v1/claims?condition={mark}:M99.97", 422),
    ("GET", "/v1/claims?cursor={mark}", 422),
    ("GET", "/v1/claims?limit={mark}", 422),
    ("GET", "/v1/claims?doi={mark}", 422),
    ("GET", "/v1/claims?sort={mark}", 422),
    ("GET", "/v1/claims?updated_since={mark}", 422),
    ("GET", "/v1/claims/_{mark}", 422),
    ("GET", "/v1/claims/ldz-murmuria-pain?serial={mark}", 422),
    ("GET", "/v1/claims/ldz-murmuria-pain?{mark}=1", 422),
    ("GET", "/v1/resolve", 422),
    ("GET", "/v1/resolve?identifier={mark}", 422),
    ("GET", "/v1/resolve?identifier=pmid:{mark}", 422),
    ("GET", "/v1/resolve?identifier=icd10cm:({mark} {mark})", 422),
    ("GET", "/v1/meta?{mark}=1", 422),
    ("GET", "/v1/vocabularies?{mark}=1", 422),
    ("GET", "/healthz?{mark}=1", 422),
    ("GET", "/readyz?{mark}=1", 422),
    ("POST", "/v1/claims?id={mark}", 405),
    ("DELETE", "/v1/claims/{mark}", 405),
    ("PATCH", "/v1/meta", 405),
]


@pytest.mark.parametrize(("method", "address", "status"), ERRORS, ids=[f"{method} {at}" for method, at, _ in ERRORS])
def test_every_error_is_a_problem(client: TestClient, openapi: Item, method: str, address: str, status: int) -> None:
    answer = client.request(method, address.format(mark=MARK))

    assert answer.status_code == status
    the_problem(answer, openapi)


def the_problem(answer: Any, openapi: Item) -> Item:
    """The body of an error answer, after all that holds for every one of them."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert all(name in answer.headers for name in UNIVERSAL_HEADERS)
    assert len(answer.content) <= 8192
    body: Item = answer.json()
    jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/Problem", "components": openapi["components"]}
    ).validate(body)
    assert set(body) == set(openapi["components"]["schemas"]["Problem"]["properties"])
    assert body["status"] == answer.status_code
    assert body["type"] == f"/errors/{body['code']}"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert len(body["errors"]) <= 20
    for error in body["errors"]:
        # A parameter that is not known can only be named as it was sent.
        assert MARK not in json.dumps({name: value for name, value in error.items() if name != "field"})
        assert error["code"] in ("unknown_parameter", "unknown_field", "invalid_encoding") or MARK not in error["field"]
    assert MARK not in json.dumps({name: value for name, value in body.items() if name != "errors"})
    assert "Traceback" not in answer.text
    return body


def test_many_faults_are_told_at_once_and_still_bounded(client: TestClient, openapi: Item) -> None:
    query = "&".join(f"{MARK}{number}=1" for number in range(300)) + "&kind=nope&limit=0&sort=up"
    body = the_problem(client.get(f"/v1/claims?{query}"), openapi)

    assert 1 < len(body["errors"]) <= 20


# --- hostile input --------------------------------------------------------------------------------------------------

HOSTILE = {
    "a NUL": "\0",
    "an escaped NUL": "%00",
    "half of a pair": "%ED%A0%80",
    "bytes that are not UTF-8": "%FF%FE",
    "a line feed": "a%0Ab",
    "parentheses": "(" * 5000,
    "quotes": "'\"`" * 500,
    "a long text": "a" * 20_000,
    "a huge integer": "9" * 400,
    "an integer above 32 bits": "4294967296",
    "an integer above 64 bits": "9223372036854775808",
    "not a number": "NaN",
    "infinity": "-Infinity",
    "a fragment of SQL": "x' OR 1=1 --",
    "a second statement": "1; DROP TABLE claims",
    "a union": "' UNION SELECT sha256 FROM api_keys --",
    "a pattern": "%25_%25",
    "a search operator": '" AND * NEAR/2 (',
    "a way upwards": "../../../../etc/passwd",
    "an encoded way upwards": "..%2f..%2fetc%2fpasswd",
    "a template": "{{7*7}}${7*7}",
    "a script": "<script>alert(1)</script>",
    "a header": "a%0d%0aSet-Cookie:%20a=b",
    "right to left": "\u202e",
    "a combining flood": "e" + "\u0301" * 2000,
    "an emoji": "\U0001f48a",
    "nothing": "",
    "a space": " ",
}

OF_EACH_KIND = (
    "a NUL",
    "bytes that are not UTF-8",
    "a long text",
    "an integer above 64 bits",
    "a fragment of SQL",
    "nothing",
)
"""Those that `make test` sends; `make test-all` sends the others too."""

every_hostility = pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(hostile, id=name, marks=[] if name in OF_EACH_KIND else pytest.mark.sweep)
        for name, hostile in HOSTILE.items()
    ],
)


def encoded(hostile: str) -> str:
    """As it goes over the wire; what is written with per cent signs already is."""
    return quote(hostile, safe="%")


@every_hostility
def test_no_parameter_brings_the_server_down(client: TestClient, openapi: Item, hostile: str) -> None:
    for address, name in parameters(openapi):
        _answers(client, openapi, f"{address}?{name}={encoded(hostile)}")


def parameters(openapi: Item) -> Iterator[tuple[str, str]]:
    """Every query parameter once for each schema that it has, with an address that takes it."""
    seen = set()
    for path, operations in openapi["paths"].items():
        address = path.format(id="ldz-murmuria-pain", intervention="zelvane", condition="murmuria")
        for parameter in operations.get("get", {}).get("parameters", []):
            kind = json.dumps([parameter["name"], parameter["schema"]])
            if parameter["in"] == "query" and kind not in seen:
                seen.add(kind)
                yield address, parameter["name"]


@every_hostility
def test_no_path_or_name_brings_the_server_down(client: TestClient, openapi: Item, hostile: str) -> None:
    for resource in RESOURCES:
        _answers(client, openapi, f"{resource.path}/{encoded(hostile)}")
        _answers(client, openapi, f"{resource.path}/{encoded(hostile)}/versions")
        _answers(client, openapi, f"{resource.path}?{encoded(hostile)}=1")


def _answers(client: TestClient, openapi: Item, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code < 500, address[:200]
    if answer.status_code >= 400:
        the_problem(answer, openapi)
    else:
        # Whatever was sent may mean nothing here, but it never means everything.
        assert answer.status_code == 200, address[:200]


@pytest.mark.parametrize(
    "sent",
    [
        "limit=1&limit=2",
        "sort=id&sort=-id",
        "cursor=aaaaaaaa&cursor=bbbbbbbb",
        "cited=true&cited=false",
        "&".join(["kind=efficacy"] * 2000),
        "&".join(f"condition={MARK}{number}" for number in range(2000)),
        "&" * 5000,
        "=" * 5000,
        f"kind={'a' * 60_000}",
        "limit",
        "limit=1;limit=2",
        "kind[]=efficacy",
        "kind[$ne]=efficacy",
    ],
    ids=lambda sent: sent[:30],
)
def test_odd_queries_are_answered(client: TestClient, openapi: Item, sent: str) -> None:
    _answers(client, openapi, f"/v1/claims?{sent}")


def test_a_fragment_of_sql_finds_no_more_than_a_strange_word(client: TestClient) -> None:
    for name in ("doi", "pmid", "condition", "document"):
        strange = client.get("/v1/claims", params={name: "strange"})
        for fragment in ("'OR'1'='1", "x';--", "1)OR(1=1"):
            assert client.get("/v1/claims", params={name: fragment}).status_code == strange.status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"' * 3000},
        {"If-None-Match": 'W/"a", ' * 500},
        {"Accept": "text/" + "x" * 3000},
        {"Accept-Encoding": "br;q=9, " * 300},
        {"X-Request-ID": "../" * 30},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Access-Control-Request-Method": MARK},
        {"Range": "bytes=0-1,0-1"},
        {"Min-Dataset-Serial": "9" * 400},
        {"Cookie": "a=" + "b" * 4000},
    ],
    ids=str,
)
def test_odd_headers_are_answered(client: TestClient, headers: dict[str, str]) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = client.request(method, "/v1/claims", headers=headers)
        assert answer.status_code < 500
        assert MARK not in answer.text
        assert answer.headers["x-request-id"] != headers.get("X-Request-ID")
