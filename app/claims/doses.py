"""Doses that can be compared: exact totals in parts of a unit (`app.concepts.units`), and the bands that they touch.

Amounts are exact fractions of a part a day, so that 2.4 mg a week is one; the parts of masses are picograms. Databases
keep them as whole parts in 5,040 days, which both engines compare exactly: every schedule whose period divides these
days has a whole number. Beside them they keep the unit that stands for their kind: doses of other kinds are no larger
and no smaller.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.claims.vocabulary import PeriodUnit
from app.concepts.manifest_doses import DoseBand, DoseTiers
from app.concepts.units import MASS, SHIPPED_UNITS, UnitMeasure, Units

PICOGRAMS = {
    term.id: int(measure.parts)
    for term in SHIPPED_UNITS.terms
    if (measure := SHIPPED_UNITS.measure(term.id)) and measure.of == MASS
}
"""In a unit of mass that comes with the software."""
DAYS = 5_040
"""Divisible by 1 to 10, 12, 14, 15, 16, 18, 20, 21, 24, 28, 30, 42, 56, 84 and more; not by 11, 13 or 365."""
MAX_STORED = 2**63 - 1
_HOURS = {PeriodUnit.h: 1, PeriodUnit.d: 24, PeriodUnit.wk: 168, PeriodUnit.cycle: 24}
"""A month has no fixed number of days, so that a dose by the month is comparable with no other."""

Amount = int | Fraction
"""An exact number of parts a day."""


@dataclass(frozen=True)
class DailyDose:
    """An inclusive range of daily totals in parts of the unit that stands for their kind; an open end is null."""

    low: Amount | None
    high: Amount | None
    of: str = MASS

    def overlaps(self, other: "DailyDose") -> bool:
        """Whether a dose lies in both; never where the two cannot be compared."""
        starts_before_end = self.low is None or other.high is None or self.low <= other.high
        ends_after_start = self.high is None or other.low is None or self.high >= other.low
        return self.of == other.of and starts_before_end and ends_after_start


# --- amounts ------------------------------------------------------------------------------------------------------


def daily(
    low: Decimal | None,
    high: Decimal | None,
    measure: UnitMeasure | None,
    *,
    count: int | None = 1,
    period: int | None = 1,
    period_unit: PeriodUnit | None = PeriodUnit.d,
) -> DailyDose | None:
    """The daily total of a dose given `count` times each `period` `period_unit`s; null where it cannot be known, or
    compared exactly."""
    if measure is None or (low is None and high is None):
        return None
    if not count or not period or period_unit not in _HOURS:
        return None
    times = measure.parts * Fraction(count * 24, period * _HOURS[period_unit])
    lowest, highest = (None if end is None else Fraction(end) * times for end in (low, high))
    if any(end is not None and not is_comparable(end) for end in (lowest, highest)):
        return None
    return DailyDose(lowest, highest, measure.of)


def is_comparable(amount: Amount) -> bool:
    """Whether the amount can be stored, and so compared with all others of its kind."""
    return Fraction(amount * DAYS).denominator == 1 and amount * DAYS <= MAX_STORED


def stored(amount: Amount | None) -> int | None:
    """A comparable amount as databases keep it."""
    return None if amount is None else int(amount * DAYS)


def from_stored(number: int | None) -> Fraction | None:
    return None if number is None else Fraction(number, DAYS)


def whole_picograms(dose: DailyDose | None) -> tuple[int | None, int | None]:
    """Both ends as whole numbers of picograms a day; null for what is none, and for doses that are no masses."""
    if dose is None or dose.of != MASS:
        return None, None
    low, high = (
        int(end) if end is not None and Fraction(end).denominator == 1 else None for end in (dose.low, dose.high)
    )
    return low, high


_UNIT_AND_PERIOD = re.compile(r"(?P<unit>.+)/(?P<period>d|wk)")


def dose_of_arm(low: Decimal | None, high: Decimal | None, unit: str | None, units: Units) -> DailyDose | None:
    """The daily total of a dose in a unit that may name its period, such as `mg` or `mg/wk`; without one it is a day's.
    Null where it cannot be known."""
    found = measure_and_period(unit or "", units)
    return daily(low, high, found[0], period_unit=found[1]) if found else None


def measure_and_period(unit: str, units: Units) -> tuple[UnitMeasure, PeriodUnit] | None:
    """What a unit that may name its period measures, and the period; null for a unit that is not there."""
    if measure := units.measure(unit):
        return measure, PeriodUnit.d
    parts = _UNIT_AND_PERIOD.fullmatch(unit)
    measure = units.measure(parts["unit"]) if parts else None
    return (measure, PeriodUnit(parts["period"])) if parts and measure else None


# --- bands --------------------------------------------------------------------------------------------------------


class BandRange(NamedTuple):
    """A band with its ends in parts a day of the unit that stands for their kind; an open end is null."""

    band: DoseBand
    of: str
    start: Fraction
    holds_start: bool
    end: Fraction | None
    holds_end: bool

    def touches(self, dose: DailyDose) -> bool:
        begins_below = self.end is None or dose.low is None or dose.low < self.end
        ends_above = dose.high is None or dose.high > self.start
        return (begins_below or (self.holds_end and dose.low == self.end)) and (
            ends_above or (self.holds_start and dose.high == self.start)
        )


@lru_cache(maxsize=64)
def band_ranges(tiers: DoseTiers, units: Units) -> tuple[BandRange, ...]:
    """The bands from the lowest to the highest; none where their unit is not there."""
    measure = units.measure(tiers.unit)
    if measure is None:
        return ()
    ranges = []
    start, holds_start = Fraction(0), True
    for band in tiers.bands:
        end = None if band.end is None else Fraction(band.end) * measure.parts / _DAYS_OF[tiers.per]
        ranges.append(BandRange(band, measure.of, start, holds_start, end, band.up_to is not None))
        start, holds_start = end or start, band.below is not None
    return tuple(ranges)


_DAYS_OF = {"day": 1, "week": 7}


def bands_of(dose: DailyDose | None, tiers: DoseTiers | None, units: Units) -> tuple[DoseBand, ...]:
    """Every band that the dose touches; none for an unknown dose or one that cannot be compared with the bands, and for
    interventions without bands."""
    if dose is None or tiers is None:
        return ()
    return tuple(one.band for one in band_ranges(tiers, units) if one.of == dose.of and one.touches(dose))
