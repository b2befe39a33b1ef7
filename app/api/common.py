"""What every type of record answers in the same way: a list, an item, an item as it was, its versions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Generic, TypeVar

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import and_, func, select

from app.api.presentation import Presentation, Selected, presentation
from app.core.content import QueryModel, ResponseModel
from app.core.errors import Fault, Gone, InvalidInput, NotFound
from app.core.text import SLUG_LENGTH, SLUG_PATTERN, Serial, camel_case
from app.core.vocabulary import Status
from app.http import conditional
from app.http.conditional import conditional_response, query_etag
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.search.service import ids_matching
from app.storage import history
from app.storage.filter_index import filter_index
from app.storage.history import MissingRecord
from app.storage.near_ids import unknown_record
from app.storage.paging import (
    MAX_LIMIT,
    ListQuery,
    Page,
    SortedQuery,
    Sorts,
    TextQuery,
    list_body,
    selection_page,
    statement_page,
)
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords, DatabaseRecords, RecordRow, RecordsAt
from app.storage.resource import Key, RecordReader, Resource, Stamp
from app.storage.selection import MAX_READ, Selection

Item = TypeVar("Item", bound=BaseModel)
AnyQuery = TypeVar("AnyQuery", bound=SortedQuery)

RecordId = Annotated[
    str, Path(max_length=SLUG_LENGTH, pattern=SLUG_PATTERN, description="The record's id, as in `id`.")
]


class ItemQuery(QueryModel):
    serial: Serial | None = None
    """Read the record as it was at this serial of the data set."""


class RecordQuery(ItemQuery, Selected):
    """One record as JSON."""


class ListOf(BaseModel, Generic[Item]):
    """One page of a list."""

    # Described in so many words: pydantic would look for the source of every kind of list, long and in vain.
    model_config = ConfigDict(extra="forbid")

    items: list[Item]
    next: str | None = Field(description="Address of the next page; null on the last.")
    next_cursor: str | None
    total: int = Field(description="How many records match in all.")
    total_is: str = Field(
        description="Whether `total` is exact or a lower bound.", json_schema_extra={"enum": ["exact", "at_least"]}
    )
    missing: list[MissingRecord] = Field(
        description="Ids asked for with `id` that no published record has; empty where none was asked for, or all are "
        "there."
    )


MAX_FACET_VALUES = 50
"""Values of one facet that an answer lists."""


class FacetCount(ResponseModel):
    value: str
    count: int


def facet_fields(facets: Mapping[str, Sequence[tuple[str, int]]] | None) -> bytes:
    """`facets` and `facet_totals` of a list, each with a comma in front."""
    if facets is None:
        return b',"facets":null,"facet_totals":null'
    listed = {
        name: [{"value": value, "count": count} for value, count in values[:MAX_FACET_VALUES]]
        for name, values in facets.items()
    }
    totals = {name: len(values) for name, values in facets.items()}
    return b',"facets":%b,"facet_totals":%b' % (to_json(listed), to_json(totals))


class ActorRef(ResponseModel):
    id: str


class VersionLinks(ResponseModel):
    self: str


class VersionRead(ResponseModel):
    """One version of a record: when, by whom and why it came to be."""

    version: int
    serial: int
    """The serial of the data set at which the version was published."""
    published_at: str
    status: Status
    actor: ActorRef
    note: str
    links: VersionLinks
    """`self` reads the record as it was in this version."""


# --- lists --------------------------------------------------------------------------------------------------------

Select = Callable[[ReadView, AnyQuery], Selection]
"""Turns a checked query into the records that it selects."""


@dataclass(frozen=True)
class StoredList(Generic[AnyQuery]):
    """A list of records of one type."""

    record_type: str
    select: Select[AnyQuery]
    sorts: Sorts
    headers: Mapping[str, str] | None = None
    show: Callable[[ReadView, AnyQuery, Page, list[bytes]], tuple[list[bytes], bytes]] | None = None
    """Makes of the page's stored bodies those that are shown, and further fields of the list, each with a comma in
    front; null where the list has none, and bodies are shown as the query asks."""


async def answer_list(request: Request, records: StoredList[AnyQuery], query: AnyQuery) -> Response:
    """A page of stored bodies. Its ETag stands for the serial and the query, so a known one costs no query."""
    presented = presentation(records.record_type, query)

    def page_of(view: ReadView) -> Response:
        def body() -> conditional.LinkedBody:
            selection, ids = records.select(view, query), getattr(query, "id", ())
            if ids:
                page = batch_page(view, query, ids, selection, records.sorts)
            else:
                page = select_page(view, query, selection, records.sorts)
            bodies, fields = history.current_bodies(view, records.record_type, page.ids), b""
            if records.show is not None:
                bodies, fields = records.show(view, query, page, bodies)
            elif presented is not None:
                bodies = presented.of_bodies(bodies)
            return page_body(request, page, bodies, fields)

        return list_response(request, view, body, headers=records.headers)

    reads = reads_of(request)
    return await (reads.run if query.takes_more_than_indexes() else reads.inline)(request, page_of)


def select_page(view: ReadView, query: SortedQuery, selection: Selection, sorts: Sorts) -> Page:
    return selection_page(filter_index(view), with_text(view, selection, query), query, sorts)


def batch_page(view: ReadView, query: AnyQuery, ids: Sequence[str], selection: Selection, sorts: Sorts) -> Page:
    """Those of a selection by ids, all on one page, in the order of the ids unless the query names a sort; with the ids
    that no published record has. An id is repeated as one."""
    if query.cursor is not None:
        fault = Fault("query", "cursor", "not_with_id", "Leave `cursor` out: a list by `id` has one page.")
        raise InvalidInput("A list by ids has one page.", errors=[fault])
    page = select_page(view, query.model_copy(update={"limit": MAX_LIMIT}), selection, sorts)
    if "sort" not in query.model_fields_set:
        there = set(page.ids)
        page = page._replace(ids=tuple(record_id for record_id in dict.fromkeys(ids) if record_id in there))
    return page._replace(missing=history.missing_records(view, selection.scope, ids))


def with_text(view: ReadView, selection: Selection, query: SortedQuery) -> Selection:
    """The records in which the words of `q` occur as well, where the list takes them."""
    words = query.q if isinstance(query, TextQuery) else None
    if words is None:
        return selection
    ids = ids_matching(view.session, selection.scope, words)
    return selection.where(selection.spec.id.in_(ids), max_read=MAX_READ)


def list_response(
    request: Request,
    view: ReadView,
    body: Callable[[], bytes | conditional.LinkedBody],
    *,
    media_type: str = conditional.JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that follows from the data set and the address alone; its body is made only if the client lacks it."""
    return conditional_response(
        request, lambda: query_etag(request, view.state), body, media_type=media_type, headers=headers
    )


