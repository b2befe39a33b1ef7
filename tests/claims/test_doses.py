"""Doses are compared exactly: whole picograms a day, and bands that touch where their ends do."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claims.doses import PICOGRAMS, TIERS, DailyDose, daily, picograms
from app.claims.vocabulary import DoseTier, PeriodUnit, Unit

AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=4)
WEIGHTLESS = st.sampled_from(sorted(PICOGRAMS))
ENDS = st.one_of(st.none(), st.integers(0, 10**14))


@st.composite
def ranges(draw: st.DrawFn) -> DailyDose:
    low, high = draw(ENDS), draw(ENDS)
    return DailyDose(high, low) if low is not None and high is not None and low > high else DailyDose(low, high)


@given(AMOUNTS, WEIGHTLESS)
def test_an_amount_is_exact_in_picograms_or_unknown(amount: Decimal, unit: Unit) -> None:
    exact = Fraction(amount) * PICOGRAMS[unit]
    assert picograms(amount, unit) == (exact.numerator if exact.denominator == 1 else None)


@given(AMOUNTS, st.integers(1, 12), st.integers(1, 14), st.sampled_from([PeriodUnit.h, PeriodUnit.d, PeriodUnit.wk]))
def test_a_daily_total_is_exact_where_it_is_known(amount: Decimal, count: int, period: int, unit: PeriodUnit) -> None:
    hours = {PeriodUnit.h: 1, PeriodUnit.d: 24, PeriodUnit.wk: 168}[unit]
    exact = Fraction(amount) * 10**9 * count * 24 / (period * hours)
    total = daily(amount, amount, Unit.mg, count=count, period=period, period_unit=unit)
    if exact.denominator == 1:
        assert total == DailyDose(int(exact), int(exact))
    else:
        assert total is None


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [("4.5", Unit.mg, 4_500_000_000), ("4500", Unit.ug, 4_500_000_000), ("0.1", Unit.mg, 100_000_000)],
)
def test_a_dose_is_the_same_in_every_unit(amount: str, unit: Unit, expected: int) -> None:
    assert picograms(Decimal(amount), unit) == expected


def test_a_dose_by_body_weight_has_no_daily_total() -> None:
    assert picograms(Decimal("0.1"), Unit.mg_per_kg) is None
    assert daily(Decimal("0.1"), Decimal("0.1"), Unit.mg_per_kg) is None


@pytest.mark.parametrize(
    "unread",
    [{"count": None}, {"period": None}, {"period_unit": None}, {"period_unit": PeriodUnit.mo}, {"count": 0}],
    ids=["count", "period", "unit", "months", "never"],
)
def test_without_a_schedule_there_is_no_daily_total(unread: dict[str, int | PeriodUnit | None]) -> None:
    assert daily(Decimal("4.5"), Decimal("4.5"), Unit.mg, **unread) is None  # type: ignore[arg-type]


def test_without_an_amount_or_unit_there_is_no_daily_total() -> None:
    assert daily(None, None, Unit.mg) is None
    assert daily(Decimal(1), Decimal(2), None) is None


def test_twice_a_day_is_twice_the_dose() -> None:
    assert daily(Decimal("1.5"), Decimal("2.25"), Unit.mg, count=2) == DailyDose(3_000_000_000, 4_500_000_000)


@given(ranges(), ranges())
def test_two_ranges_overlap_exactly_when_a_dose_lies_in_both(one: DailyDose, other: DailyDose) -> None:
    bounds = [end for dose in (one, other) for end in (dose.low, dose.high) if end is not None] or [0]

    def holds(dose: DailyDose, amount: int) -> bool:
        return (dose.low is None or dose.low <= amount) and (dose.high is None or amount <= dose.high)

    shared = any(holds(one, amount) and holds(other, amount) for amount in bounds)
    assert one.overlaps(other) == other.overlaps(one) == shared


@given(st.integers(0, 10**14))
def test_every_dose_lies_in_exactly_one_tier(amount: int) -> None:
    assert len(DailyDose(amount, amount).tiers) == 1


@given(ranges())
def test_a_range_touches_its_ends_tiers_and_all_between(dose: DailyDose) -> None:
    order = [tier for tier, _, _ in TIERS]
    places = [order.index(tier) for tier in dose.tiers]
    assert places == list(range(places[0], places[-1] + 1))
    if dose.low is not None:
        assert DailyDose(dose.low, dose.low).tiers[0] == dose.tiers[0]
    if dose.high is not None:
        assert DailyDose(dose.high, dose.high).tiers[0] == dose.tiers[-1]


@pytest.mark.parametrize(
    ("amount", "unit", "tier"),
    [
        ("999", Unit.ng, DoseTier.ultra_low),
        ("1", Unit.ug, DoseTier.very_low),
        ("0.1", Unit.mg, DoseTier.very_low),
        ("0.999999999", Unit.mg, DoseTier.very_low),
        ("1", Unit.mg, DoseTier.low),
        ("5", Unit.mg, DoseTier.low),
        ("5.000000001", Unit.mg, DoseTier.intermediate),
        ("6", Unit.mg, DoseTier.intermediate),
        ("49.999999999", Unit.mg, DoseTier.intermediate),
        ("50", Unit.mg, DoseTier.standard),
        ("1", Unit.g, DoseTier.standard),
    ],
)
def test_the_tiers_begin_where_the_vocabulary_says(amount: str, unit: Unit, tier: DoseTier) -> None:
    total = daily(Decimal(amount), Decimal(amount), unit)
    assert total is not None
    assert total.tiers == (tier,)
