"""Plots of directions and sizes, for findings that no scale holds together: a row for each study.

The side says which way the study points, the area how many people it counts. Reviews are drawn as squares of one size,
because their people may be the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.claims.vocabulary import Stance
from app.concepts.study_designs import SHIPPED_DESIGNS, StudyDesigns
from app.core.english import quantity
from app.grading.trace import ForestRow, UnitRead
from app.sources.vocabulary import EvidenceSource, Standing
from app.web.plots import LINE_HEIGHT, WIDTH, Canvas, Cell, Plot, PlotTable, plot_of

PLACES = {Stance.disputes: 62, Stance.mixed: 170, Stance.inconclusive: 170, Stance.supports: 278}
"""Where a study of each stance is drawn; studies of other stances are not."""
COLUMNS = ((62, "Disputes"), (170, "Unclear or both"), (278, "Supports"))
MAX_RADIUS = 22
MIN_RADIUS = 4


@dataclass
class _StudyRow:
    """A study, or a document without one, with the citations that report its finding."""

    stance: Stance
    citations: list[ForestRow] = field(default_factory=list)
    people: int | None = None

    @property
    def first(self) -> ForestRow:
        return self.citations[0]

    @property
    def is_retracted(self) -> bool:
        return all(row.document.standing is Standing.retracted for row in self.citations)


def direction_plot(
    rows: Sequence[ForestRow], units: Sequence[UnitRead], designs: StudyDesigns = SHIPPED_DESIGNS
) -> Plot | None:
    """The plot of one claim, in the order of its citations; null where no study says anything."""
    studies = _studies(rows, units)
    if not studies:
        return None
    canvas = Canvas()
    canvas.y = LINE_HEIGHT
    for x, words in COLUMNS:
        canvas.words("side", x, canvas.y, words, "middle")
    top = canvas.y + 6
    scale = max((study.people or 0 for study in studies if not study.first.is_review), default=0)
    for study in studies:
        _draw_study(canvas, study, scale)
    for x, _ in COLUMNS:
        canvas.line_below("guide", (x, top), (x, canvas.y + 6))
    canvas.y += 6
    counts = ", ".join(f"{n} {words}" for words, n in _counted(studies) if n)
    description = (
        f"{quantity(len(studies), 'study or review', 'studies and reviews')}: {counts}. "
        f"{' '.join(f'{_name(study)}: {study.stance.label.lower()}.' for study in studies)}"
    )
    table = _table(studies, designs)
    return plot_of("directions", canvas, ("Which way each study points", description), table, _notes(studies))


def _studies(rows: Sequence[ForestRow], units: Sequence[UnitRead]) -> list[_StudyRow]:
    by_study = {unit.study: unit for unit in units if not unit.is_reviews}
    found: dict[str, _StudyRow] = {}
    for row in rows:
        key = row.study.id if row.study else row.document.id
        unit = by_study.get(key)
        stance = unit.stance if unit else row.stance
        if stance not in PLACES:
            continue
        study = found.setdefault(key, _StudyRow(stance))
        study.citations.append(row)
        study.people = unit.participants if unit else study.people or row.analysed_n or _all_people(row)
    ordered = list(found.values())
    return [s for s in ordered if not s.first.is_review] + [s for s in ordered if s.first.is_review]


def _all_people(row: ForestRow) -> int | None:
    return row.study.participants if row.study else None


def _draw_study(canvas: Canvas, study: _StudyRow, most_people: int) -> None:
    canvas.y += 4
    canvas.label("name", _name(study))
    radius = _radius(study, most_people)
    canvas.y += radius + 5
    x, css_class = PLACES[study.stance], f"mark {study.stance}"
    if study.is_retracted:
        css_class += " retracted"
    if study.first.is_review:
        canvas.square(f"{css_class} review", x, canvas.y, radius)
    else:
        canvas.dot(css_class if study.people else f"{css_class} open", x, canvas.y, radius)
    canvas.y += radius
    canvas.line("row", (0, canvas.y + 6), (WIDTH, canvas.y + 6))
    canvas.y += 6


def _radius(study: _StudyRow, most_people: int) -> float:
    if study.first.is_review:
        return 6
    if not study.people or not most_people:
        return MIN_RADIUS + 2
    return max(MAX_RADIUS * math.sqrt(study.people / most_people), MIN_RADIUS)


# --- words --------------------------------------------------------------------------------------------------------


def _name(study: _StudyRow) -> str:
    labels = dict.fromkeys(row.document.label for row in study.citations)
    first, *others = labels
    more = f" and {quantity(len(others), 'more document', 'more documents')}" if others else ""
    marks = [f"{first}{more}", _people(study)]
    if study.first.is_review:
        marks.insert(1, "review")
    if study.is_retracted:
        marks.append("RETRACTED")
    return ", ".join(marks)


def _people(study: _StudyRow) -> str:
    source = study.first.study.evidence_source if study.first.study else None
    if source in (EvidenceSource.animal, EvidenceSource.in_vitro, EvidenceSource.computational):
        return source.label.lower()
    return "people not reported" if study.people is None else quantity(study.people, "person", "people")


def _counted(studies: Sequence[_StudyRow]) -> tuple[tuple[str, int], ...]:
    return (
        ("disputing", sum(s.stance is Stance.disputes for s in studies)),
        ("unclear or pointing both ways", sum(s.stance in (Stance.mixed, Stance.inconclusive) for s in studies)),
        ("supporting", sum(s.stance is Stance.supports for s in studies)),
    )


def _table(studies: Sequence[_StudyRow], designs: StudyDesigns) -> PlotTable:
    head = ("Study", "Design", "People", "Direction", "Directness")
    rows = []
    for study in studies:
        first = study.first
        address = f"/studies/{first.study.id}" if first.study else f"/documents/{first.document.id}"
        name = first.document.label + (" (RETRACTED)" if study.is_retracted else "")
        rows.append(
            (
                Cell(name, address),
                Cell(designs.design(first.study.design).label if first.study else "not reported"),
                Cell(_people(study).removeprefix("people ")),
                Cell(study.stance.label),
                Cell(first.directness.label),
            )
        )
    return PlotTable("The studies behind the plot", head, tuple(rows))


def _notes(studies: Sequence[_StudyRow]) -> tuple[str, ...]:
    notes = ["Place shows the direction of the finding, not its size. The area shows how many people a study counts."]
    if any(s.people is None and not s.first.is_review for s in studies):
        notes.append("An open mark: no number of people is known.")
    if any(s.first.is_review for s in studies):
        notes.append("Squares are reviews, all of one size, because reviews may contain the same studies.")
    return tuple(notes)