def page_body(request: Request, page: Page, items: Sequence[bytes], extra: bytes = b"") -> conditional.LinkedBody:
    """A list around rendered items; `extra` holds further fields of it, each with a comma in front."""
    following = next_address(request, page.next_cursor)
    return conditional.LinkedBody(list_body(items, following, page, extra), link_to(following))


def next_address(request: Request, cursor: str | None) -> str | None:
    """The address of this list with the next cursor: path-absolute."""
    if cursor is None:
        return None
    parts = conditional.canonical(request.scope["query_string"].decode("latin-1")).split("&")
    others = [part for part in parts if part and not part.startswith("cursor=")]
    return f"{request.scope['path']}?{'&'.join([*others, f'cursor={cursor}'])}"


def link_to(following: str | None) -> dict[str, str]:
    return {"Link": f'<{following}>; rel="next"'} if following else {}


# --- items --------------------------------------------------------------------------------------------------------


async def read_item(
    request: Request,
    key: Key,
    serial: int | None,
    presented: Presentation | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The record as it is, read at once, or as it was at a serial. What is near an unknown id is looked for in a
    thread."""
    reads = reads_of(request)
    if serial is None:
        response = await reads.inline(request, _answer_known_item, request, key, presented, headers)
        if response is not None:
            return response
    return await reads.run(request, _answer_item, request, key, serial, presented, headers)


def _answer_known_item(
    view: ReadView,
    request: Request,
    key: Key,
    presented: Presentation | None,
    headers: Mapping[str, str] | None,
) -> Response | None:
    """The record as it is; null where no record has the id."""
    current = history.current_body(view, key.type, key.id)
    if current is None:
        return None
    _refuse_retired(BY_TYPE[key.type], current)
    item = current.body, conditional.record_etag(current.digest, current.serial)
    return _item_response(request, item, None, presented, headers)


def _answer_item(
    view: ReadView,
    request: Request,
    key: Key,
    serial: int | None,
    presented: Presentation | None,
    headers: Mapping[str, str] | None,
) -> Response:
    return _item_response(request, item_at(view, key.type, key.id, serial), serial, presented, headers)


def _item_response(
    request: Request,
    item: tuple[bytes, str],
    serial: int | None,
    presented: Presentation | None,
    headers: Mapping[str, str] | None,
) -> Response:
    """As much of the record's JSON as was asked for; what is chosen is part of the ETag."""
    body, tag = item
    caching = cache_control(serial)
    if presented is None:
        return conditional_response(request, tag, body, cache_control=caching, headers=headers)
    tag = conditional.etag(tag.encode(), conditional.canonical(request.scope["query_string"].decode("latin-1")))
    return conditional_response(request, tag, partial(presented.of_body, body), cache_control=caching, headers=headers)


def item_at(view: ReadView, record_type: str, record_id: str, serial: int | None) -> tuple[bytes, str]:
    """The record's JSON as it is, or as it was at a serial; and its ETag."""
    if serial is None:
        current = get_current(view, BY_TYPE[record_type], record_id)
        return current.body, conditional.record_etag(current.digest, current.serial)
    body = body_at(view, BY_TYPE[record_type], record_id, serial)
    return body, conditional.etag(body)


def cache_control(serial: int | None) -> str:
    """How long an answer may be kept that reads the data set as it is, or as it was at a serial."""
    return conditional.IMMUTABLE if serial else conditional.REVALIDATE


def records_at(view: ReadView, serial: int | None) -> DatabaseRecords:
    """The records as they are, or as they were at a serial."""
    return CurrentRecords(view.session) if serial is None else RecordsAt(view.session, serial)


def records_of_claim(view: ReadView, claim_id: str, serial: int | None) -> RecordReader:
    """A reader that has read a claim and what it names; raises as `item_at` where there is no such claim."""
    if serial is not None:
        return record_at(view, BY_TYPE["claim"], claim_id, serial)[0]
    get_current(view, BY_TYPE["claim"], claim_id)
    records = CurrentRecords(view.session)
    records.prefetch([Key("claim", claim_id)], depth=1)
    return records


def get_current(view: ReadView, resource: Resource, record_id: str) -> history.CurrentBody:
    """The published record; raises NotFound, or Gone with its successor."""
    current = history.current_body(view, resource.type, record_id)
    if current is None:
        raise unknown_id(view, resource, record_id)
    _refuse_retired(resource, current)
    return current


def unknown_id(view: ReadView, resource: Resource, record_id: str) -> NotFound:
    """No record has this id; the error offers those that are near."""
    detail = f"There is no {resource.label.lower()} with this id."
    return unknown_record(view.session, resource.type, record_id, detail)


def _refuse_retired(resource: Resource, current: history.CurrentBody) -> None:
    """Raises Gone with the successor."""
    if current.status == Status.retired:
        raise gone(resource, current.successor)


def gone(resource: Resource, successor: str | None) -> Gone:
    """A record was retired; the error leads to its successor."""
    return Gone(
        f"This {resource.label.lower()} was retired; its versions can still be read.",
        successor=successor,
        successor_url=f"{resource.path}/{successor}" if successor else None,
    )


def body_at(view: ReadView, resource: Resource, record_id: str, serial: int) -> bytes:
    """The record as it was at a serial, in today's shape."""
    records, row = record_at(view, resource, record_id, serial)
    stamp = Stamp(row.version, row.serial, row.updated_at)
    return resource.render(records, row.content, row.derived, stamp).model_dump_json().encode()


def record_at(view: ReadView, resource: Resource, record_id: str, serial: int) -> tuple[RecordsAt, RecordRow]:
    """The record as it was at a serial, and a reader that has read what the record is rendered from."""
    if serial > view.serial:
        fault = Fault("query", "serial", "unknown_serial", f"The newest serial is {view.serial}.")
        raise InvalidInput("This serial has not been published yet.", errors=[fault])
    records, key = RecordsAt(view.session, serial), Key(resource.type, record_id)
    row = records.row(key)
    if row is None:
        detail = f"There was no {resource.label.lower()} with this id at this serial."
        raise unknown_record(view.session, resource.type, record_id, detail, serial=serial)
    shown = (getattr(row.derived, name, ()) for name in ("assertions", "inherited", "claims"))
    records.prefetch([key, *(Key("claim", claim_id) for claims in shown for claim_id in claims)], depth=1)
    return records, row


class VersionsQuery(ListQuery):
    """Versions, newest first."""


def answer_versions(
    view: ReadView, request: Request, record_type: str, record_id: str, query: VersionsQuery
) -> Response:
    """The record's versions, newest first; retired records keep theirs."""
    items, page = versions_page(view, record_type, record_id, query)
    content = page_body(request, page, [item.model_dump_json().encode() for item in items])
    return conditional_response(request, conditional.etag(content.body), lambda: content)


def versions_page(
    view: ReadView, record_type: str, record_id: str, query: VersionsQuery
) -> tuple[list[VersionRead], Page]:
    """A page of the record's versions, newest first; raises NotFound where there is no such record."""
    resource, session = BY_TYPE[record_type], view.session
    if session.get(history.StoredRecord, (record_type, record_id)) is None:
        raise unknown_id(view, resource, record_id)
    versions = (
        select(
            history.RecordState.version, history.RecordState.id, func.min(history.RecordState.serial).label("serial")
        )
        .where(history.RecordState.type == record_type, history.RecordState.id == record_id)
        .group_by(history.RecordState.version, history.RecordState.id)
        .subquery()
    )
    statement = (
        select(
            versions.c.serial,
            history.RecordState.status,
            history.Publication.at,
            history.Publication.actor,
            history.Publication.note,
        )
        .join(
            history.RecordState,
            and_(history.RecordState.id == versions.c.id, history.RecordState.serial == versions.c.serial),
        )
        .join(history.Publication, history.Publication.serial == versions.c.serial)
        .where(history.RecordState.type == record_type)
    )
    key = (versions.c.version, versions.c.id)
    rows, page = statement_page(session, statement, key, query.page_request(), descending=True)
    items = [
        VersionRead(
            version=row.version,
            serial=row.serial,
            published_at=row.at,
            status=row.status,
            actor=ActorRef(id=row.actor),
            note=row.note,
            links=VersionLinks(self=f"{resource.path}/{record_id}?serial={row.serial}"),
        )
        for row in rows
    ]
    return items, page


# --- routes -------------------------------------------------------------------------------------------------------


def add_item_routes(router: APIRouter, record_type: str, *, has_formats: bool = False) -> None:
    """`/{id}` and `/{id}/versions` of a type, which differ in nothing but their names.

    Of a type whose items come in several formats, only the versions.
    """
    resource = BY_TYPE[record_type]
    name = resource.label.lower()
    camel = camel_case(resource.type)

    if not has_formats:

        @router.get(
            f"{resource.path}/{{id}}",
            operation_id=f"get{camel}",
            summary=f"One {name}",
            description=f"The {name} with this id, now or, with `serial`, as it was. A retired one answers 410 with "
            "its successor, and 200 at the serials at which it was published.",
            response_model=resource.read,
            responses=responses(404, 410, 422, 503),
        )
        async def get_item(
            request: Request, id: RecordId, query: Annotated[RecordQuery, query_of(RecordQuery)]
        ) -> Response:
            return await read_item(request, Key(record_type, id), query.serial, presentation(record_type, query))

    @router.get(
        f"{resource.path}/{{id}}/versions",
        operation_id=f"list{camel}Versions",
        summary=f"The versions of one {name}",
        description=f"Every version of the {name}, newest first: when, by whom and why. Retired records keep theirs.",
        response_model=ListOf[VersionRead],
        responses=responses(404, 422, 503),
    )
    async def get_versions(
        request: Request, id: RecordId, query: Annotated[VersionsQuery, query_of(VersionsQuery)]
    ) -> Response:
        return await reads_of(request).run(request, answer_versions, request, record_type, id, query)
