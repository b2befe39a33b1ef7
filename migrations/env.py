"""Runs migrations on the connection that the caller hands over; see app/storage/schema.py.

After each of them the indexes count as outdated: `app/publishing/indexes.py` makes them anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from app import tables


def run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        render_as_batch=sqlite,
        transaction_per_migration=False,
        on_version_apply=forget_indexes,
    )
    if sqlite:
        with _without_foreign_keys(connection):
            context.run_migrations()
    else:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()
    connection.commit()


def forget_indexes(ctx: MigrationContext, step: object, heads: object, run_args: object) -> None:
    """After each step, in its transaction: what indexes were made of is not there any more."""
    connection = ctx.connection
    if connection is not None and inspect(connection).has_table("projections"):
        connection.execute(text("DELETE FROM projections"))


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
