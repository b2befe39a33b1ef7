"""What the rules of grading take and give: evidence of a citation, units of evidence, steps, grades. Frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from app.claims.vocabulary import (
    Basis,
    Certainty,
    CitationRole,
    Consensus,
    Directness,
    IndirectBecause,
    Leaning,
    Stance,
    StanceReason,
)
from app.sources.vocabulary import Design, EvidenceSource, Limitation, Standing


@dataclass(frozen=True)
class CitationEvidence:
    """One citation with what the rules need of its document and study."""

    citation: str
    document: str
    stance: Stance
    directness: Directness
    role: CitationRole
    standing: Standing
    stance_reason: StanceReason | None = None
    indirect_because: frozenset[IndirectBecause] = frozenset()
    basis: Basis | None = None
    study: str | None = None
    design: Design = Design.other
    evidence_source: EvidenceSource = EvidenceSource.other
    people: int | None = None
    """People analysed for this finding, else people in the study; null where neither was read."""
    limitations: frozenset[Limitation] = frozenset()
    issued: str | None = None
    has_ci: bool = False
    """Whether a confidence interval on the claim's own outcome was read."""
    pooled_i2: Fraction | None = None
    """I² of a pooled estimate on the claim's own outcome, in per cent."""
    events: int | None = None
    includes: frozenset[str] = frozenset()
    includes_complete: bool = False

    @property
    def is_review(self) -> bool:
        return self.design.is_review


@dataclass(frozen=True)
class EvidenceUnit:
    """One study with its vote or, where no study is cited itself, all systematic reviews together (R3, R6)."""

    study: str
    stance: Stance
    weight: Fraction
    people: int | None
    reasons: frozenset[IndirectBecause]
    """Reasons of indirectness."""
    full_text: bool
    of_concern: bool
    """Whether all its documents are under an expression of concern."""
    direct: bool
    randomized: bool = False
    human: bool = True
    limited: bool = False
    """Whether a serious limit is known (step 3)."""
    is_reviews: bool = False

    @property
    def votes(self) -> tuple[Fraction, Fraction]:
        """Weight given to the supporting and to the disputing side: half to each if mixed, none if inconclusive."""
        zero = Fraction(0)
        match self.stance:
            case Stance.supports:
                return self.weight, zero
            case Stance.disputes:
                return zero, self.weight
            case Stance.mixed:
                return self.weight / 2, self.weight / 2
            case _:
                return zero, zero


@dataclass(frozen=True)
class Step:
    """One rule as it was applied: a sentence for people, values for machines."""

    rule: str
    text: str
    inputs: dict[str, object] = field(default_factory=dict)
    result: str | None = None


class Verdict(NamedTuple):
    consensus: Consensus
    leaning: Leaning
    support_share: Fraction | None
    """Share of the weight on the supporting side; null where nothing weighs."""


@dataclass(frozen=True)
class Grade:
    """Consensus and certainty of one claim with every step that led there."""

    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    support_share: Fraction | None
    units: tuple[EvidenceUnit, ...]
    steps: tuple[Step, ...]


def votes(units: Iterable[EvidenceUnit]) -> tuple[Fraction, Fraction]:
    """Weight of the supporting and of the disputing side."""
    supports = disputes = Fraction(0)
    for unit in units:
        supports, disputes = supports + unit.votes[0], disputes + unit.votes[1]
    return supports, disputes


def plain(number: Fraction) -> str:
    return f"{float(number):g}"
