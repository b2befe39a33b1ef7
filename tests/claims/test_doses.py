"""Doses are compared exactly, whatever their period, and bands touch where their ends do."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claims.doses import (
    DAYS,
    PICOGRAMS,
    Amount,
    DailyDose,
    band_ranges,
    bands_of,
    daily,
    dose_of_arm,
    from_stored,
    is_comparable,
    stored,
    whole_picograms,
)
from app.claims.vocabulary import PeriodUnit
from app.concepts.manifest_doses import DoseTiers
from app.concepts.terms import UnitTerm, Vocabularies
from app.concepts.units import MASS, SHIPPED_UNITS, UnitMeasure, Units, units_of
from app.datasets.files_beside import read_manifest
from tests.conftest import SEED

MANIFEST = read_manifest(SEED)
assert MANIFEST is not None
(TIERS,) = MANIFEST.dose_tiers


def bands(dose: DailyDose, tiers: DoseTiers = TIERS) -> tuple[str, ...]:
    return tuple(band.value for band in bands_of(dose, tiers, SHIPPED_UNITS))


def measure(unit: str) -> UnitMeasure:
    found = SHIPPED_UNITS.measure(unit)
    assert found
    return found


MG = measure("mg")
AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=4)
WEIGHTLESS = st.sampled_from(sorted(PICOGRAMS))
ENDS = st.one_of(st.none(), st.integers(0, 10**14))


@st.composite
def ranges(draw: st.DrawFn) -> DailyDose:
    low, high = draw(ENDS), draw(ENDS)
    return DailyDose(high, low) if low is not None and high is not None and low > high else DailyDose(low, high)


@given(AMOUNTS, WEIGHTLESS)
def test_an_amount_is_exact_in_picograms(amount: Decimal, unit: str) -> None:
    exact, total = Fraction(amount) * PICOGRAMS[unit], daily(amount, None, measure(unit))
    assert total == (DailyDose(exact, None, MASS) if is_comparable(exact) else None)


PERIODS = st.sampled_from([PeriodUnit.h, PeriodUnit.d, PeriodUnit.wk, PeriodUnit.cycle])


@given(AMOUNTS, st.integers(1, 12), st.integers(1, 30), PERIODS)
def test_a_daily_total_is_exact_where_it_is_known(amount: Decimal, count: int, period: int, unit: PeriodUnit) -> None:
    hours = {PeriodUnit.h: 1, PeriodUnit.d: 24, PeriodUnit.wk: 168, PeriodUnit.cycle: 24}[unit]
    exact = Fraction(amount) * 10**9 * count * 24 / (period * hours)
    total = daily(amount, amount, MG, count=count, period=period, period_unit=unit)
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
    total = daily(Decimal("2.4"), Decimal("2.4"), MG, period_unit=PeriodUnit.wk)
    assert total is not None
    assert total.low == Fraction(2_400_000_000, 7)
    assert stored(total.low) == 2_400_000_000 * DAYS // 7
    assert whole_picograms(total) == (None, None)
    assert arm("2.4", "mg/wk") == total
    assert arm("2.4", "mg") == arm("2.4", "mg/d")
    assert arm("0.1", "mg/kg/wk") == DailyDose(Fraction(10**8, 7), Fraction(10**8, 7), "mg/kg")
    for unit in ("mg/mo", "tablet", None):
        assert arm("1", unit) is None


def arm(amount: str, unit: str | None, units: Units = SHIPPED_UNITS) -> DailyDose | None:
    return dose_of_arm(Decimal(amount), Decimal(amount), unit, units)


def test_a_dose_in_a_cycle_is_spread_over_its_days() -> None:
    cycle = daily(Decimal(10), None, MG, count=3, period=28, period_unit=PeriodUnit.cycle)
    assert cycle == DailyDose(Fraction(30 * 10**9, 28), None)
    assert daily(Decimal(10), None, MG, period=11) is None, "eleven days divide the stored ones nowhere"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("4.5", "mg"), ("4500", "ug")),
        (("0.0045", "g"), ("4500000", "ng")),
        (("0.1", "mg/kg"), ("100", "ug/kg")),
        (("1500", "[iU]"), ("1.5", "k[iU]")),
        (("2000000", "[iU]"), ("2", "10*6.[iU]")),
        (("5", "mL"), ("0.005", "L")),
        (("1", "mmol"), ("1000", "umol")),
    ],
)
def test_a_dose_is_the_same_in_every_unit_of_its_kind(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert arm(*one) == arm(*other) is not None


def test_doses_of_different_kinds_never_overlap_nor_touch_bands() -> None:
    kinds = [term.id for term in SHIPPED_UNITS.terms if term.equals is None]
    assert {"mg", "mg/kg", "[iU]", "mmol", "meq", "mL", "[drp]"} < set(kinds)
    everything = [DailyDose(None, 10**12, kind) for kind in kinds]
    for one in everything:
        assert [other.of for other in everything if one.overlaps(other)] == [one.of]
        assert bool(bands(one)) == (one.of == MASS)


def test_every_unit_that_comes_with_the_software_has_a_code_and_a_measure() -> None:
    for term in SHIPPED_UNITS.terms:
        assert term.ucum == term.id
        assert measure(term.id).parts > 0


def test_a_data_set_measures_its_own_units() -> None:
    grain = UnitTerm.model_validate(
        {"id": "[gr]", "label": "grain", "definition": "-", "equals": {"amount": 64.79891, "of": "mg"}}
    )
    puff = UnitTerm(id="{puff}", label="puff", definition="-")
    units = units_of(Vocabularies(units=(grain, puff)))
    assert arm("2", "[gr]", units) == arm("129.59782", "mg")
    assert arm("2", "{puff}/wk", units) == DailyDose(Fraction(2_000_000, 7), Fraction(2_000_000, 7), "{puff}")
    assert arm("2", "{puff}") is None


@pytest.mark.parametrize(
    "unread",
    [{"count": None}, {"period": None}, {"period_unit": None}, {"period_unit": PeriodUnit.mo}, {"count": 0}],
    ids=["count", "period", "unit", "months", "never"],
)
def test_without_a_schedule_there_is_no_daily_total(unread: dict[str, int | PeriodUnit | None]) -> None:
    assert daily(Decimal("4.5"), Decimal("4.5"), MG, **unread) is None  # type: ignore[arg-type]


def test_without_an_amount_or_unit_there_is_no_daily_total() -> None:
    assert daily(None, None, MG) is None
    assert daily(Decimal(1), Decimal(2), None) is None


def test_twice_a_day_is_twice_the_dose() -> None:
    assert daily(Decimal("1.5"), Decimal("2.25"), MG, count=2) == DailyDose(3_000_000_000, 4_500_000_000)


@given(ranges(), ranges())
def test_two_ranges_overlap_exactly_when_a_dose_lies_in_both(one: DailyDose, other: DailyDose) -> None:
    bounds = [end for dose in (one, other) for end in (dose.low, dose.high) if end is not None] or [0]

    def holds(dose: DailyDose, amount: Amount) -> bool:
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
        ("999", "ng", "ultra_low"),
        ("1", "ug", "very_low"),
        ("0.1", "mg", "very_low"),
        ("0.999999999", "mg", "very_low"),
        ("1", "mg", "low"),
        ("5", "mg", "low"),
        ("5.000000001", "mg", "intermediate"),
        ("6", "mg", "intermediate"),
        ("49.999999999", "mg", "intermediate"),
        ("50", "mg", "standard"),
        ("1", "g", "standard"),
    ],
)
def test_the_bands_begin_where_the_manifest_says(amount: str, unit: str, tier: str) -> None:
    total = daily(Decimal(amount), Decimal(amount), measure(unit))
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
    assert [of_band.end for of_band in band_ranges(weekly, SHIPPED_UNITS)] == [
        Fraction(10**9, 7),
        Fraction(2_400_000_000, 7),
        None,
    ]
    for amount, expected in (("0.25", "starting"), ("1", "full"), ("2.4", "full"), ("2.400000001", "above")):
        total = daily(Decimal(amount), Decimal(amount), MG, period_unit=PeriodUnit.wk)
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
