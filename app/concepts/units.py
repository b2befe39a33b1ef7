"""In what doses are measured: which units can be compared with each other, and what one is in another, exactly.

Units that lead to the same one by `equals` are of one kind; it stands for the kind. Amounts of a kind are counted in
parts, the smallest amounts of it that are told apart: those of masses, for which `mg` stands, in picograms.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.concepts.terms import UnitTerm, Vocabularies, with_shipped

MASS = "mg"
"""The unit that stands for masses."""


class UnitMeasure(NamedTuple):
    """What a unit measures."""

    of: str
    """The unit that stands for its kind."""
    parts: Fraction
    """How many parts of the kind one of it is."""


class Units:
    """The units of a data set by their ids."""

    def __init__(self, terms: Iterable[UnitTerm]) -> None:
        self.terms = tuple(terms)
        self._terms = {term.id: term for term in self.terms}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._terms)

    def measure(self, unit: str | None) -> UnitMeasure | None:
        """Null for a unit that is not there, or that leads to none."""
        term, factor = self._terms.get(unit or ""), Fraction(1)
        for _ in self.terms:
            if term is None or term.equals is None:
                break
            factor *= Fraction(term.equals.amount)
            term = self._terms.get(term.equals.of)
        return None if term is None or term.equals else UnitMeasure(term.id, factor / Fraction(term.smallest))

    def smallest(self, of: str) -> Decimal:
        """One part of a kind, in the unit that stands for it."""
        return self._terms[of].smallest

    def term(self, unit: str | None) -> UnitTerm | None:
        return self._terms.get(unit or "")


@lru_cache(maxsize=8)
def units_of(vocabularies: Vocabularies) -> Units:
    """Those that come with the software, and those of a data set."""
    return Units(with_shipped(vocabularies).units)


SHIPPED_UNITS = units_of(Vocabularies())
