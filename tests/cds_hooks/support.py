"""Requests as record systems send them, and the face over a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from app.cds_hooks.routes import CdsService
from app.cds_hooks.settings import CdsSettings
from app.main import create_app, in_context
from app.settings import Settings
from tests.cds_hooks.keys import BASE

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
LOCAL = ("127.0.0.1", 50_000)
EVERY_SERVICE = CdsSettings(services=("zelvane-order-select", "zelvane-order-sign", "zelvane-patient-view"))
SIGN = "/cds-services/zelvane-order-sign"

Json = dict[str, Any]


def make_app(given: Settings, settings: CdsSettings) -> FastAPI:
    """The application with the face under these settings."""
    app = create_app(given)
    app.state.cds_hooks = CdsService(settings, given.own_url)
    return app


@contextmanager
def cds_client(
    url: str,
    settings: CdsSettings = EVERY_SERVICE,
    client: tuple[str, int] = LOCAL,
    base_url: str = "http://127.0.0.1:8000",
) -> Iterator[TestClient]:
    given = Settings(database_url=url, public_url=BASE if settings.issuers else "")
    app = make_app(given, settings)
    with TestClient(in_context(app, given, with_cache=False), base_url=base_url, client=client) as caller:
        yield caller
    app.state.reads.close()


def order(identifier: str = "draft-1", text: str | None = None, code: str | None = None, **fields: Any) -> Json:
    """A MedicationRequest, a draft unless told otherwise."""
    concept: Json = {"text": text} if text else {}
    if code:
        concept["coding"] = [{"system": RXNORM, "code": code}]
    named = {"medicationCodeableConcept": concept} if concept else {}
    return {"resourceType": "MedicationRequest", "id": identifier, "status": "draft", **named, **fields}


def active(identifier: str, text: str | None = None, code: str | None = None, **fields: Any) -> Json:
    return order(identifier, text, code, **{"status": "active", **fields})


def stopped(identifier: str, text: str, **fields: Any) -> Json:
    return order(identifier, text, **{"status": "stopped", **fields})


def daily(value: float, unit: str = "mg") -> Json:
    """Fields of an order of so much once a day."""
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    return {"dosageInstruction": [{"timing": timing, "doseAndRate": [{"doseQuantity": quantity}]}]}


def because(code: str, system: str = "http://hl7.org/fhir/sid/icd-10-cm", display: str | None = None) -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"reasonCode": [{"coding": [coding]}]}


def bundle(*resources: Json, **fields: Any) -> Json:
    """As the sandbox sends it: without a `type`."""
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources], **fields}


def request(*drafts: Json, hook: str = "order-sign", selections: list[str] | None = None, **prefetch: Any) -> Json:
    """A hook with a whole prefetch; lists that are not given are empty."""
    context: Json = {"userId": "Practitioner/abc", "patientId": "1288992"}
    if hook != "patient-view":
        context["draftOrders"] = bundle(*drafts)
    if selections is not None:
        context["selections"] = selections
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": {"medications": bundle(), "stopped": None, "statements": None, **prefetch},
    }


LDZ = order("draft-1", "Zelvane 4.5 mg capsule (compounded)", "9990001", **daily(4.5), **because("M99.97"))
OXILORT = active("77", "Oxilort 5 mg tablet", "1049623")


def cards(caller: TestClient, body: Json, service: str = "zelvane-order-sign", **query: Any) -> list[Json]:
    answer = caller.post(f"/cds-services/{service}", json=body, params=query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["cards"]
    return found


def rules(found: list[Json]) -> list[str]:
    return [card["extension"]["ldn-evidence.reproduction"]["rule"] for card in found]
