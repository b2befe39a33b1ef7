"""Parses dose expressions: `4.5 mg`, `1.5..4.5 mg`, `..5 mg`, `1 mg..`, `2.4 mg/wk`, `1000 [iU]`. Exact totals, of a
day unless the unit names the week; both ends inclusive."""

import re
from decimal import Decimal
from fractions import Fraction

from app.claims.doses import DAYS, MAX_STORED, DailyDose, is_comparable
from app.concepts.terms import nearest_terms
from app.concepts.units import MASS, UnitMeasure, Units
from app.core.errors import Fault, InvalidInput, Where

MAX_LENGTH = 60
"""Characters of a dose expression."""
EXAMPLES = ("4.5 mg", "1.5..4.5 mg", "4500 ug", "..5 mg", "1 mg..", "2.4 mg/wk", "1000 [iU]")

_WEEK = "/wk"
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,12})?")
_END = re.compile(r"(?P<number>[^\s\w]*[0-9][0-9.,eE+_]*)?\s*(?P<unit>.*)", re.DOTALL)


class _Refused(ValueError):
    """The expression cannot be read; `parse` adds the field."""

    def __init__(
        self, code: str, message: str, allowed: tuple[str, ...] = EXAMPLES, did_you_mean: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.allowed, self.did_you_mean = code, message, allowed, did_you_mean


def parse(text: str, units: Units, *, where: Where = "query", field: str = "dose") -> DailyDose:
    """The range of daily totals that the expression names; InvalidInput says what would be right."""
    try:
        return _range(text, units)
    except _Refused as refused:
        fault = Fault(where, field, refused.code, refused.message, refused.allowed, refused.did_you_mean)
        raise InvalidInput("The dose cannot be read.", errors=[fault]) from None


def _range(text: str, units: Units) -> DailyDose:
    if len(text) > MAX_LENGTH:
        raise _Refused("too_long", f"A dose has at most {MAX_LENGTH} characters.")
    ends = text.strip().split("..")
    if len(ends) > 2 or not any(end.strip() for end in ends):
        raise _malformed()
    if len(ends) == 1:
        amount, of = _amount(*_end(ends[0]), units)
        return DailyDose(amount, amount, of)
    (low, low_unit), (high, high_unit) = (_end(end) for end in ends)
    if low is None and high is None:
        raise _malformed()
    if (low is None and low_unit) or (high is None and high_unit):
        raise _malformed()
    amounts = [
        None if number is None else _amount(number, unit, units)
        for number, unit in ((low, low_unit or high_unit), (high, high_unit))
    ]
    kinds = {amount[1] for amount in amounts if amount is not None}
    if len(kinds) > 1:
        raise _Refused("unit_not_comparable", "Both ends have units that can be compared.")
    lowest, highest = (amount and amount[0] for amount in amounts)
    dose = DailyDose(lowest, highest, kinds.pop())
    if dose.low is not None and dose.high is not None and dose.low > dose.high:
        raise _Refused("reversed", "The lower end comes first: `1.5..4.5 mg`.")
    return dose


def _end(text: str) -> tuple[Decimal | None, str]:
    """The number and the unit of one end; an open end has neither."""
    match = _END.fullmatch(text.strip())
    if match is None or match["number"] is None:
        if text.strip():
            raise _malformed()
        return None, ""
    number = match["number"]
    if number[0] in "-−":  # noqa: RUF001 - a minus sign, as word processors write it
        raise _Refused("out_of_range", "A dose cannot be negative.")
    if "," in number:
        raise _Refused("wrong_format", "Write the decimal mark as a point: `4.5 mg`.")
    if not _NUMBER.fullmatch(number):
        raise _Refused("wrong_format", "Write a plain decimal of at most 15 digits before and 12 after the point.")
    return Decimal(number), match["unit"]


def _amount(number: Decimal | None, unit: str, units: Units) -> tuple[Fraction, str]:
    """The exact daily total, and the unit that stands for its kind."""
    if number is None:
        raise _malformed()
    measure, days = _measure(unit, units)
    exact = Fraction(number) * measure.parts
    if exact.denominator != 1:
        smallest = "picograms" if measure.of == MASS else f"{units.smallest(measure.of):f} {measure.of}"
        raise _Refused("too_precise", f"A dose is a whole number of {smallest}.")
    amount = exact / days
    if amount * DAYS > MAX_STORED:
        raise _Refused("out_of_range", "This is more than any dose.")
    assert is_comparable(amount)  # noqa: S101 - whole parts of a day or a week are
    return amount, measure.of


def _measure(text: str, units: Units) -> tuple[UnitMeasure, int]:
    """What the unit measures, and the days of its period."""
    if not text:
        raise _Refused("unit_missing", "A dose has a unit, such as mg.", units.ids)
    if measure := units.measure(text):
        return measure, 1
    if text.endswith(_WEEK) and (measure := units.measure(text.removesuffix(_WEEK))):
        return measure, 7
    period = text.lower().rpartition("/")[2]
    if period in ("d", "day"):
        message = "A dose without a period is a daily total: leave out the part after the slash."
        raise _Refused("unknown_unit", message, units.ids)
    if period in ("w", "week"):
        raise _Refused("unknown_unit", "The unit of a weekly dose ends in `/wk`: `2.4 mg/wk`.", units.ids)
    if period in ("mo", "month"):
        message = "A month has no fixed length; give the dose of a day or a week."
        raise _Refused("unit_not_comparable", message, units.ids)
    close = nearest_terms(text.removesuffix(_WEEK), units.terms)
    if len(close) == 1:
        raise _Refused("unknown_unit", f"Units are UCUM codes: say {close[0]}.", units.ids, close)
    raise _Refused("unknown_unit", "Units are those in `allowed`, UCUM codes above all.", units.ids, close or None)


def _malformed() -> _Refused:
    return _Refused("wrong_format", "Write an amount or a range with its unit, as in `allowed`.")
