"""What the rules of grading take and give: evidence of a citation, units of evidence, steps, grades. Frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.claims.vocabulary import (
    AnsweringBody,
    Basis,
    Certainty,
    CitationRole,
    Consensus,
    Directness,
    IndirectBecause,
    InsufficientReason,
    Leaning,
    Stance,
    StanceReason,
)
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.concepts.terms import StudyDesignTerm
from app.sources.vocabulary import UNRECORDED_DESIGN, EvidenceSource, IncludedDesigns, Limitation, Standing

_UNRECORDED = SHIPPED_DESIGNS.design(UNRECORDED_DESIGN)


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
    design: StudyDesignTerm = _UNRECORDED
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
    is_analysed: bool = False
    """Whether `people` were analysed for this finding, rather than taking part in the study."""
    includes: frozenset[str] = frozenset()
    includes_complete: bool = False
    includes_designs: IncludedDesigns = IncludedDesigns.unknown
    authors: frozenset[str] = frozenset()
    """Authors of the document, as names that can be compared."""
    authors_complete: bool = False

    @property
    def is_review(self) -> bool:
        return self.design.is_review


@dataclass(frozen=True)
class EvidenceUnit:
    """One study with its vote or, where no study votes, all systematic reviews together (R3, R6)."""

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
    included_designs: IncludedDesigns = IncludedDesigns.unknown
    """How the studies in the reviews were made; of units of reviews only."""
    citations: frozenset[str] = frozenset()
    """The citations whose finding is the unit's stance."""
    authors: frozenset[str] | None = None
    """Authors of all its documents; null where one of the lists was not read in full."""
    is_opposite: bool = False
    """Whether it disputes by a significant result the other way."""

    @property
    def is_voter(self) -> bool:
        """Whether it found for or against the claim, or both; whatever its weight."""
        return self.stance in (Stance.supports, Stance.disputes, Stance.mixed)

    @property
    def is_weighable(self) -> bool:
        """Whether its design was recorded."""
        return self.weight > 0

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
    body: AnsweringBody | None
    """Which evidence answers; null where nothing was measured."""
    insufficient_reason: InsufficientReason | None
    """Why it is too little; null for every other consensus, and for laboratory work, which is enough for itself."""
    support_share: Fraction | None
    """Share of the weight on the supporting side; null where nothing weighs."""


@dataclass(frozen=True)
class Grade:
    """Consensus and certainty of one claim with every step that led there."""

    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    body: AnsweringBody | None
    insufficient_reason: InsufficientReason | None
    support_share: Fraction | None
    opposite_share: Fraction | None
    """Share of the disputing weight that is a significant result the other way; null where nothing disputes."""
    units: tuple[EvidenceUnit, ...]
    steps: tuple[Step, ...]


def votes(units: Iterable[EvidenceUnit]) -> tuple[Fraction, Fraction]:
    """Weight of the supporting and of the disputing side."""
    supports = disputes = Fraction(0)
    for unit in units:
        for_it, against_it = unit.votes
        supports, disputes = (
            supports + for_it if for_it else supports,
            disputes + against_it if against_it else disputes,
        )
    return supports, disputes


@lru_cache(maxsize=1_000)
def plain(number: Fraction) -> str:
    return f"{float(number):g}"
