"""Which records a filter keeps, as bitmaps written at publish: exact totals of any combination, whatever the size.

A *filter* is a parameter of a list with one of its values, such as `kind=efficacy`. For each there is a bitmap of the
records that it keeps, in portions of 65 536, so that a publication rewrites little. A record stands in the bitmaps
under its internal key. Where a list is walked in the order of ids, the ids that a filter keeps are stored in order too.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pydantic_core import from_json
from pyroaring import BitMap
from sqlalchemy import (
    ColumnElement,
    Engine,
    ForeignKey,
    LargeBinary,
    Select,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.core.cache import ByteBoundedCache
from app.storage.database import SLUG, Base, Pk
from app.storage.statements import Reader, reader_of

CHUNK_BITS = 16
MAX_BYTES = 24_000_000
"""Memory for bitmaps that were read, for each database and process."""


class Filter(NamedTuple):
    """A parameter with one of its values."""

    name: str
    value: str


PUBLISHED = Filter("status", "published")
"""Keeps what lists show at all."""


class FilterRow(Base):
    """A filter of the lists of one type of record."""

    __tablename__ = "filters"
    pk: Mapped[Pk]
    scope: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(String(300))
    __table_args__ = (UniqueConstraint("scope", "name", "value"),)


class FilterBits(Base):
    """The keys that the filter keeps, of those that agree in all but their last 16 bits, as a Roaring bitmap."""

    __tablename__ = "filter_bits"
    filter_pk: Mapped[int] = mapped_column(ForeignKey("filters.pk", ondelete="CASCADE"), primary_key=True)
    chunk: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    bits: Mapped[bytes] = mapped_column(LargeBinary)


class FilterEntry(Base):
    """The ids that the filter keeps, in order."""

    __tablename__ = "filter_places"
    filter_pk: Mapped[int] = mapped_column(ForeignKey("filters.pk", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    record_pk: Mapped[int]
    __table_args__ = ({"sqlite_with_rowid": False},)


Values = Select[*tuple[Any, ...]]
"""Tells under which filters records stand: rows of internal key and, in each further column, the value of the filter
that the column is named after, or null."""
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


def values(key: Column, columns: Mapping[str, Column]) -> Values:
    """A statement that tells the value of each filter by its name."""
    return select(key, *(column.label(name) for name, column in columns.items()))


@dataclass(frozen=True)
class FilterSpec:
    """How the records of one type can be filtered."""

    table: type[Base]
    """Has `pk` and `id`."""
    values: tuple[Values, ...]
    """Of published records only. What can be told by one statement should be: each is run for every publication."""
    is_one: Any = None
    """Tells the type's rows from others in the same table."""
    walked: frozenset[str] = frozenset()
    """Names of the filters whose ids are stored in order."""
    inner: frozenset[str] = frozenset()
    """Names of filters that no list takes as parameters, besides `PUBLISHED`."""
    flags: frozenset[str] = frozenset()
    """Names of filters that take one value at most."""
    together: frozenset[str] = frozenset()
    """Names of filters of which two ask for more than what both keep."""

    @property
    def pk(self) -> ColumnElement[int]:
        return self.table.__table__.c["pk"]

    @property
    def id(self) -> ColumnElement[str]:
        return self.table.__table__.c["id"]


# --- keeping ------------------------------------------------------------------------------------------------------


@dataclass
class _Moves:
    """What enters and leaves one filter."""

    added: dict[int, str] = field(default_factory=dict)
    removed: dict[int, str] = field(default_factory=dict)


class FilterIndexUpdater:
    """Keeps the filters in step: looks at records before and after they change, and writes the difference."""

    def __init__(self, session: Session, filterables: Mapping[str, FilterSpec]) -> None:
        self._session = session
        self._filterables = filterables
        self._before: dict[str, dict[str, _Filed]] = defaultdict(dict)

    def look(self, scope: str, ids: Iterable[str]) -> None:
        """Remember under which filters these records stand, the first time that they are named."""
        fresh = sorted(set(ids) - self._before[scope].keys())
        found = _filed(self._session, self._filterables[scope], fresh)
        self._before[scope].update({record_id: found.get(record_id, _NOWHERE) for record_id in fresh})

    def write(self) -> None:
        """File anew what was looked at."""
        for scope, before in self._before.items():
            after = _filed(self._session, self._filterables[scope], sorted(before))
            moves: dict[Filter, _Moves] = defaultdict(_Moves)
            for record_id, was in before.items():
                _compare(moves, record_id, was, after.get(record_id, _NOWHERE))
            if moves:
                _apply(self._session, scope, self._filterables[scope], moves)


class _Filed(NamedTuple):
    """Under which key and filters a record stands."""

    pk: int
    filters: frozenset[Filter]


_NOWHERE = _Filed(0, frozenset())


