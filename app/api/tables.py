"""Lists as CSV (RFC 4180), for spreadsheets and statistics: a row for each record, with the columns of its type.

A cell holds text, a number, `true` or `false`, or nothing where the value is null; several values are joined by `; `.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import Field
from pydantic_core import from_json

from app.api.common import Select, link_to, list_response, next_address, select_page
from app.core.content import derived_query
from app.core.text import camel_case
from app.http.conditional import LinkedBody
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.storage.history import current_bodies
from app.storage.paging import MAX_LIMIT, SortedQuery, Sorts
from app.storage.read_view import ReadView

MEDIA_TYPE = "text/csv"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so would be run as a formula by a spreadsheet; an apostrophe in front stops that."""

_COUNTS = tuple(
    (f"{side}_{what}", f"{side}.{what}")
    for side in ("supports", "disputes")
    for what in ("citations", "studies", "reviews", "participants")
)


def _within(path: str, columns: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, f"{path}.{field}") for name, field in columns)


_VERDICT = (
    ("answer", "answer"),
    ("verdict", "verdict.label"),
    ("verdict_code", "verdict.code"),
    ("tone", "verdict.tone"),
    ("counts_text", "counts_text"),
)
_CAVEAT = (("caveat", "caveat"), ("caveat_required", "caveat_required"))
_SUBJECTS = (
    ("intervention", "intervention.name"),
    ("conditions", "conditions.name"),
    ("mechanisms", "mechanisms.name"),
    ("side_effects", "side_effects.name"),
    ("interactants", "interactants.name"),
)
_FIGURES = (
    ("claims", "evidence.claims"),
    ("citations", "evidence.citations"),
    ("studies", "evidence.studies"),
    ("reviews", "evidence.reviews"),
    ("participants", "evidence.participants"),
    *_within("evidence.by_stance", _COUNTS),
)
_CONCEPT = (
    ("name", "name"),
    ("synonyms", "synonyms"),
    ("description", "description"),
    ("code_systems", "codes.system"),
    ("codes", "codes.code"),
    *_FIGURES,
)
_END = (("version", "version"), ("updated_at", "updated_at"), ("permalink", "links.permalink"))

_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "claim": (
        ("statement", "statement"),
        *_within("evidence", _VERDICT),
        *_CAVEAT,
        *_within("evidence.by_stance", _COUNTS),
        ("certainty", "evidence.certainty"),
        ("kind", "kind"),
        ("form", "form"),
        ("effect", "effect"),
        *_SUBJECTS,
        ("outcome", "outcome.name"),
        ("comparator", "comparator"),
        ("population", "population"),
        ("subgroup", "subgroup.label"),
        ("inheritance", "inheritance.text"),
        ("reviewed_on", "reviewed_on"),
    ),
    "citation": (
        ("number", "number"),
        ("stance", "stance"),
        ("directness", "directness"),
        ("role", "role"),
        ("finding", "finding"),
        ("extent", "extent"),
        ("extent_note", "extent_note"),
        ("document", "document.label"),
        ("title", "document.title"),
        ("year", "document.year"),
        ("doi", "document.doi"),
        ("pmid", "document.pmid"),
        ("standing", "document.standing"),
        ("design", "study.design"),
        ("evidence_source", "study.evidence_source"),
        ("participants", "study.participants"),
        ("verification", "verification.result"),
        ("address", "links.best"),
        ("claim", "claim.id"),
        *((f"claim_{name}", f"claim.{path}") for name, path in (("statement", "statement"), *_VERDICT, *_CAVEAT)),
        *((f"claim_{name}", f"claim.{path}") for name, path in _COUNTS),
    ),
    "intervention": (("kind", "kind"), ("parent", "parent.name"), ("members", "members.name"), *_CONCEPT),
    "condition": (("parent", "parent.name"), *_CONCEPT),
    "mechanism": _CONCEPT,
    "side_effect": _CONCEPT,
    "outcome": (("better", "better"), *_CONCEPT),
    "dosing_range": (
        ("intervention", "intervention.name"),
        ("conditions", "conditions.name"),
        ("dose", "dose_text"),
        ("low", "low"),
        ("high", "high"),
        ("unit", "unit"),
        ("low_pg_per_day", "low_pg_per_day"),
        ("high_pg_per_day", "high_pg_per_day"),
        ("tiers", "tiers"),
        ("route", "route"),
        ("population", "population"),
        ("basis", "basis"),
        ("total_low", "total.low"),
        ("total_high", "total.high"),
        ("total_unit", "total.unit"),
        ("total_days", "total.days"),
    ),
    "study": (
        ("name", "name"),
        ("design", "design"),
        ("is_review", "is_review"),
        ("evidence_source", "evidence_source"),
        ("registry_ids", "registry_ids.normal"),
        ("conditions", "conditions.name"),
        ("population", "population"),
        ("participants_in_study", "participants"),
        ("recruitment", "recruitment"),
        ("results", "results"),
        ("documents", "documents.document.id"),
        *_FIGURES,
    ),
    "document": (
        ("kind", "kind"),
        ("label", "label"),
        ("title", "title"),
        ("container_title", "container_title"),
        ("issued", "issued"),
        ("doi", "doi"),
        ("pmid", "pmid"),
        ("pmcid", "pmcid"),
        ("standing", "standing"),
        ("interest", "interest"),
        ("address", "links.best"),
        *_FIGURES,
    ),
    "search": (
        ("question", "question"),
        ("coverage", "coverage"),
        *_SUBJECTS,
        ("searched_on", "searched_on"),
        ("sources", "sources"),
        ("found", "found"),
        ("note", "note"),
    ),
}
"""Type of record → its columns between `id` and the version, each with the path of the field that it shows."""


