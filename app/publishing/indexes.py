"""What is made of the records: their rows in tables, indexes for lists and search, derived values and bodies.

Publishing keeps all of it up to date. `refresh` makes again what does not fit: what an earlier version of the code or a
bulk import left behind, and everything after a migration.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import MAINTENANCE
from app.accounts.service import ensure_system_actors
from app.bibliography import formatted
from app.publishing import index_state
from app.publishing.changes import Change
from app.publishing.publish import publish, write_tables
from app.registry import FILTERS, RESOURCES
from app.search import index
from app.storage import filter_index, schema
from app.storage.database import Database
from app.storage.history import StoredRecord
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.storage.schema import SchemaMismatch


class _Index(NamedTuple):
    version: int
    """Raised with every change of what the index contains."""
    rebuild: Callable[[Session], None]


def _write_tables_again(session: Session) -> None:
    """Write the rows of every record again, from its content."""
    for resource in RESOURCES:
        contents = session.scalars(select(StoredRecord.content).filter_by(type=resource.type).order_by(StoredRecord.id))
        write_tables(
            session, [Change(resource.type, resource.write.model_validate_json(content)) for content in contents]
        )


def _publish_again(session: Session) -> None:
    """Derive and render every record by today's code; what changes gets a serial of its own."""
    keys = [Key(*row) for row in session.execute(select(StoredRecord.type, StoredRecord.id))]
    ensure_system_actors(session)
    publish(session, MAINTENANCE, (), "Derived and rendered by a new version of the code", recompute=keys)


INDEXES: Mapping[str, _Index] = {
    "tables": _Index(2, _write_tables_again),
    "filters": _Index(6, lambda session: filter_index.rebuild(session, FILTERS)),
    "search": _Index(index.VERSION, lambda session: index.rebuild(session, CurrentRecords)),
    "bodies": _Index(6, _publish_again),
    "references": _Index(formatted.VERSION, formatted.rebuild),
}
"""In the order in which they are made: each from those before it."""
VERSIONS: Mapping[str, int] = {name: index.version for name, index in INDEXES.items()}


def migrate(database: Database, target: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to a revision, and at the newest one the indexes up to date; the revisions before and after."""
    before, after = schema.migrate(database, target)
    if after == schema.newest():
        refresh(database)
    return before, after


def refresh(database: Database) -> list[str]:
    """Make the indexes anew that do not fit the data, the schema and this version of the code; their names."""
    schema.check(database)
    with database.read() as session:
        if not index_state.outdated(session, VERSIONS):
            return []
    with database.write() as session:
        names = index_state.outdated(session, VERSIONS)  # another process may have made them meanwhile
        if "tables" in names:
            names = list(INDEXES)
        for name in names:
            INDEXES[name].rebuild(session)
            index_state.record(session, {name: VERSIONS[name]})
        return names


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema and all indexes are of this version of the code."""
    schema.check(database)
    with database.read() as session:
        names = index_state.outdated(session, VERSIONS)
    if names:
        raise SchemaMismatch(f"Indexes do not fit the data: {', '.join(names)}. Run: ldn-evidence migrate")


def unfit(session: Session) -> list[str]:
    """Names of the indexes that were not made of the data and the schema that the session sees, by whatever version.

    A server of the release before goes on while a newer one makes them: its own version does not count here.
    """
    return index_state.outdated(session, dict.fromkeys(INDEXES))
