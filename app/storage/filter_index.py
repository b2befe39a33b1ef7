"""Which records each filter keeps, as bitmaps written at publish: exact totals of any combination, whatever the size.

A *filter* is a parameter of a list with one of its values, such as `kind=efficacy`. Each has a bitmap of the internal
keys of the records that it keeps, in chunks of 65 536 keys, so that a publication rewrites little. Where a list is
read in the order of ids, the ids that a filter keeps are stored in that order too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, cast

from pydantic_core import from_json
from pyroaring import BitMap
from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    LargeBinary,
    Select,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.storage.database import MAX_KEYS, SLUG, Base, Pk
from app.storage.filter_bitmaps import PUBLISHED, Filter
from app.storage.read_view import ReadView

CHUNK_BITS = 16
_UPDATED_TOGETHER = 2_000
"""Records whose filters are compared at once."""


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


_BITS: Table = cast("Table", FilterBits.__table__)
_ENTRIES: Table = cast("Table", FilterEntry.__table__)

Values = Select[*tuple[Any, ...]]
"""Selects (record key, filter value) pairs: the internal key and, in each further column, the value of the filter that
the column is named after, or null."""
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


def values(key: Column, columns: Mapping[str, Column]) -> Values:
    """A statement that selects the value of each filter under its name."""
    return select(key, *(column.label(name) for name, column in columns.items()))


@dataclass(frozen=True)
class FilterSpec:
    """How the records of one type can be filtered."""

    table: type[Base]
    """Has `pk` and `id`."""
    values: tuple[Values, ...]
    """Of published records only. As few statements as possible: each is run for every publication."""
    rows: Any = None
    """The condition that selects the type's rows, where the table holds other types too."""
    ordered: frozenset[str] = frozenset()
    """Names of the filters whose ids are stored in order."""
    stepped: frozenset[str] = frozenset()
    """Names of the filters whose values are the few whole numbers of the column of that name, by which lists are
    sorted."""

    @property
    def pk(self) -> ColumnElement[int]:
        return self.table.__table__.c["pk"]

    @property
    def id(self) -> ColumnElement[str]:
        return self.table.__table__.c["id"]


# --- updating -----------------------------------------------------------------------------------------------------


@dataclass
class _Changes:
    """What one filter gains and loses: internal key → id."""

    added: dict[int, str] = field(default_factory=dict)
    removed: dict[int, str] = field(default_factory=dict)


class FilterIndexUpdater:
    """Compares the filters of records before and after they change, and writes the difference."""

    def __init__(self, session: Session, specs: Mapping[str, FilterSpec]) -> None:
        self._session = session
        self._specs = specs
        self._before: dict[str, dict[str, _Membership]] = defaultdict(dict)

    def snapshot(self, scope: str, ids: Iterable[str]) -> None:
        """Remember under which filters these records stand, the first time that they are named."""
        new_ids = sorted(set(ids) - self._before[scope].keys())
        memberships = _memberships(self._session, self._specs[scope], new_ids)
        self._before[scope].update({record_id: memberships.get(record_id, _NONE) for record_id in new_ids})

    def apply(self) -> None:
        """Write what has changed since the snapshots."""
        for scope, before in self._before.items():
            ids = sorted(before)
            for start in range(0, len(ids), _UPDATED_TOGETHER):
                some = ids[start : start + _UPDATED_TOGETHER]
                after = _memberships(self._session, self._specs[scope], some)
                changes: dict[Filter, _Changes] = defaultdict(_Changes)
                for record_id in some:
                    _compare(changes, record_id, before[record_id], after.get(record_id, _NONE))
                if changes:
                    _apply(self._session, scope, self._specs[scope], changes)


class _Membership(NamedTuple):
    """The internal key of a record and the filters that keep it."""

    pk: int
    filters: frozenset[Filter]


_NONE = _Membership(0, frozenset())


