"""What a verdict rests on, and from that its code and its tone (`docs/method.md`, section 6). Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.claims.schemas import ClaimWording
from app.claims.vocabulary import (
    Certainty,
    Consensus,
    Frame,
    Leaning,
    Tone,
    VerdictCode,
)
from app.grading.evidence import CitationEvidence
from app.grading.phrases import Phrase
from app.sources.vocabulary import Standing


class Body(StrEnum):
    """What was found on a claim."""

    uncited = "nothing is cited"
    not_read = "a source that nobody has read on this point"
    label = "a drug label"
    narrative = "a narrative review"
    context = "context only"
    laboratory = "laboratory studies only"
    reviews = "systematic reviews alone"
    studies = "studies"


def is_current(item: CitationEvidence) -> bool:
    """Whether a citation counts: its document stands."""
    return item.standing is not Standing.retracted


class Support(NamedTuple):
    """Which citations support the claim, at least in part."""

    direct: bool = False
    at_other_doses: bool = False
    """Whether one that does not fit only because of the dose does, and none that is direct."""
    some: bool = False
    """Whether any does, direct or not."""


_NO_SUPPORT = Support()


@dataclass(frozen=True)
class VerdictBasis:
    """All that the tables of verdicts ask of a claim that gathers votes."""

    wording: ClaimWording
    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    body: Body
    support: Support = _NO_SUPPORT
    is_about_laboratory: bool = False
    is_opposite: bool = False
    """Whether most of the disputing weight found the opposite, not the absence of a difference."""
    is_weighable: bool = True
    """False if studies voted and none of them can be weighed."""
    laboratory_studies: int = 0
    label: str | None = None
    """The name of the drug label that states it."""
    drug: str | None = None
    """The drug that is given, whatever its dose; as it stands inside a sentence."""

    @property
    def frame(self) -> Frame:
        return self.wording.frame

    @property
    def phrase(self) -> Phrase:
        return Phrase(self.wording)

    @property
    def disagreeing(self) -> str:
        return f"{'Reviews' if self.body is Body.reviews else 'Studies'} disagree"

    @property
    def is_towards_effect(self) -> bool:
        """Whether the evidence leans towards an effect; of `no_harm` the sides are swapped."""
        side = Leaning.disputes if self.frame is Frame.no_harm else Leaning.supports
        return self.leaning is side


SURE = (Certainty.moderate, Certainty.high)
_BODY_CODES = {
    Body.uncited: VerdictCode.uncited,
    Body.not_read: VerdictCode.not_read,
    Body.label: VerdictCode.stated_by_label,
    Body.narrative: VerdictCode.stated_by_review,
    Body.context: VerdictCode.no_study,
    Body.laboratory: VerdictCode.laboratory_only,
}
_CONFLICTS = {
    Leaning.supports: VerdictCode.conflicting_leaning_for,
    Leaning.disputes: VerdictCode.conflicting_leaning_against,
    Leaning.neither: VerdictCode.conflicting,
}
_FOR_OR_AGAINST = {
    Consensus.unanimous: (VerdictCode.supported, VerdictCode.disputed),
    Consensus.mostly: (VerdictCode.mostly_supported, VerdictCode.mostly_disputed),
}
_WEAK = (VerdictCode.weak_for, VerdictCode.weak_against)


def verdict_code(finding: VerdictBasis) -> VerdictCode:
    """The weaker of agreement and certainty."""
    if finding.body in _BODY_CODES:
        return _BODY_CODES[finding.body]
    if finding.consensus is Consensus.conflicting or finding.leaning is Leaning.neither:
        is_decided = finding.consensus in (Consensus.conflicting, *_FOR_OR_AGAINST)
        return _CONFLICTS[finding.leaning] if is_decided else _undecided(finding)
    if finding.consensus not in _FOR_OR_AGAINST:
        return _undecided(finding)
    pair = _FOR_OR_AGAINST[finding.consensus]
    if finding.certainty is Certainty.low:
        pair = _FOR_OR_AGAINST[Consensus.mostly]
    elif finding.certainty not in (Certainty.moderate, Certainty.high):
        pair = _WEAK
    return pair[0] if finding.leaning is Leaning.supports else pair[1]


def _undecided(finding: VerdictBasis) -> VerdictCode:
    return VerdictCode.too_little if finding.is_weighable else VerdictCode.not_weighable


_CONFLICTING = frozenset(_CONFLICTS.values())
_FOR = frozenset({VerdictCode.supported, VerdictCode.mostly_supported})
_AGAINST = frozenset({VerdictCode.disputed, VerdictCode.mostly_disputed})
UNDECIDED = frozenset({VerdictCode.too_little, VerdictCode.not_weighable})
_STATED = frozenset({VerdictCode.stated_by_label, VerdictCode.stated_by_review})


def tone_of(finding: VerdictBasis, code: VerdictCode) -> Tone:
    """What the verdict is to a reader; the first row that fits. Only a supported benefit is ever favourable."""
    tone = _TONES.get(finding.frame, _neutral_tone)(finding, code)
    if tone is None and code in _STATED:
        return Tone.caution if finding.frame is Frame.harm else Tone.unclear
    if tone is None and code in (*UNDECIDED, *_WEAK):
        return Tone.unclear
    return tone or Tone.neutral


def _benefit_tone(_finding: VerdictBasis, code: VerdictCode) -> Tone | None:
    if code in _FOR:
        return Tone.favourable
    if code in _AGAINST or code is VerdictCode.conflicting_leaning_against:
        return Tone.unfavourable
    return Tone.mixed if code in _CONFLICTING else None


def _harm_tone(finding: VerdictBasis, code: VerdictCode) -> Tone | None:
    if code in _FOR or code in _CONFLICTING or code is VerdictCode.weak_for:
        return Tone.caution
    if code in (*UNDECIDED, VerdictCode.laboratory_only) and finding.support.some:
        return Tone.caution
    return Tone.unclear if code in _AGAINST and finding.certainty not in SURE else None


def _no_harm_tone(_finding: VerdictBasis, code: VerdictCode) -> Tone | None:
    is_disputed = code in _AGAINST or code is VerdictCode.weak_against
    return Tone.caution if is_disputed or code in _CONFLICTING else None


def _neutral_tone(_finding: VerdictBasis, _code: VerdictCode) -> Tone | None:
    return None


_TONES: dict[Frame, Callable[[VerdictBasis, VerdictCode], Tone | None]] = {
    Frame.benefit: _benefit_tone,
    Frame.harm: _harm_tone,
    Frame.no_harm: _no_harm_tone,
}
