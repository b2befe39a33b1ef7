"""What every type of record answers in the same way: a list, an item, an item as it was, its versions."""

from collections.abc import Callable
from typing import Annotated, Generic, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Fault, Gone, InvalidInput, NotFound
from app.core.text import SLUG_LENGTH, SLUG_PATTERN
from app.core.vocabulary import Status
from app.http import conditional as caching
from app.http.dataset import Dataset
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import declared_parameters_only, responses
from app.registry import BY_TYPE
from app.search.matching import ids_matching
from app.storage import paging as lists
from app.storage.filter_index import FilterIndexView, kept
from app.storage.history import Publication, RecordState, StoredRecord, documents, state_at
from app.storage.paging import (
    MAX_READ,
    ListQuery,
    Page,
    Selection,
    SortedQuery,
    Sorts,
    TextQuery,
    decode,
    encode,
    envelope,
    paginate,
)
from app.storage.records import CurrentRecords, RecordsAt
from app.storage.resource import RecordReader, Resource, Stamp

Item = TypeVar("Item", bound=BaseModel)

RecordId = Annotated[
    str, Path(max_length=SLUG_LENGTH, pattern=SLUG_PATTERN, description="The record's id, as in `id`.")
]
Serial = Annotated[
    int | None,
    Query(ge=1, le=2_147_483_647, description="Read the record as it was at this serial of the data set."),
]


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


