"""The outermost layer: every answer is named, hardened and logged."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.http.middleware import EXPOSED_HEADERS, OperatorOptions, RequestContext
from tests.http.conftest import SECRET

Logs = Callable[[], list[dict[str, Any]]]


def test_every_answer_carries_id_constant_and_security_headers(client: TestClient) -> None:
    for path in ("/v1/claims", "/nowhere", "/v1/fails", "/v1/hangs", "/v1/claims?q=%00"):
        headers = client.get(path).headers
        assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", headers["x-request-id"])
        assert headers["api-version"] == "1"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_page_may_set_its_own_content_security_policy(client: TestClient) -> None:
    assert client.get("/v1/html").headers["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ("3f2b8c1e-0d4a-4f6b-9c7d-5e8a1b2c3d4e", True),
        ("3F2B8C1E-0D4A-4F6B-9C7D-5E8A1B2C3D4E", True),
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", True),
        ("6b88f149ab93-45a", True),
        ("", False),
        ("a b", False),
        ("trace-1", False),
        ("jane.doe", False),
        ("MRN-00123456", False),
        ("0012345678", False),
        ("110101199003074578", False),  # a number of citizens
        ("3f2b8c1e0d4a-4f6b-9c7d-5e8a1b2c3d4e", False),
        ("3f2b8c1e-0d4a-4f6b-9c7d-5e8a1b2c3d4e0", False),
        ("a" * 65, False),
    ],
)
def test_only_an_id_that_software_makes_is_taken_over(client: TestClient, sent: str, is_kept: bool) -> None:
    """Anything else could be a name or a number of a patient."""
    identifier = client.get("/v1/claims", headers={"X-Request-ID": sent}).headers["x-request-id"]

    assert (identifier == sent) is is_kept
    assert identifier


def test_head_answers_like_get_without_the_body(client: TestClient) -> None:
    named = {"X-Request-ID": "0af7651916cd43dd8448eb211c80319c"}
    for path in ("/v1/claims/a", "/v1/claims?limit=0", "/nowhere", "/v1/fails"):
        get, head = client.get(path, headers=named), client.head(path, headers=named)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers == get.headers
        assert int(head.headers["content-length"]) == len(get.content)


@pytest.mark.parametrize(
    ("address", "where", "field"),
    [
        ("/v1/claims/%00", "path", "path"),
        ("/v1/claims/%ff", "path", "path"),
        ("/v1/claims?condition=%00", "query", "condition"),
        ("/v1/claims?limit=1&condition=%ff", "query", "condition"),
        ("/v1/claims?condition=%ed%a0%80", "query", "condition"),
        ("/v1/claims?%00=1", "query", "\0"),
    ],
)
def test_what_is_not_text_is_refused_by_name(client: TestClient, address: str, where: str, field: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["in"], error["field"], error["code"]) == (where, field, "invalid_encoding")


def test_text_of_any_script_is_accepted(client: TestClient) -> None:
    assert client.get("/v1/claims", params={"condition": "Ménière 痛み 🙂 +%"}).json() == ["Ménière 痛み 🙂 +%"]


def test_browsers_may_read_answers_and_errors(client: TestClient) -> None:
    for path in ("/v1/claims", "/nowhere", "/v1/fails", "/v1/hangs", "/v1/claims?q=%00"):
        headers = client.get(path, headers={"Origin": "https://example.org"}).headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["access-control-expose-headers"] == ", ".join(EXPOSED_HEADERS)
        assert "access-control-allow-credentials" not in headers


def test_preflight_is_answered_and_named(client: TestClient) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/drugs", headers=asked)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, POST"
    assert "x-request-id" in answer.headers


def test_a_failure_is_logged_once_without_its_text(client: TestClient, logs: Logs) -> None:
    identifier = client.get("/v1/fails").headers["x-request-id"]

    [failure] = [record for record in logs() if record["level"] == "error"]
    assert (failure["exception"], failure["request_id"]) == ("builtins.RuntimeError", identifier)
    assert failure["at"][-1].endswith("fail")
    assert SECRET not in str(logs())


def test_the_access_log_names_the_route_and_never_what_was_asked(
    context: RequestContext, client: TestClient, logs: Logs
) -> None:
    first = client.get(f"/v1/claims/{SECRET}")
    client.get(f"/v1/claims?condition={SECRET}%0a%1b[31m")
    client.get(f"/{SECRET}")
    client.head("/v1/claims/unknown")
    context.log.flush()

    records = [record for record in logs() if record["logger"] == "app.access"]
    assert [(record["method"], record["route"], record["status"]) for record in records] == [
        ("GET", "/v1/claims/{id}", 200),
        ("GET", "/v1/claims", 200),
        ("GET", "-", 404),
        ("HEAD", "/v1/claims/{id}", 404),
    ]
    assert [record["bytes"] for record in records][::3] == [len(first.content), 0]
    assert {record["client"] for record in records} == {None}
    assert all(record["ms"] >= 0 and record["request_id"] and record["time"].endswith("Z") for record in records)
    assert SECRET not in str(logs())


def test_a_list_may_come_in_several_headers(client: TestClient) -> None:
    tag = client.get("/v1/claims/a").headers["etag"]
    headers = [("If-None-Match", '"other"'), ("If-None-Match", tag)]
    assert client.get("/v1/claims/a", headers=headers).status_code == 304


@pytest.mark.parametrize(
    ("address", "field"),
    [("/v1/claims?limit=1&limit=2", "limit"), ("/v1/claims?stance=mixed&condition=a&stance=mixed", "stance")],
)
def test_what_takes_one_value_may_stand_once(client: TestClient, address: str, field: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["in"], error["field"], error["code"]) == ("query", field, "repeated_parameter")


def test_the_access_log_names_clients_where_the_operator_wants_it(app: FastAPI, logs: Logs) -> None:
    options = OperatorOptions(trusted_proxies=[ip_network("10.0.0.0/8")], logs_client_addresses=True)
    context = RequestContext(app, max_body_bytes=1000, deadline_seconds=5, options=options)
    with TestClient(context, client=("10.0.0.1", 1)) as client:
        client.get("/v1/claims", headers={"X-Forwarded-For": "203.0.113.1, 198.51.100.7"})
        client.get("/v1/claims", headers={"X-Forwarded-For": SECRET})

    assert [record["client"] for record in logs()] == ["198.51.100.7", "10.0.0.1"]
