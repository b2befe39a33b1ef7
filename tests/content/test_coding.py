"""Stances, caveats and dates are coded as the method says."""

import re
from pathlib import Path

import pytest

from app.claims.vocabulary import Effect, Form, Kind, RelationType, Stance
from tests.content.seed import citations, claims, stances

HERE = Path(__file__).parent
PAIN = "ldn-fibromyalgia-pain"


def test_pain_in_fibromyalgia_shows_both_sides() -> None:
    shown = stances(PAIN)
    sides = {stance: {name for name, coded in shown.items() if coded is stance} for stance in Stance}

    assert sides[Stance.disputes] >= {"bested-2023", "bruun-2024", "rodriguez-freire-innova"}
    assert sides[Stance.supports] >= {"younger-2013", "younger-mackey-2009", "parkitny-2017", "vatvani-2024"}
    assert sides[Stance.inconclusive] == {"ologunowa-2025", "tdcs-ldn-2023"}
    assert shown["bruun-plesner-2020"] is Stance.background


def test_pain_in_fibromyalgia_names_the_rule_behind_each_null_trial() -> None:
    reasons = {c.document: c.stance_reason for c in claims()[PAIN].citations if c.stance is Stance.disputes}

    assert reasons["bruun-2024"] == "n1a_excludes_mid"
    assert reasons["bested-2023"] == reasons["rodriguez-freire-innova"] == "n1b_near_zero"


@pytest.mark.parametrize(
    ("claim", "document", "stance"),
    [
        ("ldn-fibromyalgia-fatigue", "younger-2013", Stance.inconclusive),
        ("ldn-fibromyalgia-sleep", "younger-2013", Stance.inconclusive),
        ("ldn-fibromyalgia-pain-tolerance", "bruun-2025", Stance.disputes),
        ("ldn-chronic-pain", "hegde-2025", Stance.inconclusive),
        ("ldn-chronic-pain", "beaudette-2023", Stance.inconclusive),
        ("ldn-crohns-remission", "parker-2018", Stance.inconclusive),
        ("ldn-ibd-medication-use", "raknes-2018", Stance.mixed),
        ("ldn-serious-adverse-events", "bruun-2024", Stance.inconclusive),
        ("ldn-headache", "ann-med-surg-2025", Stance.inconclusive),
        ("ldn-vivid-dreams", "ann-med-surg-2025", Stance.supports),
        ("ldn-fibromyalgia-pain", "women-meta-analysis-bibliomed", Stance.supports),
        ("ldn-dizziness", "women-meta-analysis-bibliomed", Stance.supports),
        ("ldn-nausea", "women-meta-analysis-bibliomed", Stance.inconclusive),
        ("ldn-any-adverse-event", "bruun-2024", Stance.inconclusive),
        ("ldn-any-adverse-event", "rodriguez-freire-innova", Stance.inconclusive),
        ("ldn-fibromyalgia-cognition", "rodriguez-freire-innova", Stance.inconclusive),
        ("ldn-fibromyalgia-mood", "rodriguez-freire-innova", Stance.inconclusive),
        ("ldn-fibromyalgia-fatigue", "bruun-2025", Stance.disputes),
        ("ldn-crohns-response", "raknes-2018", Stance.mixed),
        ("ldn-ulcerative-colitis-response", "raknes-2018", Stance.mixed),
        ("ldn-hypothyroidism-medication-use", "raknes-2020", Stance.disputes),
        ("ldn-long-covid-symptoms", "bond-long-covid-review", Stance.supports),
        ("fibromyalgia-endorphin-deficiency", "baraniuk-2004", Stance.disputes),
        ("fibromyalgia-endorphin-deficiency", "harris-2007", Stance.inconclusive),
    ],
)
def test_hard_case_is_coded_as_the_method_says(claim: str, document: str, stance: Stance) -> None:
    assert stances(claim)[document] is stance


def test_a_harm_is_disputed_only_by_what_excludes_an_important_increase() -> None:
    """No difference near zero, or named without a figure, leaves room for an increase that matters."""
    harms = {Effect.causes, Effect.increases, Effect.worsens}
    for claim, citation in citations():
        if claim.kind is Kind.safety and claim.effect in harms and citation.stance is Stance.disputes:
            assert citation.stance_reason in ("n1a_excludes_mid", "n1c_primary_null", "opposite_direction"), citation.id


def test_pooled_estimates_are_coded_by_their_interval() -> None:
    """A review of which an interval on the outcome was read says what the interval says, not what its authors say."""
    for _, citation in citations():
        if any(e.primary and e.pooled and e.ci_low is not None for e in citation.estimates):
            assert citation.stance_reason != "review_conclusion", citation.id


