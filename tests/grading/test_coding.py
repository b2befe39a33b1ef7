"""Notes name the citations whose stance does not follow from the figures that were read."""

from typing import Any

import pytest

from app.claims.schemas import ClaimWrite
from app.grading.coding import coding_notes
from app.storage.records import RecordsInMemory
from app.storage.resource import Key
from tests.factories import citation, record


def notes(claim: dict[str, Any], design: str, cited: dict[str, Any], **estimate: Any) -> list[str]:
    """The notes on a claim with one citation that has one primary estimate, or none."""
    estimates = [{"primary": True, "comparison": "between_groups", **estimate}] if estimate else []
    stance = cited.pop("stance")
    cites = [citation("cit", "paper", "study", stance, **{"estimates": estimates, **cited})]
    content = record("claim", "claim", **claim, citations=cites).content
    study = record("study", "study", design=design).content
    assert isinstance(content, ClaimWrite)
    return [note.text for note in coding_notes(RecordsInMemory({Key("study", "study"): study}), content)]


BENEFIT: dict[str, Any] = {}
HARM: dict[str, Any] = {"kind": "safety", "effect": "causes"}
NO_HARM: dict[str, Any] = {"kind": "safety", "effect": "no_difference"}
DIFFERENCE = {"measure": "mean_difference", "value": -0.46, "favours": "intervention"}


@pytest.mark.parametrize(
    ("stance", "reason", "low", "high", "is_noted"),
    [
        ("supports", None, -0.85, -0.06, False),
        ("disputes", "review_conclusion", -0.85, -0.06, True),
        ("inconclusive", "wide_ci", -0.85, -0.06, True),
        ("supports", "review_conclusion", -0.85, 0.06, True),
        ("inconclusive", "wide_ci", -0.85, 0.06, False),
        ("disputes", "n1a_excludes_mid", -0.85, 0.06, False),
        ("disputes", "review_conclusion", -0.85, 0.06, True),
        ("mixed", "review_conclusion", -0.85, -0.06, False),
    ],
)
def test_a_review_is_coded_by_its_interval_not_by_its_words(
    stance: str, reason: str | None, low: float, high: float, is_noted: bool
) -> None:
    cited = {"stance": stance, "stance_reason": reason}
    assert bool(notes(BENEFIT, "meta_analysis", cited, **DIFFERENCE, ci_low=low, ci_high=high)) is is_noted


def test_a_review_without_interval_and_p_value_is_coded_by_its_conclusion() -> None:
    cited = {"stance": "disputes", "stance_reason": "review_conclusion"}
    assert notes(BENEFIT, "meta_analysis", dict(cited), **DIFFERENCE) == []
    assert notes(BENEFIT, "meta_analysis", dict(cited)) == []
    assert notes(BENEFIT, "meta_analysis", dict(cited), **DIFFERENCE, p_value=0.02, p_operator="=") != []
    assert notes(BENEFIT, "meta_analysis", dict(cited), **DIFFERENCE, p_value=0.05, p_operator="<") != []
    assert notes(BENEFIT, "meta_analysis", dict(cited), **DIFFERENCE, p_value=0.5, p_operator="<") == []


def test_narrative_reviews_trials_and_other_outcomes_are_left_alone() -> None:
    interval = {**DIFFERENCE, "ci_low": -0.85, "ci_high": -0.06}
    cited = {"stance": "disputes", "stance_reason": "review_conclusion"}
    assert notes(BENEFIT, "narrative_review", dict(cited), **interval) == []
    assert notes(BENEFIT, "meta_analysis", dict(cited), **interval, outcome="sleep") == []
    within = {**interval, "comparison": "within_group"}
    assert notes(BENEFIT, "meta_analysis", dict(cited), **within) == []


@pytest.mark.parametrize(
    ("value", "low", "high", "stance", "is_noted"),
    [
        (1.99, 1.07, 3.70, "supports", False),
        (1.99, 1.07, 3.70, "inconclusive", True),
        (0.5, 0.3, 0.8, "supports", True),
        (1.68, 0.84, 3.36, "inconclusive", False),
        (1.68, 0.84, 3.36, "supports", True),
    ],
)
def test_a_pooled_harm_is_coded_by_its_ratio(
    value: float, low: float, high: float, stance: str, is_noted: bool
) -> None:
    cited = {"stance": stance}
    assert bool(notes(HARM, "meta_analysis", cited, measure="risk_ratio", value=value, ci_low=low, ci_high=high)) is (
        is_noted
    )


@pytest.mark.parametrize(
    ("reason", "role", "is_noted"),
    [
        ("n1b_near_zero", "secondary_result", True),
        ("n1d_named_null", "secondary_result", True),
        ("review_conclusion", "review_synthesis", True),
        ("n1a_excludes_mid", "secondary_result", False),
        ("n1c_primary_null", "primary_result", False),
        ("n1c_primary_null", "secondary_result", True),
        ("opposite_direction", "secondary_result", False),
    ],
)
def test_seeing_no_harm_disputes_it_only_if_an_important_increase_is_excluded(
    reason: str, role: str, is_noted: bool
) -> None:
    cited = {"stance": "disputes", "stance_reason": reason, "role": role}
    assert bool(notes(HARM, "randomized_parallel_trial", cited)) is is_noted


@pytest.mark.parametrize(("high", "is_noted"), [(1.06, False), (1.25, True), (3.36, True)])
def test_an_interval_that_holds_an_important_increase_excludes_nothing(high: float, is_noted: bool) -> None:
    ratio = {"measure": "risk_ratio", "value": 0.84, "ci_low": 0.66, "ci_high": high}
    excluded = {"stance": "supports", "stance_reason": "n1a_excludes_mid"}
    assert bool(notes(NO_HARM, "randomized_parallel_trial", dict(excluded), **ratio)) is is_noted
    disputed = {"stance": "disputes", "stance_reason": "n1a_excludes_mid"}
    assert bool(notes(HARM, "randomized_parallel_trial", disputed, **ratio)) is is_noted


def test_no_excess_is_supported_only_by_what_excludes_one() -> None:
    assert notes(NO_HARM, "randomized_parallel_trial", {"stance": "supports"}) != []


def test_benefits_may_be_disputed_by_every_null_rule() -> None:
    cited = {"stance": "disputes", "stance_reason": "n1b_near_zero"}
    assert notes(BENEFIT, "randomized_parallel_trial", cited) == []
