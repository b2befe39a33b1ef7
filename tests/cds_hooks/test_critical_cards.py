"""A critical card is read in seconds, names both orders, and offers reasons that a prescriber would choose."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import LDZ, OXILORT, Json, active, bundle, cards, daily, order, request

DRAFT = {**LDZ, "authoredOn": "2026-01-05"}
ZELVANE = active("9", "Zelvane 4.5 mg capsule", authoredOn="2025-11-01", **daily(4.5))
LORTS = [
    active(str(n), name, authoredOn="2019-03-01", dispenseRequest={"expectedSupplyDuration": {"value": 5, "code": "d"}})
    for n, name in enumerate(("Oxilort 5 mg", "Trastop", "buplort", "tralort 50 mg", "metlort", "morlort"))
]
SEVERAL = [order(f"n{n}", f"Zelvane {n} mg", authoredOn="2026-01-05", **daily(n)) for n in range(1, 6)]
CRITICAL: dict[str, tuple[Json, str]] = {
    "lort current": (request(DRAFT, medications=bundle(OXILORT)), "zelvane-order-sign"),
    "zelvane current": (request(order("d", "Oxinex"), medications=bundle(ZELVANE)), "zelvane-order-sign"),
    "both drafted": (request(DRAFT, order("d", "Oxilort 5 mg")), "zelvane-order-sign"),
    "both current": (request(hook="patient-view", medications=bundle(ZELVANE, *LORTS)), "zelvane-patient-view"),
    "many": (request(*SEVERAL, medications=bundle(*LORTS)), "zelvane-order-sign"),
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
    assert {"The lort was already stopped", "Zelvane will be stopped"} <= {one["display"] for one in reasons}


def test_it_names_both_orders_with_their_dates(clinic: TestClient) -> None:
    body = request(DRAFT, medications=bundle(*LORTS[:2]))

    assert cards(clinic, body)[0]["detail"].startswith(
        "Drafted: zelvane 4.5 mg a day (ordered 2026-01-05). On the list of current medicines: oxilort (ordered "
        "2019-03-01, supply until 2019-03-06) and tralort (ordered 2019-03-01, supply until 2019-03-06)."
    )


def test_a_statement_is_not_called_an_order(clinic: TestClient) -> None:
    statement = {
        "resourceType": "MedicationStatement", "id": "9", "status": "active", "dateAsserted": "2025-12-01",
        "effectivePeriod": {"start": "2024-05-01"}, "medicationCodeableConcept": {"text": "metlort"},
    }  # fmt: skip

    assert "metlort (stated 2024-05-01)" in cards(clinic, request(DRAFT, statements=bundle(statement)))[0]["detail"]


@pytest.mark.parametrize("service", ["critical", "info"])
def test_links_lead_to_pages_for_people(clinic: TestClient, service: str) -> None:
    found = cards(clinic, request(DRAFT, medications=bundle(OXILORT)))
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
    claim = clinic.get("/v1/claims/ldz-murmuria-pain").json()

    page = clinic.get("/claims/ldz-murmuria-pain")

    anchors = re.findall(r'id="(cit-[a-z0-9-]+)"', page.text)
    assert sorted(anchors) == sorted(citation["id"] for citation in claim["citations"])
    assert "What is claimed" in page.text
    assert "Supports." in page.text
    assert "Disputes." in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert clinic.get("/claims/no-such-claim").status_code == 404
    assert clinic.get("/claims/ldz-murmuria-pain?day=1").status_code == 422
