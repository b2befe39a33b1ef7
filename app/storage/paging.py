"""Pages of records by keyset: flat in time however deep, whole however much is published in between."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from pyroaring import BitMap
from sqlalchemy import ColumnElement, Index, Select, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.errors import Fault, InvalidInput
from app.core.text import Cursor, Words, printable
from app.storage.filter_index import PUBLISHED, Filter, FilterIndexView, FilterSpec
from app.storage.statements import Reader

MAX = 200


Sorts = Mapping[str, InstrumentedAttribute[Any]]
"""The columns that a list can be sorted by, under their public names."""


def sort_indexes(table: str, column: str) -> tuple[Index, Index]:
    """What serves a sort in either direction: ties go by id upwards both ways."""
    return (
        Index(f"ix_{table}_{column}_id", column, "id"),
        Index(f"ix_{table}_{column}_desc_id", text(f"{column} DESC"), "id"),
    )


class ListQuery(BaseModel):
    """Paging, the same on every list; unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    limit: int = Field(default=20, ge=1, le=MAX)
    """Records on a page, 1 to 200."""
    cursor: Cursor | None = None
    """From `next_cursor` of the page before, with the same filters and sort."""

    def fingerprint(self, scope: str = "") -> str:
        """Stands for the filters and the sort: a cursor is good for the list it came from, and for no other."""
        filters = self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_defaults=True)
        return fingerprint(scope or type(self).__name__, filters)


def fingerprint(scope: str, filters: Mapping[str, Any]) -> str:
    """Of a list with filters that are not left at their defaults, `sort` among them; the same whether their values are
    read already or still text."""
    told = {name: _told(value if isinstance(value, list | tuple) else [value]) for name, value in filters.items()}
    return blake2b(json.dumps([scope, told], sort_keys=True).encode(), digest_size=6).hexdigest()


def _told(values: Sequence[Any]) -> list[str]:
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


class PageRequest(NamedTuple):
    """Which part of a list is asked for."""

    limit: int
    cursor: str | None
    fingerprint: str


class SortedQuery(ListQuery):
    sort: str = "id"
    """A name from the list's closed set, `-` in front for descending; nulls come last, ties go by id."""


class TextQuery(SortedQuery):
    q: Words | None = None
    """Words that must all occur in what the record can be found by; see `/v1/search` for ranked results."""


@dataclass(frozen=True)
class Selection:
    """Which records of a type a list holds: published ones that every group of filters keeps, one filter each."""

    scope: str
    filter_spec: FilterSpec
    every: tuple[Sequence[Filter], ...] = ()
    only: BitMap | None = None
    """Internal keys, where something else than filters and SQL has chosen."""
    where: tuple[ColumnElement[bool], ...] = ()
    """Further conditions, for which no bitmaps are kept."""
    counted_to: int | None = None
    """How many of the records that meet `where` may be read to count; null for all."""

    def filtered(self, name: str, values: Sequence[str]) -> Self:
        """Those that one of these values of a filter keeps; no value asks for nothing."""
        return replace(self, every=(*self.every, [Filter(name, value) for value in values])) if values else self

    def also(self, *where: ColumnElement[bool], counted_to: int | None = None) -> Self:
        """The records that meet these conditions as well."""
        return replace(self, where=(*self.where, *where), counted_to=counted_to or self.counted_to)

    def keys(self, session: Session, kept: FilterIndexView) -> BitMap:
        """Internal keys of all of them, however many."""
        found = self.of_filters(kept)
        return found & BitMap(session.scalars(self._meeting())) if self.where else found

    def of_filters(self, kept: FilterIndexView) -> BitMap:
        """Internal keys of those that the filters alone keep; not to be changed."""
        found = kept.every(self.scope, self.every)
        return found if self.only is None else found & self.only

    def _meeting(self) -> Select[Any]:
        return select(self.filter_spec.pk).where(*self.where)

    def settle(self, session: Session, kept: FilterIndexView) -> tuple[BitMap, bool]:
        """Internal keys of all of them, or (False) those of the filters alone and as many of the rest as were read."""
        if self.counted_to is None or not self.where:
            return self.keys(session, kept), True
        read = BitMap(session.scalars(self._meeting().limit(self.counted_to + 1)))
        return self.of_filters(kept) & read, len(read) <= self.counted_to

    def meeting(self, session: Session, pks: Sequence[int]) -> set[int]:
        """Which of these keys meet `where`."""
        return set(session.scalars(self._meeting().where(self.filter_spec.pk.in_(pks))))


class Page(NamedTuple):
    """Ids of one page in order, the cursor of the next one, and how many there are in all."""

    ids: tuple[str, ...]
    next_cursor: str | None
    total: int
    is_exact: bool = True
    found: BitMap | None = None
    """Internal keys of all that was counted."""
    bodies: tuple[bytes, ...] | None = None
    """The records' documents, where these were read on the way."""


