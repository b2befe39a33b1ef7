"""Words a claim: its verdict, the answer as one sentence, and the counts behind it, as interfaces show them. Pure.

The tables are those of `docs/method.md`, section 6: `verdict.py` has the code and the tone, `answer.py` the answer,
`counts_text.py` the second sentence. Nothing outside these modules words a verdict. An answer is made from the short
phrases of its claim (`phrases.py`), never from the statement's grammar.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple, Protocol

from app.claims.responses import StanceCount, VerdictRead
from app.claims.schemas import ClaimWording, ClaimWrite
from app.claims.vocabulary import (
    HARM_KINDS,
    AnsweringBody,
    Aspect,
    CitationRole,
    Directness,
    Effect,
    EvidenceLevel,
    Form,
    Frame,
    IndirectBecause,
    InsufficientReason,
    Stance,
    Tone,
    Verb,
    VerdictCode,
)
from app.core.english import date_in_words, inline, quantity
from app.grading.answer import answer_to
from app.grading.counts_text import counts_text
from app.grading.evidence import CitationEvidence, Grade
from app.grading.verdict import Body, Support, VerdictBasis, is_current, tone_of, verdict_code

NO_ALL_CLEAR = "This is not evidence of no effect or of safety."
"""Stands behind every answer that names no evidence, or too little."""


NEVER_SEARCHED = "Nobody has searched for this here yet."


def search_text(searched_on: str | None, *, is_limited: bool) -> str:
    """That a search found nothing, for a question without a claim."""
    on = "on" if searched_on and searched_on.count("-") == 2 else "in"
    when = f" {on} {date_in_words(searched_on)}" if searched_on else ", whose day was not noted,"
    return f"A {'limited ' if is_limited else ''}search{when} found no study of this."


class CountedSides(Protocol):
    """What has both sides of the evidence on a claim: its summary, or its counts by stance."""

    @property
    def supports(self) -> StanceCount: ...

    @property
    def disputes(self) -> StanceCount: ...


class WordedVerdict(NamedTuple):
    """What a reader is shown first of a claim."""

    verdict: VerdictRead
    answer: str
    counts_text: str | None
    """Both sides of the evidence; null where nothing was counted."""


# --- a claim ----------------------------------------------------------------------------------------------------------

_LEADS = {
    Form.regulatory_status: "Official record",
    Form.study_report: "One study reported",
    Form.usage: "How it is used",
    Form.advice: "A view or advice",
    Form.appraisal: "A view or advice",
    Form.attribution: "A view or advice",
    Form.definition_: "A definition",
    Form.gap: "A gap in research",
}
_FORM_CODES = {
    Form.regulatory_status: VerdictCode.official_record,
    Form.study_report: VerdictCode.one_study,
    Form.usage: VerdictCode.usage,
    Form.advice: VerdictCode.view,
    Form.appraisal: VerdictCode.view,
    Form.attribution: VerdictCode.view,
    Form.definition_: VerdictCode.definition_,
    Form.gap: VerdictCode.gap,
}
_LABORATORY_LEVELS = frozenset({EvidenceLevel.molecular, EvidenceLevel.cell, EvidenceLevel.animal})
_OCCURRENCES = frozenset({Effect.causes, Effect.worsens, Effect.increases, Effect.interacts})
_WARNING_EFFECTS = frozenset({Effect.contraindicated, *_OCCURRENCES})
EXPIRED = "no longer in force"


def worded_record(claim: ClaimWrite, day: str | None) -> WordedVerdict:
    """The verdict on a claim of a form that does not vote: its statement, and what sort of statement it is.

    `day` is the day of the last maintenance; a record that ended before it is marked as no longer in force.
    """
    code = _FORM_CODES[claim.form]
    if code is VerdictCode.official_record and _is_warning(claim):
        code = VerdictCode.official_warning
    is_expired = claim.form is Form.regulatory_status and _has_ended(claim, day)
    label = f"{code.label}, {EXPIRED}" if is_expired else code.label
    lead = _LEADS[claim.form]
    if claim.form is Form.regulatory_status:
        details = ", ".join(filter(None, (claim.authority, _period(claim), EXPIRED if is_expired else None)))
        lead += f" ({details})" if details else ""
    if claim.subgroup:
        lead += f", in {claim.subgroup.label}"
    tone = Tone.caution if code is VerdictCode.official_warning or _tells_of_harm(claim) else Tone.neutral
    return WordedVerdict(VerdictRead(code=code, label=label, tone=tone), f"{lead}: {claim.statement}", None)


def _is_warning(claim: ClaimWrite) -> bool:
    """Contraindications, interactions and warnings; an approval or its absence is none, whatever its kind."""
    return claim.kind in HARM_KINDS or claim.effect in _WARNING_EFFECTS


def _tells_of_harm(claim: ClaimWrite) -> bool:
    """Whether the report of one study tells of a harm that occurred."""
    is_occurrence = claim.aspect is Aspect.occurrence or claim.effect in _OCCURRENCES
    return claim.form is Form.study_report and claim.kind in HARM_KINDS and is_occurrence


def _has_ended(claim: ClaimWrite, day: str | None) -> bool:
    known = max((date for date in (day, claim.reviewed_on, claim.as_of) if date), default=None)
    return claim.valid_to is not None and (known is None or claim.valid_to < known)


def _period(claim: ClaimWrite) -> str | None:
    if claim.valid_from and claim.valid_to:
        return f"{date_in_words(claim.valid_from)} to {date_in_words(claim.valid_to)}"
    if claim.valid_from or claim.valid_to:
        word = "since" if claim.valid_from else "until"
        return f"{word} {date_in_words(claim.valid_from or claim.valid_to or '')}"
    if claim.as_of:
        return f"as of {date_in_words(claim.as_of)}"
    return f"reviewed {date_in_words(claim.reviewed_on)}" if claim.reviewed_on else None


def worded_claim(
    claim: ClaimWrite,
    items: Sequence[CitationEvidence],
    graded: Grade,
    labels: dict[str, str],
    drug: str | None = None,
) -> WordedVerdict:
    """The verdict on a claim of a form that gathers votes. `labels` has the names of cited drug labels by document,
    `drug` is the name of the drug that is given, whatever its dose.

    A claim that was published before claims had phrases gets its label as answer.
    """
    wording = claim.wording or _NO_WORDING
    finding = replace(finding_of(claim, wording, items, graded, labels), drug=drug and inline(drug))
    code = verdict_code(finding)
    verdict = VerdictRead(code=code, label=code.label, tone=tone_of(finding, code))
    answer = answer_to(finding) if claim.wording else f"{code.label}."
    return WordedVerdict(verdict, _in_subgroup(claim, answer), counts_text(finding, graded.units, items))


def _in_subgroup(claim: ClaimWrite, answer: str) -> str:
    """The answer, which begins with the people if it holds for some of them alone: `In women, the drug may ...`"""
    return f"In {claim.subgroup.label}, {inline(answer)}" if claim.subgroup else answer


_NO_WORDING = ClaimWording(frame=Frame.mechanism, subject="This", verb=Verb.change, object="the outcome")


def finding_of(
    claim: ClaimWrite,
    wording: ClaimWording,
    items: Sequence[CitationEvidence],
    graded: Grade,
    labels: dict[str, str],
) -> VerdictBasis:
    current = [item for item in items if is_current(item)]
    laboratory = [unit for unit in graded.units if not unit.human]
    favourable = [item for item in current if item.stance in (Stance.supports, Stance.mixed)]
    body, label = _body(items, current, graded, labels)
    has_direct = any(item.directness is not Directness.indirect for item in favourable)
    return VerdictBasis(
        wording=wording,
        consensus=graded.consensus,
        leaning=graded.leaning,
        certainty=graded.certainty,
        body=body,
        support=Support(
            direct=has_direct,
            at_other_doses=not has_direct and any(IndirectBecause.dose in i.indirect_because for i in favourable),
            some=bool(favourable),
        ),
        is_about_laboratory=claim.evidence_level in _LABORATORY_LEVELS,
        is_opposite=graded.opposite_share is not None and graded.opposite_share > Fraction(1, 2),
        is_weighable=graded.insufficient_reason is not InsufficientReason.not_weighable,
        laboratory_studies=len(laboratory),
        label=label,
    )


_BODIES = {
    AnsweringBody.primary: Body.studies,
    AnsweringBody.reviews: Body.reviews,
    AnsweringBody.laboratory: Body.laboratory,
}


def _body(
    items: Sequence[CitationEvidence], current: Sequence[CitationEvidence], graded: Grade, labels: dict[str, str]
) -> tuple[Body, str | None]:
    """What was found on the claim, and the name of the drug label if it is only that."""
    if graded.body is not None:
        return _BODIES[graded.body], None
    supporting = [item for item in current if item.stance is Stance.supports]
    label = next((item for item in supporting if item.role is CitationRole.label_), None)
    if label is not None:
        return Body.label, labels.get(label.document)
    if any(item.is_review for item in supporting):
        return Body.narrative, None
    if not items:
        return Body.uncited, None
    is_unread = any(item.stance is Stance.not_assessed for item in current)
    return (Body.not_read if is_unread else Body.context), None


# --- what interfaces show ---------------------------------------------------------------------------------------------

_SAID_BY_THE_ANSWER = frozenset(_FORM_CODES.values())


def labelled_answer(verdict: VerdictRead, answer: str) -> str:
    """The label and the answer; of a record that votes do not decide the answer alone, which begins with its label."""
    return answer if verdict.code in _SAID_BY_THE_ANSWER else f"{verdict.label}. {answer}"


def claimed_text(answer: str, statement: str) -> str | None:
    """The statement, named as what is claimed; null if the answer quotes it."""
    return None if answer.endswith(statement) else f"What is claimed: {statement}"


def counted_text(counts: str | None, sides: CountedSides) -> str:
    """Both sides of the evidence: who found what, or the number of citations where nothing was counted."""
    return counts or f"Citations for it: {sides.supports.citations}; against it: {sides.disputes.citations}."


# --- counts of citations, for pages that list them --------------------------------------------------------------------


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
