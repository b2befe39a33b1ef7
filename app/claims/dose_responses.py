"""How answers show doses that can be compared: exact totals, and the bands that they touch."""

from collections.abc import Iterable
from fractions import Fraction

from app.claims.doses import Picograms
from app.concepts.manifest_doses import BandName, DoseBand
from app.core.content import ResponseModel


class DoseAmount(ResponseModel):
    """An exact total, in lowest terms: 2.4 mg a week is 2,400,000,000 picograms in 7 days."""

    picograms: int
    """What is given in so many days."""
    days: int
    """The days in which it is given: 1 for a total of a day, 7 for one of a week."""


class DoseBandRead(ResponseModel):
    """A band of doses, as the manifest of the data set names and explains it."""

    value: BandName
    label: str
    """For people."""
    definition: str
    """Which doses it holds, in plain words."""


def dose_amount(amount: Picograms | None) -> DoseAmount | None:
    if amount is None:
        return None
    exact = Fraction(amount)
    return DoseAmount(picograms=exact.numerator, days=exact.denominator)


def shown_bands(bands: Iterable[DoseBand]) -> tuple[DoseBandRead, ...]:
    return tuple(DoseBandRead(value=band.value, label=band.label, definition=band.definition) for band in bands)
