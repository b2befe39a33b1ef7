"""Runs migrations on the connection that the caller hands over; see app/storage/schema.py."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from alembic import context
from sqlalchemy import Connection, text

from app import tables


def run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection, target_metadata=tables.metadata, render_as_batch=sqlite, transaction_per_migration=False
    )
    if sqlite:
        with _without_foreign_keys(connection):
            context.run_migrations()
    else:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()
    connection.commit()


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite rebuilds a table by copying it; with foreign keys on, dropping the old one would delete its children.

    The switch works outside of transactions only, so the one that SQLAlchemy began is exchanged for another.
    """
    raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    raw.rollback()
    raw.execute("PRAGMA foreign_keys=OFF")
    raw.execute("BEGIN IMMEDIATE")
    try:
        yield
        broken = raw.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"{len(broken)} rows refer to rows that do not exist")
        raw.commit()
    finally:
        raw.rollback()
        raw.execute("PRAGMA foreign_keys=ON")


run(context.config.attributes["connection"])
