"""What is kept beside the records so that they are found quickly, and made anew where the way to keep it has changed.

The publish door keeps all of it in step. A database from before, or one that was filled in another way, is brought up
to date by `ldn-evidence migrate`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.publishing.records import CurrentRecords
from app.registry import FILTERS
from app.search import index
from app.storage import filter_index as filters
from app.storage import schema
from app.storage.database import Base, Database
from app.storage.schema import SchemaMismatch


class Projection(Base):
    """Something kept, and the version of the code that made it."""

    __tablename__ = "projections"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int]


class _Kept(NamedTuple):
    version: int
    """Raised whenever what is kept takes another shape."""
    rebuild: Callable[[Session], None]


KEPT: Mapping[str, _Kept] = {
    "filters": _Kept(2, lambda session: filters.rebuild(session, FILTERS)),
    "search": _Kept(index.VERSION, lambda session: index.rebuild(session, CurrentRecords)),
}


def migrate(database: Database, target: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to a revision, and what is kept up to date with it; the revisions before and after."""
    before, after = schema.migrate(database, target)
    if target == "head":
        with database.write() as session:
            for name in _outdated(session):
                KEPT[name].rebuild(session)
                session.execute(delete(Projection).where(Projection.name == name))
                session.execute(insert(Projection).values(name=name, version=KEPT[name].version))
    return before, after


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema and everything kept are of this version of the code."""
    schema.check(database)
    with database.read() as session:
        if _outdated(session):
            raise SchemaMismatch("What the database keeps for searching is out of date. Run: ldn-evidence migrate")


def _outdated(session: Session) -> list[str]:
    versions = dict(session.execute(select(Projection.name, Projection.version)).all())
    return [name for name, kept in KEPT.items() if versions.get(name) != kept.version]
