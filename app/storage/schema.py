"""The database's schema version: bring it up to date, and refuse to run on one that does not fit this code.

Alembic is loaded where there is something to migrate or to complain of; a server that starts on a schema that fits
does without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.storage.database import Database

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class SchemaMismatch(RuntimeError):
    """The database is older or newer than the code; the message names the command to run."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no ini file."""
    from alembic.config import Config

    alembic = Config()
    alembic.set_main_option("script_location", str(MIGRATIONS))
    alembic.attributes["connection"] = connection
    return alembic


def migrate(database: Database, target: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to a revision; the revisions before and after. Migrations at the same time wait."""
    from alembic import command

    with database.exclusive() as connection:
        before = _revision(connection)
        _refuse_newer(before)
        if target not in ("head", "base", *_known()):
            raise SchemaMismatch(f"There is no revision of that name; there are {', '.join(_known())}.")
        going_down = target != "head" and (target == "base" or _is_older(target, before))
        (command.downgrade if going_down else command.upgrade)(config(connection), target)
        connection.commit()
        return before, _revision(connection)


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is the one that this code was written for."""
    with database.engine.connect() as connection:
        found = _revision(connection)
    if found == newest():
        return
    _refuse_newer(found)
    state = "empty" if found is None else f"at an older schema ({found})"
    raise SchemaMismatch(f"The database is {state}. Run: ldn-evidence migrate")


def newest() -> str:
    """The newest revision: the names of migrations begin with theirs, and are in order."""
    return max(script.stem for script in (MIGRATIONS / "versions").glob("*.py")).partition("_")[0]


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in _known():
        raise SchemaMismatch(
            f"The database was made by a newer version of this software (schema {found}). "
            "Install that version and run: ldn-evidence serve. Or restore a backup that this version made."
        )


def _is_older(target: str, found: str | None) -> bool:
    order = _known()
    return found in order and target in order and order.index(target) > order.index(found)


def _known() -> list[str]:
    """Every revision, newest first."""
    return [script.revision for script in _scripts().walk_revisions()]
