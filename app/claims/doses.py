"""Comparable doses: exact daily totals in picograms, and the dose bands that they touch."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.claims.vocabulary import DoseTier, PeriodUnit, Unit

PICOGRAMS = {Unit.ng: 10**3, Unit.ug: 10**6, Unit.mg: 10**9, Unit.g: 10**12}
_HOURS = {PeriodUnit.h: 1, PeriodUnit.d: 24, PeriodUnit.wk: 168}

_MG = PICOGRAMS[Unit.mg]
TIERS: tuple[tuple[DoseTier, int, int | None], ...] = (
    (DoseTier.ultra_low, 0, 10**6 - 1),
    (DoseTier.very_low, 10**6, _MG - 1),
    (DoseTier.low, _MG, 5 * _MG),
    (DoseTier.intermediate, 5 * _MG + 1, 50 * _MG - 1),
    (DoseTier.standard, 50 * _MG, None),
)
"""Bands in picograms a day, both ends inclusive (toljan-2018 up to 5 mg; ours above that)."""


@dataclass(frozen=True)
class DailyDose:
    """An inclusive range of daily totals in picograms; an open end is null."""

    low: int | None
    high: int | None

    def overlaps(self, other: "DailyDose") -> bool:
        starts_before_end = self.low is None or other.high is None or self.low <= other.high
        ends_after_start = self.high is None or other.low is None or self.high >= other.low
        return starts_before_end and ends_after_start

    @property
    def tiers(self) -> tuple[DoseTier, ...]:
        """Every band that the range touches."""
        return tuple(tier for tier, low, high in TIERS if self.overlaps(DailyDose(low, high)))


def picograms(amount: Decimal | Fraction, unit: Unit) -> int | None:
    """An amount as a whole number of picograms; null for doses per body weight and fractions of a picogram."""
    if unit not in PICOGRAMS:
        return None
    exact = Fraction(amount) * PICOGRAMS[unit]
    return exact.numerator if exact.denominator == 1 else None


def daily(
    low: Decimal | None,
    high: Decimal | None,
    unit: Unit | None,
    *,
    count: int | None = 1,
    period: int | None = 1,
    period_unit: PeriodUnit | None = PeriodUnit.d,
) -> DailyDose | None:
    """The daily total of a dose given `count` times each `period` `period_unit`s; null where it cannot be known."""
    if unit is None or unit not in PICOGRAMS or (low is None and high is None):
        return None
    if not count or not period or period_unit not in _HOURS:
        return None
    times = Fraction(count * 24, period * _HOURS[period_unit])
    ends = [None if end is None else picograms(Fraction(end) * times, unit) for end in (low, high)]
    if (low is not None and ends[0] is None) or (high is not None and ends[1] is None):
        return None
    return DailyDose(ends[0], ends[1])
