"""A claim's verdict and certainty in words. Pure."""

from typing import Protocol

from app.claims.responses import ClaimEvidence, StanceCount
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Certainty, Consensus, Effect, Leaning, StanceReason
from app.core.english import inline, join_and, quantity
from app.storage.resource import Key, RecordReader

NO_ALL_CLEAR = "This is not evidence of no effect or of safety."
"""Stands behind every answer that names no evidence, or too little."""


class JudgedClaim(Protocol):
    """What a verdict is worded from, such as a `ClaimSummary`."""

    @property
    def consensus(self) -> Consensus: ...
    @property
    def leaning(self) -> Leaning: ...
    @property
    def supports(self) -> StanceCount: ...
    @property
    def disputes(self) -> StanceCount: ...


# --- verdict ------------------------------------------------------------------------------------------------------

_VERDICTS = {
    Consensus.unanimous: {Leaning.supports: "Unanimously for", Leaning.disputes: "Unanimously against"},
    Consensus.mostly: {Leaning.supports: "Mostly for", Leaning.disputes: "Mostly against"},
}
_LEANS = {Leaning.supports: "leaning for", Leaning.disputes: "leaning against", Leaning.neither: "leaning neither way"}


def verdict(claim: JudgedClaim) -> str:
    """The consensus with the citations on both sides; empty for a claim without votes."""
    if claim.consensus in (Consensus.not_applicable, Consensus.uncited):
        return ""
    word = _VERDICTS.get(claim.consensus, {}).get(claim.leaning) or f"{claim.consensus.label}, {_LEANS[claim.leaning]}"
    supporting = quantity(claim.supports.citations, "citation", "citations")
    return f"{word}: {supporting} for, {claim.disputes.citations} against."


def verdict_of_evidence(evidence: ClaimEvidence) -> str:
    """Consensus, leaning and certainty, with the citations and studies on both sides."""
    sides = evidence.by_stance
    return (
        f"Consensus: {evidence.consensus.label.lower()}; leaning: {evidence.leaning.label.lower()}; "
        f"certainty: {evidence.certainty.label.lower()}. "
        f"Citations that support: {sides.supports.citations} ({sides.supports.studies} studies); "
        f"that dispute: {sides.disputes.citations} ({sides.disputes.studies} studies)."
    )


def consensus_text(claim: JudgedClaim) -> str:
    """`Consensus: conflicting, leaning: disputes.`"""
    has_votes = claim.consensus not in (Consensus.not_applicable, Consensus.uncited)
    leaning = f", leaning: {claim.leaning.label.lower()}" if has_votes else ""
    return f"Consensus: {claim.consensus.label.lower()}{leaning}."


def count_text(side: StanceCount) -> str:
    """`5 citations (4 studies, 1 review, 90 people)`."""
    numbers = (
        (side.studies, "study", "studies"),
        (side.reviews, "review", "reviews"),
        (side.participants, "person", "people"),
    )
    details = ", ".join(quantity(number, one, many) for number, one, many in numbers if number)
    citations = quantity(side.citations, "citation", "citations")
    return f"{citations} ({details})" if details else citations


# --- certainty ----------------------------------------------------------------------------------------------------


def certainty_text(records: RecordReader, claim: ClaimWrite, evidence: ClaimEvidence) -> str:
    """The certainty of a claim as one sentence that holds the direction."""
    if claim.form not in VOTING_FORMS:
        return f"Not graded: {inline(claim.form.label)}."
    if evidence.consensus is Consensus.uncited:
        return "Not graded: no citation is recorded for this statement."
    if evidence.certainty is Certainty.not_graded:
        return f"Not graded: nothing that decides it was measured. {NO_ALL_CLEAR}"
    sentence = f"{evidence.certainty.label} certainty{_answer(records, claim, evidence.leaning)}"
    if evidence.consensus is Consensus.insufficient:
        return f"{sentence}; there is too little evidence to decide. {NO_ALL_CLEAR}"
    return f"{sentence}."


def _answer(records: RecordReader, claim: ClaimWrite, leaning: Leaning) -> str:
    statement = _clause(claim.statement)
    if leaning is Leaning.supports:
        return f" that {statement}"
    if leaning is Leaning.neither:
        return f", with the evidence leaning neither way, on whether {statement}"
    return f" that {_denial(records, claim) or f'this is not so: {statement}'}"


def _denial(records: RecordReader, claim: ClaimWrite) -> str | None:
    """A benefit or harm that was not seen, said of its outcome; null where the other direction was seen instead."""
    opposite = any(citation.stance_reason is StanceReason.opposite for citation in claim.citations)
    directed = claim.effect not in (Effect.no_difference, Effect.not_applicable)
    if claim.intervention is None or claim.outcome is None or claim.comparator is None or opposite or not directed:
        return None
    treatment = inline(records.content(Key("intervention", claim.intervention)).name)
    outcome = inline(records.content(Key("outcome", claim.outcome)).name)
    people = (
        join_and(inline(records.content(Key("condition", c)).name) for c in claim.conditions)
        if claim.conditions
        else ""
    )
    where = f"{outcome} in {people}" if people else outcome
    if claim.comparator == "placebo":
        return f"{treatment} differs little or not from placebo for {where}"
    return f"there is little or no difference from {inline(claim.comparator)} with {treatment} for {where}"


def _clause(statement: str) -> str:
    """The statement's main clause, to stand behind `that`."""
    return inline(statement.split(";", 1)[0].rstrip(". "))