def canonical(query: str) -> str:
    """The same question always in the same words: parameters by name, and of one name as they came."""
    return "&".join(sorted((part for part in query.split("&") if part), key=lambda part: part.partition("=")[0]))


def next_address(path: str, query: str, cursor: str | None) -> str | None:
    """The same address with the next cursor: path-absolute. The query is in canonical form."""
    if cursor is None:
        return None
    kept = [part for part in query.split("&") if part and not part.startswith("cursor=")]
    return f"{path}?{'&'.join([*kept, f'cursor={cursor}'])}"


def envelope(bodies: Sequence[bytes], following: str | None, page: Page, extra: bytes = b"") -> bytes:
    """A list around rendered records; `extra` holds further fields of it, each with a comma in front."""
    end = b'],"next":%b,"next_cursor":%b,"total":%d,"total_is":"%b"%b}' % (
        to_json(following),
        to_json(page.next_cursor),
        page.total,
        b"exact" if page.is_exact else b"at_least",
        extra,
    )
    if not bodies:
        return b'{"items":[' + end
    # Joined in one go: long pages are not copied twice.
    first, *rest = bodies
    pieces = [b'{"items":[' + first, *rest]
    pieces[-1] += end
    return b",".join(pieces)


MAX_COUNTED = 1000
"""Where a total is not exact, it is counted up to here."""
MAX_READ = 5_000
"""So many records that meet words or a dose are read to count those that meet the other filters as well."""


def paginate(
    session: Session, kept: FilterIndexView, matching: Selection, query: ListQuery, *, sort: str, columns: Sorts
) -> Page:
    """One page of what matches, ordered by a named column, nulls last, ties by id.

    `sort` is a name in `columns`, with `-` in front for descending.
    """
    found, is_settled = matching.settle(session, kept)
    test = None if is_settled else partial(matching.meeting, session)
    bits = found if is_settled else matching.of_filters(kept)
    order = Order.of(matching.filter_spec, columns[sort.removeprefix("-")], descending=sort.startswith("-"))
    walked = [filters[0] for filters in matching.every if len(filters) == 1 and order.by_id]
    asked = PageRequest(query.limit, query.cursor, query.fingerprint(matching.scope))
    page = page_of(kept, matching.scope, matching.filter_spec, bits, asked, order, walked, test)
    total = len(found) if is_settled else min(len(found), MAX_COUNTED + 1)
    return page._replace(total=total, is_exact=is_settled, found=found)


Row = tuple[int, str, Any, *tuple[bytes, ...]]
"""Internal key, id, value of the column that a list is sorted by, unless that is the id; and the document, where it was
read on the way."""


@dataclass(frozen=True)
class Order:
    """The order of a list, as SQL."""

    table: str
    column: str
    descending: bool
    nullable: bool

    @classmethod
    def of(cls, filter_spec: FilterSpec, column: InstrumentedAttribute[Any], *, descending: bool) -> "Order":
        stored = column.property.columns[0]
        return cls(filter_spec.table.__tablename__, stored.name, descending, bool(stored.nullable))

    @property
    def by_id(self) -> bool:
        return self.column == "id"

    def place(self, row: Row) -> tuple[Any, str]:
        """Where in the list a row stands."""
        return row[1] if self.by_id else row[2], row[1]

    def after(self, place: tuple[Any, str] | None) -> Iterator[tuple[str, tuple[Any, ...]]]:
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


def page_of(
    kept: FilterIndexView,
    scope: str,
    filter_spec: FilterSpec,
    bits: BitMap,
    asked: PageRequest,
    order: Order,
    walked: Sequence[Filter] = (),
    test: Callable[[Sequence[int]], set[int]] | None = None,
    *,
    with_bodies: bool = False,
) -> Page:
    """One page of the records with these keys that pass the test; its `total` counts the keys.

    A few are read and sorted. Of many, the ids are walked in order, along the filter of `walked` that keeps fewest,
    until the page is full: either way the work grows with the square root of the number of records at most.

    `with_bodies` has SQLite read the documents on the way where the first ids will do.
    """
    place = decode(asked.cursor, asked.fingerprint) if asked.cursor is not None else None
    wanted = asked.limit + 1
    stored = [known for known in walked if known.name in filter_spec.walked]
    if not stored and order.by_id and PUBLISHED.name in filter_spec.walked:
        stored = [PUBLISHED]
    along = min(stored, key=lambda known: len(kept.of(scope, known)), default=None) if len(stored) > 1 else None
    along = along or (stored[0] if stored else None)
    steps = wanted * len(kept.of(scope, along or PUBLISHED)) // max(1, len(bits))
    if test is None and len(bits) <= (max(FEW, steps) if steps > wanted else wanted):
        rows = _few(kept.reader, bits, order, place, wanted)
    else:
        most = wanted if steps <= wanted and test is None else steps + wanted
        filter_pk = kept.values(scope, along.name).get(along.value) if along else None
        is_straight = filter_pk is not None and most == wanted and kept.reader.is_sqlite
        bodies_of = scope if with_bodies and is_straight else None
        rows = _walk(kept.reader, bits, order, place, wanted, _Along(filter_pk, bodies_of), most, test)
    shown, more = rows[: asked.limit], len(rows) > asked.limit
    next_cursor = encode(asked.fingerprint, order.place(shown[-1])) if more else None
    bodies = tuple([row[3] for row in shown if len(row) > 3])
    return Page(tuple([row[1] for row in shown]), next_cursor, len(bits), bodies=bodies or None)


