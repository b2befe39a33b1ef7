"""Cards on orders of naltrexone and of opioids, by the names, codes and reasons that record systems send."""

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import Json, active, because, bundle, daily, order, request, rules
from tests.content.cds_hooks.support import DRAFT, LDN, NALTREXONE, OPIOID_DRAFT, cards

LEVELS = ["none", "info", "warning", "critical"]


def loudest(found: list[Json]) -> str:
    return max((card["indicator"] for card in found), key=LEVELS.index, default="none")


@pytest.mark.parametrize(
    "text",
    ["Sublocade 300 mg/1.5 mL SC", "SUBLOCADE prefilled syringe", "Probuphine implant", "Brixadi 128 mg monthly"],
)
def test_a_depot_acts_as_long_as_its_label_says(clinic: TestClient, text: str) -> None:
    ended = order("77", text, status="completed", authoredOn="2025-11-06")

    found = cards(clinic, request(DRAFT, stopped=bundle(ended)))

    assert rules(found)[0] == "naltrexone-drafted-opioid-recent"
    assert "ordered 2025-11-06, may act until 202" in found[0]["detail"]


def test_a_depot_that_was_given_years_ago_is_over(clinic: TestClient) -> None:
    ended = order("77", "Sublocade 300 mg/1.5 mL SC", status="completed", authoredOn="2023-11-06")

    assert rules(cards(clinic, request(DRAFT, stopped=bundle(ended)))) == ["ldn-evidence"]


def test_injected_naltrexone_acts_for_about_28_days(clinic: TestClient) -> None:
    for given_on, is_recent in (("2025-11-20", True), ("2025-09-20", False)):
        ended = order("77", "Vivitrol 380 mg IM", status="completed", authoredOn=given_on)
        assert (rules(cards(clinic, request(OPIOID_DRAFT, stopped=bundle(ended)))) != []) is is_recent


@pytest.mark.parametrize(
    "text",
    [
        "Fentanyl test strips",
        "FENTANYL TEST STRIP MISC",
        "Fentanyl Urine Drug Screen",
        "Oxycodone/opiates rapid test kit",
        "Buprenorphine urine dip card",
        "Fentanyl-Teststreifen",
        "Naloxone 4 mg nasal spray rescue kit for fentanyl overdose",
        "Narcan 4 mg (opioid overdose: heroin, fentanyl) emergency use",
        "Naloxone kit - reversal of oxycodone or methadone",
        "Zimhi 5 mg autoinjector, take-home, fentanyl overdose",
    ],
)
def test_tests_and_rescue_medicines_are_no_opioids(clinic: TestClient, text: str) -> None:
    assert rules(cards(clinic, request(DRAFT, medications=bundle(active("7", text))))) == ["ldn-evidence"]
    assert cards(clinic, request(order("d", text), medications=bundle(NALTREXONE))) == []


@pytest.mark.parametrize(
    "text",
    [
        "Suboxone strip 8 mg-2 mg",
        "buprenorphine 8 mg / naloxone 2 mg film",
        "Buprenorphine-naloxone 8-2 mg, with emergency supply",
        "oxycodone and naloxone 10-5 mg",
        "Morphine test dose 2 mg",
    ],
)
def test_an_opioid_that_looks_like_one_of_them_is_still_an_opioid(clinic: TestClient, text: str) -> None:
    assert loudest(cards(clinic, request(DRAFT, medications=bundle(active("7", text))))) == "critical"


ALCOHOL, OPIOIDS = because("F10.20"), because("F11.20")


@pytest.mark.parametrize(
    "draft",
    [
        order("d", "Naltrexone 50 mg tablet", "1483744", **daily(25), **ALCOHOL),
        order("d", "Naltrexone 50 mg tablet", **daily(25)),
        order("d", "Naltrexone 50 mg tablet", dosageInstruction=[{"text": "half a tablet daily"}], **ALCOHOL),
        order(
            "d", "Naltrexone 50 mg tablet", dosageInstruction=[{"text": "Take 25 mg once, then 50 mg daily"}], **ALCOHOL
        ),
        order("d", "Naltrexone 50 mg tablet", **daily(12.5), **because("F10.10")),
        order("d", "Naltrexone 50 mg tablet", **daily(50), **ALCOHOL),
        order("d", "Vivitrol 380 mg", dosageInstruction=[{"text": "380 mg IM every 4 weeks"}], **ALCOHOL),
        order("d", "Naltrexone 12.5 mg", **daily(12.5), **because("x", "urn:own", "Alcohol use disorder, severe")),
    ],
)
def test_the_doses_of_the_label_get_no_evidence_on_low_doses(clinic: TestClient, draft: Json) -> None:
    assert cards(clinic, request(draft)) == []


