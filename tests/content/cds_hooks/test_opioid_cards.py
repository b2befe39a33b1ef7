"""An opioid that meets naltrexone is told in every direction, in few words."""

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks import test_critical_cards
from tests.cds_hooks.support import RXNORM, Json, active, bundle, daily, order, request, rules, stopped
from tests.content.cds_hooks.support import DRAFT, LDN, NALTREXONE, OPIOID_DRAFT, OXYCODONE, cards

STATEMENT = {
    "resourceType": "MedicationStatement",
    "id": "9",
    "status": "active",
    "medicationCodeableConcept": {"text": "methadone"},
}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(
            request(LDN, medications=bundle(OXYCODONE)), "naltrexone-drafted-opioid-current", id="active opioid order"
        ),
        pytest.param(
            request(LDN, statements=bundle(STATEMENT)), "naltrexone-drafted-opioid-current", id="opioid statement"
        ),
        pytest.param(
            request(LDN, medications=bundle(active("77", "Percocet", status="on-hold"))),
            "naltrexone-drafted-opioid-current",
            id="opioid on hold",
        ),
        pytest.param(
            request(OPIOID_DRAFT, medications=bundle(NALTREXONE)), "opioid-drafted-naltrexone-current", id="reverse"
        ),
        pytest.param(request(LDN, OPIOID_DRAFT), "naltrexone-and-opioid-drafted", id="both drafted"),
        pytest.param(
            request(order("d", "Naltrexone 50 mg tablet", **daily(50)), medications=bundle(OXYCODONE)),
            "naltrexone-drafted-opioid-current",
            id="standard dose",
        ),
        pytest.param(
            request(order("d", "Contrave"), medications=bundle(OXYCODONE)),
            "naltrexone-drafted-opioid-current",
            id="bupropion with naltrexone",
        ),
        pytest.param(
            request(order("d", "Embeda 20 mg/0.8 mg"), medications=bundle(NALTREXONE)),
            "opioid-drafted-naltrexone-current",
            id="morphine with naltrexone is an opioid",
        ),
    ],
)
def test_naltrexone_and_an_opioid_are_told_in_every_direction(clinic: TestClient, body: Json, rule: str) -> None:
    card = cards(clinic, body)[0]

    assert rules([card]) == [rule]
    assert card["indicator"] == "critical"
    assert len(card["summary"]) < 140
    assert "50 mg product" in card["detail"]
    assert "No low-dose trial on record here tested naltrexone together with an opioid" in card["detail"]
    assert "safe" not in card["detail"].lower()
    assert any("naltrexone-opioid-contraindication?serial=" in link["url"] for link in card["links"])
    assert [action["type"] for s in card["suggestions"] for action in s["actions"]] == ["delete"]
    assert card["suggestions"][0]["actions"][0]["resourceId"].startswith("MedicationRequest/d")
    assert card["overrideReasons"][0]["display"]


def test_both_on_the_list_are_told_when_a_chart_is_opened(clinic: TestClient) -> None:
    body = request(hook="patient-view", medications=bundle(NALTREXONE, OXYCODONE))

    found = cards(clinic, body, "ldn-patient-view")

    assert rules(found) == ["naltrexone-and-opioid-current", "ldn-evidence"]
    assert "suggestions" not in found[0]


@pytest.mark.parametrize(
    "opioid",
    [
        pytest.param(active("8", medicationReference={"reference": "#m"}, contained=[
            {"resourceType": "Medication", "id": "m", "code": {"text": "fentanyl patch"}}
        ]), id="contained"),
        pytest.param(active("8", medicationReference={"display": "Tramadol 50 mg"}), id="display of a reference"),
        pytest.param(active("8", medicationReference={"reference": "Medication/m8"}), id="included in the bundle"),
        pytest.param(active("8", code="7052"), id="ingredient code alone"),
        pytest.param(active("8", medicationCodeableConcept={"coding": [
            {"system": "http://www.whocc.no/atc", "code": "N02AX06"}
        ]}), id="ATC code alone"),
    ],
)  # fmt: skip
def test_an_opioid_is_found_however_it_is_written(clinic: TestClient, opioid: Json) -> None:
    included = {"resourceType": "Medication", "id": "m8", "ingredient": [{"itemCodeableConcept": {"text": "codeine"}}]}

    found = cards(clinic, request(LDN, medications=bundle(opioid, included)))

    assert rules(found)[0] == "naltrexone-drafted-opioid-current"


def test_an_opioid_ordered_after_naltrexone_ended_is_told(clinic: TestClient) -> None:
    found = cards(clinic, request(OPIOID_DRAFT, stopped=bundle(stopped("5", "Naltrexone 50 mg"))))

    assert rules(found) == ["opioid-drafted-naltrexone-recent"]
    assert "naltrexone-overdose-after-stopping" in found[0]["links"][0]["url"]


def test_every_opioid_is_counted_and_none_is_quoted(clinic: TestClient) -> None:
    listed = [active(str(n), f"{name} for Jane Doe") for n, name in enumerate(("oxycodone", "Suboxone", "tapentadol"))]

    card = cards(clinic, request(LDN, medications=bundle(*listed)))[0]

    assert "oxycodone and 2 more" in card["summary"]
    for name in ("oxycodone", "buprenorphine", "tapentadol"):
        assert f"{name} (date not read)" in card["detail"]
    assert "Jane Doe" not in str(card)
    told = card["extension"]["ldn-evidence.reproduction"]
    assert [drug["drug"] for drug in told["opioids"]] == ["oxycodone", "buprenorphine", "tapentadol"]
    assert told["naltrexone"][0]["codes"] == [f"{RXNORM}|7243"]


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
    test_critical_cards.test_it_has_ninety_words_at_most(clinic, body, service)


@pytest.mark.parametrize(("body", "service"), CRITICAL.values(), ids=CRITICAL.keys())
def test_it_offers_reasons_that_a_prescriber_would_choose(clinic: TestClient, body: Json, service: str) -> None:
    reasons = cards(clinic, body, service)[0]["overrideReasons"]

    assert "Planned with the patient" in [reason["display"] for reason in reasons]
    assert {"The opioid was already stopped", "Naltrexone will be stopped"} <= {one["display"] for one in reasons}