def _memberships(session: Session, spec: FilterSpec, ids: Sequence[str]) -> dict[str, _Membership]:
    found: dict[str, _Membership] = {}
    for start in range(0, len(ids), 500):
        keys = select(spec.pk, spec.id).where(spec.id.in_(ids[start : start + 500]))
        if spec.rows is not None:
            keys = keys.where(spec.rows)
        names: dict[int, str] = dict(session.execute(keys).all())
        filters: dict[int, set[Filter]] = {pk: set() for pk in names}
        for statement in spec.values if names else ():
            key, *columns = statement.selected_columns
            for pk, *row in session.connection().execute(statement.where(key.in_(names))):
                filters[pk].update(_filters_in(columns, row))
        found.update({names[pk]: _Membership(pk, frozenset(kept)) for pk, kept in filters.items()})
    return found


def _filters_in(columns: Iterable[ColumnElement[Any]], row: Iterable[str | None]) -> Iterator[Filter]:
    return (Filter(column.name, value) for column, value in zip(columns, row, strict=True) if value is not None)


def _compare(changes: dict[Filter, _Changes], record_id: str, old: _Membership, new: _Membership) -> None:
    has_new_key = old.pk != new.pk
    for item in old.filters if has_new_key else old.filters - new.filters:
        changes[item].removed[old.pk] = record_id
    for item in new.filters if has_new_key else new.filters - old.filters:
        changes[item].added[new.pk] = record_id


def _apply(session: Session, scope: str, spec: FilterSpec, changes: Mapping[Filter, _Changes]) -> None:
    keys = _keys(session, scope, changes)
    touched = [
        (keys[item], chunk)
        for item, change in changes.items()
        for chunk in {key >> CHUNK_BITS for key in chain(change.added, change.removed)}
    ]
    bits = _stored_bits(session, touched)
    gone, entries = [], []
    for item, change in changes.items():
        pk = keys[item]
        for key in change.removed:  # first: another record may have taken the key
            bits[pk, key >> CHUNK_BITS].discard(key)
        for key in change.added:
            bits.setdefault((pk, key >> CHUNK_BITS), BitMap()).add(key)
        if item.name in spec.ordered:
            gone += [{"of": pk, "was": name} for name in change.removed.values()]
            entries += [{"filter_pk": pk, "id": name, "record_pk": key} for key, name in change.added.items()]
    of_chunk = (_BITS.c.filter_pk == bindparam("of"), _BITS.c.chunk == bindparam("at"))
    session.execute(delete(_BITS).where(*of_chunk), [{"of": pk, "at": chunk} for pk, chunk in touched])
    _store_bits(session, bits)
    if gone:
        is_gone = (_ENTRIES.c.filter_pk == bindparam("of"), _ENTRIES.c.id == bindparam("was"))
        session.execute(delete(_ENTRIES).where(*is_gone), gone)
    if entries:
        session.execute(insert(_ENTRIES), entries)


def _stored_bits(session: Session, touched: Iterable[tuple[int, int]]) -> dict[tuple[int, int], BitMap]:
    """What is stored of these filters and chunks."""
    wanted = set(touched)
    pks, chunks = sorted({pk for pk, _ in wanted}), {chunk for _, chunk in wanted}
    bits = {}
    for start in range(0, len(pks), MAX_KEYS):
        some = pks[start : start + MAX_KEYS]
        stored = select(_BITS).where(_BITS.c.filter_pk.in_(some), _BITS.c.chunk.in_(chunks))
        for pk, chunk, blob in session.execute(stored):
            if (pk, chunk) in wanted:
                bits[pk, chunk] = BitMap.deserialize(blob)
    return bits


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


def _store_bits(session: Session, bits: Mapping[tuple[int, int], BitMap]) -> None:
    """Write the bits of filters, by filter and chunk; there are none of them yet."""
    kept = sorted((place, some) for place, some in bits.items() if some)
    rows = [{"filter_pk": pk, "chunk": chunk, "bits": some.serialize()} for (pk, chunk), some in kept]
    if rows:
        session.execute(insert(_BITS), rows)


# --- making them all anew -----------------------------------------------------------------------------------------