def test_entry_rules_of_trials_are_no_advice() -> None:
    rules = claims()["ldn-trial-opioid-entry-rules"]

    assert rules.form is Form.usage
    assert re.search("not advice", rules.caveat or "")
    assert {c.document for c in rules.citations if c.stance is Stance.supports} >= {
        "long-covid-nct05430152",
        "bruun-2024",
    }


def test_statements_of_use_value_and_advice_are_no_evidence_of_benefit() -> None:
    for claim in claims().values():
        given = {citation.stance for citation in claim.citations}
        if claim.form in (Form.advice, Form.appraisal):
            assert given <= {Stance.background, Stance.not_assessed}, claim.id
        if claim.form is Form.usage:
            assert claim.kind is not Kind.efficacy, claim.id
            assert claim.effect is Effect.not_applicable, claim.id


BENEFITS = {Effect.improves, Effect.decreases, Effect.increases, Effect.prevents}


def test_benefit_in_fibromyalgia_never_travels_without_the_null_trials() -> None:
    benefits = [
        claim
        for claim in claims().values()
        if claim.intervention == "low-dose-naltrexone"
        and "fibromyalgia" in claim.conditions
        and claim.kind in (Kind.efficacy, Kind.mechanism)
        and (claim.effect in BENEFITS or claim.form in (Form.appraisal, Form.hypothesis))
    ]

    assert len(benefits) > 20
    for claim in benefits:
        assert claim.caveat_required, claim.id
        assert re.search(r"largest randomized trials .*found no difference", claim.caveat or "", re.S), claim.id


def test_a_caveat_is_never_optional() -> None:
    assert [claim.id for claim in claims().values() if claim.caveat and not claim.caveat_required] == []


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("ldn-fibromyalgia-pain-tolerance", "21 people .*without a comparison"),
        ("jackson-2021-pain-tolerance-doubled", "21 people .*without any comparison"),
        ("polo-2019-positive-response", "any positive response.*no comparison"),
        ("ldn-serious-adverse-events", "78 % .*7 of its 9.*opioids"),
        ("yang-2023-severe-adverse-events", "78 % .*7 of the 9"),
        ("ldn-generally-low-risk", "opioids.*liver.*long-term"),
        ("naltrexone-boxed-warning-removed", "still a warning"),
        ("ldn-microglia-people", "[Nn]ot shown in people.*[Rr]ival"),
        ("naltrexone-standard-dose-opioid-effects", "50 mg product"),
        ("ldn-standard-dose", "50 mg product"),
        ("ldn-dose-bands", "compounded.*before"),
        ("ldn-lupus-use", "not evidence of no effect"),
        ("fibromyalgia-approved-drugs-2009", "14 August 2025"),
        ("final-trial-memory-item", "disagree on the size"),
        ("ldn-rheumatoid-arthritis-medication-use", "proxy"),
        ("ldn-fibromyalgia-global-function", "I² 95 %"),
        ("ldn-autoimmune-disease", "These diseases differ"),
        ("naltrexone-opioid-contraindication", "50 mg tablet.*No low-dose trial"),
    ],
)
def test_statement_is_never_shown_without_its_limits(claim: str, said: str) -> None:
    assert claims()[claim].caveat_required
    assert re.search(said, claims()[claim].caveat or "", re.S)


def test_sizes_of_the_memory_item_are_printed_nowhere() -> None:
    """Two news reports of the trial give different sizes."""
    for claim, citation in citations():
        if citation.document in ("bruun-2024", "mdedge-final-2023") and claim.outcome == "cognition":
            assert all(estimate.value is None for estimate in citation.estimates), citation.id
            assert not any(arm.value is not None for estimate in citation.estimates for arm in estimate.arms)


def test_standard_doses_never_count_directly_for_benefit_of_low_doses() -> None:
    standard = {"younger-zautra-2009", "bolton-2019"}
    for claim, citation in citations():
        benefit = claim.intervention == "low-dose-naltrexone" and claim.kind is Kind.efficacy
        if benefit and citation.document in standard:
            assert "dose" in citation.indirect_because, citation.id


def test_counts_of_approved_drugs_follow_each_other_without_a_gap() -> None:
    three, four = claims()["fibromyalgia-approved-drugs-2009"], claims()["fibromyalgia-approved-drugs-2025"]

    assert (three.valid_from, three.valid_to) == ("2009-01-14", "2025-08-14")
    assert (four.valid_from, four.valid_to) == ("2025-08-15", None)
    assert (RelationType.supersedes, three.id) in {(relation.type, relation.claim) for relation in four.relations}