class Column(NamedTuple):
    name: str
    path: str


def columns(record_type: str) -> tuple[Column, ...]:
    """The columns of a type of record."""
    return tuple(Column(*column) for column in (("id", "id"), *_COLUMNS[record_type], *_END))


def table(record_type: str, bodies: Sequence[bytes]) -> bytes:
    """The records as CSV with a header."""
    shown = columns(record_type)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in shown])
    for body in bodies:
        record = from_json(body)
        writer.writerow([_cell(list(_values(record, column.path.split(".")))) for column in shown])
    return text.getvalue().encode()


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at a path, in every entry of the lists on the way."""
    if isinstance(value, list):
        for entry in value:
            yield from _values(entry, path)
    elif path and value is not None:
        yield from _values(value[path[0]], path[1:])
    elif value is not None:
        yield value


def _cell(values: Sequence[Any]) -> Any:
    if len(values) == 1 and not isinstance(values[0], bool | str):
        return values[0]
    text = "; ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


# --- routes -------------------------------------------------------------------------------------------------------


def add_table_route(
    router: APIRouter,
    record_type: str,
    query_model: type[SortedQuery],
    select: Select[Any],
    sorts: Sorts,
    mark: Callable[[ReadView, Any, list[bytes]], list[bytes]] = lambda _view, _query, bodies: bodies,
) -> None:
    """The list of a type at its address with `.csv`, with the same filters; 200 records a page unless asked otherwise.

    `mark` sets what the stored records cannot say, since it depends on the question. To be added before the routes of
    items.
    """
    resource = BY_TYPE[record_type]
    limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Rows on a page, 1 to 200.")]
    query_type = derived_query(query_model.__name__, query_model, limit=(limit, MAX_LIMIT))
    listed = "\n".join(f"- `{column.name}`: `{column.path}`" for column in columns(record_type))

    @router.get(
        f"{resource.path}.csv",
        operation_id=f"list{camel_case(resource.plural)}AsCsv",
        summary=f"A page of {resource.plural.replace('-', ' ')}, as CSV",
        description="The same records as the list in JSON, with the same filters, one a row (RFC 4180, UTF-8, with a "
        "header); the `Link` header names the next page. Several values are joined by `; `, nothing stands for null. "
        "Text that a spreadsheet would run as a formula (`=`, `+`, `-`, `@` in front) has an apostrophe before it.\n\n"
        f"The columns, each with the field that it shows:\n\n{listed}",
        response_class=Response,
        responses={
            200: {"description": "The rows.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
            **responses(422, 503),
        },
    )
    async def list_as_csv(request: Request, query: Annotated[Any, query_of(query_type)]) -> Response:
        def answer(view: ReadView) -> Response:
            def body() -> LinkedBody:
                page = select_page(view, query, select(view, query), sorts)
                rows = table(record_type, mark(view, query, current_bodies(view, record_type, page.ids)))
                return LinkedBody(rows, link_to(next_address(request, page.next_cursor)))

            disposition = {"Content-Disposition": f'attachment; filename="{resource.plural}.csv"'}
            media_type = f"{MEDIA_TYPE}; charset=utf-8; header=present"
            return list_response(request, view, body, media_type=media_type, headers=disposition)

        return await reads_of(request).run(request, answer)