@pytest.mark.parametrize("dose", [4.5, 25, 50])
@pytest.mark.parametrize(
    "reason", [OPIOIDS, because("F1120"), because("F11.10"), because("x", "urn:own", "Opioid dependence")]
)
def test_opioid_use_disorder_gets_the_opioid_free_interval(clinic: TestClient, dose: float, reason: Json) -> None:
    card = cards(clinic, request(order("d", "Naltrexone", **daily(dose), **reason)))[0]

    assert rules([card]) == ["naltrexone-drafted-opioid-use-disorder"]
    assert card["indicator"] == "warning"
    assert "7 to 10 days without opioids" in card["detail"]
    assert "opioid-free-interval" in card["links"][0]["url"]


ICD10 = "http://hl7.org/fhir/sid/icd-10"


SNOMED = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("reason", "claim"),
    [
        (because("U09.9"), "ldn-long-covid-symptoms"),
        (because("U099"), "ldn-long-covid-symptoms"),
        (because("u09.9", ICD10), "ldn-long-covid-symptoms"),
        (because("G89.29"), "ldn-chronic-pain"),
        (because("G89.4"), "ldn-chronic-pain"),
        (because("M17.0"), "ldn-arthritis-pain"),
        (because("G93.32", "urn:oid:2.16.840.1.113883.6.90"), "ldn-me-cfs-response"),
        (because("D003424", "https://www.nlm.nih.gov/mesh"), "ldn-crohns-response"),
        (because("K51.90"), "ldn-ulcerative-colitis-response"),
        (
            {
                "reasonReference": [{"reference": "#why"}],
                "contained": [{"resourceType": "Condition", "id": "why", "code": {"coding": [
                    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M79.7"}
                ]}}],
            },
            "ldn-fibromyalgia-pain",
        ),
    ],
)  # fmt: skip
def test_a_reason_is_found_by_its_code(clinic: TestClient, reason: Json, claim: str) -> None:
    (card,) = cards(clinic, request(order("d", "LDN", **daily(4.5), **reason)))

    used = [entry["id"] for entry in card["extension"]["ldn-evidence.reproduction"]["claims"]]
    assert claim in used
    assert "unverified" not in card["detail"]


def test_acute_pain_is_not_chronic_pain(clinic: TestClient) -> None:
    (card,) = cards(clinic, request(order("d", "LDN", **daily(4.5), **because("G89.11"))))

    assert "no claim is shown here" in card["detail"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("1119303003", "long COVID"),
        ("34000006", "Crohn's disease"),
        ("7620006", "Crohn's disease"),
        ("24700007", "multiple sclerosis"),
    ],
)
def test_a_snomed_code_matches_and_the_card_says_that_it_is_unverified(
    clinic: TestClient, code: str, name: str
) -> None:
    (card,) = cards(clinic, request(order("d", "LDN", **daily(4.5), **because(code, SNOMED))))

    assert f"read as {name} by a SNOMED CT code that is unverified here" in card["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "naltrexone 1.2 mg-morphine 30 mg ER cap",
        "Naltrexone 0.8 mg / morphine sulfate 20 mg ER",
        "naltrexone 2.4 mg + oxycodone 20 mg",
        "morphine 50.0 mg and naltrexone 2.0 mg",
    ],
)
def test_a_product_with_an_opioid_is_not_low_dose_naltrexone(clinic: TestClient, text: str) -> None:
    assert cards(clinic, request(order("d", text))) == []
    assert loudest(cards(clinic, request(order("d", text), medications=bundle(NALTREXONE)))) == "critical"


CAUTIONED = ("Loperamide 2 mg capsule", "Lomotil", "Kratom powder", "tianeptine 12.5 mg")


