"""Discovery, switches, feedback, and requests that nobody should send."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.cds_hooks.settings import CdsSettings
from app.storage.database import Database
from app.storage.replay import FeedbackCount
from tests.cds_hooks.support import LDZ, SIGN, Json, bundle, cards, cds_client, order, request
from tests.conftest import Engine


def test_discovery_lists_what_is_switched_on(engine: Engine) -> None:
    with cds_client(engine.original, CdsSettings()) as caller:
        services = caller.get("/cds-services").json()["services"]
        assert [(s["id"], s["hook"]) for s in services] == [
            ("zelvane-order-select", "order-select"),
            ("zelvane-order-sign", "order-sign"),
        ]
        assert caller.post("/cds-services/zelvane-patient-view", json=request(hook="patient-view")).status_code == 404
    with cds_client(engine.original, CdsSettings(services=("zelvane-patient-view",), statements=False)) as caller:
        (service,) = caller.get("/cds-services").json()["services"]
        assert service["hook"] == "patient-view"
        assert set(service["prefetch"]) == {"medications", "stopped"}
        assert caller.post(SIGN, json=request(LDZ)).status_code == 404


def test_a_service_that_the_data_set_does_not_have_is_not_answered(engine: Engine) -> None:
    with cds_client(engine.original, CdsSettings(services=("zelvane-everything",))) as caller:
        assert caller.get("/cds-services").json()["services"] == []
        assert caller.post("/cds-services/zelvane-everything", json=request(LDZ)).status_code == 404


def test_a_service_says_what_the_standard_requires(clinic: TestClient) -> None:
    answer = clinic.get("/cds-services")

    assert answer.status_code == 200
    for service in answer.json()["services"]:
        assert {"id", "hook", "title", "description", "prefetch", "usageRequirements"} <= set(service)
        assert all("{{context.patientId}}" in template for template in service["prefetch"].values())
        assert "Patient/" not in str(service["prefetch"])


BROKEN: dict[str, Any] = {
    "nothing": b"",
    "not JSON": b"{",
    "not UTF-8": b'{"hook": "\xff"}',
    "lone surrogate": b'{"hook": "\\ud800"}',
    "too deep": b"[" * 5000 + b"]" * 5000,
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_not_json_is_a_400(clinic: TestClient, raw: bytes) -> None:
    answer = clinic.post(SIGN, content=raw, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed_json"


def _without(name: str) -> Json:
    return {key: value for key, value in request(LDZ).items() if key != name}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "hook"),
        (_without("hook"), "hook"),
        (_without("hookInstance"), "hookInstance"),
        (_without("context"), "context"),
        ({**request(LDZ), "hookInstance": "seven"}, "hookInstance"),
        ({**request(LDZ), "hook": "patient-view"}, "hook"),
        ({**request(LDZ), "hook": "made-up"}, "hook"),
        ({**request(LDZ), "context": {"userId": "x"}}, "context.draftOrders"),
        ({**request(LDZ), "context": {"draftOrders": []}}, "context.draftOrders"),
        ({**request(LDZ), "context": {"draftOrders": {}, "selections": "all"}}, "context.selections"),
        ({**request(LDZ), "prefetch": [1]}, "prefetch"),
    ],
)
def test_what_breaks_the_standard_is_a_422_that_names_the_field(clinic: TestClient, body: Any, field: str) -> None:
    answer = clinic.post(SIGN, json=body)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


WEIRD: tuple[Any, ...] = (
    None, True, 0, -1.5, "x", [], {}, [None], [[]], [{}], {"a": {"b": []}}, ["x"], 10**40, "9999-12-31", "0001-01-01",
    "1/0 tablet", "9.9.9,9 mg", "NaN", "\N{ARABIC-INDIC DIGIT THREE} mg",
)  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "status", "id", "intent", "medicationCodeableConcept", "medicationCodeableConcept.coding",
        "medicationCodeableConcept.text", "medicationReference", "medicationReference.reference", "contained",
        "dosageInstruction", "dosageInstruction.0", "dosageInstruction.0.timing", "dosageInstruction.0.sequence",
        "dosageInstruction.0.timing.repeat", "dosageInstruction.0.timing.repeat.frequency",
        "dosageInstruction.0.timing.repeat.periodUnit", "dosageInstruction.0.timing.repeat.when",
        "dosageInstruction.0.timing.code", "dosageInstruction.0.doseAndRate", "dosageInstruction.0.doseAndRate.0",
        "dosageInstruction.0.doseAndRate.0.doseQuantity", "dosageInstruction.0.doseAndRate.0.doseQuantity.value",
        "dosageInstruction.0.doseAndRate.0.doseQuantity.code", "dosageInstruction.0.doseAndRate.0.doseRange",
        "dosageInstruction.0.text", "reasonCode", "reasonCode.0", "reasonCode.0.coding", "reasonReference",
        "authoredOn", "meta", "dispenseRequest", "dispenseRequest.validityPeriod", "ingredient", "medication",
        "resourceType", "doNotPerform", "dispenseRequest.expectedSupplyDuration",
        "dispenseRequest.numberOfRepeatsAllowed",
        "dispenseRequest.expectedSupplyDuration.value", "dispenseRequest.validityPeriod.end", "statusChanged",
        "dosageInstruction.0.timing.repeat.boundsDuration", "dosageInstruction.0.timing.repeat.boundsDuration.value",
        "dosageInstruction.0.timing.repeat.boundsPeriod", "dosageInstruction.0.timing.repeat.dayOfWeek",
        "dosageInstruction.0.timing.repeat.period", "dosageInstruction.0.patientInstruction", "effectivePeriod",
        "effectiveDateTime", "dateAsserted", "reasonReference.reference", "ingredient.0.strength.numerator",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["drafts", "medications"])
def test_malformed_fhir_never_breaks_the_service(clinic: TestClient, path: str, place: str) -> None:
    for value in WEIRD:
        broken = json.loads(json.dumps(LDZ))
        _set(broken, path.split("."), value)
        body = request(broken) if place == "drafts" else request(order("o", "Oxilort"), medications=bundle(broken))

        assert clinic.post(SIGN, json=body).status_code == 200, value


def _set(target: Any, steps: list[str], value: Any) -> None:
    *above, last = steps
    for step in above:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value


@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_a_malformed_list_is_answered(clinic: TestClient, value: Any) -> None:
    for body in (
        request(LDZ, medications=value),
        request(LDZ, medications={"resourceType": "Bundle", "entry": value, "link": value, "total": value}),
        {**request(), "context": {"draftOrders": {"entry": value}, "selections": [value]}},
    ):
        assert clinic.post(SIGN, json=body).status_code == 200


def test_medications_that_name_each_other_in_a_circle_are_answered(clinic: TestClient) -> None:
    circle = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [{"itemReference": {"reference": "Medication/m"}}] * 3,
    }
    listed = {"resourceType": "MedicationRequest", "id": "1", "medicationReference": {"reference": "Medication/m"}}

    assert clinic.post(SIGN, json=request(LDZ, medications=bundle(listed, circle))).status_code == 200


def test_a_request_may_have_four_megabytes_and_no_more(clinic: TestClient) -> None:
    def padded(count: int) -> Json:
        return request(LDZ, medications=bundle(*[order("1", "Ibuprofen " + "x" * 900)] * count))

    assert clinic.post(SIGN, json=padded(3600)).status_code == 200
    assert clinic.post(SIGN, json=padded(4500)).status_code == 413
    assert clinic.post(f"{SIGN}/feedback", json=padded(4500)).status_code == 413
    assert clinic.post("/v1/interaction-checks", json=padded(1500)).status_code == 413


def test_a_thousand_medicines_are_read(clinic: TestClient) -> None:
    listed = [order(str(n), f"Ibuprofen {n} mg", status="active") for n in range(1000)]

    assert cards(clinic, request(LDZ, medications=bundle(*listed, order("z", "Oxilort", status="active"))))[0][
        "indicator"
    ] == ("critical")


def test_an_unknown_service_is_a_404(clinic: TestClient) -> None:
    for path in ("/cds-services/nothing", "/cds-services/nothing/feedback"):
        assert clinic.post(path, json={}).status_code == 404
    assert clinic.get(SIGN).status_code == 405


def _feedback(**fields: Any) -> Json:
    return {"card": "9a0cf5d5-1b7a-4d5a-8b0e-000000000000", "outcomeTimestamp": "2026-01-05T10:05:31Z", **fields}


def test_feedback_is_counted_by_reason_and_its_words_are_dropped(scratch: Database) -> None:
    reason = {"reason": {"code": "list-outdated"}, "userComment": "Jane Doe stopped in May"}
    strange = {"reason": {"code": "Jane Doe"}}
    body = {
        "feedback": [
            _feedback(outcome="overridden", overrideReason=reason),
            _feedback(outcome="overridden", overrideReason=strange),
            _feedback(outcome="overridden"),
            _feedback(outcome="accepted", acceptedSuggestions=[{"id": "1"}]),
        ]
    }
    with cds_client(scratch.url.render_as_string(hide_password=False)) as caller:
        for _ in range(2):
            answer = caller.post(f"{SIGN}/feedback", json=body)
            assert answer.status_code == 200
            assert answer.content == b""

    with scratch.read() as session:
        rows = {(row.outcome, row.reason): row.count for row in session.scalars(select(FeedbackCount))}
    assert rows == {
        ("overridden", "list-outdated"): 2,
        ("overridden", "other"): 2,
        ("overridden", ""): 2,
        ("accepted", ""): 2,
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"feedback": []},
        {"feedback": [_feedback(outcome="ignored")]},
        {"feedback": [_feedback(outcome="accepted")]},
        {"feedback": [{"outcome": "overridden"}]},
        {"feedback": [_feedback(outcome="overridden")] * 101},
    ],
)
def test_feedback_that_breaks_the_standard_is_a_422(clinic: TestClient, body: Json) -> None:
    assert clinic.post(f"{SIGN}/feedback", json=body).status_code == 422


def test_the_face_is_documented(clinic: TestClient) -> None:
    paths = clinic.get("/openapi.json").json()["paths"]

    assert {"/cds-services", "/cds-services/{id}", "/cds-services/{id}/feedback"} <= set(paths)
    call = paths["/cds-services/{id}"]["post"]
    assert {"200", "400", "401", "404", "412", "422"} <= set(call["responses"])
    assert set(call["responses"]["412"]["content"]) == {"application/fhir+json"}
    assert call["requestBody"]["content"]["application/json"]["schema"]["required"] == [
        "hook",
        "hookInstance",
        "context",
    ]
