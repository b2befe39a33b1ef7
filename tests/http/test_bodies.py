"""What a body may hold is bounded before anything reads it, and free text and long lists are not."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.http.bodies import FORM, JSON, MAX_DEPTH, BodyBounds, body_fault

BOUNDS = BodyBounds(1_000_000, max_values=1000)


def fault(value: Any, bounds: BodyBounds = BOUNDS) -> str | None:
    """The code of what is wrong with a value, or with bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    error = body_fault(body, bounds, JSON)
    return error.errors[0].code if error else None


@pytest.mark.parametrize(
    "value",
    [
        {f"k{number}": 1 for number in range(1001)},
        {"type": [1] * 1001},
        {"drugs": [{}] * 1001},
        [[]] * 1001,
        [""] * 1001,
        [{"a": {"b": ["c"]}}] * 300,
        b'["a\\\\", ' + b'"b\\"", ' * 1001 + b"0]",
        b"[" * 100_000,
    ],
    ids=["members", "numbers", "objects", "arrays", "texts", "all of them", "escaped quotes", "never closed"],
)
def test_too_many_values_are_refused(value: Any) -> None:
    assert fault(value) == "too_many_values"


@pytest.mark.parametrize(
    "value",
    [
        {"q": ',[{"' * 100_000},
        {"q": "\\" * 10_000 + '"' + "[" * 10_000},
        {"q": '\\"' * 10_000, "r": "," * 10_000},
        {"q": "ⓐ, [и] {я}" * 10_000},
        [0] * 999,
        {},
        b"",
        b"{'broken': ",
        b'"' * 99,
        b"]" * 99,
    ],
)
def test_text_is_not_taken_for_structure_and_broken_json_is_left_to_the_parser(value: Any) -> None:
    assert fault(value) is None


def nested(depth: int, start: str = "[", end: str = "]") -> bytes:
    return (start * depth + "0" + end * depth).encode()


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}"), ('[[],{"]":"}"},', "]")])
def test_depth_is_bounded(start: str, end: str) -> None:
    inner = 1 if "," in start else 0  # the third has brackets beside what is nested
    assert fault(nested(MAX_DEPTH - inner, start, end)) is None
    assert fault(nested(MAX_DEPTH + 1, start, end)) == "too_deep"
    assert fault(nested(500, start, end), BodyBounds(1_000_000, max_values=10_000)) == "too_deep"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_only_utf_8_is_read(client: TestClient, encoding: str) -> None:
    body = '{"name": "Ä", "dose": 1}'.encode(encoding)
    answer = client.post("/v1/drugs", content=body, headers={"Content-Type": JSON})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert answer.json()["errors"][0]["code"] == "invalid_encoding"
    assert "UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (JSON, 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/jsonp", 415),
        (FORM, 415),
        ("nonsense", 415),
        (None, 415),
    ],
)
def test_a_body_of_another_type_is_refused(client: TestClient, content_type: str | None, status: int) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = client.post("/v1/drugs", content=b'{"name": "a", "dose": 1}', headers=headers)

    assert answer.status_code == status
    if status == 415:
        [error] = answer.json()["errors"]
        assert (error["in"], error["field"], error["allowed"]) == ("header", "Content-Type", [JSON])


def test_a_form_is_bounded_too() -> None:
    bounds = BodyBounds(1_000_000, max_values=1000, media_types=(FORM,))

    assert body_fault(b"a=1&" * 999, bounds, FORM) is None
    error = body_fault(b"a=1&" * 1000, bounds, FORM)
    assert error is not None
    assert error.errors[0].code == "too_many_values"
