"""The evidence map as a drawing: conditions by outcomes, with a table of the same behind it. `/evidence-map`.

Colour and sign say the direction, the fill says the certainty, the size says how many people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.claims.queries import Names
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import Certainty, Coverage, Tone
from app.concepts.disclaimer import disclaimer_about
from app.concepts.manifest import current_manifest
from app.concepts.models import Concept
from app.concepts.queries import concept_keys
from app.core.content import QueryModel
from app.core.english import join_sentences, quantity
from app.core.errors import NotFound
from app.core.text import IdOrCode
from app.grading.wording import NEVER_SEARCHED, NO_ALL_CLEAR, counted_text, search_text
from app.http.queries import query_of
from app.http.reads import reads_of
from app.questions.evidence_map import EvidenceMapRead, MapCell, MapRow, evidence_map
from app.questions.relevance import concept_key
from app.storage.read_view import ReadView
from app.web.contraindications import ContraindicationLine, by_condition, contraindications
from app.web.pages import page_response

router = APIRouter(include_in_schema=False)

CELL = 34
"""Width and height of a cell."""
LABEL_WIDTH = 208
"""For the names of conditions."""
HEAD_HEIGHT = 150
"""For the names of outcomes, which stand aslant."""
MARGIN = 90
"""For the last of those names."""
_MAX_RADIUS, _MIN_RADIUS = 15.5, 7.5
_MAX_LABEL = 27
"""Characters of a name in the drawing; the table has the whole of it."""

SIGNS = {
    Tone.favourable: "+",
    Tone.unfavourable: "\N{MINUS SIGN}",
    Tone.mixed: "\N{PLUS-MINUS SIGN}",
    Tone.caution: "!",
}
FILLS = {
    Certainty.high: "1",
    Certainty.moderate: "0.75",
    Certainty.low: "0.45",
    Certainty.very_low: "0.18",
    Certainty.not_graded: "0",
}
"""Opacity of the fill."""


@dataclass(frozen=True)
class Bubble:
    """A cell with a claim. Its text is read aloud where the drawing is not seen."""

    x: float
    y: float
    radius: float
    tone: str
    sign: str
    fill: str
    claim: ClaimSummary
    text: str


@dataclass(frozen=True)
class MapLabel:
    """The name of a condition or outcome at its row or column."""

    id: str
    text: str
    whole: str
    x: float
    y: float


@dataclass(frozen=True)
class TableRow:
    """A line of the table behind the drawing; `cell` is null for a condition without any claim on an outcome."""

    condition: MapRow
    outcome: str | None
    cell: MapCell | None
    note: str | None


@dataclass(frozen=True)
class MapDrawing:
    """Everything that the template needs."""

    intervention: str
    name: str
    notice: str
    width: int
    height: int
    rows: tuple[MapLabel, ...]
    columns: tuple[MapLabel, ...]
    bubbles: tuple[Bubble, ...]
    dots: tuple[tuple[float, float], ...]
    """Centres of empty cells."""
    without_answer: tuple[str, ...]
    """Outcomes that no condition has an answer on; the drawing has no column for them."""
    table: tuple[TableRow, ...]
    summary: str


def draw(read: EvidenceMapRead) -> MapDrawing:
    """The drawing of a map, in the map's own order."""
    answered = {cell.outcome for cell in (*read.cells, *read.subgroup_cells) if cell.headline_claim is not None}
    outcomes = [outcome for outcome in read.outcomes if outcome.id in answered]
    columns = {outcome.id: number for number, outcome in enumerate(outcomes)}
    lines = _drawn_rows(read)
    rows = {(line.condition, line.subgroup): number for number, line in enumerate(lines)}
    cells = (*read.cells, *read.subgroup_cells)
    largest = max((cell.participants for cell in cells), default=0)
    bubbles, dots = [], []
    for cell in cells:
        if cell.outcome not in columns:
            continue
        row = rows[cell.condition, cell.subgroup.id if cell.subgroup else None]
        x, y = LABEL_WIDTH + CELL * (columns[cell.outcome] + 0.5), HEAD_HEIGHT + CELL * (row + 0.5)
        if cell.headline_claim is None:
            dots.append((x, y))
            continue
        place = f"{lines[row].whole}, {outcomes[columns[cell.outcome]].name}"
        bubbles.append(_bubble(cell, cell.headline_claim, place, (x, y, _radius(cell, largest))))
    return MapDrawing(
        intervention=read.intervention.id,
        name=read.intervention.name,
        notice=read.notice,
        width=LABEL_WIDTH + CELL * len(columns) + MARGIN,
        height=HEAD_HEIGHT + CELL * len(lines) + 8,
        rows=tuple(
            MapLabel(line.condition, _short(line.name), line.whole, LABEL_WIDTH - 8, HEAD_HEIGHT + CELL * (n + 0.5) + 4)
            for n, line in enumerate(lines)
        ),
        columns=tuple(
            MapLabel(o.id, _short(o.name), o.name, LABEL_WIDTH + CELL * (n + 0.5) + 4, HEAD_HEIGHT - 10)
            for n, o in enumerate(outcomes)
        ),
        bubbles=tuple(bubbles),
        dots=tuple(dots),
        without_answer=tuple(outcome.name for outcome in read.outcomes if outcome.id not in answered),
        table=tuple(_table(read)),
        summary=f"{quantity(len(read.conditions), 'condition', 'conditions')} by "
        f"{quantity(len(columns), 'outcome', 'outcomes')}: "
        f"{quantity(len(bubbles), 'cell has', 'cells have')} an answer, {len(dots):,} have none. {NO_ALL_CLEAR}",
    )