def rebuild(session: Session, specs: Mapping[str, FilterSpec]) -> None:
    """Make the filters of every record again, from the tables; memory grows with the bitmaps, not with the records."""
    for table in (FilterEntry, FilterBits, FilterRow):
        session.execute(delete(table))
    for scope, spec in specs.items():
        kept: dict[Filter, BitMap] = defaultdict(BitMap)
        for statement in spec.values:
            for filters, pks in _grouped_keys(session, statement):
                for name in filters:
                    kept[name].update(pks)
        keys = _keys(session, scope, kept)
        for name, bits in kept.items():
            _store_bits(session, {(keys[name], chunk): kept for chunk, kept in _in_chunks(bits).items()})
        _store_entries(session, scope, spec)


def _grouped_keys(session: Session, statement: Values) -> Iterator[tuple[Iterator[Filter], list[int]]]:
    """The keys of records that stand under the same filters: of those that agree in all but their last 16 bits."""
    key, *columns = statement.subquery().columns
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    together = func.json_group_array(key) if is_sqlite else func.array_agg(key)
    chunks = select(together, *columns).group_by(*columns, key.bitwise_rshift(CHUNK_BITS))
    for pks, *row in session.execute(chunks):
        yield _filters_in(columns, row), from_json(pks) if is_sqlite else pks


def _in_chunks(bits: BitMap) -> dict[int, BitMap]:
    if not bits:
        return {}
    return {
        chunk: bits & BitMap(range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS))
        for chunk in range(bits.min() >> CHUNK_BITS, (bits.max() >> CHUNK_BITS) + 1)
    }


def _store_entries(session: Session, scope: str, spec: FilterSpec) -> None:
    entries: Table = FilterEntry.__table__  # type: ignore[assignment]
    for statement in spec.values:
        key, *columns = statement.subquery().columns
        for column in columns:
            if column.name not in spec.ordered:
                continue
            rows = (
                select(FilterRow.pk, spec.id, key)
                .join(FilterRow, FilterRow.value == column)
                .join(spec.table, spec.pk == key)
                .where(FilterRow.scope == scope, FilterRow.name == column.name)
                .order_by(FilterRow.pk, spec.id)
            )
            session.execute(insert(entries).from_select(["filter_pk", "id", "record_pk"], rows))


# --- reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FilterIndexView:
    """What filters keep, as one view of the data sees it."""

    view: ReadView

    def of(self, scope: str, item: Filter) -> BitMap:
        """Internal keys of the records that one filter keeps; not to be changed."""
        return self.view.bitmaps.of(self.view, scope, item)

    def every(self, scope: str, groups: Iterable[Sequence[Filter]]) -> BitMap:
        """Published records that all groups keep; of each group one filter must. Not to be changed."""
        bitmaps = [self._any(scope, filters) for filters in groups]
        if not bitmaps:
            return self.of(scope, PUBLISHED)
        return bitmaps[0] if len(bitmaps) == 1 else BitMap.intersection(*sorted(bitmaps, key=len))

    def facets(self, scope: str, names: Iterable[str], records: BitMap) -> dict[str, list[tuple[str, int]]]:
        """How many of these records stand under each value of the named filters, the most frequent first."""
        facets: dict[str, list[tuple[str, int]]] = {}
        for name in names:
            counts = [
                (value, self.of(scope, Filter(name, value)).intersection_cardinality(records))
                for value in self.values(scope, name)
            ]
            counts.sort(key=lambda count: (-count[1], count[0]))
            facets[name] = [count for count in counts if count[1]]
        return facets

    def values(self, scope: str, name: str) -> dict[str, int]:
        """The values of a filter under which some record stands, each with the filter's internal key."""
        return self.view.bitmaps.values(self.view, scope, name)

    def _any(self, scope: str, filters: Sequence[Filter]) -> BitMap:
        if len(filters) == 1:
            return self.of(scope, filters[0])
        return BitMap.union(BitMap(), *(self.of(scope, item) for item in filters))


def filter_index(view: ReadView) -> FilterIndexView:
    """What filters keep, as the view sees it."""
    return FilterIndexView(view)
