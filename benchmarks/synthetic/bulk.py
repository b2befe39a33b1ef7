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

Row = tuple[Any, ...]
"""The values of a row, in the order of `columns_of` its table."""
Words = Mapping[tuple[str, bool], int]
"""Word of the search index, and whether it is a stem → number of entries that hold it."""

_OMITTED = {("search_names", "pk")}
_MAX_WORDS = 200_000
_LOADING = {"journal_mode": "MEMORY", "synchronous": "OFF", "foreign_keys": "OFF", "cache_size": "-100000"}
_SERVING = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "ON", "cache_size": "-2000"}


def columns_of(table: Table) -> tuple[str, ...]:
    """The columns that a bulk row gives. Keys that nothing refers to are left to the database."""
    return tuple(column.name for column in table.columns if (table.name, column.name) not in _OMITTED)


class BulkWriter:
    """Writes rows over one connection and counts them by table. Every `write` is a transaction of its own.

    On SQLite it drops indexes and triggers, the full-text index's among them, until `create_indexes`.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.row_counts: Counter[str] = Counter()
        self._words: Counter[tuple[str, bool]] = Counter()
        driver_connection = connection.connection.driver_connection
        self._sqlite = driver_connection if isinstance(driver_connection, sqlite3.Connection) else None
        self._dropped = self._drop_indexes() if self._sqlite else []

    # --- rows -----------------------------------------------------------------------------------------------------

    def write(self, rows_by_table: Mapping[str, Sequence[Row]], words: Words | None = None) -> None:
        """Insert rows, parents first, and add to the numbers of entries that hold each word."""
        for table in Base.metadata.sorted_tables:
            rows = rows_by_table.get(table.name)
            if rows:
                self.connection.execute(select(1))  # begins the transaction
                if self._sqlite:
                    self._sqlite.executemany(_insert_statement(table), rows)
                else:
                    self._copy(table, rows)
                self.row_counts[table.name] += len(rows)
        self._words.update(words or {})
        if len(self._words) > _MAX_WORDS:
            self._write_words()
        self.connection.commit()

    def _copy(self, table: Table, rows: Sequence[Row]) -> None:
        from psycopg import sql  # heavy, and not needed on SQLite

        names = sql.SQL(", ").join(map(sql.Identifier, columns_of(table)))
        cursor = self.connection.connection.cursor()
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)) as copy:
            for row in rows:
                copy.write_row(row)

    def _write_words(self) -> None:
        table = Base.metadata.tables["search_words"]
        into = (sqlite_insert if self._sqlite else postgresql_insert)(table)
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

    def _drop_indexes(self) -> list[tuple[str, str]]:
        """The statements that create the dropped indexes and triggers again, each with its table."""
        found = self.connection.exec_driver_sql(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).all()
        for kind, name, _, _ in found:
            self.connection.exec_driver_sql(f'DROP {kind} "{name}"')
        self.connection.commit()
        return [(table, statement) for _, _, table, statement in found]

    def create_indexes(self, table: str | None = None) -> None:
        """Create the dropped indexes of one table, or all that are missing."""
        chosen = [entry for entry in self._dropped if table in (None, entry[0])]
        for _, statement in chosen:
            self.connection.exec_driver_sql(statement)
            self.connection.commit()
        self._dropped = [entry for entry in self._dropped if entry not in chosen]

    def finish(self) -> None:
        """Create what is missing, write the words, check the database and let it know what it holds."""
        self.create_indexes()
        self._write_words()
        self.connection.commit()
        if self._sqlite:
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
        orphans = self.connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if faults != ["ok"] or orphans:
            raise RuntimeError(f"The database that was filled is not sound: {(*faults, *orphans)[:5]}")


@cache
def _insert_statement(table: Table) -> str:
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=list(columns_of(table))))


@contextlib.contextmanager
def bulk_connection(database: Database) -> Iterator[Connection]:
    """The only connection to the database, which flushes and cross-checks nothing before the end.

    An interrupted run leaves a database to throw away.
    """
    database.dispose()
    with database.exclusive() as connection:
        raw = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            yield connection
            return
        _set_pragmas(raw, _LOADING)
        try:
            yield connection
        finally:
            connection.rollback()
            _set_pragmas(raw, _SERVING)
            connection.invalidate()  # its log is another one now: nobody may take that for the work of a stranger


def _set_pragmas(raw: sqlite3.Connection, pragmas: Mapping[str, str]) -> None:
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
