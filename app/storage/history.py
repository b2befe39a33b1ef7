"""The data set now and in the past: current records, every earlier state, and the publications between them.

`records` holds one row for each record: the content that curators wrote, the values derived from it, and the JSON body
that the API serves. `record_states` holds content and derived values for every serial at which the body changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, LargeBinary, String, and_, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.core.content import ResponseModel
from app.core.vocabulary import Status
from app.storage.database import MAX_KEYS, SLUG, Base, DateColumn, InstantColumn, LineColumn, TermColumn, TextColumn
from app.storage.read_view import PUBLICATION, ReadView
from app.storage.resource import Key

OneKey = TypeVar("OneKey", Key, str, int)


class Publication(Base):
    """Everything published in one transaction. The serial orders all history."""

    __tablename__ = "publications"
    serial: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[InstantColumn]
    actor: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"))
    note: Mapped[LineColumn]


class Release(Base):
    """A named serial; it never changes."""

    __tablename__ = "releases"
    name: Mapped[str] = mapped_column(SLUG, primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"), index=True)
    published_on: Mapped[DateColumn]
    note: Mapped[LineColumn]


class StoredRecord(Base):
    """The current state of a record."""

    __tablename__ = "records"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    version: Mapped[int]
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"))
    """The serial at which `body` last changed."""
    status: Mapped[TermColumn]
    successor: Mapped[str | None] = mapped_column(SLUG)
    updated_at: Mapped[InstantColumn]
    content: Mapped[TextColumn]
    derived: Mapped[TextColumn]
    digest: Mapped[str] = mapped_column(String(32))
    """Digest of the body without its permalink. If it is equal, nothing that a reader sees has changed."""
    body: Mapped[bytes] = mapped_column(LargeBinary)


class RecordState(Base):
    """The state of a record from one serial on."""

    __tablename__ = "record_states"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"), primary_key=True)
    version: Mapped[int]
    status: Mapped[TermColumn]
    updated_at: Mapped[InstantColumn]
    content: Mapped[TextColumn]
    derived: Mapped[TextColumn]
    __table_args__ = (Index("ix_record_states_serial", "serial"),)


class RecordReference(Base):
    """Which content refers to which record. Publishing uses it to find what depends on a change."""

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
    bodies = view.remembered_bodies(record_type, ids)
    if missing := [record_id for record_id in ids if record_id not in bodies]:
        sql = f"SELECT id, body FROM {view.named('records')} WHERE type = ?"
        bodies.update((row[0], row[1]) for row in view.rows(sql, to_json(missing).decode(), record_type))
    return [bodies[record_id] for record_id in ids]


def published_records(session: Session, record_type: str, limit: int) -> list[tuple[str, str]]:
    """Id and the instant of the last change of published records of a type, by id."""
    rows = session.execute(
        select(StoredRecord.id, StoredRecord.updated_at)
        .where(StoredRecord.type == record_type, StoredRecord.status == Status.published)
        .order_by(StoredRecord.id)
        .limit(limit)
    )
    return [(row.id, row.updated_at) for row in rows]


class MissingRecord(ResponseModel):
    """An id that was asked for and is not on the list."""

    id: str
    reason: Literal["unknown", "retired"]
    successor: str | None
    """The id that took the place of a retired one."""


def missing_records(view: ReadView, record_type: str, ids: Sequence[str]) -> list[MissingRecord]:
    """Those of the ids that no published record has, each once, in their order."""
    sql = f"SELECT id, status, successor FROM {view.named('records')} WHERE type = ?"
    rows = {row[0]: row[1:] for row in view.rows(sql, to_json(list(ids)).decode(), record_type)}
    missing = []
    for record_id in dict.fromkeys(ids):
        status, successor = rows.get(record_id, (None, None))
        if status != Status.published:
            reason: Literal["unknown", "retired"] = "unknown" if status is None else "retired"
            missing.append(MissingRecord(id=record_id, reason=reason, successor=successor))
    return missing


def published_at(view: ReadView) -> str | None:
    """The instant at which the newest serial was published; null for an empty data set."""
    rows = view.rows("SELECT at FROM publications WHERE serial = ?", view.serial)
    return rows[0][0] if rows else None


def current_serial(session: Session) -> int:
    """The newest serial; 0 for an empty data set."""
    return session.scalar(select(Publication.serial).order_by(Publication.serial.desc()).limit(1)) or 0


def current_publication(session: Session) -> str:
    """What tells the newest publication from another of equal serial; empty for an empty data set."""
    return session.scalar(text(f"{PUBLICATION} ORDER BY serial DESC LIMIT 1")) or ""


def current_release(session: Session) -> str | None:
    """The newest release's name; null before the first."""
    return session.scalar(select(Release.name).order_by(Release.serial.desc(), Release.name.desc()).limit(1))


def state_at(session: Session, record_type: str, record_id: str, serial: int) -> RecordState | None:
    """The record's state at a serial; null if the record did not exist yet."""
    states = select(RecordState).filter_by(type=record_type, id=record_id).where(RecordState.serial <= serial)
    return session.scalar(states.order_by(RecordState.serial.desc()).limit(1))


def text_of(model: BaseModel) -> str:
    """The exact text as which content and derived values are stored and compared."""
    return model.model_dump_json()


# --- many records at once -----------------------------------------------------------------------------------------

Columns = tuple[InstrumentedAttribute[str], InstrumentedAttribute[str]]
"""The columns that name a record: its type and its id."""

_SOURCE = (RecordReference.type, RecordReference.id)
_TARGET = (RecordReference.to_type, RecordReference.to_id)


def referrers(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Records whose content refers to any of these."""
    return _linked(session, keys, _TARGET, _SOURCE)


def targets(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Records to which the content of any of these refers."""
    return _linked(session, keys, _SOURCE, _TARGET)


def _linked(session: Session, keys: Iterable[Key], near: Columns, far: Columns) -> set[Key]:
    connection = session.connection()
    links = (connection.execute(select(*far).where(are_among(near, some))) for some in batches(keys))
    return {Key(*row) for rows in links for row in rows}


def batches(keys: Iterable[OneKey]) -> Iterator[Sequence[OneKey]]:
    """Sorted keys or ids, as many at a time as one statement takes."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), MAX_KEYS):
        yield ordered[start : start + MAX_KEYS]


def are_among(columns: Columns, keys: Iterable[Key]) -> ColumnElement[bool]:
    """Condition that the columns name one of these records; there must be at least one."""
    ids: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        ids[key.type].append(key.id)
    type_column, id_column = columns
    return or_(*(and_(type_column == record_type, id_column.in_(some)) for record_type, some in ids.items()))