def _filed(session: Session, filter_spec: FilterSpec, ids: Sequence[str]) -> dict[str, _Filed]:
    found: dict[str, _Filed] = {}
    for start in range(0, len(ids), 500):
        keys = select(filter_spec.pk, filter_spec.id).where(filter_spec.id.in_(ids[start : start + 500]))
        if filter_spec.is_one is not None:
            keys = keys.where(filter_spec.is_one)
        names: dict[int, str] = dict(session.execute(keys).all())
        filters: dict[int, set[Filter]] = {pk: set() for pk in names}
        for told in filter_spec.values if names else ():
            key, *columns = told.selected_columns
            for pk, *row in session.execute(told.where(key.in_(names))):
                filters[pk].update(_told(columns, row))
        found.update({names[pk]: _Filed(pk, frozenset(kept)) for pk, kept in filters.items()})
    return found


def _told(columns: Iterable[ColumnElement[Any]], row: Iterable[str | None]) -> Iterator[Filter]:
    return (Filter(column.name, value) for column, value in zip(columns, row, strict=True) if value is not None)


def _compare(moves: dict[Filter, _Moves], record_id: str, was: _Filed, now: _Filed) -> None:
    moved = was.pk != now.pk
    for gone in was.filters if moved else was.filters - now.filters:
        moves[gone].removed[was.pk] = record_id
    for come in now.filters if moved else now.filters - was.filters:
        moves[come].added[now.pk] = record_id


def _apply(session: Session, scope: str, filter_spec: FilterSpec, moves: Mapping[Filter, _Moves]) -> None:
    keys = _keys(session, scope, moves)
    for changed, moved in moves.items():
        pk = keys[changed]
        chunks = {key >> CHUNK_BITS for key in chain(moved.added, moved.removed)}
        stored = select(FilterBits.chunk, FilterBits.bits).where(
            FilterBits.filter_pk == pk, FilterBits.chunk.in_(chunks)
        )
        bits = {chunk: BitMap.deserialize(blob) for chunk, blob in session.execute(stored)}
        for key in moved.removed:  # first: another record may have taken the key
            bits[key >> CHUNK_BITS].discard(key)
        for key in moved.added:
            bits.setdefault(key >> CHUNK_BITS, BitMap()).add(key)
        session.execute(delete(FilterBits).where(FilterBits.filter_pk == pk, FilterBits.chunk.in_(chunks)))
        _store_bits(session, pk, bits)
        if changed.name in filter_spec.walked:
            gone = sorted(moved.removed.values())
            for start in range(0, len(gone), 500):
                named = FilterEntry.id.in_(gone[start : start + 500])
                session.execute(delete(FilterEntry).where(FilterEntry.filter_pk == pk, named))
            places = [{"filter_pk": pk, "id": name, "record_pk": key} for key, name in moved.added.items()]
            if places:
                session.execute(insert(FilterEntry), places)


def _keys(session: Session, scope: str, filters: Iterable[Filter]) -> dict[Filter, int]:
    """Internal keys of filters; those that nobody has used yet are made."""
    wanted = sorted(filters)
    found: dict[Filter, int] = {}
    for start in range(0, len(wanted), 200):
        part = wanted[start : start + 200]
        rows = select(FilterRow.name, FilterRow.value, FilterRow.pk).where(
            FilterRow.scope == scope,
            FilterRow.name.in_({f.name for f in part}),
            FilterRow.value.in_({f.value for f in part}),
        )
        found.update({Filter(name, value): pk for name, value, pk in session.execute(rows)})
    fresh = [{"scope": scope, "name": f.name, "value": f.value} for f in wanted if f not in found]
    if fresh:
        session.execute(insert(FilterRow), fresh)
        return _keys(session, scope, filters)
    return found


def _store_bits(session: Session, pk: int, bits: Mapping[int, BitMap]) -> None:
    rows = [{"filter_pk": pk, "chunk": chunk, "bits": kept.serialize()} for chunk, kept in sorted(bits.items()) if kept]
    if rows:
        session.execute(insert(FilterBits), rows)


# --- making them all anew -----------------------------------------------------------------------------------------


def rebuild(session: Session, filterables: Mapping[str, FilterSpec]) -> None:
    """File every record again, from the tables; memory grows with the bitmaps, not with the records."""
    for table in (FilterEntry, FilterBits, FilterRow):
        session.execute(delete(table))
    for scope, filter_spec in filterables.items():
        kept: dict[Filter, BitMap] = defaultdict(BitMap)
        for told in filter_spec.values:
            for filters, pks in _grouped(session, told):
                for name in filters:
                    kept[name].update(pks)
        keys = _keys(session, scope, kept)
        for name, bits in kept.items():
            _store_bits(session, keys[name], _in_chunks(bits))
        _store_places(session, scope, filter_spec)


def _grouped(session: Session, told: Values) -> Iterator[tuple[Iterator[Filter], list[int]]]:
    """The keys of records that stand under the same filters: of those that agree in all but their last 16 bits."""
    key, *columns = told.subquery().columns
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    together = func.json_group_array(key) if is_sqlite else func.array_agg(key)
    portions = select(together, *columns).group_by(*columns, key.bitwise_rshift(CHUNK_BITS))
    for pks, *row in session.execute(portions):
        yield _told(columns, row), from_json(pks) if is_sqlite else pks


