"""Of which serial and which schema each index was made. A migration deletes these rows, and with them all trust."""

from collections.abc import Mapping

from sqlalchemy import String, delete, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage import schema
from app.storage.database import Base
from app.storage.history import current_serial


class IndexState(Base):
    """What an index was made of: the version of the code, the serial of the data set, the revision of the schema."""

    __tablename__ = "projections"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int]
    serial: Mapped[int]
    """The newest publication that the index contains; 0 before the first."""
    revision: Mapped[str] = mapped_column(String(32))


def record(session: Session, versions: Mapping[str, int]) -> None:
    """Note that these indexes, name → version of the code, have just been made of the data as they are now."""
    session.execute(delete(IndexState).where(IndexState.name.in_(versions)))
    state = {"serial": current_serial(session), "revision": schema.newest()}
    session.execute(insert(IndexState), [{"name": name, "version": n, **state} for name, n in versions.items()])


def advance(session: Session, serial: int) -> None:
    """Note that indexes which contained the publication before this one contain it, too."""
    session.execute(update(IndexState).where(IndexState.serial == serial - 1).values(serial=serial))


def outdated(session: Session, versions: Mapping[str, int | None]) -> list[str]:
    """Names of the indexes that do not fit the data and the schema, or this version of the code unless it is null."""
    serial, revision = current_serial(session), schema.current(session.connection())
    states = {state.name: state for state in session.scalars(select(IndexState))}
    return [
        name
        for name, version in versions.items()
        if (state := states.get(name)) is None
        or (state.serial, state.revision) != (serial, revision)
        or version not in (None, state.version)
    ]
