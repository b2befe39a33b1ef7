"""Pages of records by keyset: flat in time however deep, whole however much is published in between."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from pydantic import Field
from pydantic_core import to_json
from pyroaring import BitMap
from sqlalchemy import Index, Select, func, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import SQLCoreOperations

from app.core.content import QueryModel
from app.core.errors import Fault, InvalidInput
from app.core.text import Cursor, SearchText, printable
from app.storage.filter_bitmaps import PUBLISHED, Filter
from app.storage.filter_index import FilterIndexView, FilterSpec
from app.storage.history import MissingRecord
from app.storage.read_view import ReadView
from app.storage.selection import Selection

MAX_LIMIT = 200
MAX_COUNTED = 1000
"""A total that is not exact is counted up to here."""

Sorts = Mapping[str, InstrumentedAttribute[Any]]
"""The columns that a list can be sorted by, under their public names."""
Place = tuple[Any, str]
"""Where in a list a row stands: the value that the list is sorted by, and the id."""


def sort_indexes(table: str, column: str) -> tuple[Index, Index]:
    """What serves a sort in either direction: ties go by id upwards both ways."""
    return (
        Index(f"ix_{table}_{column}_id", column, "id"),
        Index(f"ix_{table}_{column}_desc_id", text(f"{column} DESC"), "id"),
    )


# --- what is asked for --------------------------------------------------------------------------------------------


class ListQuery(QueryModel):
    """Paging, the same on every list; unknown parameters are refused."""

    limit: int = Field(default=20, ge=1, le=MAX_LIMIT)
    """Records on a page, 1 to 200."""
    cursor: Cursor | None = None
    """From `next_cursor` of the page before, with the same filters and sort."""

    def fingerprint(self, scope: str = "") -> str:
        """Stands for the filters and the sort: a cursor is good for the list it came from, and for no other. How much
        of each record is shown may differ from page to page."""
        others = {"limit", "cursor", *self.ONLY_SHOWING}
        filters = self.model_dump(mode="json", exclude=others, exclude_defaults=True)
        values = {name: _texts(value if isinstance(value, list) else [value]) for name, value in filters.items()}
        scope = scope or type(self).__name__
        return blake2b(json.dumps([scope, values], sort_keys=True).encode(), digest_size=6).hexdigest()

    def page_request(self, scope: str = "") -> "PageRequest":
        return PageRequest(self.limit, self.cursor, self.fingerprint(scope))


def _texts(values: Sequence[Any]) -> list[str]:
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


class SortedQuery(ListQuery):
    sort: str = "id"
    """A name from the list's closed set, `-` in front for descending; nulls come last, ties go by id."""


class TextQuery(SortedQuery):
    NOT_INDEXED = frozenset({"q"})

    q: SearchText | None = None
    """Words that must all occur in what the record can be found by; see `/v1/search` for ranked results."""


class PageRequest(NamedTuple):
    """Which part of a list is asked for."""

    limit: int
    cursor: str | None
    fingerprint: str

    @property
    def place(self) -> Place | None:
        """Where the page before ended; InvalidInput where the cursor cannot be used here."""
        return decode_cursor(self.cursor, self.fingerprint) if self.cursor is not None else None

    def position(self, max_position: int) -> int:
        """Where to go on in a list whose places are whole numbers; InvalidInput for a cursor that holds no such."""
        value = self.place[0] if self.place is not None else 0
        if not isinstance(value, int) or not 0 <= value <= max_position:
            raise _refused("malformed_cursor", "was altered or cut; take it from next_cursor as it is")
        return value


# --- pages --------------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """Ids of one page in order, the cursor of the next one, and how many there are in all."""

    ids: tuple[str, ...]
    next_cursor: str | None
    total: int
    is_exact: bool = True
    keys: BitMap | None = None
    """Internal keys of all that was counted."""
    missing: Sequence[MissingRecord] = ()
    """Ids that were asked for and that no published record has."""


