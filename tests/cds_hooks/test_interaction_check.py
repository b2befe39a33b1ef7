"""A lort that meets zelvane is told in every direction, and a check that could not be made is never silent."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import (
    LDZ,
    OXILORT,
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

ZELVANE = active("5", "Zelvane 4.5 mg capsule", **daily(4.5))
LORT_DRAFT = order("draft-2", "Tralort / acetaminophen 5/325 tablet")
STATEMENT = {
    "resourceType": "MedicationStatement",
    "id": "9",
    "status": "active",
    "medicationCodeableConcept": {"text": "metlort"},
}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(request(LDZ, medications=bundle(OXILORT)), "zelvane-drafted-lort-current", id="active lort order"),
        pytest.param(request(LDZ, statements=bundle(STATEMENT)), "zelvane-drafted-lort-current", id="lort statement"),
        pytest.param(
            request(LDZ, medications=bundle(active("77", "Oxinex", status="on-hold"))),
            "zelvane-drafted-lort-current",
            id="lort on hold",
        ),
        pytest.param(request(LORT_DRAFT, medications=bundle(ZELVANE)), "lort-drafted-zelvane-current", id="reverse"),
        pytest.param(request(LDZ, LORT_DRAFT), "zelvane-and-lort-drafted", id="both drafted"),
        pytest.param(
            request(order("d", "Zelvane 50 mg tablet", **daily(50)), medications=bundle(OXILORT)),
            "zelvane-drafted-lort-current",
            id="standard dose",
        ),
        pytest.param(
            request(order("d", "Zelcomp"), medications=bundle(OXILORT)),
            "zelvane-drafted-lort-current",
            id="zelvane beside another drug",
        ),
        pytest.param(
            request(order("d", "Oxizel 20 mg/0.8 mg"), medications=bundle(ZELVANE)),
            "lort-drafted-zelvane-current",
            id="morlort with zelvane is a lort",
        ),
    ],
)
def test_zelvane_and_an_lort_are_told_in_every_direction(clinic: TestClient, body: Json, rule: str) -> None:
    card = cards(clinic, body)[0]

    assert rules([card]) == [rule]
    assert card["indicator"] == "critical"
    assert len(card["summary"]) < 140
    assert "50 mg product" in card["detail"]
    assert "No low-dose trial on record here tested zelvane together with a lort" in card["detail"]
    assert "safe" not in card["detail"].lower()
    assert any("zelvane-lort-contraindication?serial=" in link["url"] for link in card["links"])
    assert [action["type"] for s in card["suggestions"] for action in s["actions"]] == ["delete"]
    assert card["suggestions"][0]["actions"][0]["resourceId"].startswith("MedicationRequest/d")
    assert card["overrideReasons"][0]["display"]


def test_both_on_the_list_are_told_when_a_chart_is_opened(clinic: TestClient) -> None:
    body = request(hook="patient-view", medications=bundle(ZELVANE, OXILORT))

    found = cards(clinic, body, "zelvane-patient-view")

    assert rules(found) == ["zelvane-and-lort-current", "zelvane-evidence"]
    assert "suggestions" not in found[0]


@pytest.mark.parametrize(
    "lort",
    [
        pytest.param(active("8", medicationReference={"reference": "#m"}, contained=[
            {"resourceType": "Medication", "id": "m", "code": {"text": "metlort patch"}}
        ]), id="contained"),
        pytest.param(active("8", medicationReference={"display": "Tralort 50 mg"}), id="display of a reference"),
        pytest.param(active("8", medicationReference={"reference": "Medication/m8"}), id="included in the bundle"),
        pytest.param(active("8", code="9990103"), id="ingredient code alone"),
        pytest.param(active("8", medicationCodeableConcept={"coding": [
            {"system": "http://www.whocc.no/atc", "code": "N98AA05"}
        ]}), id="ATC code alone"),
    ],
)  # fmt: skip
def test_an_lort_is_found_however_it_is_written(clinic: TestClient, lort: Json) -> None:
    included = {"resourceType": "Medication", "id": "m8", "ingredient": [{"itemCodeableConcept": {"text": "morlort"}}]}

    found = cards(clinic, request(LDZ, medications=bundle(lort, included)))

    assert rules(found)[0] == "zelvane-drafted-lort-current"


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (stopped("6", "Oxilort", dispenseRequest={"validityPeriod": {"end": "2026-01-02"}}), True),
        (stopped("6", "Oxilort"), True),
        (stopped("6", "Oxilort", authoredOn="2024-03-01"), False),
        (stopped("6", "Ibuprofen", authoredOn="2026-01-02"), False),
        (stopped("6", "Oxilort", status="entered-in-error"), False),
        (stopped("6", "Oxilort", status="cancelled"), False),
    ],
)
def test_an_lort_that_ended_recently_speaks_to_the_lort_free_interval(
    clinic: TestClient, ended: Json, told: bool
) -> None:
    found = cards(clinic, request({**LDZ, "authoredOn": "2026-01-05"}, stopped=bundle(ended)))

    assert ("zelvane-drafted-lort-recent" in rules(found)) is told
    if told:
        assert found[0]["indicator"] == "warning"
        assert "zelvane-lort-free-interval" in found[0]["links"][0]["url"]
        assert "50 mg product" in found[0]["detail"]


def test_an_lort_that_is_being_stopped_in_the_same_draft_counts_as_recent(clinic: TestClient) -> None:
    body = request(LDZ, {**OXILORT, "status": "stopped"}, medications=bundle(OXILORT))

    assert rules(cards(clinic, body))[0] == "zelvane-drafted-lort-recent"


def test_a_draft_that_happens_to_share_an_id_hides_nothing(clinic: TestClient) -> None:
    body = request({**LDZ, "id": "77"}, medications=bundle(OXILORT))

    assert rules(cards(clinic, body))[0] == "zelvane-drafted-lort-current"


def test_an_lort_ordered_after_zelvane_ended_is_told(clinic: TestClient) -> None:
    found = cards(clinic, request(LORT_DRAFT, stopped=bundle(stopped("5", "Zelvane 50 mg"))))

    assert rules(found) == ["lort-drafted-zelvane-recent"]
    assert "zelvane-after-stopping" in found[0]["links"][0]["url"]


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


@pytest.mark.parametrize(
    ("prefetch", "gap"),
    [
        ({"medications": OUTCOME}, "refused"),
        ({"medications": bundle(OUTCOME)}, "refused"),
        ({"medications": bundle(link=[{"relation": "next", "url": "https://ehr.example/2"}])}, "paged"),
        ({"medications": bundle(OXILORT | {"medicationCodeableConcept": {"text": "Ibuprofen"}}, total=40)}, "paged"),
        ({"medications": "a list"}, "unreadable"),
        ({"medications": {"resourceType": "Bundle", "entry": "none"}}, "unreadable"),
        ({"medications": {"resourceType": "Bundle", "entry": [None, {"resource": 3}]}}, "unreadable"),
        ({"medications": {"resourceType": "Patient"}}, "unreadable"),
        ({"medications": bundle(active("4", code="999999999"))}, "unrecognised"),
        ({"medications": bundle(active("4"))}, "unrecognised"),
    ],
)
def test_a_check_that_could_not_be_made_in_full_says_so(clinic: TestClient, prefetch: Any, gap: str) -> None:
    for draft in (LDZ, LORT_DRAFT):
        card = cards(clinic, request(draft, **prefetch))[0]

        assert rules([card]) == ["lort-check-incomplete"]
        assert card["indicator"] == "warning"
        assert "lort check incomplete" in card["summary"].lower()
        assert card["extension"]["ldn-evidence.reproduction"]["gaps"] == [gap]


def test_a_list_that_was_left_out_is_a_gap_and_a_null_is_an_empty_list(clinic: TestClient) -> None:
    body = request(LDZ)
    assert "lort-check-incomplete" not in rules(cards(clinic, body))

    del body["prefetch"]["statements"]
    assert "lort-check-incomplete" in rules(cards(clinic, body))


@pytest.mark.parametrize("prefetch", [None, {}, {"patient": {"resourceType": "Patient"}}])
def test_with_no_list_at_all_the_answer_is_the_standards_412(clinic: TestClient, prefetch: Json | None) -> None:
    answer = clinic.post(SIGN, json={**request(LDZ), "prefetch": prefetch})

    assert answer.status_code == 412
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "NOT made" in answer.json()["issue"][0]["details"]["text"]


def test_drafts_that_meet_need_no_list(clinic: TestClient) -> None:
    body = request(LDZ, LORT_DRAFT)
    del body["prefetch"]

    assert rules(cards(clinic, body))[0] == "zelvane-and-lort-drafted"


@pytest.mark.parametrize(
    "body",
    [
        request(order("d", "Ibuprofen 400 mg")),
        request(),
        request(order("d")),
        request(LORT_DRAFT, medications=bundle(active("1", "Lisinopril"))),
        request(order("d", "Methylzelvane 150 mg"), medications=bundle(OXILORT)),
        request(order("d", "Oxizel 20 mg/0.8 mg"), medications=bundle(OXILORT)),
        request({**LDZ, "doNotPerform": True}, medications=bundle(OXILORT)),
        {**request(order("d", "Ibuprofen")), "prefetch": None},
    ],
)
def test_other_orders_get_no_card(clinic: TestClient, body: Json) -> None:
    assert cards(clinic, body) == []


def test_while_an_order_is_being_chosen_only_the_chosen_ones_are_looked_at(clinic: TestClient) -> None:
    ibuprofen = order("draft-9", "Ibuprofen")
    body = request(LDZ, ibuprofen, hook="order-select", medications=bundle(OXILORT))

    def chosen(*ids: str) -> list[str]:
        return rules(
            cards(clinic, {**body, "context": {**body["context"], "selections": list(ids)}}, "zelvane-order-select")
        )

    assert chosen("MedicationRequest/draft-9") == []
    assert chosen("MedicationRequest/draft-1")[0] == "zelvane-drafted-lort-current"
    assert chosen("MedicationRequest/unknown")[0] == "zelvane-drafted-lort-current"


def test_every_lort_is_counted_and_none_is_quoted(clinic: TestClient) -> None:
    listed = [active(str(n), f"{name} for Jane Doe") for n, name in enumerate(("oxilort", "Lortstay", "tralort"))]

    card = cards(clinic, request(LDZ, medications=bundle(*listed)))[0]

    assert "oxilort and 2 more" in card["summary"]
    for name in ("oxilort", "buplort", "tralort"):
        assert f"{name} (date not read)" in card["detail"]
    assert "Jane Doe" not in str(card)
    told = card["extension"]["ldn-evidence.reproduction"]
    assert [drug["drug"] for drug in told["lorts"]] == ["oxilort", "buplort", "tralort"]
    assert told["zelvane"][0]["codes"] == [f"{RXNORM}|9990001"]
