"""Writes the rows of records: gathered first, then with few statements for all of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel
from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.storage.database import MAX_KEYS, Base

Row = Mapping[str, Any]
_Name = tuple[str, str | None, str]
"""Table, type of record where the table holds several, id."""


def column_values(table: type[Base], content: BaseModel) -> dict[str, Any]:
    """The fields of the content that have a column of the same name, without the id."""
    return content.model_dump(include=set(table.__table__.c.keys()) - {"id"})


def key_of(session: Session, table: type[Base], record_id: str, record_type: str | None = None) -> int:
    """The internal key of an existing record; cached in the session."""
    cache = _keys(session)
    name = (table.__tablename__, record_type, record_id)
    if name not in cache:
        load_keys(session, table, (record_id,), record_type)
    return cache[name]


def load_keys(session: Session, table: type[Base], ids: Iterable[str], record_type: str | None = None) -> None:
    """Read the internal keys of many records, those that exist, so that `key_of` knows them."""
    cache, columns, name = _keys(session), table.__table__.c, table.__tablename__
    missing = sorted(one for one in set(ids) if (name, record_type, one) not in cache)
    for start in range(0, len(missing), MAX_KEYS):
        statement = select(columns.id, columns.pk).where(columns.id.in_(missing[start : start + MAX_KEYS]))
        if record_type is not None:
            statement = statement.where(columns.type == record_type)
        cache.update(((name, record_type, record_id), pk) for record_id, pk in session.execute(statement))


def _keys(session: Session) -> dict[_Name, int]:
    keys: dict[_Name, int] = session.info.setdefault("keys", {})
    return keys


class RowWriter:
    """Rows to write in one transaction, in which nobody else writes. Nothing is in the tables before `flush`.

    New rows get their internal keys here, so that other rows can name them.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._next: dict[str, int] = {}
        self._new: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._changed: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._gone: dict[tuple[Table, str], set[int]] = defaultdict(set)
        self._fresh: set[tuple[str, int]] = set()

    def key(self, table: type[Base], record_id: str, record_type: str | None = None) -> int:
        """The internal key of a record that exists or was put here."""
        return key_of(self.session, table, record_id, record_type)

    def is_new(self, table: type[Base], record_id: str, record_type: str | None = None) -> bool:
        """Whether the record's row was put here, and not in the table before."""
        name = (table.__tablename__, record_type, record_id)
        return (table.__tablename__, _keys(self.session).get(name, 0)) in self._fresh

    def put(self, table: type[Base], record_id: str, values: Row, record_type: str | None = None) -> None:
        """Write the row of a record: another one where there is none yet. `load_keys` has looked for it."""
        name = (table.__tablename__, record_type, record_id)
        pk = _keys(self.session).get(name)
        if pk is None:
            identity = {"id": record_id} if record_type is None else {"type": record_type, "id": record_id}
            _keys(self.session)[name] = self.add(table, {**identity, **values})
        else:
            self.change(table, pk, values)

    def add(self, table: type[Base], values: Row) -> int:
        """Write a new row; returns its internal key. `replace` then has no rows to delete for it."""
        target = _table(table)
        if target.name not in self._next:
            self._next[target.name] = (self.session.scalar(select(func.max(target.c.pk))) or 0) + 1
        pk = self._next[target.name]
        self._next[target.name] += 1
        self._fresh.add((target.name, pk))
        self._new[target].append({"pk": pk, **values})
        return pk

    def change(self, table: type[Base], pk: int, values: Row) -> None:
        """Write other values into a row, once all new rows are there."""
        self._changed[_table(table)].append({"at_pk": pk, **values})

    def replace(self, table: type[Base], owner: Mapping[str, int], rows: Iterable[Row]) -> None:
        """Replace all rows of an owner; if the table has a column `position`, it numbers them from 0."""
        target = _table(table)
        self.clear(table, owner)
        numbered = "position" in target.c
        self._new[target] += (
            {**owner, **row, **({"position": index} if numbered else {})} for index, row in enumerate(rows)
        )

    def clear(self, table: type[Base], owner: Mapping[str, int]) -> None:
        """Delete all rows of an owner, with those that depend on them; what is put here stays."""
        ((column, pk),) = owner.items()
        (owner_key,) = table.__table__.c[column].foreign_keys
        if (owner_key.column.table.name, pk) not in self._fresh:
            self._gone[_table(table), column].add(pk)

    def flush(self) -> None:
        """Write everything: what goes, what comes, what changes."""
        order = {table: index for index, table in enumerate(Base.metadata.sorted_tables)}
        for (table, column), owners in sorted(self._gone.items(), key=lambda item: -order[item[0][0]]):
            self.session.execute(
                delete(table).where(table.c[column] == bindparam("owner")), [{"owner": pk} for pk in sorted(owners)]
            )
        for table in sorted(self._new, key=order.__getitem__):
            for some in _of_equal_columns(self._new[table]):
                self.session.execute(insert(table), some)
        for table in sorted(self._changed, key=order.__getitem__):
            for some in _of_equal_columns(self._changed[table]):
                self.session.execute(update(table).where(table.c.pk == bindparam("at_pk")), some)
        self._continue_numbers()
        for rows in (self._new, self._changed, self._gone, self._next):
            rows.clear()

    def _continue_numbers(self) -> None:
        """Let PostgreSQL number rows after those that got their keys here."""
        if self.session.get_bind().dialect.name == "postgresql":
            for name, following in self._next.items():
                self.session.execute(select(func.setval(func.pg_get_serial_sequence(name, "pk"), following - 1)))


def _of_equal_columns(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    groups: dict[frozenset[str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[frozenset(row)].append(row)
    return groups.values()


def _table(table: type[Base]) -> Table:
    return cast("Table", table.__table__)
