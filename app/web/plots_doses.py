"""The dose scale: recorded doses and the doses of trials, over the bands of daily doses."""

import math
from collections.abc import Container, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from app.claims.catalogue_responses import DosingRangeRead
from app.claims.dose_responses import DoseAmount
from app.claims.doses import PICOGRAMS, BandRange, Picograms, band_ranges, dose_of_arm
from app.claims.vocabulary import Unit
from app.concepts.manifest_doses import DoseTiers
from app.core.english import inline, quantity
from app.sources.queries import RETRACTED_REPORT
from app.sources.schemas import StudyRead
from app.web.plots import CHARACTER_WIDTH, LEFT, LINE_HEIGHT, RIGHT, WIDTH, Canvas, Cell, Plot, PlotTable, plot_of

_MG = PICOGRAMS[Unit.mg]
_UG, _NG = PICOGRAMS[Unit.ug], PICOGRAMS[Unit.ng]
_UNITS = ((_MG // 10, _MG, "mg"), (_UG, _UG, "microgram"), (0, _NG, "nanogram"))
"""From how many picograms on an amount is written in which unit, and what one of them is."""
ROOM = 1.6
"""How far the scale reaches beyond the lowest and the highest dose, as a factor."""
MAX_TICKS = 5


class DoseSpan(NamedTuple):
    """A dose on the scale: from the lowest to the highest daily total in picograms; an open end is null."""

    name: str
    text: str
    """The dose as the source words it."""
    address: str
    group: str
    """Under which heading it stands."""
    low: Picograms | None
    high: Picograms | None
    mark: str = ""
    """What a reader must know of the source first, such as that it was retracted."""

    @property
    def marked_name(self) -> str:
        return f"{self.name} ({inline(self.mark)})" if self.mark else self.name


RECORDED = "Recorded doses"
OF_STUDIES = "Doses given in studies"


def spans_of_ranges(ranges: Iterable[DosingRangeRead]) -> list[DoseSpan]:
    return [
        DoseSpan(
            r.dose_text, _origin(r), f"/dosing-ranges/{r.id}", RECORDED, _exact(r.low_amount), _exact(r.high_amount)
        )
        for r in ranges
    ]


def _exact(amount: DoseAmount | None) -> Fraction | None:
    return None if amount is None else Fraction(amount.picograms, amount.days)


def _origin(read: DosingRangeRead) -> str:
    return f"{inline(read.basis.label)}, {inline(read.intervention.name)}"


def spans_of_studies(studies: Iterable[StudyRead], retracted: Container[str] = ()) -> list[DoseSpan]:
    """The arms that say whether their source calls the dose low: those of the drug that the bands are for. Studies
    among the `retracted` are marked."""
    spans = []
    for study in studies:
        for arm in study.arms:
            dose = dose_of_arm(arm.dose_low, arm.dose_high, arm.dose_unit)
            if arm.called_low_dose is None or dose is None:
                continue
            text = arm.dose_text or "not reported"
            mark = RETRACTED_REPORT if study.id in retracted else ""
            spans.append(DoseSpan(study.name, text, f"/studies/{study.id}", OF_STUDIES, dose.low, dose.high, mark))
    return spans


def dose_plot(spans: Sequence[DoseSpan], title: str, tiers: DoseTiers | None) -> Plot | None:
    """The scale, with the bands of the intervention where it has some; null where no dose has a daily total."""
    bands, days = (band_ranges(tiers), 7 if tiers.per == "week" else 1) if tiers else ((), 1)
    drawn = [span for span in spans if span.low is not None or span.high is not None]
    if not drawn:
        return None
    ends = [end for span in drawn for end in (span.low, span.high) if end]
    low, high = float(min(ends)) / ROOM, float(max(ends)) * ROOM
    canvas = Canvas()
    _draw_bands(canvas, bands, days, (low, high))
    top = canvas.y
    for group in dict.fromkeys(span.group for span in drawn):
        canvas.y += 6
        canvas.label("side", group)
        for span in drawn:
            if span.group == group:
                _draw_span(canvas, span, (low, high))
    canvas.y += 10
    for start in (float(band.start) for band in bands):
        if low < start < high:
            canvas.line_below("guide", (_place(start, low, high), top), (_place(start, low, high), canvas.y))
    _draw_ticks(canvas, low, high, days)
    period = "a week" if days == 7 else "a day"
    description = f"{quantity(len(drawn), 'dose', 'doses')} on a logarithmic scale of totals {period}. " + " ".join(
        f"{span.marked_name}: {span_text(span)}." for span in drawn
    )
    notes = [
        f"A logarithmic scale of totals {period}: every step to the right is ten times as much.",
        "None of these doses is advice.",
    ]
    if len(drawn) < len(spans):
        notes.append("Doses whose daily total cannot be known stand in the table alone.")
    return plot_of("doses", canvas, (title, description), _table(spans), notes)


def _place(picograms: float, low: float, high: float) -> float:
    share = math.log(picograms / low) / math.log(high / low)
    return LEFT + (RIGHT - LEFT) * min(max(share, 0), 1)


def _draw_bands(canvas: Canvas, bands: Iterable[BandRange], days: int, scale: tuple[float, float]) -> None:
    """One line for the name of each band, over its stretch of the scale."""
    low, high = scale
    for number, band in enumerate(bands):
        start, end = float(band.start), None if band.end is None else float(band.end)
        if start > high or (end is not None and end < low):
            continue
        left, right = _place(max(start, low), low, high), _place(min(end or high, high), low, high)
        canvas.y += LINE_HEIGHT + 2
        canvas.box(f"band band-{number}", left, canvas.y + 3, (right - left, 5))
        words = _band_words(band.band.label, start * days, end if end is None else end * days)
        ends_there = left + len(words) * CHARACTER_WIDTH > WIDTH
        place, anchor = (right, "end") if ends_there else (left, "start")
        canvas.words("tick", place, canvas.y, words, anchor)
        canvas.y += 8


def _band_words(label: str, start: float, end: float | None) -> str:
    if end is None:
        return f"{label}: {amount_text(start)} and more"
    if not start:
        return f"{label}: below {amount_text(end)}"
    return f"{label}: {amount_text(start)} to {amount_text(end)}"


def _draw_span(canvas: Canvas, span: DoseSpan, scale: tuple[float, float]) -> None:
    canvas.y += 4
    canvas.label("name", span.name)
    if span.mark:
        canvas.label("side", span.mark)
    canvas.label("figures", f"{span_text(span)}; {span.text}" if span.group == RECORDED else span_text(span))
    canvas.y += 12
    left, right = _place(float(span.low or scale[0]), *scale), _place(float(span.high or scale[1]), *scale)
    css_class = "dose" if span.group == RECORDED else "dose study"
    if right - left < 1:
        canvas.dot(css_class, left, canvas.y, 6)
    else:
        canvas.box(css_class, left, canvas.y - 4, (right - left, 8))
    canvas.y += 4


def _draw_ticks(canvas: Canvas, low: float, high: float, days: int) -> None:
    """Powers of ten of the totals of so many days."""
    canvas.line("axis", (LEFT, canvas.y), (RIGHT, canvas.y))
    first, last = math.ceil(math.log10(low * days)), math.floor(math.log10(high * days))
    step = max(math.ceil((last - first + 1) / MAX_TICKS), 1)
    for power in range(first, last + 1, step):
        x = _place(10**power / days, low, high)
        canvas.line("axis", (x, canvas.y), (x, canvas.y + 5))
        anchor = "start" if x < LEFT + 30 else "end" if x > RIGHT - 30 else "middle"
        canvas.words("tick", x, canvas.y + 20, amount_text(10**power), anchor)
    canvas.y += 22


# --- words --------------------------------------------------------------------------------------------------------


def amount_text(picograms: float) -> str:
    """`4.5 mg`, `1 microgram`; a bound that lies one picogram off is written as the bound."""
    factor, name = next((factor, name) for least, factor, name in _UNITS if picograms >= least * 0.999999)
    number = round(picograms / factor, 5)
    plural = "" if name == "mg" or number == 1 else "s"
    return f"{number:g} {name}{plural}"


def span_text(span: DoseSpan) -> str:
    """The total of a day in words; of a week or so many days where only that is a whole number."""
    days = math.lcm(*(Fraction(end).denominator for end in (span.low, span.high) if end is not None))
    period = {1: "a day", 7: "a week"}.get(days, f"in {days} days")
    low, high = (None if end is None else float(end * days) for end in (span.low, span.high))
    if low is None and high is None:
        return "daily total not reported"
    if low is None:
        return f"up to {amount_text(high or 0)} {period}"
    if high is None:
        return f"{amount_text(low)} {period} or more"
    if low == high:
        return f"{amount_text(low)} {period}"
    return f"{amount_text(low)} to {amount_text(high)} {period}"


def _table(spans: Sequence[DoseSpan]) -> PlotTable:
    rows = tuple((Cell(s.marked_name, s.address), Cell(s.group), Cell(s.text), Cell(span_text(s))) for s in spans)
    return PlotTable("The doses behind the scale", ("Name", "Where it comes from", "As worded", "Total"), rows)
