"""Doses are compared exactly, whatever their period, and bands touch where their ends do."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claims.doses import (
    DAYS,
    PICOGRAMS,
    DailyDose,
    Picograms,
    band_ranges,
    bands_of,
    daily,
    dose_of_arm,
    from_stored,
    is_comparable,
    picograms,
    stored,
    whole,
)
from app.claims.vocabulary import PeriodUnit, Unit
from app.concepts.manifest_doses import DoseTiers
from app.datasets.files_beside import read_manifest
from tests.conftest import SEED

MANIFEST = read_manifest(SEED)
assert MANIFEST is not None
(TIERS,) = MANIFEST.dose_tiers


def bands(dose: DailyDose, tiers: DoseTiers = TIERS) -> tuple[str, ...]:
    return tuple(band.value for band in bands_of(dose, tiers))


AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=4)
WEIGHTLESS = st.sampled_from(sorted(PICOGRAMS))
ENDS = st.one_of(st.none(), st.integers(0, 10**14))


@st.composite
def ranges(draw: st.DrawFn) -> DailyDose:
    low, high = draw(ENDS), draw(ENDS)
    return DailyDose(high, low) if low is not None and high is not None and low > high else DailyDose(low, high)


@given(AMOUNTS, WEIGHTLESS)
def test_an_amount_is_exact_in_picograms(amount: Decimal, unit: Unit) -> None:
    assert picograms(amount, unit) == Fraction(amount) * PICOGRAMS[unit]


PERIODS = st.sampled_from([PeriodUnit.h, PeriodUnit.d, PeriodUnit.wk, PeriodUnit.cycle])


@given(AMOUNTS, st.integers(1, 12), st.integers(1, 30), PERIODS)
def test_a_daily_total_is_exact_where_it_is_known(amount: Decimal, count: int, period: int, unit: PeriodUnit) -> None:
    hours = {PeriodUnit.h: 1, PeriodUnit.d: 24, PeriodUnit.wk: 168, PeriodUnit.cycle: 24}[unit]
    exact = Fraction(amount) * 10**9 * count * 24 / (period * hours)
    total = daily(amount, amount, Unit.mg, count=count, period=period, period_unit=unit)
    if is_comparable(exact):
        assert total == DailyDose(exact, exact)
        assert from_stored(stored(exact)) == exact
    else:
        assert total is None


@given(AMOUNTS, AMOUNTS, st.sampled_from([1, 7, 14, 21, 28, 30]), st.sampled_from([1, 2, 7, 28, 56, 84]))
def test_stored_amounts_are_in_the_order_of_the_amounts(one: Decimal, other: Decimal, days: int, more: int) -> None:
    first, second = Fraction(one) * 10**9 / days, Fraction(other) * 10**9 / more
    low, high = stored(first), stored(second)
    assert low is not None
    assert high is not None
    assert (low < high, low == high) == (first < second, first == second)


def test_a_weekly_dose_is_a_seventh_of_it_a_day_and_not_rounded() -> None:
    total = daily(Decimal("2.4"), Decimal("2.4"), Unit.mg, period_unit=PeriodUnit.wk)
    assert total is not None
    assert total.low == Fraction(2_400_000_000, 7)
    assert stored(total.low) == 2_400_000_000 * DAYS // 7
    assert whole(total.low) is None
    assert dose_of_arm(Decimal("2.4"), Decimal("2.4"), "mg/wk") == total
    assert dose_of_arm(Decimal("2.4"), Decimal("2.4"), "mg") == dose_of_arm(Decimal("2.4"), Decimal("2.4"), "mg/d")
    for unit in ("mg/kg", "mg/kg/wk", "[iU]", "[iU]/wk", "mg/mo", "tablet", None):
        assert dose_of_arm(Decimal(1), Decimal(1), unit) is None


def test_a_dose_in_a_cycle_is_spread_over_its_days() -> None:
    cycle = daily(Decimal(10), None, Unit.mg, count=3, period=28, period_unit=PeriodUnit.cycle)
    assert cycle == DailyDose(Fraction(30 * 10**9, 28), None)
    assert daily(Decimal(10), None, Unit.mg, period=11) is None, "eleven days divide the stored ones nowhere"


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [("4.5", Unit.mg, 4_500_000_000), ("4500", Unit.ug, 4_500_000_000), ("0.1", Unit.mg, 100_000_000)],
)
def test_a_dose_is_the_same_in_every_unit(amount: str, unit: Unit, expected: int) -> None:
    assert picograms(Decimal(amount), unit) == expected


def test_a_dose_by_body_weight_or_in_international_units_has_no_daily_total() -> None:
    for unit in (Unit.mg_per_kg, Unit.iu):
        assert picograms(Decimal("0.1"), unit) is None
        assert daily(Decimal("0.1"), Decimal("0.1"), unit) is None


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

    def holds(dose: DailyDose, amount: Picograms) -> bool:
        return (dose.low is None or dose.low <= amount) and (dose.high is None or amount <= dose.high)

    shared = any(holds(one, amount) and holds(other, amount) for amount in bounds)
    assert one.overlaps(other) == other.overlaps(one) == shared


@given(st.integers(0, 10**14))
def test_every_dose_lies_in_exactly_one_tier(amount: int) -> None:
    assert len(bands(DailyDose(amount, amount))) == 1


@given(ranges())
def test_a_range_touches_its_ends_tiers_and_all_between(dose: DailyDose) -> None:
    order = [band.value for band in TIERS.bands]
    places = [order.index(band) for band in bands(dose)]
    assert places == list(range(places[0], places[-1] + 1))
    if dose.low is not None:
        assert bands(DailyDose(dose.low, dose.low))[0] == bands(dose)[0]
    if dose.high is not None:
        assert bands(DailyDose(dose.high, dose.high))[0] == bands(dose)[-1]


@pytest.mark.parametrize(
    ("amount", "unit", "tier"),
    [
        ("999", Unit.ng, "ultra_low"),
        ("1", Unit.ug, "very_low"),
        ("0.1", Unit.mg, "very_low"),
        ("0.999999999", Unit.mg, "very_low"),
        ("1", Unit.mg, "low"),
        ("5", Unit.mg, "low"),
        ("5.000000001", Unit.mg, "intermediate"),
        ("6", Unit.mg, "intermediate"),
        ("49.999999999", Unit.mg, "intermediate"),
        ("50", Unit.mg, "standard"),
        ("1", Unit.g, "standard"),
    ],
)
def test_the_bands_begin_where_the_manifest_says(amount: str, unit: Unit, tier: str) -> None:
    total = daily(Decimal(amount), Decimal(amount), unit)
    assert total is not None
    assert bands(total) == (tier,)


def test_bands_by_the_week_hold_weekly_and_daily_doses() -> None:
    weekly = DoseTiers.model_validate(
        {
            "intervention": "drug",
            "unit": "mg",
            "per": "week",
            "bands": [
                {"value": "starting", "label": "Starting", "definition": "Below 1 mg a week.", "below": 1},
                {"value": "full", "label": "Full", "definition": "From 1 to 2.4 mg a week.", "up_to": 2.4},
                {"value": "above", "label": "Above", "definition": "Above 2.4 mg a week."},
            ],
        }
    )
    assert [of_band.end for of_band in band_ranges(weekly)] == [Fraction(10**9, 7), Fraction(2_400_000_000, 7), None]
    for amount, expected in (("0.25", "starting"), ("1", "full"), ("2.4", "full"), ("2.400000001", "above")):
        total = daily(Decimal(amount), Decimal(amount), Unit.mg, period_unit=PeriodUnit.wk)
        assert total is not None
        assert bands(total, weekly) == (expected,)
    assert bands(DailyDose(10**9, 10**9), weekly) == ("above",), "a milligram a day is seven a week"


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ([{"below": 1}, {"below": 2}], "the last band has no end"),
        ([{}, {}], "every band but the last has an end"),
        ([{"below": 1, "up_to": 1}, {}], "every band but the last has an end"),
        ([{"below": 2}, {"below": 1}, {}], "the bands ascend"),
        ([{"below": 0}, {}], "the bands ascend"),
    ],
)
def test_bands_leave_no_gap_and_no_doubt(ends: list[dict[str, int]], reason: str) -> None:
    named = [{"value": f"b{i}", "label": "B", "definition": "B.", **end} for i, end in enumerate(ends)]
    with pytest.raises(ValueError, match=reason):
        DoseTiers.model_validate({"intervention": "drug", "unit": "mg", "bands": named})
