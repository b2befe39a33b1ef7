"""What a downgrade cannot express is set aside in the database, and given back by the upgrade that follows.

An older schema has no place for some of what newer records say. Without this, going back and forth again would lose it.
Only what nobody has changed in between is given back. The table `set_aside` exists as long as it holds something.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from typing import Any

import sqlalchemy as sa

BATCH = 500
CONTENTS = ("records", "record_states", "seed_records")
KEYS = {
    "records": ("type", "id"),
    "record_states": ("type", "id", "serial"),
    "seed_records": ("type", "id"),
    "manifests": ("serial",),
}
"""The tables that are looked after, and their keys. `serial` is 0 for those without one."""

_METADATA = sa.MetaData()
SET_ASIDE = sa.Table(
    "set_aside",
    _METADATA,
    sa.Column("pk", sa.Integer, primary_key=True),
    sa.Column("revision", sa.String(32), nullable=False, index=True),
    sa.Column("relation", sa.String(20), nullable=False),
    sa.Column("row", sa.Text, nullable=False),  # the whole row before the downgrade, as JSON
    sa.Column("digests", sa.Text),  # of the columns that it changed, as it left them; null where it deleted the row
)


@contextmanager
def setting_aside(connection: sa.Connection, revision: str, tables: Sequence[str] = CONTENTS) -> Iterator[None]:
    """Run the downgrade of a revision, and set aside the rows of these tables that it changes or deletes."""
    for name in tables:
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE before_{name} AS SELECT * FROM {name}"))  # noqa: S608
    yield
    SET_ASIDE.create(connection, checkfirst=True)
    for name in tables:
        for some in _batches(_changed_rows(connection, name, KEYS[name])):
            rows = [{"revision": revision, "relation": name, **values} for values in some]
            connection.execute(sa.insert(SET_ASIDE), rows)
        connection.execute(sa.text(f"DROP TABLE before_{name}"))
    _drop_if_empty(connection)


@contextmanager
def giving_back(connection: sa.Connection, revision: str) -> Iterator[None]:
    """Run the upgrade of a revision; rows that are still as its downgrade left them become what they were before."""
    if not sa.inspect(connection).has_table(SET_ASIDE.name):
        yield
        return
    own = sa.select(SET_ASIDE).where(SET_ASIDE.c.revision == revision)
    for some in _pages(connection, own):
        changed = [row.pk for row in some if not _is_untouched(connection, row)]
        connection.execute(sa.delete(SET_ASIDE).where(SET_ASIDE.c.pk.in_(changed)))
    yield
    for some in _pages(connection, own):
        for row in some:
            _give_back(connection, row)
    connection.execute(sa.delete(SET_ASIDE).where(SET_ASIDE.c.revision == revision))
    _drop_if_empty(connection)


def _changed_rows(connection: sa.Connection, name: str, key: tuple[str, ...]) -> Iterator[dict[str, str | None]]:
    after, before = (sa.Table(table, sa.MetaData(), autoload_with=connection) for table in (name, f"before_{name}"))
    values = [column.name for column in before.columns if column.name not in key]
    same_key = sa.and_(*(after.c[part] == before.c[part] for part in key))
    differs = sa.or_(*(after.c[value].is_distinct_from(before.c[value]) for value in values))
    rows = (
        sa.select(*before.columns, *(after.c[value].label(f"after_{value}") for value in (key[0], *values)))
        .select_from(before.outerjoin(after, same_key))
        .where(sa.or_(after.c[key[0]].is_(None), differs))
    )
    for row in connection.execute(rows, execution_options={"yield_per": BATCH}).mappings():
        old = {column.name: row[column.name] for column in before.columns}
        digests = {value: _digest(row[f"after_{value}"]) for value in values if row[f"after_{value}"] != old[value]}
        is_deleted = row[f"after_{key[0]}"] is None
        yield {"row": json.dumps(old, default=_text), "digests": None if is_deleted else json.dumps(digests)}


def _is_untouched(connection: sa.Connection, aside: Any) -> bool:
    """Whether the row is still as the downgrade left it: with the same values, or not there."""
    table, old = _reflected(connection, aside.relation), json.loads(aside.row)
    now = connection.execute(sa.select(table).where(*_own(table, aside.relation, old))).mappings().one_or_none()
    if aside.digests is None or now is None:
        return aside.digests is None and now is None
    return all(_digest(now[name]) == digest for name, digest in json.loads(aside.digests).items())


def _give_back(connection: sa.Connection, aside: Any) -> None:
    table, old = _reflected(connection, aside.relation), json.loads(aside.row)
    if "body" in old:
        old["body"] = old["body"].encode()
    if aside.digests is None:
        connection.execute(sa.insert(table).values(old))
        return
    values = {name: old[name] for name in json.loads(aside.digests)}
    connection.execute(sa.update(table).where(*_own(table, aside.relation, old)).values(values))


def _own(table: sa.Table, relation: str, row: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[part] == row[part] for part in KEYS[relation]]


def _reflected(connection: sa.Connection, name: str) -> sa.Table:
    tables: sa.MetaData = connection.info.setdefault("set_aside", sa.MetaData())
    return sa.Table(name, tables, autoload_with=connection)


def _pages(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[list[sa.Row[Any]]]:
    last = 0
    while some := list(
        connection.execute(statement.where(SET_ASIDE.c.pk > last).order_by(SET_ASIDE.c.pk).limit(BATCH))
    ):
        yield some
        last = some[-1].pk


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while some := list(islice(rows, BATCH)):
        yield some


def _drop_if_empty(connection: sa.Connection) -> None:
    if connection.scalar(sa.select(sa.func.count()).select_from(SET_ASIDE)) == 0:
        SET_ASIDE.drop(connection)


def _digest(value: Any) -> str:
    data = value if isinstance(value, bytes) else repr(value).encode()
    return blake2b(data, digest_size=16).hexdigest()


def _text(value: bytes) -> str:
    return bytes(value).decode()
