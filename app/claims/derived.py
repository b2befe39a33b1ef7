"""The derived values of each type of record, stored beside its content."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from app.claims.catalogue_responses import CatalogueEvidence
from app.claims.doses import DailyDose
from app.claims.responses import ClaimEvidence
from app.concepts.manifest_doses import DoseBand
from app.concepts.units import MASS
from app.concepts.vocabulary import HarmRelation

StoredLine = tuple[tuple[HarmRelation, str], ...]
"""The steps to an intervention whose harms are inherited, each with the id of the one to which it leads."""


def _fraction(value: object) -> Fraction:
    if not isinstance(value, int | str | Fraction):
        raise ValueError("must be a whole number or a fraction")
    return Fraction(value)


ExactNumber = Annotated[
    Fraction,
    BeforeValidator(_fraction),
    PlainSerializer(lambda number: number.numerator if number.denominator == 1 else str(number)),
]
"""A whole number in JSON, or a fraction as text: `2400000000/7`."""


class Derived(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Derived):
    """For types of records without derived values."""


class StoredTotal(Derived):
    """The daily total of a dose, exact, as the units of the data set were when it was computed."""

    low: ExactNumber | None
    """In parts of the unit, of masses in picograms; null where it is open."""
    high: ExactNumber | None
    of: str
    """The unit that stands for the kind of the dose."""
    smallest: Decimal
    """One part, in that unit."""

    @property
    def dose(self) -> DailyDose:
        return DailyDose(self.low, self.high, self.of)


class ClaimDerived(Derived):
    evidence: ClaimEvidence
    weight: float = 0
    """Of both sides together; orders the claims on one question. 0 in states stored before it was."""
    order: tuple[str, ...]
    """Citation ids in the order in which they are shown."""
    stale: bool
    caveat_stale: bool = False
    """Whether the evidence of the claim has moved since its caveat was written."""
    doses: dict[str, tuple[ExactNumber, ExactNumber] | tuple[ExactNumber, ExactNumber, str]]
    """Citation id → lowest and highest daily dose that its study gave, in picograms, or in parts of the unit that
    follows; absent where it was not read."""

    def dose(self, citation: str) -> tuple[Fraction, Fraction, str] | tuple[None, None, None]:
        """The lowest and the highest daily dose that its study gave, and the unit that stands for its kind."""
        ends = self.doses.get(citation)
        if ends is None:
            return None, None, None
        return ends[0], ends[1], MASS if len(ends) == 2 else ends[2]


class ConceptDerived(Derived):
    evidence: CatalogueEvidence
    assertions: tuple[str, ...]
    """Claims that describe an aspect of the concept."""
    inherited: tuple[str, ...]
    """Claims of harm on the drug and the classes of an intervention, the nearest first."""
    lines: dict[str, StoredLine] = {}
    """Id of the intervention that such a claim is about → the steps to it. In states stored before classes passed on
    their harms there are none: there the claims are about the drug of a dose regimen."""


class SourceDerived(Derived):
    evidence: CatalogueEvidence
    documents: tuple[tuple[str, str], ...] = ()
    """Of a study: the documents that report it, with their roles."""
    is_review: Annotated[bool | None, Field(exclude_if=lambda value: value is None)] = None
    """Of a study whose design is one of the data set's own: whether it is a review. Null where the software says it."""


class DosingRangeDerived(Derived):
    claims: tuple[str, ...]
    bands: tuple[DoseBand, ...] = ()
    """The bands of its intervention that it touches."""
    total: StoredTotal | None = None
    """Null where it cannot be known, and in states stored before it was: those are in units that come with the software
    (`projection.daily_total`)."""