def list_body(items: Sequence[bytes], following: str | None, page: Page, extra: bytes = b"") -> bytes:
    """A list as JSON around rendered items; `extra` holds further fields of it, each with a comma in front."""
    end = b'],"next":%b,"next_cursor":%b,"total":%d,"total_is":"%b","missing":%b%b}' % (
        to_json(following),
        to_json(page.next_cursor),
        page.total,
        b"exact" if page.is_exact else b"at_least",
        to_json(page.missing),
        extra,
    )
    if not items:
        return b'{"items":[' + end
    # Joined in one go: long pages are not copied twice.
    first, *rest = items
    pieces = [b'{"items":[' + first, *rest]
    pieces[-1] += end
    return b",".join(pieces)


def selection_page(index: FilterIndexView, selection: Selection, query: SortedQuery, sorts: Sorts) -> Page:
    """One page of a selection, ordered as the query says: nulls last, ties by id."""
    order = SortOrder.of(selection.spec, sorts[query.sort.removeprefix("-")], descending=query.sort.startswith("-"))
    request = query.page_request(selection.scope)
    if not selection.conditions:
        return keyset_page(index, selection, selection.filtered_keys(index), request, order)
    session = index.view.session
    keys, is_exact = selection.count(session, index)
    if is_exact:
        return keyset_page(index, selection, keys, request, order)
    page = keyset_page(index, selection, selection.filtered_keys(index), request, order, session)
    return page._replace(total=min(len(keys), MAX_COUNTED + 1), is_exact=False, keys=keys)


def statement_page(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    key: tuple[SQLCoreOperations[Any], SQLCoreOperations[str]],
    request: PageRequest,
    *,
    descending: bool = False,
) -> tuple[Sequence[Any], Page]:
    """One page of a statement's rows, ordered by the two columns that identify a row; and what the list says of it.

    For small lists that have no bitmaps.
    """
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    here = tuple_(*key)
    if (place := request.place) is not None:
        statement = statement.where(here < place if descending else here > place)
    order = (column.desc() if descending else column.asc() for column in key)
    placed = statement.add_columns(*key).order_by(*order).limit(request.limit + 1)
    rows = session.execute(placed).all()
    shown = rows[: request.limit]
    next_cursor = encode_cursor(request.fingerprint, shown[-1][-2:]) if len(rows) > request.limit else None
    return shown, Page((), next_cursor, total)


Row = tuple[int, str, Any, str | None]
"""Internal key, id, value of the column that a list is sorted by, and the body where it came along."""


@dataclass(frozen=True)
class SortOrder:
    """The order of a list, as SQL."""

    table: str
    column: str
    descending: bool
    nullable: bool

    @classmethod
    def of(cls, spec: FilterSpec, column: InstrumentedAttribute[Any], *, descending: bool) -> "SortOrder":
        stored = column.property.columns[0]
        return cls(spec.table.__tablename__, stored.name, descending, bool(stored.nullable))

    @property
    def by_id(self) -> bool:
        return self.column == "id"

    def place(self, row: Row) -> Place:
        """Where in the list a row stands."""
        return row[1] if self.by_id else row[2], row[1]

    def after(self, place: Place | None) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """What comes after a place, in parts that an index serves one by one: condition with order, and values."""
        column, sense, beyond = self.column, "DESC" if self.descending else "ASC", "<" if self.descending else ">"
        if self.by_id:
            yield (f"id {beyond} ? ORDER BY id {sense}", (place[1],)) if place else (f"1 = 1 ORDER BY id {sense}", ())
            return
        value, last = place or (None, "")
        nulls = f"{column} IS NULL AND id > ? ORDER BY id"
        if place and value is None:
            yield nulls, (last,)
            return
        if place:
            yield f"{column} = ? AND id > ? ORDER BY id", (value, last)
            yield f"{column} {beyond} ? ORDER BY {column} {sense}, id", (value,)
        else:
            yield f"{column} IS NOT NULL ORDER BY {column} {sense}, id", ()
        if self.nullable:
            yield nulls, ("",)


