"""Forest plots: reported estimates of one measure, unit and outcome against the line of no effect.

Nothing is pooled and nothing is weighted here: every mark is an estimate that a document reports. An estimate without
an interval, or whose sign does not mean what the others' signs mean, is named beside the plot and not drawn in it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from app.claims.responses import EstimateRead
from app.claims.vocabulary import Comparison, Favours, Measure
from app.concepts.vocabulary import Better
from app.core.english import inline, join_and, quantity
from app.grading.trace import ForestRow
from app.sources.vocabulary import Standing
from app.web.figures import NOT_REPORTED, interval_text, number, p_value_text, unit
from app.web.plots import LEFT, LINE_HEIGHT, RIGHT, Canvas, Cell, Plot, PlotTable, plot_of, wrapped

RATIOS = frozenset({Measure.risk_ratio, Measure.odds_ratio, Measure.hazard_ratio, Measure.incidence_rate_ratio})
DIFFERENCES = frozenset({Measure.mean_difference, Measure.standardized_mean_difference, Measure.mean_change})
"""Measures whose line of no effect is at 1, and at 0."""
STANDARDIZED = Measure.standardized_mean_difference
NICE_STEPS = (1, 2, 2.5, 5, 10)
_COLOURS = "Blue supports the claim, orange disputes it, grey does neither."
RATIO_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10)


class ComparedSides(NamedTuple):
    """What the estimates of a plot compare, in words."""

    treatment: str
    comparator: str | None = None


class _Comparable(NamedTuple):
    """Estimates that agree in all of this may stand on one scale."""

    measure: Measure
    unit: str | None
    scale: str | None
    """Null for standardized differences and ratios, which need no common scale."""
    outcome: str | None
    comparison: Comparison | None


@dataclass(frozen=True)
class _PlottedEstimate:
    row: ForestRow
    estimate: EstimateRead


def forest_plots(rows: Sequence[ForestRow], sides: ComparedSides) -> tuple[Plot, ...]:
    """One plot for each set of comparable estimates in which at least one has an interval; in the order of the rows."""
    groups: dict[_Comparable, list[_PlottedEstimate]] = defaultdict(list)
    for row in rows:
        for estimate in row.estimates:
            if estimate.value is not None and (key := _comparable(estimate)):
                groups[key].append(_PlottedEstimate(row, estimate))
    drawable = [(key, _Group.of(key, lines)) for key, lines in groups.items() if any(map(_has_interval, lines))]
    place = {row.citation_id: number for number, row in enumerate(rows)}
    drawable.sort(key=lambda item: place[item[1].drawn[0].row.citation_id])
    return tuple(_plot(key, group, sides) for key, group in drawable)


def _comparable(estimate: EstimateRead) -> _Comparable | None:
    measure = estimate.measure
    if measure is None or measure not in RATIOS | DIFFERENCES:
        return None
    needs_scale = measure not in RATIOS and measure is not STANDARDIZED
    return _Comparable(
        measure,
        estimate.unit if needs_scale else None,
        estimate.scale if needs_scale else None,
        estimate.outcome.id if estimate.outcome else None,
        estimate.comparison,
    )


def _has_interval(line: _PlottedEstimate) -> bool:
    """Whether it can be drawn; a ratio that is not above zero is on no logarithmic scale."""
    estimate = line.estimate
    if estimate.value is None or estimate.ci_low is None or estimate.ci_high is None:
        return False
    return estimate.measure not in RATIOS or min(estimate.value, estimate.ci_low, estimate.ci_high) > 0


# --- the scale ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    """From figures to places; ratios on a logarithmic scale."""

    low: float
    high: float
    is_log: bool

    def place(self, value: float) -> float:
        low, high, at = (math.log(v) if self.is_log else v for v in (self.low, self.high, value))
        return LEFT + (RIGHT - LEFT) * min(max((at - low) / (high - low), 0), 1)

    @property
    def ticks(self) -> tuple[float, ...]:
        if self.is_log:
            inside = [tick for tick in RATIO_TICKS if self.low <= tick <= self.high]
            return tuple(inside) if len(inside) > 1 else (self.low, 1, self.high)
        rough = (self.high - self.low) / 4
        power = 10 ** math.floor(math.log10(rough))
        step = next(nice * power for nice in NICE_STEPS if nice * power >= rough)
        first = math.ceil(self.low / step)
        return tuple(n * step for n in range(first, math.floor(self.high / step) + 1))


def _scale_of(measure: Measure, lines: Sequence[_PlottedEstimate]) -> _Scale:
    reported = [
        float(figure)
        for line in lines
        for figure in (line.estimate.value, line.estimate.ci_low, line.estimate.ci_high)
        if figure is not None
    ]
    if measure in RATIOS:
        positive = [figure for figure in reported if figure > 0] or [1.0]
        return _Scale(min(*positive, 0.5) / 1.1, max(*positive, 2) * 1.1, is_log=True)
    low, high = min(*reported, 0.0), max(*reported, 0.0)
    room = (high - low or 1) * 0.12
    return _Scale(low - room, high + room, is_log=False)


# --- which side favours what --------------------------------------------------------------------------------------


def _side_words(left: Favours | None, key: _Comparable, sides: ComparedSides) -> tuple[str, str] | None:
    """What lies left and right of the line of no effect; null where the documents do not say."""
    if left is None:
        return None
    if key.comparison in (Comparison.within_group, Comparison.single_arm):
        words = ("Better after treatment", "Worse after treatment")
    else:
        words = (f"Favours {inline(sides.treatment)}", f"Favours {inline(sides.comparator or 'the comparison')}")
    return words if left is Favours.intervention else (words[1], words[0])


def _on_the_left(line: _PlottedEstimate, no_effect: float) -> Favours | None:
    """What a small value favours, as the document says; null where the estimate favours neither side."""
    value, favours = line.estimate.value, line.estimate.favours
    if value is None or value == no_effect or favours not in (Favours.intervention, Favours.comparator):
        return None
    return Favours.intervention if (value < no_effect) == (favours is Favours.intervention) else Favours.comparator


@dataclass(frozen=True)
class _Group:
    """Comparable estimates: those that are drawn, the others, and what a small value favours."""

    drawn: list[_PlottedEstimate]
    others: list[_PlottedEstimate]
    left: Favours | None

    @classmethod
    def of(cls, key: _Comparable, lines: Sequence[_PlottedEstimate]) -> "_Group":
        no_effect = _no_effect(key.measure)
        with_interval = [line for line in lines if _has_interval(line)]
        said = Counter(side for line in with_interval if (side := _on_the_left(line, no_effect)))
        left = said.most_common(1)[0][0] if said else _by_the_outcome(with_interval)
        drawn = [line for line in with_interval if _on_the_left(line, no_effect) in (left, None)]
        return cls(drawn, [line for line in lines if line not in drawn], left)


def _by_the_outcome(lines: Sequence[_PlottedEstimate]) -> Favours | None:
    """Where all estimates favour neither side, the way in which the outcome improves says what a small value means."""
    outcome = lines[0].estimate.outcome
    if outcome is None or any(line.estimate.favours is None for line in lines):
        return None
    return Favours.intervention if outcome.better is Better.lower_ else Favours.comparator


def _no_effect(measure: Measure) -> float:
    return 1 if measure in RATIOS else 0


# --- drawing ------------------------------------------------------------------------------------------------------


def _plot(key: _Comparable, group: _Group, sides: ComparedSides) -> Plot:
    lines = group.drawn
    scale = _scale_of(key.measure, lines)
    no_effect = _no_effect(key.measure)
    favours = _side_words(group.left, key, sides)
    canvas = Canvas()
    if favours:
        _draw_sides(canvas, favours, scale.place(no_effect))
    top = canvas.y + 4
    for line in lines:
        _draw_line(canvas, line, scale)
    _draw_axis(canvas, scale, (no_effect, top))
    outcome = lines[0].estimate.outcome
    subject = f"{_measure_words(key)}{f', {inline(outcome.name)}' if outcome else ''}"
    documents = len({line.row.document.id for line in lines})
    description = (
        f"{quantity(len(lines), 'estimate', 'estimates')} from {quantity(documents, 'document', 'documents')}. "
        f"No effect is at {no_effect}. "
        + (f"Left of it: {favours[0]}. Right of it: {favours[1]}. " if favours else "")
        + " ".join(f"{line.row.document.label}: {_figures(line)}." for line in lines)
    )
    table = _table(key, [*lines, *group.others])
    return plot_of("forest", canvas, (f"Reported estimates: {subject}", description), table, _notes(group))


def _draw_sides(canvas: Canvas, favours: tuple[str, str], at: float) -> None:
    """Each side's words on its own lines, so that long names fit however narrow the side is."""
    for words, anchor, x, arrow in (
        (favours[0], "start", 0.0, "\N{LEFTWARDS ARROW} {}"),
        (favours[1], "end", 340.0, "{} \N{RIGHTWARDS ARROW}"),
    ):
        for text in wrapped(arrow.format(words)):
            canvas.y += LINE_HEIGHT
            canvas.words("side", x, canvas.y, text, anchor)
    canvas.line("zero", (at, canvas.y + 4), (at, canvas.y + 8))


