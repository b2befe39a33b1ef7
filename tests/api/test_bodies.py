"""Bodies on the addresses that take one."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

JSON = "application/json"
POSTED = {
    "/v1/search": {"q": "zelvane"},
    "/v1/interaction-checks": {"drugs": [{"id": "metlort"}, {"id": "zelvane"}]},
    "/v1/verify": {"items": [{"claim": "ldz-murmuria-pain", "identifier": "pmid:99900001"}]},
    "/cds-services/zelvane-order-sign": {},
    "/cds-services/zelvane-order-sign/feedback": {"feedback": []},
}


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{" + b",".join(b'"k%d":1' % number for number in range(300_000)) + b"}", "too_many_values"),
        (b'{"drugs":[' + b"{}," * 300_000 + b"{}]}", "too_many_values"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
    ],
    ids=["members", "entries", "depth"],
)
def test_what_would_cost_too_much_to_read_is_refused_everywhere(
    client: TestClient, path: str, body: bytes, code: str
) -> None:
    body = body if path.startswith("/cds") else body[:990_000]
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400 if code == "too_deep" else 422, code)


@pytest.mark.parametrize("path", POSTED)
def test_a_body_must_say_that_it_is_json(client: TestClient, path: str) -> None:
    body = json.dumps(POSTED[path])
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"):
        assert client.post(path, content=body, headers={"Content-Type": content_type}).status_code == 415
    good = client.post(path, content=body, headers={"Content-Type": "Application/JSON; charset=UTF-8"})
    assert good.status_code != 415


@pytest.mark.parametrize("path", POSTED)
def test_a_byte_order_mark_before_json_is_no_part_of_it(client: TestClient, path: str) -> None:
    """Some systems write one before UTF-8."""
    raw = json.dumps(POSTED[path]).encode()
    answers = [client.post(path, content=sent, headers={"Content-Type": JSON}) for sent in (raw, BOM_UTF8 + raw)]
    assert answers[0].status_code != 400
    assert answers[0].status_code == answers[1].status_code


def test_a_long_list_of_real_medicines_passes(client: TestClient) -> None:
    """4 MB of it, as a record system sends them."""
    entry = {
        "resource": {
            "resourceType": "MedicationRequest",
            "id": "a-medicine",
            "status": "active",
            "intent": "order",
            "subject": {"reference": "Patient/1"},
            "authoredOn": "2026-01-01",
            "medicationCodeableConcept": {
                "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "161", "display": "a, b"}],
                "text": 'Acetaminophen 500 MG, {"taken"} [as needed]',
            },
            "dosageInstruction": [{"text": "1, 2 or 3 a day", "timing": {"repeat": {"frequency": 1, "period": 1}}}],
        }
    }
    body: dict[str, Any] = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"patientId": "1", "draftOrders": {"resourceType": "Bundle", "entry": []}},
        "prefetch": {"medications": {"resourceType": "Bundle", "entry": [entry] * 8800}},
    }
    raw = json.dumps(body, separators=(",", ":"))
    assert 3_000_000 < len(raw) < 4_000_000
    # This address parses and validates it without reading 8,800 medicines.
    answer = client.post("/cds-services/zelvane-order-sign/feedback", content=raw, headers={"Content-Type": JSON})

    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("feedback", "missing")]


def numbers(schema: dict[str, Any], schemas: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of the members that take numbers or truth values; `0` is the first entry of a list."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if schema.get("type") in ("integer", "number", "boolean"):
        yield path
    for name, member in schema.get("properties", {}).items():
        yield from numbers(member, schemas, (*path, name))
    if "items" in schema:
        yield from numbers(schema["items"], schemas, (*path, "0"))


def test_neither_text_nor_a_truth_value_is_taken_for_a_number(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    tried = []
    for address, operations in document["paths"].items():
        for operation in operations.values():
            content = operation.get("requestBody", {}).get("content", {})
            for path in numbers(content.get(JSON, {}).get("schema", {}), document["components"]["schemas"]):
                for wrong in (True, "20", "true"):
                    value: Any = wrong
                    for step in reversed(path):
                        value = [value] if step == "0" else {step: value}
                    answer = client.post(
                        address.replace("{id}", "zelvane-order-sign"), json=POSTED.get(address, {}) | value
                    )
                    fields = [error["field"] for error in answer.json()["errors"]]
                    assert (answer.status_code, ".".join(path) in fields) == (422, True), (address, path, wrong)
                    tried.append(path)
    assert ("limit",) in tried
    assert ("year", "0") in tried


def test_a_number_is_no_time(client: TestClient) -> None:
    item = {"card": "a", "outcome": "overridden", "outcomeTimestamp": 1_700_000_000}
    answer = client.post("/cds-services/zelvane-order-sign/feedback", json={"feedback": [item]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "feedback.0.outcomeTimestamp"
