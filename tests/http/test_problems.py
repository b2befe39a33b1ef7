"""Every error is a problem of one shape, small, helpful, and silent about what was sent."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.core.errors import Fault, InvalidInput, NotAcceptable, nearest
from app.http.problems import MAX_BYTES, Problem, document, problem

FIELDS = {"type", "title", "status", "detail", "code", "errors", "request_id", "successor"}
ERROR_FIELDS = {"in", "field", "code", "message", "allowed", "did_you_mean", "successor", "id", "position"}


def errors_of(body: bytes) -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = json.loads(body)["errors"]
    return errors


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "not_found"),
        ("GET", "/v1/claims/", None, 404, "not_found"),
        ("GET", "/v1/claims/unknown", None, 404, "not_found"),
        ("GET", "/v1/claims/retired", None, 410, "gone"),
        ("PUT", "/v1/claims/a", None, 409, "conflict"),
        ("PATCH", "/v1/claims/a", None, 405, "method_not_allowed"),
        ("GET", "/v1/claims?limit=0", None, 422, "invalid_input"),
        ("POST", "/v1/drugs", b"{", 400, "malformed_json"),
        ("POST", "/v1/drugs", b"\xff\xfe{", 400, "malformed_json"),
        ("POST", "/v1/drugs", b"[" * 900, 400, "malformed_json"),
        ("POST", "/v1/drugs", b'{"name": "a", "dose": NaN}', 422, "invalid_input"),
        ("POST", "/v1/drugs", b'{"name": "a", "dose": 1e999}', 422, "invalid_input"),
        ("POST", "/v1/drugs", b'{"name": "\\ud800", "dose": 1}', 422, "invalid_input"),
        ("POST", "/v1/drugs", b'{"name": "\\u0000", "dose": 1}', 422, "invalid_input"),
        ("POST", "/v1/drugs", b'{"name": "a", "dose": 1, "\\ud800": 1}', 422, "invalid_input"),
        ("POST", "/v1/drugs", b"x" * 2000, 413, "payload_too_large"),
        ("GET", "/v1/unavailable", None, 503, "unavailable"),
        ("GET", "/v1/hangs", None, 503, "unavailable"),
        ("GET", "/v1/fails", None, 500, "internal_error"),
    ],
)
def test_every_error_is_a_complete_problem(
    client: TestClient, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told.keys() == FIELDS
    assert all(error.keys() == ERROR_FIELDS for error in told["errors"])
    assert (told["type"], told["code"], told["status"]) == (f"/errors/{code}", code, status)
    assert told["request_id"] == answer.headers["x-request-id"]
    Problem.model_validate(told)


def test_an_unknown_parameter_is_refused_with_the_known_ones(client: TestClient) -> None:
    [error] = client.get("/v1/claims?conditon=murmuria").json()["errors"]

    assert error == {
        "in": "query",
        "field": "conditon",
        "code": "unknown_parameter",
        "message": "This address does not know this parameter.",
        "allowed": ["condition", "limit", "stance"],
        "did_you_mean": ["condition"],
        "successor": None,
        "id": None,
        "position": None,
    }


def test_an_unknown_parameter_is_refused_where_none_is_declared(client: TestClient) -> None:
    [error] = client.get("/v1/claims/a?verbose=1").json()["errors"]

    assert (error["field"], error["code"], error["allowed"]) == ("verbose", "unknown_parameter", None)


def test_an_unknown_value_is_refused_with_the_known_ones(client: TestClient) -> None:
    [error] = client.get("/v1/claims?stance=support").json()["errors"]

    assert error["code"] == "unknown_value"
    assert error["allowed"] == ["supports", "disputes", "mixed"]
    assert error["did_you_mean"] == ["supports"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("limit=0", "out_of_range", "Must be 1 or more."),
        ("limit=201", "out_of_range", "Must be 200 or less."),
        ("limit=ten", "wrong_type", "Must be a whole number."),
        (f"limit={'9' * 5000}", "out_of_range", "Must be a whole number of fewer digits."),
        ("condition=a&condition=b&condition=c&condition=d", "too_long", "Must have at most 3 entries."),
    ],
)
def test_a_message_says_what_would_be_right(client: TestClient, query: str, code: str, message: str) -> None:
    [error] = client.get(f"/v1/claims?{query}").json()["errors"]

    assert (error["code"], error["message"]) == (code, message)


def test_what_a_validator_of_ours_says_reaches_the_user(client: TestClient) -> None:
    [error] = client.post("/v1/drugs", content=b'{"name": "a\\u0000", "dose": 1}', headers=JSON).json()["errors"]

    assert (error["in"], error["field"], error["code"]) == ("body", "name", "invalid_value")
    assert error["message"] == "Must not contain control characters or lone surrogates."


JSON = {"Content-Type": "application/json"}


def test_input_is_never_repeated(client: TestClient) -> None:
    secret = "Patient-Zero"
    answers = [
        client.get(f"/v1/claims?limit={secret}&stance={secret}"),
        client.post("/v1/drugs", json={"name": 5, "dose": secret}),
        client.get(f"/{secret}"),
        client.get(f"/v1/claims?stance=a&limit=%00{secret}"),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 404, 422]
    assert not [answer.text for answer in answers if secret in answer.text]


def test_at_most_twenty_errors_are_reported_in_at_most_8_kilobytes(client: TestClient) -> None:
    answer = client.get("/v1/claims?" + "&".join(f"unknown-{number}-{'x' * 200}=1" for number in range(100)))

    assert answer.status_code == 422
    assert 1 <= len(answer.json()["errors"]) <= 20
    assert len(answer.content) <= MAX_BYTES


@pytest.mark.parametrize("count", [1, 2, 20, 500])
def test_long_lists_of_allowed_values_are_cut(count: int) -> None:
    faults = [
        Fault("query", f"field{number}", "unknown_value", "x" * 500, tuple("v" * 300 for _ in range(1000)))
        for number in range(count)
    ]
    body = bytes(problem(InvalidInput("x" * 5000, errors=faults), "id").body)

    assert len(body) <= MAX_BYTES
    assert errors_of(body)[0]["allowed"]
    assert len(errors_of(body)[0]["allowed"]) <= 100


def test_a_retired_record_names_its_successor(client: TestClient) -> None:
    answer = client.get("/v1/claims/retired")

    assert answer.json()["successor"] == "new"
    assert answer.headers["link"] == '</v1/claims/new>; rel="successor-version"'


def test_405_names_the_methods_of_every_route_at_the_address(client: TestClient) -> None:
    assert client.delete("/v1/claims/a").headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    assert client.get("/v1/drugs").headers["allow"] == "OPTIONS, POST"


def test_options_answers_with_the_methods(client: TestClient) -> None:
    answer = client.options("/v1/claims/a")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PUT"
    assert client.options("/nowhere").status_code == 404


def test_retry_after_is_sent_with_503(client: TestClient) -> None:
    assert client.get("/v1/unavailable").headers["retry-after"] == "7"
    assert client.get("/v1/hangs").headers["retry-after"] == "2"


def test_not_acceptable_lists_what_can_be_had() -> None:
    [error] = errors_of(bytes(problem(NotAcceptable(["application/json"]), None).body))

    assert (error["in"], error["field"], error["allowed"]) == ("header", "Accept", ["application/json"])


def test_openapi_documents_problems_alone(app: FastAPI) -> None:
    openapi = document(app.openapi())

    schemas = openapi["components"]["schemas"]
    assert {"Problem", "ProblemError"} <= schemas.keys()
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()
    assert set(schemas["Problem"]["required"]) == FIELDS
    assert set(schemas["ProblemError"]["required"]) == ERROR_FIELDS
    statuses = openapi["paths"]["/v1/claims"]["get"]["responses"]
    assert {"406", "422", "503"} <= statuses.keys()
    assert all(
        list(statuses[status]["content"]) == ["application/problem+json"] for status in statuses if status != "200"
    )


def test_nearest_puts_the_best_first() -> None:
    assert nearest("conditon", ["condition", "conditions", "outcome"]) == ("condition", "conditions")
    assert nearest("zzz", ["condition"]) == ()