def _in_chunks(bits: BitMap) -> dict[int, BitMap]:
    if not bits:
        return {}
    return {
        chunk: bits & BitMap(range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS))
        for chunk in range(bits.min() >> CHUNK_BITS, (bits.max() >> CHUNK_BITS) + 1)
    }


def _store_places(session: Session, scope: str, filter_spec: FilterSpec) -> None:
    places: Table = FilterEntry.__table__  # type: ignore[assignment]
    for told in filter_spec.values:
        key, *columns = told.subquery().columns
        for column in columns:
            if column.name not in filter_spec.walked:
                continue
            rows = (
                select(FilterRow.pk, filter_spec.id, key)
                .join(FilterRow, FilterRow.value == column)
                .join(filter_spec.table, filter_spec.pk == key)
                .where(FilterRow.scope == scope, FilterRow.name == column.name)
                .order_by(FilterRow.pk, filter_spec.id)
            )
            session.execute(insert(places).from_select(["filter_pk", "id", "record_pk"], rows))


# --- reading ------------------------------------------------------------------------------------------------------


class FilterBitmaps:
    """The bitmaps of one database, remembered with the serial as of which they were read."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        self._known: ByteBoundedCache[tuple[int, str, str, str], BitMap] = ByteBoundedCache(most_bytes)
        self._values: dict[tuple[int, str, str], dict[str, int]] = {}
        self._lock = threading.Lock()

    def of(self, reader: Reader, serial: int, scope: str, wanted: Filter) -> BitMap:
        """What one filter keeps; not to be changed."""
        key = (serial, scope, *wanted)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            rows = reader.rows(
                "SELECT b.bits FROM filters f JOIN filter_bits b ON b.filter_pk = f.pk "
                "WHERE f.scope = ? AND f.name = ? AND f.value = ?",
                scope,
                *wanted,
            )
            known = BitMap.union(BitMap(), *(BitMap.deserialize(row[0]) for row in rows))
            with self._lock:
                self._known.put(key, known, sum(len(row[0]) for row in rows) + 200)
        return known

    def values(self, reader: Reader, serial: int, scope: str, name: str) -> dict[str, int]:
        """The values under which some record stands, in order, each with the internal key of its filter."""
        key = (serial, scope, name)
        found = self._values.get(key)
        if found is None:
            sql = "SELECT value, pk FROM filters WHERE scope = ? AND name = ? ORDER BY value"
            found = {row[0]: row[1] for row in reader.rows(sql, scope, name)}
            with self._lock:
                for old in [known for known in self._values if known[0] != serial]:
                    del self._values[old]
                self._values[key] = found
        return found


@dataclass(frozen=True)
class FilterIndexView:
    """What filters keep, as one reader sees it."""

    reader: Reader
    serial: int
    bitmaps: FilterBitmaps

    def of(self, scope: str, wanted: Filter) -> BitMap:
        """What one filter keeps; not to be changed."""
        return self.bitmaps.of(self.reader, self.serial, scope, wanted)

    def every(self, scope: str, asked: Iterable[Sequence[Filter]]) -> BitMap:
        """Published records that all groups keep, of which one filter each must do; not to be changed."""
        kept = [self._any(scope, filters) for filters in asked]
        if not kept:
            return self.of(scope, PUBLISHED)
        return kept[0] if len(kept) == 1 else BitMap.intersection(*sorted(kept, key=len))

    def facets(self, scope: str, names: Iterable[str], found: BitMap, most: int) -> dict[str, list[tuple[str, int]]]:
        """How many of these records stand under each value of the named filters, the most frequent first."""
        counted: dict[str, list[tuple[str, int]]] = {}
        for name in names:
            numbers = [
                (value, self.of(scope, Filter(name, value)).intersection_cardinality(found))
                for value in self.values(scope, name)
            ]
            numbers.sort(key=lambda counted: (-counted[1], counted[0]))
            counted[name] = [number for number in numbers[:most] if number[1]]
        return counted

    def values(self, scope: str, name: str) -> dict[str, int]:
        """The values of a filter under which some record stands, each with the filter's internal key."""
        return self.bitmaps.values(self.reader, self.serial, scope, name)

    def _any(self, scope: str, filters: Sequence[Filter]) -> BitMap:
        if len(filters) == 1:
            return self.of(scope, filters[0])
        return BitMap.union(BitMap(), *(self.of(scope, wanted) for wanted in filters))


def kept(session: Session, serial: int) -> FilterIndexView:
    """What filters keep, as the session sees it; `serial` is the one that it reads at."""
    return FilterIndexView(reader_of(session), serial, filter_bitmaps(session.get_bind().engine))


def filter_bitmaps(engine: Engine) -> FilterBitmaps:
    """The bitmaps of the database behind an engine."""
    return _BITMAPS.setdefault(engine.pool, FilterBitmaps())


_BITMAPS: WeakKeyDictionary[Any, FilterBitmaps] = WeakKeyDictionary()
"""By pool: an engine with other execution options is another object before the same pool."""
