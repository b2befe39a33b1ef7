"""The version of the database's schema: brings it up to date, and refuses one that does not fit this code.

Alembic is imported only to migrate or to explain a mismatch, so that a server starts without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.storage.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class SchemaMismatch(RuntimeError):
    """The schema is older or newer than the code; the message names the command to run."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no ini file."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(MIGRATIONS))
    alembic.attributes["connection"] = connection
    return alembic


def migrate(database: Database, target: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to a revision; the revisions before and after. Migrations run one at a time."""
    from alembic import command

    with database.exclusive() as connection:
        before = current(connection)
        refuse_unknown(before)
        revisions = _revisions()
        if target not in ("head", "base", *revisions):
            raise SchemaMismatch(f"There is no revision of that name; there are {', '.join(revisions)}.")
        order = [*revisions, None]
        is_down = target == "base" or (target in revisions and order.index(target) > order.index(before))
        (command.downgrade if is_down else command.upgrade)(config(connection), target)
        connection.commit()
        return before, current(connection)


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is the one that this code needs."""
    with database.engine.connect() as connection:
        revision = current(connection)
    if revision != newest():
        refuse_unknown(revision)
        state = "empty" if revision is None else f"at an older schema ({revision})"
        raise SchemaMismatch(f"The database is {state}. Run: ldn-evidence migrate")


def newest() -> str:
    """The newest revision; names of migration files start with their revision, in order."""
    return max(script.stem for script in (MIGRATIONS / "versions").glob("*.py")).partition("_")[0]


def current(connection: Connection) -> str | None:
    """The revision of the schema; null for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def refuse_unknown(revision: str | None) -> None:
    """Raise SchemaMismatch for a revision that only newer software knows."""
    if revision is not None and revision not in _revisions():
        raise SchemaMismatch(
            f"The database was made by a newer version of this software (schema {revision}). "
            "Install that version and run: ldn-evidence serve. Or restore a backup that this version made."
        )


def _revisions() -> list[str]:
    """Every revision, newest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()]