@dataclass(frozen=True)
class _DrawnRow:
    """A row of the drawing: a condition, or people with it who are a subgroup."""

    condition: str
    subgroup: str | None
    name: str
    whole: str


def _drawn_rows(read: EvidenceMapRead) -> list[_DrawnRow]:
    """Conditions, each with its subgroups below it."""
    groups: dict[str, dict[str, str]] = {}
    for cell in read.subgroup_cells:
        if cell.subgroup is not None:
            groups.setdefault(cell.condition, {})[cell.subgroup.id] = cell.subgroup.label
    lines = []
    for one in read.conditions:
        lines.append(_DrawnRow(one.id, None, one.name, one.name))
        for group, label in groups.get(one.id, {}).items():
            lines.append(_DrawnRow(one.id, group, f"in {label}", f"{one.name} in {label}"))
    return lines


def _radius(cell: MapCell, largest: int) -> float:
    """By area, so that twice the people look twice as large."""
    share = cell.participants / largest if largest else 0
    return round(max(_MIN_RADIUS, _MAX_RADIUS * sqrt(share)), 1)


def _bubble(cell: MapCell, claim: ClaimSummary, place: str, circle: tuple[float, float, float]) -> Bubble:
    x, y, radius = circle
    tone = claim.verdict.tone
    people = quantity(cell.participants, "person", "people") if cell.participants else "number of people not known"
    text = join_sentences(
        f"{place}: {claim.answer}",
        f"{claim.verdict.label}. Certainty: {claim.certainty.label.lower()}; {people}.",
        counted_text(claim.counts_text, claim),
        claim.caveat,
    )
    return Bubble(x, y, radius, tone, SIGNS.get(tone, "?"), FILLS[claim.certainty], claim, text)


def _short(name: str) -> str:
    return name if len(name) <= _MAX_LABEL else f"{name[: _MAX_LABEL - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _table(read: EvidenceMapRead) -> list[TableRow]:
    names = {outcome.id: outcome.name for outcome in read.outcomes}
    by_condition: dict[str, list[MapCell]] = {}
    for cell in (*read.cells, *read.subgroup_cells):
        if cell.headline_claim is not None:
            by_condition.setdefault(cell.condition, []).append(cell)
    searched = {cell.condition: cell.searched_on for cell in read.cells}
    lines = []
    for condition in read.conditions:
        cells = by_condition.get(condition.id, [])
        lines += [TableRow(condition, _named(names[cell.outcome], cell), cell, None) for cell in cells]
        if not cells:
            lines.append(TableRow(condition, None, None, _without_claims(condition, searched.get(condition.id))))
    return lines


def _named(outcome: str, cell: MapCell) -> str:
    return f"{outcome}, in {cell.subgroup.label}" if cell.subgroup else outcome


def _without_claims(condition: MapRow, searched_on: str | None) -> str:
    known = {
        Coverage.found: "Evidence is recorded, but none on one of these outcomes.",
        Coverage.searched_none_found: search_text(searched_on, is_limited=False),
        Coverage.not_searched: NEVER_SEARCHED,
    }
    return f"{known[condition.coverage]} {NO_ALL_CLEAR}"


class MapPageQuery(QueryModel):
    """Ids or codes, as in the API."""

    intervention: IdOrCode | None = None
    """The data set's own intervention unless given."""
    condition: Names = ()
    outcome: Names = ()


def drawing_for(
    view: ReadView, intervention_pk: int, condition_pks: Sequence[int] = (), outcome_pks: Sequence[int] = ()
) -> MapDrawing:
    """The drawing of the conditions and outcomes that are named, else of all."""
    return draw(
        evidence_map(
            view.session, intervention_pk=intervention_pk, condition_pks=condition_pks, outcome_pks=outcome_pks
        )
    )


@router.get("/evidence-map")
async def evidence_map_page(request: Request, query: Annotated[MapPageQuery, query_of(MapPageQuery)]) -> Response:
    return await reads_of(request).run(request, _page, request, query)


def _contraindicated(view: ReadView, drawing: MapDrawing) -> list[tuple[str, Sequence[ContraindicationLine]]]:
    """Names of the conditions of the map in which the intervention is contraindicated, with the claims that say so."""
    key = concept_key(view.session, "intervention", drawing.intervention, "intervention")
    found = by_condition(contraindications(view.session, view.session.get_one(Concept, key)))
    names = {line.condition.id: line.condition.name for line in drawing.table}
    return [(name, found[condition]) for condition, name in names.items() if condition in found]


def _page(view: ReadView, request: Request, query: MapPageQuery) -> Response:
    manifest = current_manifest(view.session)
    name = query.intervention or manifest.default_intervention
    if name is None:
        raise NotFound("This data set names no intervention of its own: add one to the address, as `intervention`.")
    intervention = concept_key(view.session, "intervention", name, "intervention")
    drawing = drawing_for(
        view,
        intervention,
        concept_keys(view.session, "condition", query.condition, "condition"),
        concept_keys(view.session, "outcome", query.outcome, "outcome"),
    )
    chosen = {"intervention": drawing.intervention, "condition": query.condition, "outcome": query.outcome}
    return page_response(
        request,
        view,
        "web/evidence_map_page.html",
        title=f"{drawing.name}: the evidence map",
        description=f"What is known of {drawing.name} in every condition and outcome: direction, certainty, people.",
        json_address=f"/v1/evidence-map?{urlencode(chosen, doseq=True)}",
        drawing=drawing,
        contraindicated=_contraindicated(view, drawing),
        disclaimer=disclaimer_about(view.session, [drawing.intervention]),
    )
