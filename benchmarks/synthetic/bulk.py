"""Many rows into an empty database: `executemany` on SQLite, `COPY` on PostgreSQL, and what makes both fast."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.core.errors import Unavailable
from app.storage.database import Base, Database

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
"""Rows by table, as tuples in the order of `columns_of` it."""

_LEFT_OUT = {("search_names", "pk")}
_MAX_WORDS = 200_000
_LOADING = {"journal_mode": "MEMORY", "synchronous": "OFF", "foreign_keys": "OFF", "cache_size": "-100000"}
_SERVING = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "ON", "cache_size": "-2000"}


def columns_of(table: Table) -> tuple[str, ...]:
    """The columns that a bulk row gives; keys that nothing refers to are left to the database."""
    return tuple(column.name for column in table.columns if (table.name, column.name) not in _LEFT_OUT)


class BulkWriter:
    """Writes rows over one connection and counts them by table; every `write` is a transaction of its own.

    On SQLite the indexes that can be made later are, and so is the full-text index: see `index`.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: Counter[str] = Counter()
        self._words: Counter[tuple[str, bool]] = Counter()
        self._tables = Base.metadata.sorted_tables
        self._raw = connection.connection.driver_connection
        self._later = self._set_aside() if isinstance(self._raw, sqlite3.Connection) else []

    # --- rows -----------------------------------------------------------------------------------------------------

    def write(self, rows: Rows, words: Mapping[tuple[str, bool], int] | None = None) -> None:
        """Insert rows, parents first, and add to the numbers of entries that hold each word."""
        for table in self._tables:
            if given := rows.get(table.name):
                if isinstance(self._raw, sqlite3.Connection):
                    self._execute_many(self._raw, table, given)
                else:
                    self._copy(table, given)
                self.rows[table.name] += len(given)
        self._words.update(words or {})
        if len(self._words) > _MAX_WORDS:
            self._write_words()
        self.connection.commit()

    def _execute_many(self, raw: sqlite3.Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        self.connection.execute(select(1))  # begins the transaction
        raw.executemany(_insertion(table), rows)

    def _copy(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        from psycopg import sql  # heavy, and not needed on SQLite

        names = sql.SQL(", ").join(map(sql.Identifier, columns_of(table)))
        self.connection.execute(select(1))  # begins the transaction
        cursor = self.connection.connection.cursor()
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)) as copy:
            for row in rows:
                copy.write_row(row)

    def _write_words(self) -> None:
        table = Base.metadata.tables["search_words"]
        into = (sqlite_insert if isinstance(self._raw, sqlite3.Connection) else postgresql_insert)(table)
        statement = into.on_conflict_do_update(
            index_elements=[table.c.word, table.c.is_stem], set_={"entries": table.c.entries + into.excluded.entries}
        )
        values = [
            {"word": word, "is_stem": is_stem, "entries": n} for (word, is_stem), n in sorted(self._words.items())
        ]
        if values:
            self.connection.execute(statement, values)
        self._words.clear()

    # --- indexes --------------------------------------------------------------------------------------------------

    def _set_aside(self) -> list[tuple[str, str]]:
        """Drop what keeps indexes in step; the statements that bring it back, each with its table."""
        found = self.connection.exec_driver_sql(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).all()
        for kind, name, _, _ in found:
            self.connection.exec_driver_sql(f'DROP {kind} "{name}"')
        self.connection.commit()
        return [(table, statement) for _, _, table, statement in found]

    @property
    def missing(self) -> int:
        """How many steps `index` will take."""
        return len(self._later)

    def index(self, *tables: str) -> Iterator[None]:
        """Make the indexes of these tables, or else whatever is missing yet, step by step."""
        chosen = [entry for entry in self._later if not tables or entry[0] in tables]
        self._later = [entry for entry in self._later if entry not in chosen]
        for _, statement in chosen:
            self.connection.exec_driver_sql(statement)
            self.connection.commit()
            yield

    def finish(self) -> None:
        """Write what was kept back, and let the database know what it holds."""
        self._write_words()
        self.connection.commit()
        if isinstance(self._raw, sqlite3.Connection):
            self._rebuild_full_text()
            self._check()
        else:
            _continue_keys(self.connection)

    def _rebuild_full_text(self) -> None:
        tables = self.connection.exec_driver_sql(
            "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
        )
        for name in tables.scalars().all():
            self.connection.exec_driver_sql(f'INSERT INTO "{name}" ("{name}") VALUES (\'rebuild\')')  # noqa: S608
        self.connection.commit()

    def _check(self) -> None:
        """Nothing was cross-checked on the way."""
        faults = self.connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
        strays = self.connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if faults != ["ok"] or strays:
            raise RuntimeError(f"The database that was filled is not sound: {(*faults, *strays)[:5]}")


@cache
def _insertion(table: Table) -> str:
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=list(columns_of(table))))


@contextlib.contextmanager
def unhurried(database: Database) -> Iterator[Connection]:
    """The only connection, with nothing flushed or cross-checked before the end.

    A run that was interrupted leaves a database to throw away.
    """
    database.dispose()
    with database.exclusive() as connection:
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            _set(raw, _LOADING)
        try:
            yield connection
        finally:
            if isinstance(raw, sqlite3.Connection):
                connection.rollback()
                _set(raw, _SERVING)


def _set(raw: sqlite3.Connection, pragmas: Mapping[str, str]) -> None:
    try:
        for name, value in pragmas.items():
            raw.execute(f"PRAGMA {name} = {value}")
    except sqlite3.OperationalError as error:
        raise Unavailable("Another program has the database open. Stop it first.") from error


def _continue_keys(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that came with keys of their own."""
    for table in Base.metadata.sorted_tables:
        if "pk" in table.columns and columns_of(table)[0] == "pk":
            highest = connection.scalar(select(func.max(table.c.pk)))
            if highest:
                sequence = func.pg_get_serial_sequence(table.name, "pk")
                connection.execute(select(func.setval(sequence, highest)))
    connection.execute(text("ANALYZE"))
    connection.commit()
