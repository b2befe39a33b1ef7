"""A critical card is read in seconds, names both orders, and offers reasons that a prescriber would choose."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import LDN, OXYCODONE, Json, active, bundle, cards, daily, order, request

DRAFT = {**LDN, "authoredOn": "2026-01-05"}
NALTREXONE = active("9", "Naltrexone 4.5 mg capsule", authoredOn="2025-11-01", **daily(4.5))
OPIOIDS = [
    active(str(n), name, authoredOn="2019-03-01", dispenseRequest={"expectedSupplyDuration": {"value": 5, "code": "d"}})
    for n, name in enumerate(("Oxycodone 5 mg", "Suboxone", "tapentadol", "hydromorphone", "methadone", "morphine"))
]
SEVERAL = [order(f"n{n}", f"Naltrexone {n} mg", authoredOn="2026-01-05", **daily(n)) for n in range(1, 6)]
CRITICAL: dict[str, tuple[Json, str]] = {
    "opioid current": (request(DRAFT, medications=bundle(OXYCODONE)), "ldn-order-sign"),
    "naltrexone current": (request(order("d", "Percocet"), medications=bundle(NALTREXONE)), "ldn-order-sign"),
    "both drafted": (request(DRAFT, order("d", "Oxycodone 5 mg")), "ldn-order-sign"),
    "both current": (request(hook="patient-view", medications=bundle(NALTREXONE, *OPIOIDS)), "ldn-patient-view"),
    "many": (request(*SEVERAL, medications=bundle(*OPIOIDS)), "ldn-order-sign"),
}


@pytest.mark.parametrize(("body", "service"), CRITICAL.values(), ids=CRITICAL.keys())
def test_it_has_ninety_words_at_most(clinic: TestClient, body: Json, service: str) -> None:
    card = cards(clinic, body, service)[0]

    assert card["indicator"] == "critical"
    assert len(f"{card['summary']} {card['detail']}".split()) <= 90
    assert "](" not in card["detail"]
    assert card["links"]


@pytest.mark.parametrize(("body", "service"), CRITICAL.values(), ids=CRITICAL.keys())
def test_it_offers_reasons_that_a_prescriber_would_choose(clinic: TestClient, body: Json, service: str) -> None:
    reasons = cards(clinic, body, service)[0]["overrideReasons"]

    assert "Planned with the patient" in [reason["display"] for reason in reasons]
    assert {"The opioid was already stopped", "Naltrexone will be stopped"} <= {one["display"] for one in reasons}


def test_it_names_both_orders_with_their_dates(clinic: TestClient) -> None:
    body = request(DRAFT, medications=bundle(*OPIOIDS[:2]))

    assert cards(clinic, body)[0]["detail"].startswith(
        "Drafted: naltrexone 4.5 mg a day (ordered 2026-01-05). On the list of current medicines: oxycodone (ordered "
        "2019-03-01, supply until 2019-03-06) and buprenorphine (ordered 2019-03-01, supply until 2019-03-06)."
    )


def test_a_statement_is_not_called_an_order(clinic: TestClient) -> None:
    statement = {
        "resourceType": "MedicationStatement", "id": "9", "status": "active", "dateAsserted": "2025-12-01",
        "effectivePeriod": {"start": "2024-05-01"}, "medicationCodeableConcept": {"text": "methadone"},
    }  # fmt: skip

    assert "methadone (stated 2024-05-01)" in cards(clinic, request(DRAFT, statements=bundle(statement)))[0]["detail"]


@pytest.mark.parametrize("service", ["critical", "info"])
def test_links_lead_to_pages_for_people(clinic: TestClient, service: str) -> None:
    found = cards(clinic, request(DRAFT, medications=bundle(OXYCODONE)))
    (card,) = [card for card in found if card["indicator"] == service]

    inline = re.findall(r"\[Claim with all citations\]\(([^)]+)\)", card["detail"])
    for url in [*(link["url"] for link in card["links"]), *inline]:
        page: Any = clinic.get(url.removeprefix("http://127.0.0.1:8000"))
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "<h1>" in page.text
        assert re.findall(r"<script[^>]*src=\"([^\"]*)", page.text) == ["/static/pages.js"]
    assert all("?serial=" in link["url"] for link in card["links"])


def test_the_page_of_a_claim_shows_every_citation(clinic: TestClient) -> None:
    claim = clinic.get("/v1/claims/ldn-fibromyalgia-pain").json()

    page = clinic.get("/claims/ldn-fibromyalgia-pain")

    anchors = re.findall(r'id="(cit-[a-z0-9-]+)"', page.text)
    assert sorted(anchors) == sorted(citation["id"] for citation in claim["citations"])
    assert "What is claimed" in page.text
    assert "Supports." in page.text
    assert "Disputes." in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert clinic.get("/claims/no-such-claim").status_code == 404
    assert clinic.get("/claims/ldn-fibromyalgia-pain?day=1").status_code == 422