FEW = 200
"""So many are always read and sorted."""
_MAX_WALKED = 5_000


def _few(reader: Reader, bits: BitMap, order: Order, place: tuple[Any, str] | None, wanted: int) -> list[Row]:
    rows: list[Row] = []
    if not bits:
        return rows
    keys = reader.keys(bits)
    for condition, values in order.after(place):
        sql = f"SELECT pk, id, {order.column} FROM {reader.among(order.table)} WHERE {condition} LIMIT ?"  # noqa: S608 - our own names
        rows += reader.rows(sql, keys, *values, wanted - len(rows))
        if len(rows) >= wanted:
            break
    return rows


class _Along(NamedTuple):
    """The ids in order that a filter keeps; without one, those of the table."""

    filter_pk: int | None
    bodies_of: str | None
    """The records' type, where their documents are to be read as well."""

    def read(self, reader: Reader, order: Order, place: tuple[Any, str] | None, most: int) -> list[Row]:
        rows: list[Row] = []
        for condition, values in order.after(place):
            if self.filter_pk is None:
                sql = f"SELECT pk, id, {order.column} FROM {order.table} WHERE {condition} LIMIT ?"  # noqa: S608
                rows += reader.rows(sql, *values, most - len(rows))
            else:
                rows += self._places(reader, condition, self.filter_pk, *values, most - len(rows))
            if len(rows) >= most:
                break
        return rows

    def _places(self, reader: Reader, condition: str, *values: Any) -> Sequence[Row]:
        if self.bodies_of is None:
            return reader.rows(_places(condition), *values)
        return reader.rows(_places_with_bodies(condition), self.bodies_of, *values)


def _places(condition: str) -> str:
    return f"SELECT record_pk, id, NULL FROM filter_places WHERE filter_pk = ? AND {condition} LIMIT ?"  # noqa: S608


def _places_with_bodies(condition: str) -> str:
    """For SQLite, which takes CROSS JOIN as an order: the places first, and each record looked up."""
    records = "(SELECT type, id AS named, body FROM records) ON type = ? AND named = id"
    return (
        f"SELECT record_pk, id, NULL, body FROM filter_places CROSS JOIN {records} "  # noqa: S608 - our own words
        f"WHERE filter_pk = ? AND {condition} LIMIT ?"
    )


def _walk(
    reader: Reader,
    bits: BitMap,
    order: Order,
    place: tuple[Any, str] | None,
    wanted: int,
    along: _Along,
    most: int,
    test: Callable[[Sequence[int]], set[int]] | None,
) -> list[Row]:
    """Read on in order, `most` rows at first, until so many are among the keys and pass the test."""
    found: list[Row] = []
    most = min(_MAX_WALKED, most)
    while True:
        rows = along.read(reader, order, place, most)
        among = [row for row in rows if row[0] in bits]
        if test is not None and among:
            passing = test([row[0] for row in among])
            among = [row for row in among if row[0] in passing]
        found += among
        if len(found) >= wanted or len(rows) < most:
            return found[:wanted]
        place = order.place(rows[-1])
        most = min(_MAX_WALKED, 2 * most)


def encode(fingerprint: str, place: Sequence[Any]) -> str:
    """A cursor: opaque, tied to its list, and refused when altered."""
    payload = to_json([fingerprint, *place])
    return base64.urlsafe_b64encode(_seal(payload) + payload).decode().rstrip("=")


def decode(cursor: str, fingerprint: str) -> tuple[Any, str]:
    """The place that a cursor stands for; InvalidInput where it was altered or comes from another list."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seal, payload = raw[:6], raw[6:]
        if seal != _seal(payload):
            raise ValueError("altered")
        found, value, record_id = json.loads(payload)
        _check_place(value, record_id)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refused("malformed_cursor", "was altered or cut; take it from next_cursor as it is") from error
    if found != fingerprint:
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
