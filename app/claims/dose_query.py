"""Parses dose expressions: `4.5 mg`, `1.5..4.5 mg`, `..5 mg`, `1 mg..`, `2.4 mg/wk`. Exact totals, of a day unless the
unit names the week; both ends inclusive."""

import re
from decimal import Decimal
from fractions import Fraction

from app.claims.doses import DAYS, MAX_STORED, PICOGRAMS, DailyDose, is_comparable, picograms
from app.claims.vocabulary import Unit
from app.core.errors import Fault, InvalidInput, Where, nearest

MAX_LENGTH = 60
"""Characters of a dose expression."""
EXAMPLES = ("4.5 mg", "1.5..4.5 mg", "4500 ug", "..5 mg", "1 mg..", "2.4 mg/wk")
UNITS = tuple(unit.value for unit in PICOGRAMS)

_WEEK = "/wk"
_INTERNATIONAL_UNITS = ("[iu]", "iu", "units", "unit", "u")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,12})?")
_END = re.compile(r"(?P<number>[^\s\w]*[0-9][0-9.,eE+_]*)?\s*(?P<unit>.*)", re.DOTALL)
_SPELLINGS = {
    "mcg": Unit.ug,
    "µg": Unit.ug,
    "μg": Unit.ug,
    "microgram": Unit.ug,
    "micrograms": Unit.ug,
    "milligram": Unit.mg,
    "milligrams": Unit.mg,
    "mgs": Unit.mg,
    "nanogram": Unit.ng,
    "nanograms": Unit.ng,
    "gram": Unit.g,
    "grams": Unit.g,
    "gm": Unit.g,
}
"""Common spelling of a unit → its UCUM code."""


class _Refused(ValueError):
    """The expression cannot be read; `parse` adds the field."""

    def __init__(
        self, code: str, message: str, allowed: tuple[str, ...] = UNITS, did_you_mean: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.allowed, self.did_you_mean = code, message, allowed, did_you_mean


def parse(text: str, *, where: Where = "query", field: str = "dose") -> DailyDose:
    """The range of daily totals that the expression names; InvalidInput says what would be right."""
    try:
        return _range(text)
    except _Refused as refused:
        fault = Fault(where, field, refused.code, refused.message, refused.allowed, refused.did_you_mean)
        raise InvalidInput("The dose cannot be read.", errors=[fault]) from None


def _range(text: str) -> DailyDose:
    if len(text) > MAX_LENGTH:
        raise _Refused("too_long", f"A dose has at most {MAX_LENGTH} characters.", EXAMPLES)
    ends = text.strip().split("..")
    if len(ends) > 2 or not any(end.strip() for end in ends):
        raise _malformed()
    if len(ends) == 1:
        amount = _picograms(*_end(ends[0]))
        return DailyDose(amount, amount)
    (low, low_unit), (high, high_unit) = (_end(end) for end in ends)
    if low is None and high is None:
        raise _malformed()
    if (low is None and low_unit) or (high is None and high_unit):
        raise _malformed()
    dose = DailyDose(
        None if low is None else _picograms(low, low_unit or high_unit),
        None if high is None else _picograms(high, high_unit),
    )
    if dose.low is not None and dose.high is not None and dose.low > dose.high:
        raise _Refused("reversed", "The lower end comes first: `1.5..4.5 mg`.", EXAMPLES)
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
        raise _Refused("out_of_range", "A dose cannot be negative.", EXAMPLES)
    if "," in number:
        raise _Refused("wrong_format", "Write the decimal mark as a point: `4.5 mg`.", EXAMPLES)
    if not _NUMBER.fullmatch(number):
        raise _Refused(
            "wrong_format", "Write a plain decimal of at most 15 digits before and 12 after the point.", EXAMPLES
        )
    return Decimal(number), match["unit"]


def _picograms(number: Decimal | None, unit: str) -> Fraction:
    if number is None:
        raise _malformed()
    exact = picograms(number, _unit(unit.removesuffix(_WEEK)))
    if exact is None or exact.denominator != 1:
        raise _Refused("too_precise", "A dose is a whole number of picograms.", EXAMPLES)
    amount = exact / 7 if unit.endswith(_WEEK) else exact
    if amount * DAYS > MAX_STORED:
        raise _Refused("out_of_range", "This is more than any dose.", EXAMPLES)
    assert is_comparable(amount)  # noqa: S101 - whole picograms of a day or a week are
    return amount


def _unit(text: str) -> Unit:
    if text in UNITS:
        return Unit(text)
    if not text:
        raise _Refused("unit_missing", "A dose has a unit, such as mg.")
    if text == Unit.mg_per_kg:
        raise _Refused("unit_not_comparable", "Doses per body weight have no daily total; give the dose itself.")
    if text.lower() in _INTERNATIONAL_UNITS:
        message = "International units cannot be compared with weights; give the dose as a weight."
        raise _Refused("unit_not_comparable", message)
    period = text.lower().rpartition("/")[2]
    if period in ("d", "day"):
        raise _Refused("unknown_unit", "A dose without a period is a daily total: leave out the part after the slash.")
    if period in ("w", "week", "wk"):
        raise _Refused("unknown_unit", "The unit of a weekly dose ends in `/wk`: `2.4 mg/wk`.")
    if period in ("mo", "month"):
        raise _Refused("unit_not_comparable", "A month has no fixed length; give the dose of a day or a week.")
    meant = _SPELLINGS.get(text.lower()) or (Unit(text.lower()) if text.lower() in UNITS else None)
    if meant is not None:
        raise _Refused("unknown_unit", f"Units are UCUM codes: say {meant}.", did_you_mean=(meant.value,))
    close = nearest(text.lower(), UNITS) if text.isascii() else ()
    raise _Refused("unknown_unit", "Units are the UCUM codes in `allowed`.", did_you_mean=close or None)


def _malformed() -> _Refused:
    return _Refused("wrong_format", "Write an amount or a range with its unit, as in `allowed`.", EXAMPLES)
