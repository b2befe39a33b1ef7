"""The dose scale: recorded doses and the doses of trials, over the bands of daily doses."""

import math
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from app.claims.catalogue_responses import DosingRangeRead
from app.claims.doses import PICOGRAMS, Amount, BandRange, band_ranges, dose_of_arm
from app.concepts.manifest_doses import DoseTiers
from app.concepts.units import MASS, Units
from app.core.english import inline, quantity
from app.sources.queries import RETRACTED_REPORT
from app.sources.schemas import StudyRead
from app.web.plots import CHARACTER_WIDTH, LEFT, LINE_HEIGHT, RIGHT, WIDTH, Canvas, Cell, Plot, PlotTable, plot_of

_MG, _UG, _NG = (PICOGRAMS[unit] for unit in ("mg", "ug", "ng"))
_UNITS = ((_MG // 10, _MG, "mg"), (_UG, _UG, "microgram"), (0, _NG, "nanogram"))
"""From how many picograms on an amount is written in which unit, and what one of them is."""
ROOM = 1.6
"""How far the scale reaches beyond the lowest and the highest dose, as a factor."""
MAX_TICKS = 5


class DoseSpan(NamedTuple):
    """A dose on the scale: from the lowest to the highest daily total, in parts of the unit that stands for its kind;
    an open end is null."""

    name: str
    text: str
    """The dose as the source words it."""
    address: str
    group: str
    """Under which heading it stands."""
    low: Amount | None
    high: Amount | None
    of: str = MASS
    mark: str = ""
    """What a reader must know of the source first, such as that it was retracted."""

    @property
    def has_total(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def marked_name(self) -> str:
        return f"{self.name} ({inline(self.mark)})" if self.mark else self.name


RECORDED = "Recorded doses"
OF_STUDIES = "Doses given in studies"


def spans_of_ranges(ranges: Iterable[DosingRangeRead], units: Units) -> list[DoseSpan]:
    return [
        DoseSpan(
            r.dose_text,
            _origin(r),
            f"/dosing-ranges/{r.id}",
            RECORDED,
            *_ends(r, units),
            r.total.unit if r.total else MASS,
        )
        for r in ranges
    ]


def _ends(read: DosingRangeRead, units: Units) -> tuple[Fraction | None, Fraction | None]:
    """The daily total in parts."""
    if read.total is None:
        return None, None
    part = Fraction(units.smallest(read.total.unit)) * read.total.days
    low, high = (None if end is None else Fraction(end) / part for end in (read.total.low, read.total.high))
    return low, high


def _origin(read: DosingRangeRead) -> str:
    return f"{inline(read.basis.label)}, {inline(read.intervention.name)}"


def spans_of_studies(studies: Iterable[StudyRead], units: Units, retracted: Container[str] = ()) -> list[DoseSpan]:
    """The arms that say whether their source calls the dose low: those of the drug that the bands are for. Studies
    among the `retracted` are marked."""
    spans = []
    for study in studies:
        for arm in study.arms:
            dose = dose_of_arm(arm.dose_low, arm.dose_high, arm.dose_unit, units)
            if arm.called_low_dose is None or dose is None:
                continue
            text = arm.dose_text or "not reported"
            mark = RETRACTED_REPORT if study.id in retracted else ""
            ends = (dose.low, dose.high, dose.of)
            spans.append(DoseSpan(study.name, text, f"/studies/{study.id}", OF_STUDIES, *ends, mark))
    return spans


def dose_plot(spans: Sequence[DoseSpan], title: str, tiers: DoseTiers | None, units: Units) -> Plot | None:
    """The scale, with the bands of the intervention where it has some; null where no dose has a daily total.

    Of doses that cannot be compared, those are drawn that can be compared with the bands, else the most of one kind.
    """
    kinds = Counter(span.of for span in spans if span.has_total)
    if not kinds:
        return None
    bands = band_ranges(tiers, units) if tiers else ()
    bands = tuple(band for band in bands if band.of in kinds)
    kind = bands[0].of if bands else kinds.most_common(1)[0][0]
    days = 7 if bands and tiers and tiers.per == "week" else 1
    drawn = [span for span in spans if span.has_total and span.of == kind]
    ends = [end for span in drawn for end in (span.low, span.high) if end]
    scale = DoseScale(float(min(ends)) / ROOM, float(max(ends)) * ROOM, days, DoseWriter(kind, units))
    canvas = Canvas()
    _draw_bands(canvas, bands, scale)
    top = canvas.y
    for group in dict.fromkeys(span.group for span in drawn):
        canvas.y += 6
        canvas.label("side", group)
        for span in drawn:
            if span.group == group:
                _draw_span(canvas, span, scale)
    canvas.y += 10
    for start in (float(band.start) for band in bands):
        if scale.low < start < scale.high:
            canvas.line_below("guide", (scale.place(start), top), (scale.place(start), canvas.y))
    _draw_ticks(canvas, scale)
    period = "a week" if days == 7 else "a day"
    description = f"{quantity(len(drawn), 'dose', 'doses')} on a logarithmic scale of totals {period}. " + " ".join(
        f"{span.marked_name}: {span_text(span, units)}." for span in drawn
    )
    notes = [
        f"A logarithmic scale of totals {period}: every step to the right is ten times as much.",
        "None of these doses is advice.",
    ]
    if any(not span.has_total for span in spans):
        notes.append("Doses whose daily total cannot be known stand in the table alone.")
    if len(kinds) > 1:
        notes.append("Doses in units that cannot be compared with these stand in the table alone.")
    return plot_of("doses", canvas, (title, description), _table(spans, units), notes)


class DoseWriter(NamedTuple):
    """Writes amounts of a kind in words."""

    of: str
    units: Units

    def text(self, parts: float) -> str:
        """`4.5 mg`, `1 microgram`, `3,000 international units`."""
        term = self.units.term(self.of)
        if self.of == MASS or term is None:
            return amount_text(parts)
        number = round(parts * float(term.smallest), 9)
        return f"{number:,.15g} {term.label if number == 1 else term.plural}"


class DoseScale(NamedTuple):
    """From which to which daily total the scale reaches; it shows totals of so many days."""

    low: float
    high: float
    days: int
    writer: DoseWriter

    def place(self, amount: float) -> float:
        share = math.log(amount / self.low) / math.log(self.high / self.low)
        return LEFT + (RIGHT - LEFT) * min(max(share, 0), 1)


def _draw_bands(canvas: Canvas, bands: Iterable[BandRange], scale: DoseScale) -> None:
    """One line for the name of each band, over its stretch of the scale."""
    low, high, days, writer = scale
    for number, band in enumerate(bands):
        start, end = float(band.start), None if band.end is None else float(band.end)
        if start > high or (end is not None and end < low):
            continue
        left, right = scale.place(max(start, low)), scale.place(min(end or high, high))
        canvas.y += LINE_HEIGHT + 2
        canvas.box(f"band band-{number}", left, canvas.y + 3, (right - left, 5))
        words = _band_words(writer, band.band.label, start * days, end if end is None else end * days)
        ends_there = left + len(words) * CHARACTER_WIDTH > WIDTH
        place, anchor = (right, "end") if ends_there else (left, "start")
        canvas.words("tick", place, canvas.y, words, anchor)
        canvas.y += 8


def _band_words(writer: DoseWriter, label: str, start: float, end: float | None) -> str:
    if end is None:
        return f"{label}: {writer.text(start)} and more"
    if not start:
        return f"{label}: below {writer.text(end)}"
    return f"{label}: {writer.text(start)} to {writer.text(end)}"


def _draw_span(canvas: Canvas, span: DoseSpan, scale: DoseScale) -> None:
    canvas.y += 4
    canvas.label("name", span.name)
    if span.mark:
        canvas.label("side", span.mark)
    total = span_text(span, scale.writer.units)
    canvas.label("figures", f"{total}; {span.text}" if span.group == RECORDED else total)
    canvas.y += 12
    left, right = scale.place(float(span.low or scale.low)), scale.place(float(span.high or scale.high))
    css_class = "dose" if span.group == RECORDED else "dose study"
    if right - left < 1:
        canvas.dot(css_class, left, canvas.y, 6)
    else:
        canvas.box(css_class, left, canvas.y - 4, (right - left, 8))
    canvas.y += 4


def _draw_ticks(canvas: Canvas, scale: DoseScale) -> None:
    """Powers of ten of the totals of so many days."""
    canvas.line("axis", (LEFT, canvas.y), (RIGHT, canvas.y))
    first, last = math.ceil(math.log10(scale.low * scale.days)), math.floor(math.log10(scale.high * scale.days))
    step = max(math.ceil((last - first + 1) / MAX_TICKS), 1)
    for power in range(first, last + 1, step):
        x = scale.place(10**power / scale.days)
        canvas.line("axis", (x, canvas.y), (x, canvas.y + 5))
        anchor = "start" if x < LEFT + 30 else "end" if x > RIGHT - 30 else "middle"
        canvas.words("tick", x, canvas.y + 20, scale.writer.text(10**power), anchor)
    canvas.y += 22


# --- words --------------------------------------------------------------------------------------------------------


def amount_text(picograms: float) -> str:
    """`4.5 mg`, `1 microgram`; a bound that lies one picogram off is written as the bound."""
    factor, name = next((factor, name) for least, factor, name in _UNITS if picograms >= least * 0.999999)
    number = round(picograms / factor, 5)
    plural = "" if name == "mg" or number == 1 else "s"
    return f"{number:g} {name}{plural}"


def span_text(span: DoseSpan, units: Units) -> str:
    """The total of a day in words; of a week or so many days where only that is a whole number."""
    days = math.lcm(*(Fraction(end).denominator for end in (span.low, span.high) if end is not None))
    period = {1: "a day", 7: "a week"}.get(days, f"in {days} days")
    low, high = (None if end is None else float(end * days) for end in (span.low, span.high))
    text = DoseWriter(span.of, units).text
    if low is None and high is None:
        return "daily total not reported"
    if low is None:
        return f"up to {text(high or 0)} {period}"
    if high is None:
        return f"{text(low)} {period} or more"
    if low == high:
        return f"{text(low)} {period}"
    return f"{text(low)} to {text(high)} {period}"


def _table(spans: Sequence[DoseSpan], units: Units) -> PlotTable:
    rows = tuple(
        (Cell(s.marked_name, s.address), Cell(s.group), Cell(s.text), Cell(span_text(s, units))) for s in spans
    )
    return PlotTable("The doses behind the scale", ("Name", "Where it comes from", "As worded", "Total"), rows)
