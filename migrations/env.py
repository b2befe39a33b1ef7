"""Runs migrations on the connection that the caller hands over; see app/core/schema.py."""

import sqlite3
from typing import cast

from alembic import context
from sqlalchemy import Connection, text

from app import tables


def run(connection: Connection) -> None:
    """SQLite rebuilds a table by copying it; with foreign keys on, dropping the old one would delete its children."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        raw.rollback()
        raw.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection, target_metadata=tables.metadata, render_as_batch=sqlite, transaction_per_migration=False
    )
    with context.begin_transaction():
        if not sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()
    if sqlite:
        connection.commit()
        broken = raw.execute("PRAGMA foreign_key_check").fetchall()
        raw.execute("PRAGMA foreign_keys=ON")
        if broken:
            raise RuntimeError(f"{len(broken)} rows refer to rows that do not exist")


connection = context.config.attributes["connection"]
run(connection)
