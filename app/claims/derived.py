"""The derived values of each type of record, stored beside its content."""

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from app.claims.catalogue_responses import CatalogueEvidence
from app.claims.responses import ClaimEvidence
from app.concepts.manifest_doses import DoseBand
from app.concepts.vocabulary import HarmRelation

StoredLine = tuple[tuple[HarmRelation, str], ...]
"""The steps to an intervention whose harms are inherited, each with the id of the one to which it leads."""


ExactNumber = Annotated[
    Fraction,
    BeforeValidator(Fraction),
    PlainSerializer(lambda number: number.numerator if number.denominator == 1 else str(number)),
]
"""A whole number in JSON, or a fraction as text: `2400000000/7`."""


class Derived(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Derived):
    """For types of records without derived values."""


class ClaimDerived(Derived):
    evidence: ClaimEvidence
    weight: float = 0
    """Of both sides together; orders the claims on one question. 0 in states stored before it was."""
    order: tuple[str, ...]
    """Citation ids in the order in which they are shown."""
    stale: bool
    caveat_stale: bool = False
    """Whether the evidence of the claim has moved since its caveat was written."""
    doses: dict[str, tuple[ExactNumber, ExactNumber]]
    """Citation id → lowest and highest daily dose that its study gave, in picograms; absent where it was not read."""


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