class ActorRef(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str


class VersionLinks(BaseModel):
    model_config = ConfigDict(extra="forbid")
    self: str


class VersionRead(BaseModel):
    """One version of a record: when, by whom and why it came to be."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

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


def answer_list(
    request: Request,
    session: Session,
    dataset: Dataset,
    record_type: str,
    query: SortedQuery,
    matching: Callable[[FilterIndexView], Selection],
    columns: Sorts,
) -> Response:
    """A page of stored documents. Its ETag stands for the serial and the query, so a known one costs no query."""
    tag = list_tag(request, dataset)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    reading = kept(session, dataset.serial)
    found = with_text(session, matching(reading), query)
    page = paginate(session, reading, found, query, sort=query.sort, columns=columns)
    bodies = documents(reading.reader, record_type, page.ids)
    return list_response(request, dataset, tag, bodies, page)


def with_text(session: Session, matching: Selection, query: SortedQuery) -> Selection:
    """The records in which the words of `q` occur as well, where the list takes them."""
    words = query.q if isinstance(query, TextQuery) else None
    if words is None:
        return matching
    return matching.also(matching.filter_spec.id.in_(ids_matching(session, matching.scope, words)), counted_to=MAX_READ)


def list_tag(request: Request, dataset: Dataset) -> str:
    """The ETag of whatever follows from the data set and the query alone."""
    return caching.list_tag(dataset.serial, request.url.path, lists.canonical(request.url.query))


def list_response(
    request: Request, dataset: Dataset, tag: str, bodies: list[bytes], page: Page, extra: bytes = b""
) -> Response:
    """A list around rendered records; `extra` holds further fields of it, each with a comma in front."""
    following = next_address(request, page.next_cursor)
    headers = dataset.headers | ({"Link": f'<{following}>; rel="next"'} if following else {})
    return caching.json_response(request, envelope(bodies, following, page, extra), tag, headers=headers)


def next_address(request: Request, cursor: str | None) -> str | None:
    """The same address with the next cursor: path-absolute."""
    return lists.next_address(request.url.path, lists.canonical(request.url.query), cursor)


# --- items --------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """A record's JSON now or at a serial, its ETag, and the records that it refers to as they are or were."""

    body: bytes
    tag: str
    world: RecordReader


def answer_item(
    request: Request, session: Session, dataset: Dataset, record_type: str, record_id: str, serial: int | None
) -> Response:
    """The record as it is, or as it was at a serial."""
    found = item_at(session, dataset, record_type, record_id, serial)
    lasting = caching.REVALIDATE if serial is None else caching.IMMUTABLE
    return caching.json_response(request, found.body, found.tag, cache_control=lasting, headers=dataset.headers)


def item_at(session: Session, dataset: Dataset, record_type: str, record_id: str, serial: int | None) -> Found:
    """The record as it is, or as it was at a serial."""
    resource = BY_TYPE[record_type]
    if serial is None:
        row = get_current(session, resource, record_id)
        return Found(row.body, caching.record_tag(row.digest, row.serial), CurrentRecords(session))
    body = body_at(session, dataset, resource, record_id, serial)
    return Found(body, caching.etag(body), RecordsAt(session, serial))


def get_current(session: Session, resource: Resource, record_id: str) -> StoredRecord:
    """The current record; NotFound, or Gone with its successor."""
    row = session.get(StoredRecord, (resource.type, record_id))
    if row is None:
        raise NotFound(f"There is no {resource.label.lower()} with this id.")
    if row.status == Status.retired:
        raise Gone(
            f"This {resource.label.lower()} was retired; its versions can still be read.",
            successor=row.successor,
            successor_url=f"{resource.path}/{row.successor}" if row.successor else None,
        )
    return row


def body_at(session: Session, dataset: Dataset, resource: Resource, record_id: str, serial: int) -> bytes:
    """The record as it was at a serial, in today's shape."""
    if serial > dataset.serial:
        fault = Fault("query", "serial", "unknown_serial", f"The newest serial is {dataset.serial}.")
        raise InvalidInput("This serial has not been published yet.", errors=[fault])
    state = state_at(session, resource.type, record_id, serial)
    if state is None:
        raise NotFound(f"There was no {resource.label.lower()} with this id at this serial.")
    content = resource.write.model_validate_json(state.content)
    derived = resource.derived.model_validate_json(state.derived)
    stamp = Stamp(state.version, state.serial, state.updated_at)
    return resource.render(RecordsAt(session, serial), content, derived, stamp).model_dump_json().encode()


class VersionsQuery(ListQuery):
    """Versions, newest first."""


def answer_versions(
    request: Request, session: Session, dataset: Dataset, record_type: str, record_id: str, query: VersionsQuery
) -> Response:
    """The record's versions, newest first; retired records keep theirs."""
    resource = BY_TYPE[record_type]
    if session.get(StoredRecord, (record_type, record_id)) is None:
        raise NotFound(f"There is no {resource.label.lower()} with this id.")
    first_serial = func.min(RecordState.serial)
    versions = (
        select(RecordState.version, first_serial.label("serial"))
        .where(RecordState.type == record_type, RecordState.id == record_id)
        .group_by(RecordState.version)
    )
    total = session.scalar(select(func.count()).select_from(versions.subquery())) or 0
    if query.cursor is not None:
        versions = versions.having(RecordState.version < decode(query.cursor, query.fingerprint())[0])
    rows = session.execute(versions.order_by(RecordState.version.desc()).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    cursor = encode(query.fingerprint(), [shown[-1].version, record_id]) if len(rows) > query.limit else None
    items = _version_items(session, resource, record_id, [row.serial for row in shown])
    raw = to_json(
        {
            "items": [item.model_dump() for item in items],
            "next": next_address(request, cursor),
            "next_cursor": cursor,
            "total": total,
            "total_is": "exact",
        }
    )
    return caching.json_response(request, raw, caching.etag(raw), headers=dataset.headers)


def _version_items(session: Session, resource: Resource, record_id: str, serials: list[int]) -> list[VersionRead]:
    rows = session.execute(
        select(RecordState, Publication)
        .join(Publication, Publication.serial == RecordState.serial)
        .where(RecordState.type == resource.type, RecordState.id == record_id, RecordState.serial.in_(serials))
        .order_by(RecordState.serial.desc())
    )
    return [
        VersionRead(
            version=state.version,
            serial=state.serial,
            published_at=publication.at,
            status=Status(state.status),
            actor=ActorRef(id=publication.actor),
            note=publication.note,
            links=VersionLinks(self=f"{resource.path}/{record_id}?serial={state.serial}"),
        )
        for state, publication in rows
    ]


# --- routes -------------------------------------------------------------------------------------------------------


def add_item_routes(router: APIRouter, record_type: str) -> None:
    """`/{id}` and `/{id}/versions` of a type, which differ in nothing but their names."""
    resource = BY_TYPE[record_type]
    name = resource.label.lower()
    camel = "".join(word.capitalize() for word in resource.type.split("_"))

    @router.get(
        f"{resource.path}/{{id}}",
        operation_id=f"get{camel}",
        summary=f"One {name}",
        description=f"The {name} with this id, now or, with `serial`, as it was. A retired one answers 410 with its "
        "successor, and 200 at the serials at which it was published.",
        response_model=resource.read,
        responses=responses(404, 410, 422, 503),
        dependencies=[Depends(declared_parameters_only)],
    )
    def get_item(
        request: Request, session: ReadSession, dataset: CurrentDataset, id: RecordId, serial: Serial = None
    ) -> Response:
        return answer_item(request, session, dataset, record_type, id, serial)

    add_versions_route(router, record_type)


def add_versions_route(router: APIRouter, record_type: str) -> None:
    """`/{id}/versions` alone, for types whose items come in several formats."""
    resource = BY_TYPE[record_type]
    name = resource.label.lower()
    camel = "".join(word.capitalize() for word in resource.type.split("_"))

    @router.get(
        f"{resource.path}/{{id}}/versions",
        operation_id=f"list{camel}Versions",
        summary=f"The versions of one {name}",
        description=f"Every version of the {name}, newest first: when, by whom and why. Retired records keep theirs.",
        response_model=ListOf[VersionRead],
        responses=responses(404, 422, 503),
    )
    def get_versions(
        request: Request,
        session: ReadSession,
        dataset: CurrentDataset,
        id: RecordId,
        query: Annotated[VersionsQuery, Query()],
    ) -> Response:
        return answer_versions(request, session, dataset, record_type, id, query)