def _draw_line(canvas: Canvas, line: _PlottedEstimate, scale: _Scale) -> None:
    estimate, row = line.estimate, line.row
    canvas.y += 6
    canvas.label("name", _name(line))
    canvas.label("figures", f"{_figures(line)}, {inline(row.stance.label)}")
    canvas.y += 14
    start, end = scale.place(float(estimate.ci_low or 0)), scale.place(float(estimate.ci_high or 0))
    canvas.line(f"interval {row.stance}", (start, canvas.y), (end, canvas.y))
    for x in (start, end):
        canvas.line(f"interval {row.stance}", (x, canvas.y - 4), (x, canvas.y + 4))
    x = scale.place(float(estimate.value or 0))
    if _is_of_a_review(line):
        canvas.square(f"mark {row.stance} review", x, canvas.y, 6)
    else:
        canvas.dot(f"mark {row.stance}", x, canvas.y, 6)


def _draw_axis(canvas: Canvas, scale: _Scale, zero: tuple[float, float]) -> None:
    no_effect, top = zero
    canvas.y += 14
    at = scale.place(no_effect)
    canvas.line_below("zero", (at, top), (at, canvas.y))
    canvas.line("axis", (LEFT, canvas.y), (RIGHT, canvas.y))
    ticks = scale.ticks
    for tick in ticks:
        x = scale.place(tick)
        canvas.line("axis", (x, canvas.y), (x, canvas.y + 5))
        anchor = "start" if x < LEFT + 20 else "end" if x > RIGHT - 20 else "middle"
        canvas.words("tick", x, canvas.y + 20, number(Decimal(f"{tick:.3g}")), anchor)
    canvas.y += 22


