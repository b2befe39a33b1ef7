"""The dates of an order: when it was written, and until when what was dispensed can have been taken."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.cds_hooks.bounds import MAX_INSTRUCTIONS, MAX_TEXT
from app.cds_hooks.bundles import Resource
from app.cds_hooks.dosage import decimal_of
from app.cds_hooks.fhir_json import member, objects, text_member

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_DAYS = 3650
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_DAYS_IN = {
    "min": Decimal(0), "h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7), "mo": Decimal(31), "a": Decimal(366),
    "day": Decimal(1), "days": Decimal(1), "week": Decimal(7), "weeks": Decimal(7), "month": Decimal(31),
    "months": Decimal(31), "year": Decimal(366), "years": Decimal(366), "hours": Decimal(1) / 24,
}  # fmt: skip
"""Days in a unit of time, by UCUM code and common word."""
_FOR_DAYS = re.compile(r"\b(?:for|x)\s+(\d{1,3})\s*(days?|weeks?|months?)\b", re.IGNORECASE)


def written_on(order: Resource) -> date | None:
    """When an order was written or a statement made. Never an end date, nor the start of a future supply."""
    return max(_dates(order, "authoredOn", "dateAsserted"), default=None)


def recorded_on(order: Resource) -> date | None:
    """The latest moment at which the record system can have written the order."""
    values = [written_on(order), _date(member(order, "meta", "lastUpdated"))]
    return max((value for value in values if value), default=None)


def started_on(order: Resource) -> date | None:
    """When an order was written, or when what a statement says began."""
    effective = _dates(order, "effectiveDateTime") + _period_ends([order.get("effectivePeriod")], "start")
    return min(effective, default=None) or written_on(order)


def last_day(order: Resource, acting_days: int = 0) -> date | None:
    """The latest day on which the medicine can have been taken or can have acted, by all that the order says.

    `acting_days` is how long one dose acts. When the record was last changed says nothing: records are moved. Nor does
    the end of the period in which a prescription may be filled, if the order says how long the supply lasts.
    """
    validity, *bounds = _periods(order)
    periods = [validity, *bounds]
    supply_days = _supply_days(order)
    effective = [*_dates(order, "effectiveDateTime"), *_period_ends([order.get("effectivePeriod")], "start", "end")]
    asserted = [] if effective else _dates(order, "dateAsserted")
    starts = [*_dates(order, "authoredOn"), *effective, *asserted, *_period_ends(periods, "start")]
    ends = _period_ends(bounds if supply_days else periods, "end") + _dates(order, "statusChanged")
    if starts:
        days = max(supply_days, _course_days(order), acting_days)
        ends.append(max(starts) + timedelta(days=min(days, _MAX_DAYS)))
    return max(ends, default=None)


def _periods(order: Resource) -> Iterator[Any]:
    """The period in which the prescription may be filled, then those of the instructions; null where there is none."""
    yield member(order, "dispenseRequest", "validityPeriod")
    for instruction in dosage_instructions(order):
        yield member(instruction, "timing", "repeat", "boundsPeriod")


def dosage_instructions(order: Resource) -> list[dict[str, Any]]:
    """As many of them as are read."""
    dosage = order.get("dosageInstruction", order.get("dosage"))
    return objects(dosage, MAX_INSTRUCTIONS) or objects([dosage])


def instruction_texts(instruction: Resource) -> list[str]:
    return [text for name in ("text", "patientInstruction") if (text := text_member(instruction, name))]


def dose_texts(instruction: Resource) -> list[str]:
    """All texts of an instruction in which a dose is looked for."""
    return [*instruction_texts(instruction), text_member(instruction, "timing", "code", "text")[:MAX_TEXT]]


def has_unread_instructions(order: Resource) -> bool:
    """Whether the instructions of an order say more than is read."""
    dosage = order.get("dosageInstruction", order.get("dosage"))
    lists = [dosage, *(one.get("doseAndRate") for one in dosage_instructions(order))]
    if any(isinstance(one, list) and len(one) > MAX_INSTRUCTIONS for one in lists):
        return True
    return any(len(text) > MAX_TEXT for one in dosage_instructions(order) for text in instruction_texts(one))


def _supply_days(order: Resource) -> int:
    """Days that all dispensings together last, repeats included."""
    request = order.get("dispenseRequest")
    repeats = decimal_of(member(request, "numberOfRepeatsAllowed")) or Decimal(0)
    return _whole_days(member(request, "expectedSupplyDuration"), 1 + repeats)


def _course_days(order: Resource) -> int:
    """Days of the instructions: of all steps together, or of the longest of those that are not steps."""
    instructions = dosage_instructions(order)
    days = [_instruction_days(instruction) for instruction in instructions]
    is_stepwise = all(isinstance(instruction.get("sequence"), int) for instruction in instructions)
    return sum(days) if is_stepwise else max(days, default=0)


def _instruction_days(instruction: Resource) -> int:
    """How long the instruction lasts, or the time from one dose to the next if that is longer."""
    repeat = member(instruction, "timing", "repeat")
    interval = {"value": member(repeat, "period"), "code": member(repeat, "periodUnit")}
    durations = [member(repeat, "boundsDuration"), member(repeat, "boundsRange", "high"), interval]
    written = [
        int(number) * int(_DAYS_IN[unit.lower()])
        for text in instruction_texts(instruction)
        for number, unit in _FOR_DAYS.findall(text[:MAX_TEXT])
    ]
    return max([*(_whole_days(duration) for duration in durations), sum(written)])


def _whole_days(duration: Any, factor: Decimal = Decimal(1)) -> int:
    value = decimal_of(member(duration, "value"))
    unit = text_member(duration, "code") or text_member(duration, "unit") or "d"
    days = _DAYS_IN.get(unit.strip().lower()) or _DAYS_IN.get(text_member(duration, "unit").strip().lower())
    return 0 if value is None or days is None else min(int(value * days * factor), _MAX_DAYS)


def _dates(order: Resource, *names: str) -> list[date]:
    return [found for name in names if (found := _date(order.get(name)))]


def _period_ends(periods: list[Any], *names: str) -> list[date]:
    return [found for period in periods for name in names if (found := _date(member(period, name)))]


def _date(value: Any) -> date | None:
    """The day of a date or time; null for a month or year alone, and for a day on which no record can be of use."""
    match = _DATE.match(value) if isinstance(value, str) else None
    try:
        day = date.fromisoformat(match[0]) if match else None
    except ValueError:
        return None
    return day if day and _FIRST_YEAR <= day.year <= _LAST_YEAR else None