@pytest.mark.parametrize("text", CAUTIONED)
@pytest.mark.parametrize("is_drafted", [True, False])
def test_a_medicine_of_a_quieter_rule_gets_a_warning(clinic: TestClient, text: str, is_drafted: bool) -> None:
    naltrexone = active("9", "Naltrexone 4.5 mg capsule", authoredOn="2025-11-01")
    body = (
        request(order("d", text), medications=bundle(naltrexone))
        if is_drafted
        else request(DRAFT, medications=bundle(active("7", text)))
    )

    (card,) = (card for card in cards(clinic, body) if card["indicator"] != "info")

    assert card["indicator"] == "warning"
    assert card["extension"]["ldn-evidence.reproduction"]["rule"] == "naltrexone-with-cautioned-medicine"
    assert [reason["display"] for reason in card["overrideReasons"]] == ["Planned with the patient"]
    assert card["links"]


@pytest.mark.parametrize("text", CAUTIONED)
def test_a_medicine_of_a_quieter_rule_alone_gets_nothing(clinic: TestClient, text: str) -> None:
    assert cards(clinic, request(order("d", text), medications=bundle(active("7", "Oxycodone 5 mg")))) == []


def _card(clinic: TestClient, draft: Json) -> Json:
    found = cards(clinic, request(draft))
    assert rules(found) == ["ldn-evidence"]
    return found[0]


def test_the_summary_gives_the_verdict_with_its_direction(clinic: TestClient) -> None:
    """Counting studies would say the contrary here: the large trials are few."""
    assert _card(clinic, LDN)["summary"] == (
        "Off-label. Low-dose naltrexone may make little or no difference to pain in people with fibromyalgia."
    )


def test_the_side_with_more_weight_comes_first(clinic: TestClient) -> None:
    detail = _card(clinic, LDN)["detail"]

    assert detail.index("disputing 3 studies") < detail.index("supporting 5 studies")
    assert detail.index("- Disputes:") < detail.index("- Supports: Younger")


@pytest.mark.parametrize(
    ("draft", "shown"),
    [
        (order("d", "Naltrexone 6 mg", **daily(6)), True),
        (order("d", "Naltrexone 0.5 mg", **daily(0.5)), True),
        (order("d", "LDN"), True),
        (order("d", "Naltrexone, low dose"), True),
        (order("d", "Naltrexone"), False),
        (order("d", "Naltrexone 50 mg", **daily(50)), False),
        (order("d", "LDN 50 mg", **daily(50)), False),
        (order("d", "Naltrexone", **daily(0.5, "ug")), False),
        (order("d", "Contrave", **daily(4.5)), False),
        (order("d", "bupropion 90 mg / naltrexone 8 mg", **daily(8)), False),
        (order("d", "Embeda", **daily(0.8)), False),
    ],
)
def test_evidence_on_low_doses_is_shown_for_low_doses_only(clinic: TestClient, draft: Json, shown: bool) -> None:
    assert rules(cards(clinic, request(draft))) == (["ldn-evidence"] if shown else [])


@pytest.mark.parametrize(
    ("reason", "claim"),
    [
        (because("K50.10"), "ldn-crohns-response"),
        (because("G35.A"), "ldn-ms-quality-of-life"),
        (because("203082005", "http://snomed.info/sct"), "ldn-fibromyalgia-pain"),
        (because("0", "urn:own", "Fibromyalgia (disorder)"), "ldn-fibromyalgia-pain"),
        ({"reasonReference": [{"display": "Long COVID"}]}, "ldn-long-covid-symptoms"),
        ({}, "ldn-fibromyalgia-pain"),
    ],
)
def test_the_reason_of_the_order_chooses_the_claims(clinic: TestClient, reason: Json, claim: str) -> None:
    card = _card(clinic, order("d", "LDN", **daily(4.5), **reason))

    used = [entry["id"] for entry in card["extension"]["ldn-evidence.reproduction"]["claims"]]
    assert used[:2] == ["ldn-not-fda-approved", claim]


def test_a_reason_without_claims_is_not_taken_for_another_one(clinic: TestClient) -> None:
    card = _card(clinic, order("d", "LDN", **daily(4.5), **because("L40.0")))

    assert "This is not evidence of no effect." in card["detail"]
    assert [entry["id"] for entry in card["extension"]["ldn-evidence.reproduction"]["claims"]] == [
        "ldn-not-fda-approved"
    ]
