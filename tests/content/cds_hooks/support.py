"""Orders of the drugs of the shipped data set, and the cards of its services."""

from starlette.testclient import TestClient

from app.cds_hooks.settings import CdsSettings
from tests.cds_hooks import support
from tests.cds_hooks.support import Json, active, because, daily, order

SERVICES = CdsSettings(services=("ldn-order-select", "ldn-order-sign", "ldn-patient-view"))
SIGN = "/cds-services/ldn-order-sign"

LDN = order("draft-1", "Naltrexone 4.5 mg capsule (compounded)", "7243", **daily(4.5), **because("M79.7"))
DRAFT = {**LDN, "authoredOn": "2026-01-05"}
OXYCODONE = active("77", "Oxycodone 5 mg tablet", "1049623")
OPIOID_DRAFT = order("draft-2", "Oxycodone 5 mg tablet", authoredOn="2026-01-05")
NALTREXONE = active("9", "Naltrexone 4.5 mg capsule", **daily(4.5))


def cards(caller: TestClient, body: Json, service: str = "ldn-order-sign") -> list[Json]:
    return support.cards(caller, body, service)
