"""Many rows into an empty database: `executemany` on SQLite, `COPY` on PostgreSQL, and what makes both fast."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.core.database import Base, Database

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
"""Rows by table, as tuples in the order of `columns_of` it."""


def columns_of(table: Table) -> tuple[str, ...]:
    """The columns that a bulk row gives; keys that nothing refers to are left to the database."""
    return tuple(column.name for column in table.columns if (table.name, column.name) != ("search_names", "pk"))


class BulkWriter:
    """Writes rows over one connection and counts them by table; every `write` is a transaction of its own."""

    def __init__(self, connection: Connection, metadata: MetaData = Base.metadata) -> None:
        self.connection = connection
        self.rows: Counter[str] = Counter()
        self._tables = metadata.tables
        self._is_sqlite = connection.dialect.name == "sqlite"

    def write(self, rows: Rows, words: Mapping[tuple[str, bool], int] | None = None) -> None:
        """Insert rows, parents first, and add to the numbers of entries that hold each word."""
        for table in Base.metadata.sorted_tables:
            if given := rows.get(table.name):
                (self._execute_many if self._is_sqlite else self._copy)(table, given)
                self.rows[table.name] += len(given)
        if words:
            self._add_words(words)
        self.connection.commit()

    def _execute_many(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        names = columns_of(table)
        statement = insert(table).compile(dialect=sqlite.dialect(), column_keys=list(names))
        self.connection.exec_driver_sql(str(statement), list(rows))

    def _copy(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        from psycopg import sql  # heavy, and not needed on SQLite

        names = sql.SQL(", ").join(map(sql.Identifier, columns_of(table)))
        self.connection.execute(select(1))  # begins the transaction
        cursor = self.connection.connection.cursor()
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)) as copy:
            for row in rows:
                copy.write_row(row)

    def _add_words(self, words: Mapping[tuple[str, bool], int]) -> None:
        table = self._tables["search_words"]
        values = [{"word": word, "is_stem": is_stem, "entries": n} for (word, is_stem), n in sorted(words.items())]
        into = sqlite_insert(table) if self._is_sqlite else postgresql_insert(table)
        statement = into.on_conflict_do_update(
            index_elements=[table.c.word, table.c.is_stem], set_={"entries": table.c.entries + into.excluded.entries}
        )
        self.connection.execute(statement, values)


@contextlib.contextmanager
def unhurried(database: Database) -> Iterator[Connection]:
    """The only writer's connection, with nothing flushed or cross-checked before the end."""
    with database.exclusive() as connection:
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-200000", "temp_store=FILE"):
                raw.execute(f"PRAGMA {pragma}")
        try:
            yield connection
        finally:
            if isinstance(raw, sqlite3.Connection):
                connection.rollback()
                for pragma in ("wal_checkpoint(TRUNCATE)", "synchronous=FULL", "foreign_keys=ON", "cache_size=-2000"):
                    raw.execute(f"PRAGMA {pragma}")


def continue_keys(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that came with keys of their own."""
    for table in Base.metadata.sorted_tables:
        if "pk" in table.columns and columns_of(table)[0] == "pk":
            highest = connection.scalar(select(func.max(table.c.pk)))
            if highest:
                sequence = func.pg_get_serial_sequence(table.name, "pk")
                connection.execute(select(func.setval(sequence, highest)))
    connection.execute(text("ANALYZE"))
    connection.commit()
