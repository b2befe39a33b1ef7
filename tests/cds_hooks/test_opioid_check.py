"""An opioid that meets naltrexone is told in every direction, and a check that could not be made is never silent."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import (
    LDN,
    OXYCODONE,
    RXNORM,
    SIGN,
    Json,
    active,
    bundle,
    cards,
    daily,
    order,
    request,
    rules,
    stopped,
)

NALTREXONE = active("5", "Naltrexone 4.5 mg capsule", **daily(4.5))
OPIOID_DRAFT = order("draft-2", "Hydrocodone / acetaminophen 5/325 tablet")
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


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (stopped("6", "Oxycodone", dispenseRequest={"validityPeriod": {"end": "2026-01-02"}}), True),
        (stopped("6", "Oxycodone"), True),
        (stopped("6", "Oxycodone", authoredOn="2024-03-01"), False),
        (stopped("6", "Ibuprofen", authoredOn="2026-01-02"), False),
        (stopped("6", "Oxycodone", status="entered-in-error"), False),
        (stopped("6", "Oxycodone", status="cancelled"), False),
    ],
)
def test_an_opioid_that_ended_recently_speaks_to_the_opioid_free_interval(
    clinic: TestClient, ended: Json, told: bool
) -> None:
    found = cards(clinic, request({**LDN, "authoredOn": "2026-01-05"}, stopped=bundle(ended)))

    assert ("naltrexone-drafted-opioid-recent" in rules(found)) is told
    if told:
        assert found[0]["indicator"] == "warning"
        assert "naltrexone-opioid-free-interval" in found[0]["links"][0]["url"]
        assert "50 mg product" in found[0]["detail"]


def test_an_opioid_that_is_being_stopped_in_the_same_draft_counts_as_recent(clinic: TestClient) -> None:
    body = request(LDN, {**OXYCODONE, "status": "stopped"}, medications=bundle(OXYCODONE))

    assert rules(cards(clinic, body))[0] == "naltrexone-drafted-opioid-recent"


def test_a_draft_that_happens_to_share_an_id_hides_nothing(clinic: TestClient) -> None:
    body = request({**LDN, "id": "77"}, medications=bundle(OXYCODONE))

    assert rules(cards(clinic, body))[0] == "naltrexone-drafted-opioid-current"


def test_an_opioid_ordered_after_naltrexone_ended_is_told(clinic: TestClient) -> None:
    found = cards(clinic, request(OPIOID_DRAFT, stopped=bundle(stopped("5", "Naltrexone 50 mg"))))

    assert rules(found) == ["opioid-drafted-naltrexone-recent"]
    assert "naltrexone-overdose-after-stopping" in found[0]["links"][0]["url"]


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


@pytest.mark.parametrize(
    ("prefetch", "gap"),
    [
        ({"medications": OUTCOME}, "refused"),
        ({"medications": bundle(OUTCOME)}, "refused"),
        ({"medications": bundle(link=[{"relation": "next", "url": "https://ehr.example/2"}])}, "paged"),
        ({"medications": bundle(OXYCODONE | {"medicationCodeableConcept": {"text": "Ibuprofen"}}, total=40)}, "paged"),
        ({"medications": "a list"}, "unreadable"),
        ({"medications": {"resourceType": "Bundle", "entry": "none"}}, "unreadable"),
        ({"medications": {"resourceType": "Bundle", "entry": [None, {"resource": 3}]}}, "unreadable"),
        ({"medications": {"resourceType": "Patient"}}, "unreadable"),
        ({"medications": bundle(active("4", code="999999999"))}, "unrecognised"),
        ({"medications": bundle(active("4"))}, "unrecognised"),
    ],
)
def test_a_check_that_could_not_be_made_in_full_says_so(clinic: TestClient, prefetch: Any, gap: str) -> None:
    for draft in (LDN, OPIOID_DRAFT):
        card = cards(clinic, request(draft, **prefetch))[0]

        assert rules([card]) == ["opioid-check-incomplete"]
        assert card["indicator"] == "warning"
        assert "opioid check incomplete" in card["summary"].lower()
        assert card["extension"]["ldn-evidence.reproduction"]["gaps"] == [gap]


def test_a_list_that_was_left_out_is_a_gap_and_a_null_is_an_empty_list(clinic: TestClient) -> None:
    body = request(LDN)
    assert "opioid-check-incomplete" not in rules(cards(clinic, body))

    del body["prefetch"]["statements"]
    assert "opioid-check-incomplete" in rules(cards(clinic, body))


@pytest.mark.parametrize("prefetch", [None, {}, {"patient": {"resourceType": "Patient"}}])
def test_with_no_list_at_all_the_answer_is_the_standards_412(clinic: TestClient, prefetch: Json | None) -> None:
    answer = clinic.post(SIGN, json={**request(LDN), "prefetch": prefetch})

    assert answer.status_code == 412
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "NOT made" in answer.json()["issue"][0]["details"]["text"]


def test_drafts_that_meet_need_no_list(clinic: TestClient) -> None:
    body = request(LDN, OPIOID_DRAFT)
    del body["prefetch"]

    assert rules(cards(clinic, body))[0] == "naltrexone-and-opioid-drafted"


@pytest.mark.parametrize(
    "body",
    [
        request(order("d", "Ibuprofen 400 mg")),
        request(),
        request(order("d")),
        request(OPIOID_DRAFT, medications=bundle(active("1", "Lisinopril"))),
        request(order("d", "Methylnaltrexone 150 mg"), medications=bundle(OXYCODONE)),
        request(order("d", "Embeda 20 mg/0.8 mg"), medications=bundle(OXYCODONE)),
        request({**LDN, "doNotPerform": True}, medications=bundle(OXYCODONE)),
        {**request(order("d", "Ibuprofen")), "prefetch": None},
    ],
)
def test_other_orders_get_no_card(clinic: TestClient, body: Json) -> None:
    assert cards(clinic, body) == []


def test_while_an_order_is_being_chosen_only_the_chosen_ones_are_looked_at(clinic: TestClient) -> None:
    ibuprofen = order("draft-9", "Ibuprofen")
    body = request(LDN, ibuprofen, hook="order-select", medications=bundle(OXYCODONE))

    def chosen(*ids: str) -> list[str]:
        return rules(
            cards(clinic, {**body, "context": {**body["context"], "selections": list(ids)}}, "ldn-order-select")
        )

    assert chosen("MedicationRequest/draft-9") == []
    assert chosen("MedicationRequest/draft-1")[0] == "naltrexone-drafted-opioid-current"
    assert chosen("MedicationRequest/unknown")[0] == "naltrexone-drafted-opioid-current"


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
