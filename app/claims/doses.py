"""Doses that can be compared: exact totals in picograms, and the bands that they touch.

Amounts are exact fractions of a picogram a day, so that 2.4 mg a week is one. Databases keep them as whole picograms in
5,040 days, which both engines compare exactly: every schedule whose period divides these days has a whole number.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from app.claims.vocabulary import PeriodUnit, Unit
from app.concepts.manifest_doses import DoseBand, DoseTiers

PICOGRAMS = {Unit.ng: 10**3, Unit.ug: 10**6, Unit.mg: 10**9, Unit.g: 10**12}
"""Units of weight. Doses for each kilogram of body weight and international units cannot be compared with them."""
DAYS = 5_040
"""Divisible by 1 to 10, 12, 14, 15, 16, 18, 20, 21, 24, 28, 30, 42, 56, 84 and more; not by 11, 13 or 365."""
MAX_STORED = 2**63 - 1
_HOURS = {PeriodUnit.h: 1, PeriodUnit.d: 24, PeriodUnit.wk: 168, PeriodUnit.cycle: 24}
"""A month has no fixed number of days, so that a dose by the month is comparable with no other."""

Picograms = int | Fraction
"""An exact amount a day."""


@dataclass(frozen=True)
class DailyDose:
    """An inclusive range of daily totals in picograms; an open end is null."""

    low: Picograms | None
    high: Picograms | None

    def overlaps(self, other: "DailyDose") -> bool:
        starts_before_end = self.low is None or other.high is None or self.low <= other.high
        ends_after_start = self.high is None or other.low is None or self.high >= other.low
        return starts_before_end and ends_after_start


# --- amounts ------------------------------------------------------------------------------------------------------


def picograms(amount: Decimal | Fraction, unit: Unit) -> Fraction | None:
    """An amount in picograms; null for doses per body weight and in international units."""
    return Fraction(amount) * PICOGRAMS[unit] if unit in PICOGRAMS else None


def daily(
    low: Decimal | None,
    high: Decimal | None,
    unit: Unit | None,
    *,
    count: int | None = 1,
    period: int | None = 1,
    period_unit: PeriodUnit | None = PeriodUnit.d,
) -> DailyDose | None:
    """The daily total of a dose given `count` times each `period` `period_unit`s; null where it cannot be known, or
    compared exactly."""
    if unit is None or unit not in PICOGRAMS or (low is None and high is None):
        return None
    if not count or not period or period_unit not in _HOURS:
        return None
    times = Fraction(count * 24, period * _HOURS[period_unit])
    ends = [None if end is None else Fraction(end) * PICOGRAMS[unit] * times for end in (low, high)]
    if any(end is not None and not is_comparable(end) for end in ends):
        return None
    return DailyDose(*ends)


def is_comparable(amount: Picograms) -> bool:
    """Whether the amount can be stored, and so compared with all others."""
    return Fraction(amount * DAYS).denominator == 1 and amount * DAYS <= MAX_STORED


def stored(amount: Picograms | None) -> int | None:
    """A comparable amount as databases keep it."""
    return None if amount is None else int(amount * DAYS)


def from_stored(number: int | None) -> Fraction | None:
    return None if number is None else Fraction(number, DAYS)


def whole(amount: Picograms | None) -> int | None:
    """A whole number of picograms a day; null for what is none."""
    return int(amount) if amount is not None and Fraction(amount).denominator == 1 else None


_UNIT_AND_PERIOD = re.compile(r"(?P<unit>.+?)(?:/(?P<period>d|wk))?")


def dose_of_arm(low: Decimal | None, high: Decimal | None, unit: str | None) -> DailyDose | None:
    """The daily total of a dose in a UCUM unit that may name its period, such as `mg` or `mg/wk`; without one it is a
    day's. Null where it cannot be known."""
    parts = _UNIT_AND_PERIOD.fullmatch(unit or "")
    if parts is None or parts["unit"] not in set(Unit):
        return None
    return daily(low, high, Unit(parts["unit"]), period_unit=PeriodUnit(parts["period"] or PeriodUnit.d))


# --- bands --------------------------------------------------------------------------------------------------------


class BandRange(NamedTuple):
    """A band with its ends in picograms a day; an open end is null."""

    band: DoseBand
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
def band_ranges(tiers: DoseTiers) -> tuple[BandRange, ...]:
    """The bands from the lowest to the highest."""
    ranges = []
    start, holds_start = Fraction(0), True
    for band in tiers.bands:
        end = None if band.end is None else Fraction(band.end) * PICOGRAMS[Unit(tiers.unit)] / _DAYS_OF[tiers.per]
        ranges.append(BandRange(band, start, holds_start, end, band.up_to is not None))
        start, holds_start = end or start, band.below is not None
    return tuple(ranges)


_DAYS_OF = {"day": 1, "week": 7}


def bands_of(dose: DailyDose | None, tiers: DoseTiers | None) -> tuple[DoseBand, ...]:
    """Every band that the dose touches; none for an unknown dose, and for interventions without bands."""
    if dose is None or tiers is None:
        return ()
    return tuple(of_band.band for of_band in band_ranges(tiers) if of_band.touches(dose))
