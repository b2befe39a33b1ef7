"""Consensus and certainty of a claim, computed from its citations by the rules of `docs/method.md`.

Rules R1 to R6 give the consensus, steps 1 to 8 the certainty. Every rule that is applied leaves a `Step` with its
inputs and result, so that a reader can follow and repeat the computation. Everything here is a pure function of frozen
values: no clock, no database, and the order of the input does not matter.
"""

from collections.abc import Iterable
from fractions import Fraction

from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import Certainty, Consensus, Form, Kind, Leaning
from app.grading.certainty import certainty_of
from app.grading.consensus import evidence_units, informative_citations, verdict_of
from app.grading.evidence import CitationEvidence, EvidenceUnit, Grade, Step
from app.grading.method import METHOD, Method


def grade(form: Form, kind: Kind, evidence: Iterable[CitationEvidence], method: Method = METHOD) -> Grade:
    """Apply the whole method to the citations of one claim."""
    items = sorted(evidence, key=lambda item: item.citation)
    inputs: dict[str, object] = {"form": form, "citations": len(items)}
    if not items:
        return _ungraded(Consensus.uncited, "No citation is recorded.", inputs)
    if form not in VOTING_FORMS:
        text = f"Statements of the form '{form.label}' gather no votes."
        return _ungraded(Consensus.not_applicable, text, inputs)
    steps = [Step("R1", f"The form '{form.label}' gathers votes.", inputs, "applicable")]
    informative = informative_citations(items, steps)
    units = evidence_units(informative, method, steps)
    verdict = verdict_of(form, units, informative, method, steps)
    certainty = certainty_of(units, informative, verdict, kind, method, steps)
    return Grade(
        consensus=verdict.consensus,
        leaning=verdict.leaning,
        certainty=certainty,
        body=verdict.body,
        insufficient_reason=verdict.insufficient_reason,
        support_share=verdict.support_share,
        opposite_share=_opposite_share(units),
        units=tuple(units),
        steps=tuple(steps),
    )


def _opposite_share(units: Iterable[EvidenceUnit]) -> Fraction | None:
    """Share of the disputing weight that is a significant result the other way; null where nothing disputes."""
    disputing = [(unit.votes[1], unit.is_opposite) for unit in units]
    total = sum((weight for weight, _ in disputing), Fraction(0))
    return sum((weight for weight, opposite in disputing if opposite), Fraction(0)) / total if total else None


def _ungraded(consensus: Consensus, text: str, inputs: dict[str, object]) -> Grade:
    """R1: a claim without citations, or of a form that gathers no votes."""
    return Grade(
        consensus=consensus,
        leaning=Leaning.neither,
        certainty=Certainty.not_graded,
        body=None,
        insufficient_reason=None,
        support_share=None,
        opposite_share=None,
        units=(),
        steps=(Step("R1", text, inputs, consensus),),
    )
