"""Doses as people ask for them are read exactly, or refused with the right spelling."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claims import dose_query
from app.claims.dose_query import MAX_LENGTH
from app.claims.doses import PICOGRAMS, DailyDose
from app.concepts.units import SHIPPED_UNITS
from app.core.errors import Fault, InvalidInput

MG = 10**9
AMOUNTS = st.decimals(min_value=0, max_value=1000, places=3)
WEIGHTS = st.sampled_from(sorted(PICOGRAMS))
SPACE = st.sampled_from(["", " ", "  "])


def exact(amount: Decimal, unit: str) -> int:
    return int(Fraction(amount) * PICOGRAMS[unit])


def parse(text: str, **place: Any) -> DailyDose:
    return dose_query.parse(text, SHIPPED_UNITS, **place)


def refusal(text: str) -> Fault:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    (fault,) = refused.value.errors
    return fault


@given(AMOUNTS, WEIGHTS, SPACE)
def test_an_amount_is_one_exact_daily_total(amount: Decimal, unit: str, space: str) -> None:
    total = exact(amount, unit)
    assert parse(f"{amount}{space}{unit}") == DailyDose(total, total)


@given(AMOUNTS, WEIGHTS, AMOUNTS, WEIGHTS, SPACE)
def test_a_range_holds_both_its_ends_or_is_refused_as_reversed(
    low: Decimal, low_unit: str, high: Decimal, high_unit: str, space: str
) -> None:
    text = f"{low}{space}{low_unit}{space}..{space}{high}{space}{high_unit}"
    ends = exact(low, low_unit), exact(high, high_unit)
    if ends[0] > ends[1]:
        assert refusal(text).code == "reversed"
    else:
        assert parse(text) == DailyDose(*ends)


@given(AMOUNTS, AMOUNTS, WEIGHTS)
def test_the_unit_of_the_upper_end_stands_for_both(one: Decimal, other: Decimal, unit: str) -> None:
    low, high = sorted((one, other))
    assert parse(f"{low}..{high} {unit}") == parse(f"{low} {unit}..{high} {unit}")


@given(AMOUNTS, WEIGHTS)
def test_an_open_end_is_null(amount: Decimal, unit: str) -> None:
    total = exact(amount, unit)
    assert parse(f"..{amount} {unit}") == DailyDose(None, total)
    assert parse(f"{amount} {unit}..") == DailyDose(total, None)


@given(st.text(max_size=MAX_LENGTH + 20))
def test_any_text_is_read_or_refused_without_repeating_it(text: str) -> None:
    with suppress(InvalidInput):
        dose = parse(text)
        assert dose.low is None or dose.low >= 0
    with pytest.raises(InvalidInput) as refused:
        parse(f"{text}☃")
    (fault,) = refused.value.errors
    assert "☃" not in fault.message


def test_a_thousand_micrograms_are_a_milligram() -> None:
    assert parse("4500 ug") == parse("4.5 mg") == parse("0.0045 g") == DailyDose(4_500_000_000, 4_500_000_000)


def test_a_weekly_dose_is_a_seventh_of_it_a_day() -> None:
    assert parse("2.4 mg/wk") == parse("2400 ug/wk") == DailyDose(Fraction(24 * MG, 70), Fraction(24 * MG, 70))
    assert parse("1.7..2.4 mg/wk") == parse("1.7 mg/wk..2.4 mg/wk")
    assert parse("7 mg/wk") == parse("1 mg")


def test_doses_of_every_kind_are_read() -> None:
    assert parse("1000 [iU]") == parse("1 k[iU]") == DailyDose(10**9, 10**9, "[iU]")
    assert parse("7000 [iU]/wk") == parse("1000 [iU]")
    assert parse("0.1..0.2 mg/kg") == parse("100 ug/kg..0.2 mg/kg") == DailyDose(10**8, 2 * 10**8, "mg/kg")
    assert parse("..10000000000 [CFU]") == DailyDose(None, 10**10, "[CFU]")


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("4500 mcg", "ug"),
        ("4500 MCG", "ug"),
        ("4500 µg", "ug"),
        ("4500 μg", "ug"),
        ("4.5 MG", "mg"),
        ("4.5 Mg", "mg"),
        ("4.5 milligram", "mg"),
        ("4.5 milligrams", "mg"),
        ("1 gram", "g"),
        ("5 NG", "ng"),
        ("1..4500 mcg", "ug"),
        ("4500 mcg/wk", "ug"),
        ("100 IU", "[iU]"),
        ("100 units", "[iU]"),
        ("0.1 MG/KG", "mg/kg"),
        ("3 drops", "[drp]"),
    ],
)
def test_a_misspelt_unit_is_refused_with_its_right_spelling(text: str, say: str) -> None:
    fault = refusal(text)
    assert fault.code == "unknown_unit"
    assert fault.did_you_mean == (say,)
    assert fault.allowed == SHIPPED_UNITS.ids
    assert f"say {say}" in fault.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "wrong_format"),
        ("..", "wrong_format"),
        ("mg", "wrong_format"),
        ("..mg", "wrong_format"),
        ("1..2..3 mg", "wrong_format"),
        ("1 mg..x", "wrong_format"),
        ("NaN mg", "wrong_format"),
        ("inf mg", "wrong_format"),
        ("1e3 mg", "wrong_format"),
        ("+1 mg", "wrong_format"),
        ("4,5 mg", "wrong_format"),
        ("\u0661 mg", "wrong_format"),
        ("1.5...4.5 mg", "wrong_format"),
        ("4.5", "unit_missing"),
        ("1..", "unit_missing"),
        ("1 mg..4.5", "unit_missing"),
        ("4.5 mg/d", "unknown_unit"),
        ("4.5 mg/week", "unknown_unit"),
        ("4.5 mg/mo", "unit_not_comparable"),
        ("100 IU", "unknown_unit"),
        ("1 mg..100 [iU]", "unit_not_comparable"),
        ("1 mg..2 mg/kg", "unit_not_comparable"),
        ("0.0000001 [iU]", "too_precise"),
        ("9999999999 [iU]", "out_of_range"),
        ("4.5 tablets", "unknown_unit"),
        ("-1 mg", "out_of_range"),
        ("-1..2 mg", "out_of_range"),
        ("99999999999999 g", "out_of_range"),
        ("0.0000000001 ng", "too_precise"),
        ("5..1 mg", "reversed"),
        ("1 mg" + " " * MAX_LENGTH, "too_long"),
    ],
)
def test_what_cannot_be_a_dose_is_refused_with_the_reason(text: str, code: str) -> None:
    assert refusal(text).code == code


def test_a_refusal_names_the_place_it_is_told() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("1 mcg", where="body", field="drugs.3.dose")
    assert (refused.value.errors[0].where, refused.value.errors[0].field) == ("body", "drugs.3.dose")
    assert (refusal("1 mcg").where, refusal("1 mcg").field) == ("query", "dose")
