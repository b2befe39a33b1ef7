"""Checks how citations are coded against `docs/method.md`, section 2, where the figures that were read can tell.

A note names a citation whose stance does not follow from its own figures. Publishing does not refuse it: a curator
decides. `ldn-evidence check` lists the notes.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from app.claims.rules import INFORMATIVE, VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite, Estimate
from app.claims.vocabulary import (
    CitationRole,
    Comparison,
    Effect,
    Favours,
    Kind,
    Measure,
    POperator,
    Stance,
    StanceReason,
)
from app.concepts.study_designs import StudyDesigns
from app.grading.method import METHOD, Method
from app.sources.schemas import StudyWrite
from app.storage.resource import Key, RecordReader

_RATIOS = frozenset({Measure.risk_ratio, Measure.odds_ratio, Measure.hazard_ratio, Measure.incidence_rate_ratio})
_DIFFERENCES = frozenset({Measure.mean_difference, Measure.standardized_mean_difference, Measure.effect_size})
_HARMS = frozenset({Effect.causes, Effect.increases, Effect.worsens})
_SIGNIFICANT = Decimal("0.05")


class CodingNote(NamedTuple):
    """A citation whose stance does not follow from what was read."""

    claim: str
    citation: str
    text: str


def coding_notes(records: RecordReader, claim: ClaimWrite, method: Method = METHOD) -> Iterator[CodingNote]:
    """The notes on a claim's informative citations; none for forms that gather no votes."""
    if claim.form not in VOTING_FORMS:
        return
    for citation in claim.citations:
        if citation.stance in INFORMATIVE:
            notes = (_review_note(records, claim, citation, method.designs), _harm_note(claim, citation, method))
            for text in notes:
                if text is not None:
                    yield CodingNote(claim.id, citation.id, text)


# --- reviews ------------------------------------------------------------------------------------------------------


def _review_note(
    records: RecordReader, claim: ClaimWrite, citation: CitationWrite, designs: StudyDesigns
) -> str | None:
    """A systematic review of which an estimate was read with its interval or p value is coded by it, as a trial is.

    A review that is split by outcome is `mixed`, which one estimate cannot tell.
    """
    study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
    if study is None or not designs.design(study.design).is_systematic or citation.stance is Stance.mixed:
        return None
    estimate = next((e for e in citation.estimates if e.primary and e.outcome in (None, claim.outcome)), None)
    if estimate is None or estimate.comparison not in (None, Comparison.between_groups):
        return None
    is_decided = _is_decided(estimate)
    if is_decided is None:
        return None
    if not is_decided:
        excludes = citation.stance_reason is StanceReason.n1a
        fits = citation.stance is Stance.inconclusive or excludes
        return None if fits else f"{citation.stance}, but the review's estimate leaves both directions open"
    goes_claimed_way = _goes_claimed_way(claim, estimate)
    if goes_claimed_way is None:
        return None
    expected = Stance.supports if goes_claimed_way else Stance.disputes
    return None if citation.stance is expected else f"{citation.stance}, but the review's estimate {expected}"


def _no_effect(estimate: Estimate) -> int | None:
    """The value that means no effect; null where the measure has none."""
    if estimate.measure in _RATIOS:
        return 1
    return 0 if estimate.measure in _DIFFERENCES else None


def _is_decided(estimate: Estimate) -> bool | None:
    """Whether the interval or else the p value excludes no effect; null where neither can tell."""
    no_effect = _no_effect(estimate)
    if no_effect is None:
        return None
    if estimate.ci_low is not None and estimate.ci_high is not None:
        return not estimate.ci_low <= no_effect <= estimate.ci_high
    if estimate.p_value is None:
        return None
    if estimate.p_operator is POperator.eq:
        return estimate.p_value < _SIGNIFICANT
    is_upper_bound = estimate.p_operator in (POperator.lt, POperator.le)
    if is_upper_bound:
        return True if estimate.p_value <= _SIGNIFICANT else None
    return False if estimate.p_value >= _SIGNIFICANT else None


def _goes_claimed_way(claim: ClaimWrite, estimate: Estimate) -> bool | None:
    """Whether a decided estimate goes the way that the claim says; null where that was not read."""
    if claim.effect in (Effect.improves, Effect.prevents):
        return _favoured(estimate, Favours.intervention)
    if claim.effect is Effect.worsens:
        return _favoured(estimate, Favours.comparator)
    value, no_effect = estimate.value, _no_effect(estimate)
    if value is None or no_effect is None:
        return None
    if claim.effect in (Effect.increases, Effect.causes):
        return value > no_effect
    return value < no_effect if claim.effect is Effect.decreases else None


def _favoured(estimate: Estimate, side: Favours) -> bool | None:
    return None if estimate.favours in (None, Favours.neither) else estimate.favours is side


# --- harms --------------------------------------------------------------------------------------------------------


def _harm_note(claim: ClaimWrite, citation: CitationWrite, method: Method) -> str | None:
    """That nothing was seen disputes a harm only if an important increase is excluded."""
    if claim.kind is not Kind.safety:
        return None
    if claim.effect is Effect.no_difference and citation.stance is Stance.supports:
        return _exclusion_note(citation, method)
    if claim.effect not in _HARMS or citation.stance is not Stance.disputes:
        return None
    if citation.stance_reason is StanceReason.opposite:
        return None
    if citation.stance_reason is StanceReason.n1c:
        is_primary = citation.role is CitationRole.primary_result
        return None if is_primary else "disputes a harm as a planned primary outcome, which it was not"
    return _exclusion_note(citation, method)


def _exclusion_note(citation: CitationWrite, method: Method) -> str | None:
    if citation.stance_reason is not StanceReason.n1a:
        return f"{citation.stance}, but a harm is ruled out only by an interval that excludes an important increase"
    highs = [e.ci_high for e in citation.estimates if e.primary and e.measure in _RATIOS and e.ci_high is not None]
    if any(Fraction(high) >= method.important_harm_ratio for high in highs):
        return f"{citation.stance}, but its interval holds a ratio of {float(method.important_harm_ratio):g} or more"
    return None
