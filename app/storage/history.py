"""The data set as it is and as it was: current documents, every earlier state, the publications between them.

`records` holds one row for each record: the content that curators wrote, the values derived from it, and the JSON
document that the API serves. `record_states` holds the same for every serial at which those bytes changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic_core import to_json
from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.database import SLUG, Base, DateColumn, InstantColumn, LineColumn, TermColumn, TextColumn
from app.storage.read_view import ReadView


class Publication(Base):
    """One step of the data set: everything published in one transaction. Its serial orders all history."""

    __tablename__ = "publications"
    serial: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[InstantColumn]
    actor: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"))
    note: Mapped[LineColumn]


class Release(Base):
    """A named serial; never changes once cut."""

    __tablename__ = "releases"
    name: Mapped[str] = mapped_column(SLUG, primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"), index=True)
    published_on: Mapped[DateColumn]
    note: Mapped[LineColumn]


class StoredRecord(Base):
    """A record as it is now."""

    __tablename__ = "records"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    version: Mapped[int]
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"))
    """The serial at which the served bytes last changed."""
    status: Mapped[TermColumn]
    successor: Mapped[str | None] = mapped_column(SLUG)
    updated_at: Mapped[InstantColumn]
    content: Mapped[TextColumn]
    derived: Mapped[TextColumn]
    digest: Mapped[str] = mapped_column(String(32))
    """Of the served document apart from its permalink: equal means that nothing a reader sees has changed."""
    body: Mapped[bytes] = mapped_column(LargeBinary)


class RecordState(Base):
    """A record as it was from one serial on."""

    __tablename__ = "record_states"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"), primary_key=True)
    version: Mapped[int]
    status: Mapped[TermColumn]
    updated_at: Mapped[InstantColumn]
    content: Mapped[str] = mapped_column(Text)
    derived: Mapped[str] = mapped_column(Text)
    __table_args__ = (Index("ix_record_states_serial", "serial"),)


class RecordReference(Base):
    """Which published content names which record; the index by which a change finds what depends on it."""

    __tablename__ = "record_references"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    to_type: Mapped[str] = mapped_column(String(20), primary_key=True)
    to_id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    __table_args__ = (Index("ix_record_references_to_type_to_id", "to_type", "to_id"),)


_CURRENT = "FROM records WHERE type = ? AND id = ?"


class CurrentBody(NamedTuple):
    """What is stored of a record as it is now, beside its content."""

    digest: str
    serial: int
    """The serial at which the served bytes last changed."""
    status: str
    successor: str | None
    body: bytes
    """The JSON that the API serves."""


def current_body(view: ReadView, record_type: str, record_id: str) -> CurrentBody | None:
    """A record's body as it is now; null where there is no such record."""
    rows = view.rows(f"SELECT digest, serial, status, successor, body {_CURRENT}", record_type, record_id)
    return CurrentBody(*rows[0]) if rows else None


def current_bodies(view: ReadView, record_type: str, ids: Sequence[str]) -> list[bytes]:
    """The bodies of records that there are, in the order of their ids."""
    if not ids:
        return []
    sql = f"SELECT id, body FROM {view.named('records')} WHERE type = ?"
    bodies = {row[0]: row[1] for row in view.rows(sql, to_json(ids).decode(), record_type)}
    return [bodies[record_id] for record_id in ids]


def current_serial(session: Session) -> int:
    """The newest serial; 0 for an empty data set."""
    return session.scalar(select(Publication.serial).order_by(Publication.serial.desc()).limit(1)) or 0


def current_release(session: Session) -> str | None:
    """The newest release's name; null before the first."""
    return session.scalar(select(Release.name).order_by(Release.serial.desc(), Release.name.desc()).limit(1))


def state_at(session: Session, record_type: str, record_id: str, serial: int) -> RecordState | None:
    """The record as it was at a serial; null where it did not exist yet."""
    statement = (
        select(RecordState)
        .where(RecordState.type == record_type, RecordState.id == record_id, RecordState.serial <= serial)
        .order_by(RecordState.serial.desc())
        .limit(1)
    )
    return session.scalar(statement)


def states(session: Session, record_type: str, record_id: str) -> list[RecordState]:
    """Every state of a record, newest first."""
    statement = (
        select(RecordState)
        .where(RecordState.type == record_type, RecordState.id == record_id)
        .order_by(RecordState.serial.desc())
    )
    return list(session.scalars(statement))
