"""What is made of the records: indexes for lists and search, derived values and bodies, with the version of the code.

Publishing keeps all of it up to date. `ldn-evidence migrate` makes again what an earlier version of the code, or a
bulk import, left behind.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.accounts.models import MAINTENANCE
from app.accounts.service import ensure_system_actors
from app.publishing.publish import publish
from app.registry import FILTERS
from app.search import index
from app.storage import filter_index, schema
from app.storage.database import Base, Database
from app.storage.history import StoredRecord
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.storage.schema import SchemaMismatch


class IndexVersion(Base):
    """The version of the code that built an index."""

    __tablename__ = "projections"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int]


class _Index(NamedTuple):
    version: int
    """Raised with every change of what the index contains."""
    rebuild: Callable[[Session], None]


def _publish_again(session: Session) -> None:
    """Derive and render every record by today's code; what changes gets a serial of its own."""
    keys = [Key(*row) for row in session.execute(select(StoredRecord.type, StoredRecord.id))]
    ensure_system_actors(session)
    publish(session, MAINTENANCE, (), "Derived and rendered by a new version of the code", recompute=keys)


INDEXES: Mapping[str, _Index] = {
    "filters": _Index(4, lambda session: filter_index.rebuild(session, FILTERS)),
    "search": _Index(index.VERSION, lambda session: index.rebuild(session, CurrentRecords)),
    "bodies": _Index(4, _publish_again),
}


def migrate(database: Database, target: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to a revision, and outdated indexes up to date; returns the revisions before and after."""
    before, after = schema.migrate(database, target)
    if target == "head":
        with database.write() as session:
            for name in _outdated(session):
                INDEXES[name].rebuild(session)
                session.execute(delete(IndexVersion).where(IndexVersion.name == name))
                session.execute(insert(IndexVersion).values(name=name, version=INDEXES[name].version))
    return before, after


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema and all indexes are of this version of the code."""
    schema.check(database)
    with database.read() as session:
        if _outdated(session):
            raise SchemaMismatch("What the database keeps for searching is out of date. Run: ldn-evidence migrate")


def _outdated(session: Session) -> list[str]:
    versions = dict(session.execute(select(IndexVersion.name, IndexVersion.version)).all())
    return [name for name, current in INDEXES.items() if versions.get(name) != current.version]
