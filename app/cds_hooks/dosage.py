"""The daily dose that an order asks for, as far as it can be read: from structure first, else from its text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from app.claims.doses import PICOGRAMS, DailyDose, daily
from app.claims.vocabulary import DoseTier, PeriodUnit, Unit

_UNITS = {
    "mg": Unit.mg,
    "milligram": Unit.mg,
    "milligrams": Unit.mg,
    "ug": Unit.ug,
    "\N{MICRO SIGN}g": Unit.ug,
    "\N{GREEK SMALL LETTER MU}g": Unit.ug,
    "mcg": Unit.ug,
    "microgram": Unit.ug,
    "micrograms": Unit.ug,
    "ng": Unit.ng,
    "nanogram": Unit.ng,
    "nanograms": Unit.ng,
    "g": Unit.g,
}
"""UCUM, and what people write for it. `MG` is a megagauss in UCUM and a milligram in every order."""

_AMOUNT = re.compile(
    r"(?<![\d.,])(\d{1,6}(?:[.,]\d{1,6})?)\s*(mg|mcg|ug|ng|\N{MICRO SIGN}g|\N{GREEK SMALL LETTER MU}g|micrograms?|"
    r"milligrams?|nanograms?)\b(?!\s*/\s*(?:kg|ml|l)\b)",
    re.IGNORECASE,
)
_PIECES = re.compile(
    r"^\{?(?:cap|caps|capsule|capsules|tab|tabs|tbl|tablet|tablets|each|unit|pill)\}?s?$", re.IGNORECASE
)
_TIMES = (
    (re.compile(r"\b(?:twice|two times|2 ?x|2 times)\b.{0,12}\b(?:da(?:y|ily))|\bb\.?i\.?d\b", re.IGNORECASE), 2),
    (re.compile(r"\b(?:three times|3 ?x|3 times)\b.{0,12}\b(?:da(?:y|ily))|\bt\.?i\.?d\b", re.IGNORECASE), 3),
    (re.compile(r"\b(?:four times|4 ?x|4 times)\b.{0,12}\b(?:da(?:y|ily))|\bq\.?i\.?d\b", re.IGNORECASE), 4),
)
_CODES = {"BID": 2, "TID": 3, "QID": 4, "QD": 1, "AM": 1, "PM": 1, "HS": 1, "BED": 1}


@dataclass(frozen=True)
class DoseReading:
    """A daily total, and where it was read."""

    daily: DailyDose
    read_from: str
    """`doseAndRate`, `strength` (of the product, times how many are taken) or `text`."""

    @property
    def tiers(self) -> tuple[DoseTier, ...]:
        return self.daily.tiers

    @property
    def text(self) -> str:
        low, high = self.daily.low, self.daily.high
        ends = list(dict.fromkeys(_milligrams(end) for end in (low, high) if end is not None))
        return f"{' to '.join(ends)} mg a day"


def read(instructions: Any, words: Iterable[str], strengths: Iterable[Any] = ()) -> DoseReading | None:
    """The dose of an order: the steps of a titration give a range; doses at the same time may be taken together."""
    given = [i for i in instructions if isinstance(i, dict)] if isinstance(instructions, list) else []
    structured = [dose for instruction in given if (dose := _structured(instruction))]
    if structured:
        return _join(structured, given, "doseAndRate")
    texts = tuple(words)
    strength = _strength(strengths, texts)
    counted = [dose for instruction in given if (dose := _pieces(instruction, strength))]
    if counted:
        return _join(counted, given, "strength")
    told = [text for i in given for name in ("text", "patientInstruction") if isinstance(text := i.get(name), str)]
    return _from_text(told, given) or _from_text(texts, given)


def _structured(instruction: Mapping[str, Any]) -> DailyDose | None:
    for rate in _list(instruction.get("doseAndRate")) or [dict(instruction)]:
        quantity, span = rate.get("doseQuantity"), rate.get("doseRange")
        ends = (span.get("low"), span.get("high")) if isinstance(span, dict) else (quantity, quantity)
        low, high = (_amount(end) for end in ends)
        if low is None and high is None:
            continue
        unit = (low or high or (Decimal(0), Unit.mg))[1]
        if low and high and low[1] is not high[1]:
            continue
        return _per_day(low and low[0], high and high[0], unit, instruction)
    return None


def _pieces(instruction: Mapping[str, Any], strength: tuple[Decimal, Unit] | None) -> DailyDose | None:
    """So many capsules of a known strength."""
    if strength is None:
        return None
    for rate in _list(instruction.get("doseAndRate")) or [dict(instruction)]:
        quantity = rate.get("doseQuantity")
        if not isinstance(quantity, dict):
            continue
        unit = quantity.get("code") or quantity.get("unit")
        value = _decimal(quantity.get("value"))
        if value and isinstance(unit, str) and _PIECES.match(unit.strip()):
            return _per_day(value * strength[0], value * strength[0], strength[1], instruction)
    return None


def _strength(strengths: Iterable[Any], words: Iterable[str]) -> tuple[Decimal, Unit] | None:
    for ratio in strengths:
        numerator = _amount(ratio.get("numerator")) if isinstance(ratio, dict) else None
        per = ratio.get("denominator") if isinstance(ratio, dict) else None
        count = _decimal(per.get("value")) if isinstance(per, dict) else Decimal(1)
        if numerator and (count is None or count == 1):
            return numerator
    found = [amount for text in words for amount in _amounts(text)]
    return found[0] if len(set(found)) == 1 else None


def _from_text(texts: Iterable[str], given: list[dict[str, Any]]) -> DoseReading | None:
    texts = list(texts)
    found = [amount for text in texts for amount in _amounts(text)]
    if not found:
        return None
    count = next((times for text in texts for pattern, times in _TIMES if pattern.search(text)), 1)
    timed = given[0] if len(given) == 1 and isinstance(given[0].get("timing"), dict) else {}
    doses = [
        _per_day(value, value, unit, timed) if timed else daily(value, value, unit, count=count)
        for value, unit in found
    ]
    return _span([dose for dose in doses if dose], "text")


def _join(doses: list[DailyDose], given: list[dict[str, Any]], read_from: str) -> DoseReading | None:
    steps = {step for i in given if isinstance(step := i.get("sequence"), int)}
    joined = _span(doses, read_from)
    if joined is None or len(doses) < 2 or len(steps) == len(given):
        return joined
    highs = [dose.high for dose in doses]
    together = sum(high for high in highs if high is not None) if None not in highs else None
    return DoseReading(DailyDose(joined.daily.low, together), read_from)


def _span(doses: list[DailyDose], read_from: str) -> DoseReading | None:
    """From the lowest to the highest; what has no end on one side stays open there."""
    if not doses:
        return None
    lows, highs = [dose.low for dose in doses], [dose.high for dose in doses]
    low = None if None in lows else min(low for low in lows if low is not None)
    high = None if None in highs else max(high for high in highs if high is not None)
    return DoseReading(DailyDose(low, high), read_from)


def _per_day(low: Decimal | None, high: Decimal | None, unit: Unit, instruction: Mapping[str, Any]) -> DailyDose | None:
    timing = instruction.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    if not isinstance(repeat, dict):
        # An order that does not say how often is read as once a day.
        return daily(low, high, unit, count=_times(instruction))
    period_unit = repeat.get("periodUnit")
    if period_unit is None and repeat.get("frequency") is None:
        when = repeat.get("when")
        return daily(low, high, unit, count=len(when) if isinstance(when, list) and when else _times(instruction))
    try:
        unit_of_period = PeriodUnit(period_unit) if period_unit is not None else PeriodUnit.d
    except ValueError:
        return None
    counts = [_whole(repeat.get(name)) for name in ("frequency", "frequencyMax")]
    least = daily(
        low, high, unit, count=counts[0] or 1, period=_whole(repeat.get("period")) or 1, period_unit=unit_of_period
    )
    if least is None or not counts[1]:
        return least
    most = daily(low, high, unit, count=counts[1], period=_whole(repeat.get("period")) or 1, period_unit=unit_of_period)
    return DailyDose(least.low, most.high) if most else least


def _times(instruction: Mapping[str, Any]) -> int:
    timing = instruction.get("timing")
    code = timing.get("code") if isinstance(timing, dict) else None
    for coding in _list(code.get("coding")) if isinstance(code, dict) else []:
        if isinstance(named := coding.get("code"), str) and named.upper() in _CODES:
            return _CODES[named.upper()]
    texts = (instruction.get("text"), code.get("text") if isinstance(code, dict) else None)
    return next((n for text in texts if isinstance(text, str) for pattern, n in _TIMES if pattern.search(text)), 1)


def _amount(quantity: Any) -> tuple[Decimal, Unit] | None:
    if not isinstance(quantity, dict):
        return None
    value = _decimal(quantity.get("value"))
    for name in ("code", "unit"):
        written = quantity.get(name)
        unit = _UNITS.get(written.strip().lower()) if isinstance(written, str) else None
        if unit is not None and value is not None:
            return value, unit
    return None


def _amounts(text: str) -> Iterator[tuple[Decimal, Unit]]:
    for value, unit in _AMOUNT.findall(text[:2000]):
        amount = _decimal(value.replace(",", "."))
        if amount is not None:
            yield amount, _UNITS[unit.lower()]


def _decimal(value: Any) -> Decimal | None:
    """A positive number of a size that a dose can have."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 < number < 1_000_000 else None


def _whole(value: Any) -> int | None:
    number = _decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _milligrams(picograms: int) -> str:
    return f"{(Decimal(picograms) / PICOGRAMS[Unit.mg]).normalize():f}"
