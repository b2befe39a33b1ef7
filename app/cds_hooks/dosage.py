"""The daily dose of an order, as far as it can be read: from its structure first, else from its words."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from app.cds_hooks.bounds import MAX_INSTRUCTIONS
from app.cds_hooks.dose_text import (
    MASSES,
    PIECE_UNIT,
    VOLUME_UNIT,
    AmountWords,
    DoseWords,
    Mass,
    Pieces,
    Product,
    Quantity,
    Span,
    UnreadableDose,
    Volume,
    fold_unit,
    read_instruction,
)
from app.cds_hooks.fhir_json import member, objects, text_member
from app.claims.doses import DAYS, MAX_STORED, Amount, DailyDose, bands_of
from app.concepts.manifest_doses import DoseBand, DoseTiers
from app.concepts.units import MASS, Units

_DAYS_IN = {"h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7)}
_TIMING_CODES = {
    "BID": Fraction(2), "TID": Fraction(3), "QID": Fraction(4), "QD": Fraction(1), "AM": Fraction(1), "PM": Fraction(1),
    "HS": Fraction(1), "BED": Fraction(1), "QOD": Fraction(1, 2), "Q4H": Fraction(6), "Q6H": Fraction(4),
    "Q8H": Fraction(3), "WK": Fraction(1, 7),
}  # fmt: skip
_LEAST_TIMES_A_DAY = Fraction(1, 7)
"""What is given more rarely than once a week, such as a monthly injection, has no daily dose."""

_MAX_UNIT = 100
"""Characters of a unit that are read."""
_MAX_MILLIGRAMS = 1_000_000
"""No daily dose is as large."""

Instruction = Mapping[str, Any]
"""A dosage instruction of the order."""
Times = tuple[Fraction, Fraction]
"""Least and most times a day."""


@dataclass(frozen=True)
class DoseReading:
    """A daily total, and where it was read."""

    daily: DailyDose
    read_from: str
    """`doseAndRate`, `strength` (of the product, times how much is taken) or `text`."""

    amounts: AmountWords = MASSES
    tiers: tuple[DoseBand, ...] = ()
    """The bands that it touches; none where the data set tells none apart."""

    def in_bands(self, tiers: DoseTiers | None, units: Units) -> "DoseReading":
        return replace(self, tiers=bands_of(self.daily, tiers, units))

    @property
    def text(self) -> str:
        ends = (end for end in (self.daily.low, self.daily.high) if end is not None)
        texts = dict.fromkeys(_decimal_text(end, self.amounts.smallest) for end in ends)
        return f"{' to '.join(texts)} {self.amounts.name} a day"


def read_dose(
    dosage: Any, product: Product, own_words: Collection[str] = (), amounts: AmountWords = MASSES
) -> DoseReading | None:
    """The dose of an order, from its instructions and the strength of its product.

    Steps of a titration give a range; instructions without a sequence are added, since they may apply at once. Null if
    nothing is said, or if any instruction cannot be read without guessing. `own_words` name the drug itself.
    """
    instructions = objects(dosage) or objects([dosage])
    try:
        doses = [
            dose
            for instruction in instructions
            if (dose := _instruction_dose(instruction, product, own_words, amounts))
        ]
        return _combined(doses, instructions) if doses else _dose_of_product(instructions, product, amounts)
    except UnreadableDose:
        return None


def _instruction_dose(
    instruction: Instruction, product: Product, own_words: Collection[str], amounts: AmountWords
) -> DoseReading | None:
    """Null if the instruction names no amount."""
    texts = [text for name in ("text", "patientInstruction") if (text := text_member(instruction, name))]
    ranges = [ends for ends in map(_ends, _rates(instruction)) if ends != (None, None)]
    for ends in ranges:
        if dose := _dose_of_range(ends, product, instruction, texts, amounts):
            return dose
    for text in texts:
        words = read_instruction(text, own_words, amounts)
        if words.quantities:
            return _dose_in_words(words, product, instruction, texts, amounts)
        if words.is_titration:
            raise UnreadableDose  # by a schedule that is not here
    if ranges:
        raise UnreadableDose
    return None


def _dose_of_range(
    ends: tuple[Any, Any], product: Product, instruction: Instruction, texts: list[str], amounts: AmountWords
) -> DoseReading | None:
    """The dose of a range, of which one end may be open; null if an end cannot be read."""
    quantities = [_quantity(end, amounts) for end in ends]
    spans = [_span_of(quantity, product) if quantity else None for quantity in quantities]
    if any(span is None and end is not None for span, end in zip(spans, ends, strict=True)):
        return None
    low, high = spans
    is_mass = all(quantity is None or isinstance(quantity, Mass) for quantity in quantities)
    times = _times(instruction, texts)
    read_from = "doseAndRate" if is_mass else "strength"
    return _per_day(low.low if low else None, high.high if high else None, times, read_from, amounts)


def _rates(instruction: Instruction) -> list[Instruction]:
    """The `doseAndRate` of R4, a list or a single object, or the instruction itself, as in STU3."""
    rates = instruction.get("doseAndRate")
    if isinstance(rates, list) and len(rates) > MAX_INSTRUCTIONS:
        raise UnreadableDose
    return [*objects(rates)] or [*objects([rates])] or [instruction]


def _ends(rate: Instruction) -> tuple[Any, Any]:
    span, quantity = rate.get("doseRange"), rate.get("doseQuantity")
    return (span.get("low"), span.get("high")) if isinstance(span, dict) else (quantity, quantity)


def _quantity(value: Any, amounts: AmountWords) -> Quantity | None:
    """A FHIR Quantity as an amount, a number of pieces or a volume; null if it is none of them."""
    decimal = decimal_of(member(value, "value"))
    for name in ("code", "unit"):
        unit = fold_unit(text_member(value, name)[:_MAX_UNIT])
        if decimal is None or not unit:
            continue
        if unit in amounts.factors and (name == "code" or not PIECE_UNIT.fullmatch(unit)):
            return Mass(Span(decimal, decimal).times(amounts.factors[unit]))
        if VOLUME_UNIT.fullmatch(unit):
            return Volume(Span(decimal, decimal))
        if PIECE_UNIT.match(unit):
            return Pieces(Span(decimal, decimal))
    return None


def _span_of(quantity: Quantity, product: Product) -> Span | None:
    """The milligrams of a quantity; null if the product does not say what it holds."""
    if isinstance(quantity, Mass):
        return quantity.span
    if isinstance(quantity, Volume):
        return quantity.span.times(product.concentration) if product.concentration else None
    each = quantity.each or product.strength
    return quantity.count.times(each) if each else None


def coded_product(strengths: Iterable[Any], amounts: AmountWords = MASSES) -> Product | None:
    """What is coded about the strengths of the ingredients; null if nothing is that can be read."""
    for ratio in strengths:
        numerator, denominator = (_quantity(member(ratio, name), amounts) for name in ("numerator", "denominator"))
        amount = decimal_of(member(ratio, "denominator", "value")) or Decimal(1)
        if isinstance(numerator, Mass) and isinstance(denominator, Volume):
            return Product(concentration=numerator.span.low / amount)
        if isinstance(numerator, Mass) and amount == 1:
            return Product(strength=numerator.span.low)
    return None


def _dose_in_words(
    words: DoseWords, product: Product, instruction: Instruction, texts: list[str], amounts: AmountWords
) -> DoseReading:
    if words.concentration and not product.concentration:
        product = Product(product.strength, words.concentration)
    spans = _distinct_spans(words, product)
    if words.is_titration:
        span = Span(min(span.low for span in spans), max(span.high for span in spans))
    elif words.is_split:
        span = Span(sum((s.low for s in spans), Decimal()), sum((s.high for s in spans), Decimal()))
    elif len(set(spans)) == 1:
        span = spans[0]
    else:
        raise UnreadableDose
    is_counted = all(isinstance(quantity, Pieces) and not quantity.each for quantity in words.quantities)
    times = (Fraction(1), Fraction(1)) if words.is_split else _times(instruction, texts)
    return _per_day(span.low, span.high, times, "strength" if is_counted else "text", amounts)


def _distinct_spans(words: DoseWords, product: Product) -> list[Span]:
    """The amounts of each intake, without those that say again what a number of pieces or a volume says."""
    masses = [quantity.span for quantity in words.quantities if isinstance(quantity, Mass)]
    others = [quantity for quantity in words.quantities if not isinstance(quantity, Mass)]
    spans = [span for quantity in others if (span := _span_of(quantity, product))]
    if not masses and len(spans) == len(others):
        return spans
    if not masses or (spans and len(spans) < len(others)):
        raise UnreadableDose
    if spans:
        known = {*spans, *(Span(s, s) for s in (product.strength,) if s is not None)}
        if not known.issuperset(masses):
            raise UnreadableDose
        return spans
    counts = {quantity.count for quantity in others if isinstance(quantity, Pieces)}
    if counts - {Span(Decimal(1), Decimal(1))}:
        raise UnreadableDose  # several pieces, and nothing says whether the amount is of one or of all
    return masses


def _dose_of_product(instructions: list[dict[str, Any]], product: Product, amounts: AmountWords) -> DoseReading | None:
    """One capsule or tablet at a time, where the instructions name no amount."""
    if product.strength is None:
        return None
    instruction = instructions[0] if len(instructions) == 1 else {}
    texts = [text_member(instruction, name) for name in ("text", "patientInstruction")]
    return _per_day(product.strength, product.strength, _times(instruction, texts), "strength", amounts)


def _combined(doses: list[DoseReading], instructions: list[dict[str, Any]]) -> DoseReading:
    """From the lowest to the highest dose of the steps, or to the sum of doses that are not steps."""
    steps = {step for instruction in instructions if isinstance(step := instruction.get("sequence"), int)}
    lows, highs = [dose.daily.low for dose in doses], [dose.daily.high for dose in doses]
    low = None if None in lows else min(low for low in lows if low is not None)
    if None in highs:
        high = None
    elif len(doses) < 2 or len(steps) == len(instructions):
        high = max(high for high in highs if high is not None)
    else:
        high = sum(high for high in highs if high is not None)
    amounts = doses[0].amounts
    return DoseReading(DailyDose(low, high, amounts.of), doses[0].read_from, amounts)


# --- how often ----------------------------------------------------------------------------------------------------


def _per_day(
    low: Decimal | None, high: Decimal | None, times: Times, read_from: str, amounts: AmountWords
) -> DoseReading:
    if times[0] < _LEAST_TIMES_A_DAY:
        raise UnreadableDose
    ends = [
        None if end is None else round(Fraction(end) * factor / Fraction(amounts.smallest))
        for end, factor in zip((low, high), times, strict=True)
    ]
    limit = _MAX_MILLIGRAMS / amounts.smallest if amounts.of == MASS else MAX_STORED // DAYS
    if any(end is not None and not 0 < end < limit for end in ends):
        raise UnreadableDose
    return DoseReading(DailyDose(ends[0], ends[1], amounts.of), read_from, amounts)


def _times(instruction: Instruction, texts: Iterable[str]) -> Times:
    """By the structure, else by the words; an order that does not say how often is read as once a day."""
    if times := _times_of_timing(member(instruction, "timing")):
        return times
    texts = [*texts, text_member(instruction, "timing", "code", "text")]
    for text in texts:
        if text and (found := read_instruction(text).times_a_day) is not None:
            return found, found
    return Fraction(1), Fraction(1)


def _times_of_timing(timing: Any) -> Times | None:
    repeat = member(timing, "repeat")
    days, whens, hours = (_length(member(repeat, name)) for name in ("dayOfWeek", "when", "timeOfDay"))
    if days:
        return Fraction(days, 7), Fraction(days, 7)
    if member(repeat, "periodUnit") is not None or member(repeat, "frequency") is not None:
        return _times_of_repeat(repeat)
    if whens or hours:
        return Fraction(whens or hours), Fraction(whens or hours)
    for coding in objects(member(timing, "code", "coding")):
        if times := _TIMING_CODES.get(text_member(coding, "code").upper()):
            return times, times
    return None


def _times_of_repeat(repeat: Any) -> Times:
    unit = member(repeat, "periodUnit")
    days = _DAYS_IN.get(unit if isinstance(unit, str) else "d") if unit is not None else Fraction(1)
    if days is None:
        raise UnreadableDose
    frequency = decimal_of(member(repeat, "frequency")) or Decimal(1)
    period = decimal_of(member(repeat, "period")) or Decimal(1)
    most = decimal_of(member(repeat, "frequencyMax")) or frequency
    longest = decimal_of(member(repeat, "periodMax")) or period
    return Fraction(frequency) / (Fraction(longest) * days), Fraction(most) / (Fraction(period) * days)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def decimal_of(value: Any) -> Decimal | None:
    """A positive number of a size that a dose can have."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        decimal = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    return decimal if decimal.is_finite() and 0 < decimal < 1_000_000 else None


def _decimal_text(parts: Amount, smallest: Decimal) -> str:
    """Exact where three digits after the point are enough or the dose is below a thousandth; else rounded."""
    amount = Decimal(round(parts)) * smallest
    if amount >= Decimal("0.001"):
        rounded = round(amount, 4)
        return f"{'' if rounded == amount else 'about '}{rounded.normalize():f}"
    return f"{amount.normalize():f}"
