"""Kinds of requests that once were answered wrongly, each in several spellings: loud when it must be, else silent."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import (
    LDZ,
    RXNORM,
    Json,
    active,
    because,
    bundle,
    cards,
    daily,
    order,
    request,
    rules,
    stopped,
)

SELECT = "zelvane-order-select"
DRAFT = {**LDZ, "authoredOn": "2026-01-05"}
OXILORT = "Oxilort 5 mg tablet"
LORT_DRAFT = order("draft-2", OXILORT, authoredOn="2026-01-05")
ZELVANE = active("9", "Zelvane 4.5 mg capsule", **daily(4.5))
LEVELS = ["none", "info", "warning", "critical"]


def loudest(found: list[Json]) -> str:
    return max((card["indicator"] for card in found), key=LEVELS.index, default="none")


def coded(identifier: str, system: str, code: str, text: str | None = None, **fields: Any) -> Json:
    concept = {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})
    return order(identifier, **{"medicationCodeableConcept": concept, **fields})


# --- now ----------------------------------------------------------------------------------------------------------

FUTURE_ENDS: dict[str, Json] = {
    "validity of the supply": {"dispenseRequest": {"validityPeriod": {"start": "2026-01-05", "end": "2027-01-05"}}},
    "supply that starts later": {"dispenseRequest": {"validityPeriod": {"start": "2026-06-05", "end": "2026-07-05"}}},
    "bounds of the timing": {
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-01-05", "end": "2026-07-05"}}}}]
    },
    "time of taking": {"effectivePeriod": {"start": "2026-01-05", "end": "2029-01-05"}},
}


@pytest.mark.parametrize("fields", FUTURE_ENDS.values(), ids=FUTURE_ENDS.keys())
def test_no_end_date_of_a_draft_moves_now(clinic: TestClient, fields: Json) -> None:
    ended = stopped("77", OXILORT, authoredOn="2026-01-02")

    found = cards(clinic, request({**DRAFT, **fields}, stopped=bundle(ended)))

    assert rules(found)[0] == "zelvane-drafted-lort-recent"


def test_without_a_date_on_the_drafts_now_is_when_the_newest_record_was_written(clinic: TestClient) -> None:
    listed = bundle(active("1", "Lisinopril", authoredOn="2026-01-03", **FUTURE_ENDS["validity of the supply"]))

    for authored_on, is_recent in (("2025-12-20", True), ("2025-11-20", False)):
        ended = bundle(stopped("77", OXILORT, authoredOn=authored_on))
        found = cards(clinic, request(LDZ, medications=listed, stopped=ended))
        assert ("zelvane-drafted-lort-recent" in rules(found)) is is_recent


# --- order-select -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selections", "rule"),
    [
        (["MedicationRequest/draft-2"], "zelvane-and-lort-drafted"),
        (["MedicationRequest/draft-1"], "zelvane-and-lort-drafted"),
        (["https://ehr.example/fhir/MedicationRequest/draft-2/_history/3"], "zelvane-and-lort-drafted"),
        (["MedicationRequest/draft-3", "MedicationRequest/draft-2"], "zelvane-and-lort-drafted"),
        (["MedicationRequest/draft-3"], None),
    ],
)
def test_a_selected_order_is_checked_against_all_drafts(
    clinic: TestClient, selections: list[str], rule: str | None
) -> None:
    ibuprofen = order("draft-3", "Ibuprofen 400 mg")
    body = request(DRAFT, LORT_DRAFT, ibuprofen, hook="order-select", selections=selections)

    found = rules(cards(clinic, body, SELECT))

    assert (found[0] if found else None) == rule


def test_the_suggestion_removes_the_order_that_is_being_chosen(clinic: TestClient) -> None:
    body = request(DRAFT, LORT_DRAFT, hook="order-select", selections=["MedicationRequest/draft-2"])

    (card,) = cards(clinic, body, SELECT)

    assert card["suggestions"][0]["actions"][0]["resourceId"] == "MedicationRequest/draft-2"


def test_a_draft_without_an_id_may_be_the_selected_one(clinic: TestClient) -> None:
    unnamed = {name: value for name, value in LORT_DRAFT.items() if name != "id"}
    body = request(DRAFT, unnamed, hook="order-select", selections=["MedicationRequest/x", "MedicationRequest/draft-1"])

    assert rules(cards(clinic, body, SELECT))[0] == "zelvane-and-lort-drafted"


# --- what cannot be read ------------------------------------------------------------------------------------------

NDC = "http://hl7.org/fhir/sid/ndc"
UNREAD_DRAFTS = [
    coded("d", NDC, "99999-9999-99"),
    coded("d", RXNORM, "999999999"),
    coded("d", "urn:local:formulary", "MED0815", "See comments"),
    order("d", "999999999"),
    order("d", medicationReference={"reference": "Medication/not-sent"}),
]


@pytest.mark.parametrize("draft", UNREAD_DRAFTS)
@pytest.mark.parametrize("listed", [ZELVANE, active("77", OXILORT)], ids=["zelvane", "lort"])
def test_a_draft_that_cannot_be_read_is_a_gap_where_it_could_matter(
    clinic: TestClient, draft: Json, listed: Json
) -> None:
    (card,) = cards(clinic, request(draft, medications=bundle(listed)))

    assert rules([card]) == ["lort-check-incomplete"]
    assert card["indicator"] == "warning"
    assert "unread-draft" in card["extension"]["ldn-evidence.reproduction"]["gaps"]
    assert "the drafted order has no readable name" in card["detail"]


@pytest.mark.parametrize("draft", UNREAD_DRAFTS)
def test_a_draft_that_cannot_be_read_is_no_gap_where_nothing_could_meet_it(clinic: TestClient, draft: Json) -> None:
    assert cards(clinic, request(draft, medications=bundle(active("1", "Lisinopril")))) == []


@pytest.mark.parametrize(
    "listed",
    [
        coded("77", RXNORM, "999999999", "see comments", status="active"),
        coded("77", NDC, "99999-9999-99", "Miscellaneous medication", status="active"),
        active("77", "NON-FORMULARY ORDER"),
        active("77", "Patient supplied medication, see note"),
        active("77", "Siehe Kommentar"),
    ],
)
def test_a_text_that_names_nothing_is_a_gap(clinic: TestClient, listed: Json) -> None:
    found = cards(clinic, request(DRAFT, medications=bundle(listed)))

    assert rules(found)[0] == "lort-check-incomplete"


@pytest.mark.parametrize("name", ["Amlodipine 5 mg tablet", "B12", "KCl 20 mEq", "Insulin", "Vitamin D3 1000 unit cap"])
def test_an_unknown_medicine_with_a_name_is_no_gap(clinic: TestClient, name: str) -> None:
    assert rules(cards(clinic, request(DRAFT, medications=bundle(active("1", name))))) == ["zelvane-evidence"]


def test_a_recently_ended_medicine_without_a_name_is_a_gap_before_zelvane(clinic: TestClient) -> None:
    ended = coded("77", RXNORM, "999999999", status="completed", authoredOn="2026-01-02")

    assert rules(cards(clinic, request(DRAFT, stopped=bundle(ended))))[0] == "lort-check-incomplete"
    assert cards(clinic, request(LORT_DRAFT, stopped=bundle(ended))) == []
    old = {**ended, "authoredOn": "2024-01-02"}
    assert rules(cards(clinic, request(DRAFT, stopped=bundle(old)))) == ["zelvane-evidence"]


# --- the end of supply --------------------------------------------------------------------------------------------


def days(value: float, code: str = "d") -> Json:
    return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code}


def timed(**repeat: Any) -> Json:
    return {"dosageInstruction": [{"timing": {"repeat": repeat}}]}


STILL_RECENT: dict[str, Json] = {
    "supply": {"authoredOn": "2025-11-26", "dispenseRequest": {"expectedSupplyDuration": days(30)}},
    "supply in weeks": {"authoredOn": "2025-10-20", "dispenseRequest": {"expectedSupplyDuration": days(8, "wk")}},
    "supply in words": {
        "authoredOn": "2025-11-26",
        "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "days"}},
    },
    "repeats": {
        "authoredOn": "2025-08-20",
        "dispenseRequest": {"expectedSupplyDuration": days(30), "numberOfRepeatsAllowed": 3},
    },
    "bounds": {"authoredOn": "2025-11-10", **timed(boundsDuration=days(1, "mo"))},
    "range of bounds": {"authoredOn": "2025-11-10", **timed(boundsRange={"low": days(10), "high": days(40)})},
    "steps": {
        "authoredOn": "2025-11-01",
        "dosageInstruction": [{"sequence": n, "timing": {"repeat": {"boundsDuration": days(14)}}} for n in (1, 2, 3)],
    },
    "words": {"authoredOn": "2025-11-20", "dosageInstruction": [{"text": "1 tablet twice daily for 21 days"}]},
    "monthly": {"authoredOn": "2025-11-10", **timed(frequency=1, period=4, periodUnit="wk")},
    "change of status": {"authoredOn": "2024-11-10", "statusChanged": "2026-01-01T10:00:00Z"},
}


@pytest.mark.parametrize("status", ["completed", "stopped"])
@pytest.mark.parametrize("fields", STILL_RECENT.values(), ids=STILL_RECENT.keys())
def test_what_was_dispensed_may_have_been_taken_until_it_was_used_up(
    clinic: TestClient, fields: Json, status: str
) -> None:
    ended = order("77", OXILORT, **{"status": status, **fields})

    found = cards(clinic, request(DRAFT, stopped=bundle(ended)))

    assert rules(found)[0] == "zelvane-drafted-lort-recent"
    assert found[0]["indicator"] == "warning"
    long_ago = {**DRAFT, "authoredOn": "2027-06-05"}
    assert rules(cards(clinic, request(long_ago, stopped=bundle(ended)))) == ["zelvane-evidence"]


@pytest.mark.parametrize(
    "text",
    ["Lortstay 300 mg/1.5 mL SC", "LORTSTAY prefilled syringe", "Lortstay implant", "lortstay 128 mg monthly"],
)
def test_a_depot_acts_as_long_as_its_label_says(clinic: TestClient, text: str) -> None:
    ended = order("77", text, status="completed", authoredOn="2025-11-06")

    found = cards(clinic, request(DRAFT, stopped=bundle(ended)))

    assert rules(found)[0] == "zelvane-drafted-lort-recent"
    assert "ordered 2025-11-06, may act until 202" in found[0]["detail"]


def test_a_prescription_that_may_still_be_filled_is_used_up_when_its_supply_is(clinic: TestClient) -> None:
    valid: Json = {"validityPeriod": {"start": "2025-05-01", "end": "2026-05-01"}}
    supplies: list[tuple[Json, bool]] = [({"expectedSupplyDuration": days(5)}, False), ({}, True)]
    for supply, is_recent in supplies:
        ended = order("77", OXILORT, status="completed", authoredOn="2025-05-01", dispenseRequest={**valid, **supply})
        found = rules(cards(clinic, request(DRAFT, stopped=bundle(ended))))
        assert ("zelvane-drafted-lort-recent" in found) is is_recent


def test_a_depot_that_was_given_years_ago_is_over(clinic: TestClient) -> None:
    ended = order("77", "Lortstay 300 mg/1.5 mL SC", status="completed", authoredOn="2023-11-06")

    assert rules(cards(clinic, request(DRAFT, stopped=bundle(ended)))) == ["zelvane-evidence"]


def test_injected_zelvane_acts_for_about_28_days(clinic: TestClient) -> None:
    for given_on, is_recent in (("2025-11-20", True), ("2025-09-20", False)):
        ended = order("77", "Zelstay 380 mg IM", status="completed", authoredOn=given_on)
        assert (rules(cards(clinic, request(LORT_DRAFT, stopped=bundle(ended)))) != []) is is_recent


@pytest.mark.parametrize(
    "fields",
    [
        {"dispenseRequest": {"validityPeriod": {"start": "2019-03-01", "end": "2019-03-08"}}},
        {"dispenseRequest": {"expectedSupplyDuration": days(7)}},
        timed(boundsPeriod={"start": "2019-03-01", "end": "2019-03-08"}),
        {},
    ],
)
def test_a_record_that_was_moved_is_not_a_record_of_taking(clinic: TestClient, fields: Json) -> None:
    ended = order(
        "77",
        OXILORT,
        status="completed",
        authoredOn="2019-03-01",
        meta={"lastUpdated": "2026-01-01T00:00:00Z"},
        **fields,
    )

    assert rules(cards(clinic, request(DRAFT, stopped=bundle(ended)))) == ["zelvane-evidence"]


@pytest.mark.parametrize(
    ("listed", "date"),
    [
        (active("77", OXILORT, authoredOn="2019-03-01"), "ordered 2019-03-01"),
        (
            active("77", OXILORT, authoredOn="2019-03-01", dispenseRequest={"expectedSupplyDuration": days(5)}),
            "ordered 2019-03-01, supply until 2019-03-06",
        ),
        (
            active("77", OXILORT, authoredOn="2019-03-01", **timed(boundsPeriod={"end": "2019-03-06"})),
            "ordered 2019-03-01, supply until 2019-03-06",
        ),
        (active("77", OXILORT), "date not read"),
    ],
)
def test_an_old_order_that_is_still_open_shows_its_date(clinic: TestClient, listed: Json, date: str) -> None:
    card = cards(clinic, request(DRAFT, medications=bundle(listed)))[0]

    assert card["indicator"] == "critical"
    assert f"oxilort ({date})" in card["detail"]
    assert "zelvane 4.5 mg a day (ordered 2026-01-05)" in card["detail"]


# --- what a server says about its answer --------------------------------------------------------------------------


def outcome(*issues: tuple[str, str], system: str = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369") -> Json:
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": severity, "code": "processing", "details": {"coding": [{"system": system, "code": code}]}}
            for severity, code in issues
        ],
    }


def answered(content: Json, **fields: Any) -> Json:
    entry = {"resource": content, "search": {"mode": "outcome"}}
    return {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry], **fields}


NO_RESULTS = outcome(("warning", "4101"))
EMPTY_ANSWERS: dict[str, Json] = {
    "4101": answered(NO_RESULTS),
    "4101 elsewhere": answered(outcome(("warning", "4101"), system="urn:oid:1.2.840.114350.1.13.236.2.7.2.657369")),
    "4101 and 4119": answered(outcome(("warning", "4101"), ("warning", "4119"))),
    "4101 alone": NO_RESULTS,
    "4122": answered(outcome(("warning", "4122"))),
    "59100": answered(outcome(("information", "59100"))),
    "no match": answered({"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}),
}


@pytest.mark.parametrize("listed", EMPTY_ANSWERS.values(), ids=EMPTY_ANSWERS.keys())
def test_an_answer_that_nothing_was_found_is_an_empty_list(clinic: TestClient, listed: Json) -> None:
    lists: Json = {"medications": listed, "stopped": listed, "statements": listed}

    assert cards(clinic, request(LORT_DRAFT, **lists)) == []
    assert rules(cards(clinic, request(DRAFT, **lists))) == ["zelvane-evidence"]


REFUSALS = [
    outcome(("warning", "59204")),
    outcome(("information", "59205")),
    outcome(("fatal", "4118")),
    outcome(("fatal", "4130")),
    outcome(("error", "4122")),
    outcome(("warning", "4101"), ("warning", "59204")),
    outcome(("warning", "59101")),
    outcome(("warning", "12345")),
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]},
    {"resourceType": "OperationOutcome"},
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_answer_that_leaves_something_out_is_a_gap(clinic: TestClient, refusal: Json) -> None:
    for listed in (refusal, answered(refusal)):
        for draft in (LORT_DRAFT, DRAFT):
            found = cards(clinic, request(draft, medications=listed))
            assert rules(found)[0] == "lort-check-incomplete"
            assert found[0]["extension"]["ldn-evidence.reproduction"]["gaps"] == ["refused"]


NEXT = {"link": [{"relation": "next", "url": "https://ehr.example/2"}]}


def history(*written_on: str | None) -> Json:
    entries = [
        order(str(n), "Lisinopril", status="completed", **({"authoredOn": day} if day else {}))
        for n, day in enumerate(written_on)
    ]
    return bundle(*entries, **NEXT)


@pytest.mark.parametrize(
    ("stopped_list", "before_zelvane", "before_lort"),
    [
        pytest.param(history("2026-01-02", "2025-12-20", "2025-09-01"), False, False, id="reaches back"),
        pytest.param(history("2019-09-01"), False, False, id="old"),
        pytest.param(history("2026-01-02", "2025-12-20"), True, True, id="does not reach back"),
        pytest.param(history("2025-09-01", "2026-01-02"), True, False, id="not sorted"),
        pytest.param(history("2026-01-02", "2025-11-20"), True, False, id="supply may reach into the window"),
        pytest.param(history(None), True, False, id="no dates"),
    ],
)
def test_a_page_of_history_is_enough_if_it_reaches_far_enough_back(
    clinic: TestClient, stopped_list: Json, before_zelvane: bool, before_lort: bool
) -> None:
    for draft, is_gap in ((DRAFT, before_zelvane), (LORT_DRAFT, before_lort)):
        assert ("lort-check-incomplete" in rules(cards(clinic, request(draft, stopped=stopped_list)))) is is_gap


@pytest.mark.parametrize("name", ["medications", "statements"])
def test_a_page_of_current_medicines_is_never_enough(clinic: TestClient, name: str) -> None:
    listed: Json = {name: bundle(active("1", "Lisinopril", authoredOn="2019-01-01"), **NEXT)}

    assert rules(cards(clinic, request(LORT_DRAFT, **listed))) == ["lort-check-incomplete"]


# --- things that are no medicine, and medicines that nobody takes -------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Metlort test strips",
        "METLORT TEST STRIP MISC",
        "Metlort Urine Drug Screen",
        "Oxilort/morlort rapid test kit",
        "Buplort urine dip card",
        "Metlort-Teststreifen",
        "Unlort 4 mg nasal spray rescue kit for metlort overdose",
        "Unlort 4 mg (lort overdose: morlort, metlort) emergency use",
        "Unlort kit - reversal of oxilort or metlort",
        "Unlort 5 mg autoinjector, take-home, metlort overdose",
    ],
)
def test_tests_and_rescue_medicines_are_no_lorts(clinic: TestClient, text: str) -> None:
    assert rules(cards(clinic, request(DRAFT, medications=bundle(active("7", text))))) == ["zelvane-evidence"]
    assert cards(clinic, request(order("d", text), medications=bundle(ZELVANE))) == []


@pytest.mark.parametrize(
    "text",
    [
        "Lortstay strip 8 mg-2 mg",
        "buplort 8 mg / unlort 2 mg film",
        "Buplort-unlort 8-2 mg, with emergency supply",
        "oxilort and unlort 10-5 mg",
        "Morlort test dose 2 mg",
    ],
)
def test_an_lort_that_looks_like_one_of_them_is_still_an_lort(clinic: TestClient, text: str) -> None:
    assert loudest(cards(clinic, request(DRAFT, medications=bundle(active("7", text))))) == "critical"


@pytest.mark.parametrize(
    "body",
    [
        request(DRAFT, medications=bundle(active("77", OXILORT, intent="proposal"))),
        request(LORT_DRAFT, medications=bundle({**ZELVANE, "intent": "proposal"})),
        request(DRAFT, {**LORT_DRAFT, "intent": "proposal"}),
        request({**DRAFT, "intent": "proposal"}, medications=bundle(active("77", OXILORT))),
    ],
)
def test_what_is_only_proposed_raises_nothing_critical(clinic: TestClient, body: Json) -> None:
    found = cards(clinic, body)

    assert rules(found)[0] == "zelvane-and-lort-proposed"
    assert loudest(found) == "warning"


def test_a_proposal_hides_nothing_that_is_ordered(clinic: TestClient) -> None:
    listed = bundle(active("76", "Metlort", intent="proposal"), active("77", OXILORT, intent="plan"))

    card = cards(clinic, request(DRAFT, medications=listed))[0]

    assert card["indicator"] == "critical"
    assert "oxilort" in card["summary"]
    assert "metlort" not in card["detail"]


# --- doses of the label -------------------------------------------------------------------------------------------

CIDER, LORTS = because("F99.10"), because("F99.20")


@pytest.mark.parametrize(
    "draft",
    [
        order("d", "Zelvane 50 mg tablet", "9990011", **daily(25), **CIDER),
        order("d", "Zelvane 50 mg tablet", **daily(25)),
        order("d", "Zelvane 50 mg tablet", dosageInstruction=[{"text": "half a tablet daily"}], **CIDER),
        order("d", "Zelvane 50 mg tablet", dosageInstruction=[{"text": "Take 25 mg once, then 50 mg daily"}], **CIDER),
        order("d", "Zelvane 50 mg tablet", **daily(12.5), **because("F99.1")),
        order("d", "Zelvane 50 mg tablet", **daily(50), **CIDER),
        order("d", "Zelstay 380 mg", dosageInstruction=[{"text": "380 mg IM every 4 weeks"}], **CIDER),
        order("d", "Zelvane 12.5 mg", **daily(12.5), **because("x", "urn:own", "Ciderism, severe")),
    ],
)
def test_the_doses_of_the_label_get_no_evidence_on_low_doses(clinic: TestClient, draft: Json) -> None:
    assert cards(clinic, request(draft)) == []


@pytest.mark.parametrize(
    ("reason", "shown"),
    [(CIDER, False), (because("F99.1"), False), (because("x", "urn:own", "Ciderism, severe"), False), ({}, True)],
)
def test_a_first_step_towards_a_full_dose_gets_no_evidence_on_low_doses(
    clinic: TestClient, reason: Json, shown: bool
) -> None:
    found = cards(clinic, request(order("d", "Zelvane 4.5 mg", **daily(4.5), **reason)))

    assert rules(found) == (["zelvane-evidence"] if shown else [])


@pytest.mark.parametrize("dose", [4.5, 25, 50])
@pytest.mark.parametrize(
    "reason", [LORTS, because("F9920"), because("F99.2"), because("x", "urn:own", "Lort dependence")]
)
def test_lort_use_disorder_gets_the_lort_free_interval(clinic: TestClient, dose: float, reason: Json) -> None:
    card = cards(clinic, request(order("d", "Zelvane", **daily(dose), **reason)))[0]

    assert rules([card]) == ["zelvane-drafted-lort-use-disorder"]
    assert card["indicator"] == "warning"
    assert "7 days without lorts" in card["detail"]
    assert "lort-free-interval" in card["links"][0]["url"]


# --- reasons ------------------------------------------------------------------------------------------------------

ICD10 = "http://hl7.org/fhir/sid/icd-10"
SNOMED = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("reason", "claim"),
    [
        (because("R99.81"), "ldz-weariness-fatigue"),
        (because("R9981"), "ldz-weariness-fatigue"),
        (because("r99.81", ICD10), "ldz-weariness-fatigue"),
        (because("R99.819"), "ldz-weariness-fatigue"),
        (because("R99.81", "urn:oid:2.16.840.1.113883.6.90"), "ldz-weariness-fatigue"),
        (because("D999003", "https://www.nlm.nih.gov/mesh"), "ldz-gripes-remission"),
        (because("K99.90"), "ldz-gripes-remission"),
        (
            {
                "reasonReference": [{"reference": "#why"}],
                "contained": [{"resourceType": "Condition", "id": "why", "code": {"coding": [
                    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M99.97"}
                ]}}],
            },
            "ldz-murmuria-pain",
        ),
    ],
)  # fmt: skip
def test_a_reason_is_found_by_its_code(clinic: TestClient, reason: Json, claim: str) -> None:
    (card,) = cards(clinic, request(order("d", "LDZ", **daily(4.5), **reason)))

    used = [entry["id"] for entry in card["extension"]["ldn-evidence.reproduction"]["claims"]]
    assert claim in used
    assert "unverified" not in card["detail"]


def test_a_narrower_code_is_not_taken_for_its_neighbour(clinic: TestClient) -> None:
    (card,) = cards(clinic, request(order("d", "LDZ", **daily(4.5), **because("R99.11"))))

    assert "no claim is shown here" in card["detail"]


@pytest.mark.parametrize(
    ("code", "name"),
    [("88800002", "gripes")],
)
def test_a_snomed_code_matches_and_the_card_says_that_it_is_unverified(
    clinic: TestClient, code: str, name: str
) -> None:
    (card,) = cards(clinic, request(order("d", "LDZ", **daily(4.5), **because(code, SNOMED))))

    assert f"read as {name} by a SNOMED CT code that is unverified here" in card["detail"]


# --- drugs in one product -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "zelvane 1.2 mg-morlort 30 mg ER cap",
        "Zelvane 0.8 mg / morlort sulfate 20 mg ER",
        "zelvane 2.4 mg + oxilort 20 mg",
        "morlort 50.0 mg and zelvane 2.0 mg",
    ],
)
def test_a_product_with_an_lort_is_not_low_dose_zelvane(clinic: TestClient, text: str) -> None:
    assert cards(clinic, request(order("d", text))) == []
    assert loudest(cards(clinic, request(order("d", text), medications=bundle(ZELVANE)))) == "critical"


# --- charts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", ["medications", "stopped", "statements"])
def test_a_chart_without_either_drug_gets_no_card(clinic: TestClient, left_out: str) -> None:
    body = request(hook="patient-view", medications=bundle(active("5", "lisinopril 10 mg")))
    del body["prefetch"][left_out]

    assert cards(clinic, body, "zelvane-patient-view") == []


def test_a_chart_with_one_of_them_says_what_is_missing(clinic: TestClient) -> None:
    body = request(hook="patient-view", medications=bundle(ZELVANE))
    del body["prefetch"]["statements"]

    assert "lort-check-incomplete" in rules(cards(clinic, body, "zelvane-patient-view"))


CAUTIONED = ("Hushsyrup 2 mg capsule", "hushsyrup", "Hushsyrup powder", "HUSHSYRUP 12.5 mg")


@pytest.mark.parametrize("text", CAUTIONED)
@pytest.mark.parametrize("is_drafted", [True, False])
def test_a_medicine_of_a_quieter_rule_gets_a_warning(clinic: TestClient, text: str, is_drafted: bool) -> None:
    zelvane = active("9", "Zelvane 4.5 mg capsule", authoredOn="2025-11-01")
    body = (
        request(order("d", text), medications=bundle(zelvane))
        if is_drafted
        else request(DRAFT, medications=bundle(active("7", text)))
    )

    (card,) = (card for card in cards(clinic, body) if card["indicator"] != "info")

    assert card["indicator"] == "warning"
    assert card["extension"]["ldn-evidence.reproduction"]["rule"] == "zelvane-with-cautioned-medicine"
    assert [reason["display"] for reason in card["overrideReasons"]] == ["Planned with the patient"]
    assert card["links"]


@pytest.mark.parametrize("text", CAUTIONED)
def test_a_medicine_of_a_quieter_rule_alone_gets_nothing(clinic: TestClient, text: str) -> None:
    assert cards(clinic, request(order("d", text), medications=bundle(active("7", "Oxilort 5 mg")))) == []