def keyset_page(
    index: FilterIndexView,
    selection: Selection,
    keys: BitMap,
    request: PageRequest,
    order: SortOrder,
    session: Session | None = None,
) -> Page:
    """One page of the records with these keys; its `total` counts the keys.

    A few are read and sorted. Of many, the ids are read in order, along the filter that keeps fewest, until the page is
    full: either way the work grows with the square root of the number of records at most. An order whose values are
    filters is read value by value. With a session, only the records that meet the selection's conditions are on the
    page.
    """
    rows_needed = request.limit + 1
    is_stepped = order.column in selection.spec.stepped and (session is not None or len(keys) > MAX_SORTED)
    listing = _Listing(index, selection, order, session)
    read = listing.by_value if is_stepped else listing.in_order
    shown = read(keys, request.place, rows_needed)
    is_last = len(shown) < rows_needed
    shown = shown[: request.limit]
    index.view.remember_bodies(selection.scope, [(row[1], row[3]) for row in shown])
    next_cursor = None if is_last else encode_cursor(request.fingerprint, order.place(shown[-1]))
    return Page(tuple([row[1] for row in shown]), next_cursor, len(keys), keys=keys)


@dataclass(frozen=True)
class _Listing:
    """The records of a selection in an order; with a session, those of them that meet its conditions."""

    index: FilterIndexView
    selection: Selection
    order: SortOrder
    session: Session | None

    def by_value(self, keys: BitMap, place: Place | None, count: int) -> list[Row]:
        """The first rows after a place, in an order whose values are filters of whole numbers."""
        rows: list[Row] = []
        if place is not None and not isinstance(place[0], int | float):
            raise _refused("malformed_cursor", "was altered or cut; take it from next_cursor as it is")
        name, scope, descending = self.order.column, self.selection.scope, self.order.descending
        by_id = SortOrder(self.order.table, "id", descending=False, nullable=False)
        for value in sorted(map(int, self.index.values(scope, name)), reverse=descending):
            if place is not None and (value > place[0] if descending else value < place[0]):
                continue
            some = keys & self.index.of(scope, Filter(name, str(value)))
            if some:
                those = _Listing(self.index, self.selection.filtered(name, [str(value)]), by_id, self.session)
                start = (place[1], place[1]) if place is not None and value == place[0] else None
                found = those.in_order(some, start, count - len(rows))
                rows += [(pk, record_id, value, body) for pk, record_id, _, body in found]
                if len(rows) >= count:
                    break
        return rows

    def in_order(self, keys: BitMap, place: Place | None, count: int) -> list[Row]:
        """The first rows after a place, read and sorted or along a filter."""
        index, selection, order = self.index, self.selection, self.order
        along = _shortest_ordered_filter(index, selection, order)
        steps = count * len(index.of(selection.scope, along or PUBLISHED)) // max(1, len(keys))
        if self.session is None and len(keys) <= max(count, steps // LOOKUP_COST):
            return _read_and_sort(index.view, keys, order, place, count, selection.scope)
        filter_pk = index.values(selection.scope, along.name).get(along.value) if along else None
        return _Walk(index.view, order, filter_pk, keys, selection, self.session).read(place, count, steps)


def _shortest_ordered_filter(index: FilterIndexView, selection: Selection, order: SortOrder) -> Filter | None:
    """Of the filters that the selection goes by and whose ids are stored in order, the one that keeps fewest."""
    if not order.by_id:
        return None
    alone = [filters[0] for filters in selection.groups if len(filters) == 1]
    ordered = [item for item in alone if item.name in selection.spec.ordered]
    if not ordered:
        return PUBLISHED if PUBLISHED.name in selection.spec.ordered else None
    return min(ordered, key=lambda item: len(index.of(selection.scope, item)))


MAX_SORTED = 200
"""Only of more records than this is an order of few values read value by value."""
LOOKUP_COST = 4
"""What it costs to look a record up by its key, in entries of an index that are read one after the other: each
row is on a page of its own."""
MAX_STEP = 5_000
"""Rows that one statement reads along a filter."""


def _read_and_sort(
    view: ReadView, keys: BitMap, order: SortOrder, place: Place | None, count: int, scope: str
) -> list[Row]:
    rows: list[Row] = []
    if not keys:
        return rows
    sent, body = view.keys(keys), view.body_beside(scope, order.table)
    for condition, values in order.after(place):
        sql = f"SELECT pk, id, {order.column}, {body} FROM {view.among(order.table)} WHERE {condition} LIMIT ?"
        rows += view.rows(sql, sent, *values, count - len(rows))
        if len(rows) >= count:
            break
    return rows


@dataclass(frozen=True)
class _Walk:
    """Reads records in the order of a list, along the ids that a filter keeps or else along the table."""

    view: ReadView
    order: SortOrder
    filter_pk: int | None
    keys: BitMap
    selection: Selection
    session: Session | None

    def read(self, place: Place | None, count: int, expected: int) -> list[Row]:
        """The first rows after a place that have one of the keys and meet the conditions; so many rows are expected
        to be passed for that."""
        found: list[Row] = []
        restriction = self.view.restriction("pk" if self.filter_pk is None else "record_pk", self.keys)
        is_direct = self.session is None and (restriction is not None or expected <= count)
        step = min(MAX_STEP, count if is_direct else expected + count)
        while True:
            # Bodies come along with no more rows than are wanted: of more, most are not on the page.
            rows = self._step(place, step, restriction, has_bodies=step <= count)
            fitting = [row for row in rows if row[0] in self.keys]
            if self.session is not None and fitting:
                meeting = self.selection.meeting(self.session, [row[0] for row in fitting])
                fitting = [row for row in fitting if row[0] in meeting]
            found += fitting
            if len(found) >= count or len(rows) < step:
                return found[:count]
            place = self.order.place(rows[-1])
            step = min(MAX_STEP, 2 * step)

    def _step(
        self, place: Place | None, count: int, restriction: tuple[str, str] | None, *, has_bodies: bool
    ) -> list[Row]:
        rows: list[Row] = []
        table, key, column = self.order.table, "pk", self.order.column
        wanted: list[tuple[str, Any]] = [restriction] if restriction is not None else []
        if self.filter_pk is not None:
            table, key, column = "filter_places", "record_pk", "NULL"
            wanted.append(("filter_pk = ?", self.filter_pk))
        where, given = "".join(f"{condition} AND " for condition, _ in wanted), [value for _, value in wanted]
        body = self.view.body_beside(self.selection.scope, table) if has_bodies else "NULL"
        for condition, values in self.order.after(place):
            sql = f"SELECT {key}, id, {column}, {body} FROM {table} WHERE {where}{condition} LIMIT ?"
            rows += self.view.rows(sql, *given, *values, count - len(rows))
            if len(rows) >= count:
                break
        return rows


# --- cursors ------------------------------------------------------------------------------------------------------


def encode_cursor(fingerprint: str, place: Sequence[Any]) -> str:
    """A cursor: opaque, tied to its list, and refused when altered."""
    payload = to_json([fingerprint, *place])
    return base64.urlsafe_b64encode(_seal(payload) + payload).decode().rstrip("=")


def decode_cursor(cursor: str, fingerprint: str) -> Place:
    """The place that a cursor stands for; InvalidInput where it was altered or comes from another list."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seal, payload = raw[:6], raw[6:]
        if seal != _seal(payload):
            raise ValueError("altered")
        origin, value, record_id = json.loads(payload)
        _check_place(value, record_id)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refused("malformed_cursor", "was altered or cut; take it from next_cursor as it is") from error
    if origin != fingerprint:
        raise _refused("foreign_cursor", "belongs to a list with other filters or another sort")
    return value, record_id


def _check_place(value: object, record_id: object) -> None:
    """Whoever forges a cursor must not send the database what it cannot compare."""
    if not isinstance(record_id, str) or not isinstance(value, str | int | float | None):
        raise TypeError("not a place in a list")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("beyond every column")
    printable(record_id)
    printable(value if isinstance(value, str) else "")


def _seal(payload: bytes) -> bytes:
    # A check against accidents, not a secret: whoever forges a cursor gains no more than another page.
    return blake2b(payload, digest_size=6, person=b"cursor").digest()


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput("The cursor cannot be used here.", errors=[Fault("query", "cursor", code, message)])
