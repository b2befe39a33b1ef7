"""The daily dose of an order, as far as it can be read: from its structure first, else from its text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from app.cds_hooks.fhir_json import member, objects, text_member
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
"""UCUM codes and common spellings. `MG` is a megagauss in UCUM, but a milligram in an order."""

_AMOUNT = re.compile(
    r"(?<![\d.,])(\d{1,6}(?:[.,]\d{1,6})?)\s*(mg|mcg|ug|ng|\N{MICRO SIGN}g|\N{GREEK SMALL LETTER MU}g|micrograms?|"
    r"milligrams?|nanograms?)\b(?!\s*/\s*(?:kg|ml|l)\b)",
    re.IGNORECASE,
)
_PIECES = re.compile(
    r"^\{?(?:cap|caps|capsule|capsules|tab|tabs|tbl|tablet|tablets|each|unit|pill)\}?s?$", re.IGNORECASE
)
_TIMES_A_DAY = (
    (re.compile(r"\b(?:twice|two times|2 ?x|2 times)\b.{0,12}\b(?:da(?:y|ily))|\bb\.?i\.?d\b", re.IGNORECASE), 2),
    (re.compile(r"\b(?:three times|3 ?x|3 times)\b.{0,12}\b(?:da(?:y|ily))|\bt\.?i\.?d\b", re.IGNORECASE), 3),
    (re.compile(r"\b(?:four times|4 ?x|4 times)\b.{0,12}\b(?:da(?:y|ily))|\bq\.?i\.?d\b", re.IGNORECASE), 4),
)
_TIMING_CODES = {"BID": 2, "TID": 3, "QID": 4, "QD": 1, "AM": 1, "PM": 1, "HS": 1, "BED": 1}

Amount = tuple[Decimal, Unit]
Instruction = Mapping[str, Any]
"""A dosage instruction of the order."""


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
        ends = dict.fromkeys(_milligrams(end) for end in (self.daily.low, self.daily.high) if end is not None)
        return f"{' to '.join(ends)} mg a day"


def read_dose(dosage: Any, words: Iterable[str], strengths: Iterable[Any] = ()) -> DoseReading | None:
    """The dose of an order, from its instructions, the words of its product and the strengths of its ingredients.

    Steps of a titration give a range; instructions without a sequence are added, since they may apply at once.
    """
    instructions, texts = objects(dosage), tuple(words)
    if doses := [dose for instruction in instructions if (dose := _structured_dose(instruction))]:
        return _combined(doses, instructions, "doseAndRate")
    strength = _strength(strengths, texts)
    if strength and (doses := [dose for i in instructions if (dose := _counted_dose(i, strength))]):
        return _combined(doses, instructions, "strength")
    written = [text for i in instructions for name in ("text", "patientInstruction") if (text := text_member(i, name))]
    return _dose_in_text(written, instructions) or _dose_in_text(texts, instructions)


def _structured_dose(instruction: Instruction) -> DailyDose | None:
    for rate in _rates(instruction):
        span, quantity = rate.get("doseRange"), rate.get("doseQuantity")
        ends = (span.get("low"), span.get("high")) if isinstance(span, dict) else (quantity, quantity)
        low, high = map(_amount, ends)
        units = {amount[1] for amount in (low, high) if amount}
        if len(units) == 1:
            return _per_day(low and low[0], high and high[0], units.pop(), instruction)
    return None


def _counted_dose(instruction: Instruction, strength: Amount) -> DailyDose | None:
    """A number of capsules or tablets times their strength."""
    for rate in _rates(instruction):
        quantity = rate.get("doseQuantity")
        unit = member(quantity, "code") or member(quantity, "unit")
        count = _decimal(member(quantity, "value"))
        if count and isinstance(unit, str) and _PIECES.match(unit.strip()):
            return _per_day(count * strength[0], count * strength[0], strength[1], instruction)
    return None


def _rates(instruction: Instruction) -> list[Instruction]:
    """The `doseAndRate` of R4, or the instruction itself, which holds the same members in STU3."""
    return [*objects(instruction.get("doseAndRate"))] or [instruction]


def _strength(strengths: Iterable[Any], words: Iterable[str]) -> Amount | None:
    for ratio in strengths:
        numerator, denominator = _amount(member(ratio, "numerator")), _decimal(member(ratio, "denominator", "value"))
        if numerator and denominator in (None, 1):
            return numerator
    amounts = {amount for text in words for amount in _amounts(text)}
    return amounts.pop() if len(amounts) == 1 else None


def _dose_in_text(texts: Iterable[str], instructions: list[dict[str, Any]]) -> DoseReading | None:
    texts = list(texts)
    timed = instructions[0] if len(instructions) == 1 and isinstance(member(instructions[0], "timing"), dict) else None
    doses = [
        _per_day(value, value, unit, timed) if timed else daily(value, value, unit, count=_times_a_day(texts))
        for text in texts
        for value, unit in _amounts(text)
    ]
    return _span([dose for dose in doses if dose], "text")


def _combined(doses: list[DailyDose], instructions: list[dict[str, Any]], read_from: str) -> DoseReading | None:
    steps = {step for instruction in instructions if isinstance(step := instruction.get("sequence"), int)}
    span = _span(doses, read_from)
    if span is None or len(doses) < 2 or len(steps) == len(instructions):
        return span
    highs = [dose.high for dose in doses]
    total = sum(high for high in highs if high is not None) if None not in highs else None
    return DoseReading(DailyDose(span.daily.low, total), read_from)


def _span(doses: list[DailyDose], read_from: str) -> DoseReading | None:
    """From the lowest to the highest dose; open on a side where one of them is."""
    if not doses:
        return None
    lows, highs = [dose.low for dose in doses], [dose.high for dose in doses]
    low = None if None in lows else min(low for low in lows if low is not None)
    high = None if None in highs else max(high for high in highs if high is not None)
    return DoseReading(DailyDose(low, high), read_from)


def _per_day(low: Decimal | None, high: Decimal | None, unit: Unit, instruction: Instruction) -> DailyDose | None:
    """The daily total; an order that does not say how often is read as once a day."""
    repeat = member(instruction, "timing", "repeat")
    period_unit, when = member(repeat, "periodUnit"), member(repeat, "when")
    if period_unit is None and member(repeat, "frequency") is None:
        count = len(when) if isinstance(when, list) and when else _times_of(instruction)
        return daily(low, high, unit, count=count)
    try:
        unit_of_period = PeriodUnit(period_unit) if period_unit is not None else PeriodUnit.d
    except ValueError:
        return None
    period = _integer(member(repeat, "period")) or 1
    frequency, max_frequency = (_integer(member(repeat, name)) for name in ("frequency", "frequencyMax"))
    least, most = (
        daily(low, high, unit, count=count or 1, period=period, period_unit=unit_of_period)
        for count in (frequency, max_frequency)
    )
    return DailyDose(least.low, most.high) if least and most and max_frequency else least


def _times_of(instruction: Instruction) -> int:
    code = member(instruction, "timing", "code")
    for coding in objects(member(code, "coding")):
        if count := _TIMING_CODES.get(text_member(coding, "code").upper()):
            return count
    return _times_a_day([text_member(instruction, "text"), text_member(code, "text")])


def _times_a_day(texts: Iterable[str]) -> int:
    return next((count for text in texts for pattern, count in _TIMES_A_DAY if pattern.search(text)), 1)


def _amount(quantity: Any) -> Amount | None:
    value = _decimal(member(quantity, "value"))
    for name in ("code", "unit"):
        unit = _UNITS.get(text_member(quantity, name).strip().lower())
        if unit is not None and value is not None:
            return value, unit
    return None


def _amounts(text: str) -> Iterator[Amount]:
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


def _integer(value: Any) -> int | None:
    number = _decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _milligrams(picograms: int) -> str:
    return f"{(Decimal(picograms) / PICOGRAMS[Unit.mg]).normalize():f}"