# --- words --------------------------------------------------------------------------------------------------------


def _is_of_a_review(line: _PlottedEstimate) -> bool:
    return line.row.is_review or line.estimate.pooled


def _name(line: _PlottedEstimate) -> str:
    marks = []
    if line.row.document.standing is Standing.retracted:
        marks.append("RETRACTED")
    if _is_of_a_review(line):
        marks.append("pooled by a review" if line.estimate.pooled else "review")
    details = [line.estimate.scale, line.estimate.timepoint, *marks]
    return ", ".join([line.row.document.label, *(detail for detail in details if detail)])


def _figures(line: _PlottedEstimate) -> str:
    estimate = line.estimate
    interval = f" ({interval_text(estimate)})" if _has_interval(line) else ", interval not reported"
    return f"{number(estimate.value)}{unit(estimate)}{interval}"


def _measure_words(key: _Comparable) -> str:
    words = key.measure.label.lower()
    if key.scale:
        words += f" ({key.scale})"
    if key.comparison in (Comparison.within_group, Comparison.single_arm):
        words += ", after against before, without a comparison group"
    return words


def _table(key: _Comparable, lines: Sequence[_PlottedEstimate]) -> PlotTable:
    head = ("Document", "Stance", "Estimate", "Confidence interval", "p value", "People analysed", "Favours")
    rows = tuple(
        (
            Cell(_name(line), f"/documents/{line.row.document.id}"),
            Cell(line.row.stance.label),
            Cell(f"{number(line.estimate.value)}{unit(line.estimate)}"),
            Cell(interval_text(line.estimate) or NOT_REPORTED),
            Cell(p_value_text(line.estimate)),
            Cell(_people(line)),
            Cell(line.estimate.favours.label if line.estimate.favours else NOT_REPORTED),
        )
        for line in lines
    )
    return PlotTable(f"Estimates as the documents report them: {_measure_words(key)}", head, rows)


def _people(line: _PlottedEstimate) -> str:
    number = line.estimate.n_analysed if line.estimate.n_analysed is not None else line.row.analysed_n
    return NOT_REPORTED if number is None else f"{number:,}"


def _notes(group: _Group) -> tuple[str, ...]:
    reviews = sum(map(_is_of_a_review, group.drawn))
    notes = ["Each mark is an estimate that a document reports; nothing is pooled here.", _COLOURS]
    if reviews:
        notes.append("Squares are results of reviews, which pooled them.")
    if reviews > 1 or (reviews and reviews < len(group.drawn)):
        notes.append("Reviews may contain the same studies, so the marks are not independent.")
    if group.others:
        names = join_and(dict.fromkeys(line.row.document.label for line in group.others))
        notes.append(f"Not drawn, because no interval or no clear sign was reported: {names}.")
    return tuple(notes)
