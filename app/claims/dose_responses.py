"""How answers show doses that can be compared: exact totals, and the bands that they touch."""

import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainSerializer

from app.claims.doses import Amount, DailyDose, whole_picograms
from app.concepts.manifest_doses import BandName, DoseBand
from app.concepts.units import MASS
from app.concepts.vocabulary import Unit
from app.core.content import ResponseModel

ExactDecimal = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class DoseAmount(ResponseModel):
    """An exact total, in lowest terms: 2.4 mg a week is 2,400,000,000 picograms in 7 days."""

    picograms: int
    """What is given in so many days."""
    days: int
    """The days in which it is given: 1 for a total of a day, 7 for one of a week."""


class DoseTotal(ResponseModel):
    """An exact total in the unit by which doses of its kind are compared: 3,000 international units a week are 3,000
    `[iU]` in 7 days, 4,500 micrograms a day 4.5 `mg` in 1 day. Totals in another unit cannot be compared with it."""

    unit: Unit
    """It stands for all units of its kind: `mg` for masses, `mg/kg` for doses by body weight."""
    low: ExactDecimal | None
    """Null where it is open."""
    high: ExactDecimal | None
    """The upper end; null where it is open."""
    days: int
    """The days in which it is given."""


class DoseBandRead(ResponseModel):
    """A band of doses, as the manifest of the data set names and explains it."""

    value: BandName
    label: str
    """For people."""
    definition: str
    """Which doses it holds, in plain words."""


def dose_fields(dose: DailyDose | None, smallest: Decimal = Decimal(1)) -> dict[str, Any]:
    """The fields of a dose in answers; `smallest` is one part in the unit that stands for its kind."""
    low, high = whole_picograms(dose)
    is_mass = dose is not None and dose.of == MASS
    return {
        "low_pg_per_day": low,
        "high_pg_per_day": high,
        "low_amount": _amount(dose.low) if dose and is_mass else None,
        "high_amount": _amount(dose.high) if dose and is_mass else None,
        "total": _total(dose, smallest) if dose else None,
    }


def _amount(amount: Amount | None) -> DoseAmount | None:
    if amount is None:
        return None
    exact = Fraction(amount)
    return DoseAmount(picograms=exact.numerator, days=exact.denominator)


def _total(dose: DailyDose, smallest: Decimal) -> DoseTotal:
    days = math.lcm(*(Fraction(end).denominator for end in (dose.low, dose.high) if end is not None))
    low, high = (None if end is None else int(end * days) * smallest for end in (dose.low, dose.high))
    return DoseTotal(unit=dose.of, low=low, high=high, days=days)


def shown_bands(bands: Iterable[DoseBand]) -> tuple[DoseBandRead, ...]:
    return tuple(DoseBandRead(value=band.value, label=band.label, definition=band.definition) for band in bands)
