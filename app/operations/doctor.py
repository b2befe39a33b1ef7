"""Looks the installation over: settings, database, schema, indexes, records. Nothing is changed."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.claims.models import Claim
from app.publishing import indexes
from app.registry import BY_TYPE, FILTERS
from app.search.models import SearchEntry
from app.settings import Settings
from app.storage import schema
from app.storage.database import Database, lax_settings
from app.storage.faults import DatabaseUnavailable
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import filter_index
from app.storage.history import RecordState, StoredRecord, current_release, current_serial, published_at
from app.storage.read_view import view_of
from app.storage.records import CurrentRecords
from app.storage.resource import Key, Stamp
from app.storage.sqlite_file import known_wal_fault

SAMPLE = 200
"""Records that are rendered again and compared with what is stored."""
MIN_FREE_BYTES = 200_000_000


class Level(StrEnum):
    ok = "ok"
    warning = "warning"
    fault = "fault"


@dataclass(frozen=True)
class Diagnosis:
    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<8}{self.subject}: {self.text}"


def _of(subject: str, good: str, faults: list[str], level: Level = Level.fault) -> Diagnosis:
    """A finding that is ok where there are no faults."""
    return Diagnosis(level, subject, "; ".join(faults)) if faults else Diagnosis(Level.ok, subject, good)


def versions(database: Database) -> str:
    """Of the software, the schema, the database's engine and the data set, in a line."""
    with database.read() as session:
        dataset = f"serial {current_serial(session)}, release {current_release(session) or 'none'}"
        return f"ldn-evidence {version('ldn-evidence')}, schema {schema.newest()}, {engine_version(session)}, {dataset}"


def engine_version(session: Session) -> str:
    if session.get_bind().dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {session.scalar(sa.text('SHOW server_version'))}"


def examine(database: Database, settings: Settings) -> Iterator[Diagnosis]:
    """Every finding, in the order in which they build on each other; it ends where there is nothing to build on."""
    yield from _settings(settings)
    try:
        with Session(database.engine) as session:
            session.connection()
            yield Diagnosis(Level.ok, "database", f"{engine_version(session)} answers")
            yield from (_sqlite if database.is_sqlite else _postgresql)(database, session)
        schema.check(database)
    except (DBAPIError, DatabaseUnavailable, schema.SchemaMismatch) as error:
        reason = str(error.fault if isinstance(error, DatabaseUnavailable) else error)
        if isinstance(error, DBAPIError):
            reason = f"does not answer ({error.orig})"
        yield Diagnosis(Level.fault, "database", reason)
        return
    yield Diagnosis(Level.ok, "schema", schema.newest())
    for subject, look in _CHECKS.items():
        try:
            with database.read() as session:
                yield look(session)
        except DBAPIError as error:
            yield Diagnosis(Level.fault, subject, f"cannot be read ({error.orig})")


def _settings(settings: Settings) -> Iterator[Diagnosis]:
    missing = [] if all(path.is_dir() for path in settings.seed_dir) else ["SEED_DIR names no directory"]
    yield _of("settings", "can be used", missing, Level.warning)
    if settings.host not in ("127.0.0.1", "::1", "localhost") and not settings.public_url:
        yield Diagnosis(Level.warning, "settings", "PUBLIC_URL is not set: links will name this machine")
    if settings.path_prefix:
        yield Diagnosis(Level.ok, "settings", f"every address in an answer begins with {settings.path_prefix}")


def _sqlite(database: Database, session: Session) -> Iterator[Diagnosis]:
    if fault := known_wal_fault():
        yield Diagnosis(Level.warning, "SQLite", fault)
    path = Path(str(database.url.database)).absolute()
    is_writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    yield _of("file", "can be written to", [] if is_writable else ["or its directory cannot be written to"])
    free, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    short = [f"{free // 1_000_000} MB are free, the database has {size // 1_000_000} MB"]
    yield _of("disk", short[0], short if free < max(MIN_FREE_BYTES, 2 * size) else [], Level.warning)
    rows = [row[0] for row in session.execute(sa.text("PRAGMA integrity_check(20)"))]
    faults = [row for row in rows if row != "ok"]
    orphans = session.execute(sa.text("PRAGMA foreign_key_check")).all()
    faults += [f"{len(orphans)} rows refer to rows that do not exist"] if orphans else []
    yield _of("integrity", "no page is damaged, no row dangles", faults)


def _postgresql(_database: Database, session: Session) -> Iterator[Diagnosis]:
    lax = lax_settings(session)
    yield _of("durability", "what is acknowledged survives a crash", [f"switch on {', '.join(lax)}"] if lax else [])


def _dataset(session: Session) -> Diagnosis:
    serial = current_serial(session)
    if serial == 0:
        return Diagnosis(Level.warning, "data set", "empty. Run: ldn-evidence seed")
    release = current_release(session) or "none"
    return Diagnosis(Level.ok, "data set", f"serial {serial}, release {release}, of {published_at(view_of(session))}")


def _indexes(session: Session) -> Diagnosis:
    names = indexes.unfit(session)
    faults = [f"{', '.join(names)} do not fit the data. Run: ldn-evidence migrate"] if names else []
    return _of("indexes", "made of the data as they are", faults)


def _counts(session: Session) -> Diagnosis:
    """Whether the filters keep as many records as are published, and the search as many claims."""
    r = StoredRecord
    published = sa.select(r.type, sa.func.count()).where(r.status == "published").group_by(r.type)
    counts = dict(session.execute(published).all())
    filters = filter_index(view_of(session))
    faults = [
        f"{name}: filters keep {kept} of {counts.get(name, 0)} published"
        for name in FILTERS
        if (kept := len(filters.of(name, PUBLISHED))) != counts.get(name, 0)
    ]
    entries = sa.select(sa.func.count()).select_from(SearchEntry).where(SearchEntry.type == "claim")
    if (found := session.scalar(entries)) != counts.get("claim", 0):
        faults.append(f"claim: search knows {found} of {counts.get('claim', 0)} published")
    return _of("counts", f"{sum(counts.values())} published records, as many as the indexes keep", faults)


def _history(session: Session) -> Diagnosis:
    """Whether each record has a state for the serial at which it last changed, and every claim its row."""
    r, s = StoredRecord, RecordState
    same = sa.and_(s.type == r.type, s.id == r.id, s.serial == r.serial, s.version == r.version)
    lost = session.scalar(sa.select(sa.func.count()).select_from(r).where(~sa.exists().where(same)))
    faults = [f"{lost} records have no state for their serial"] if lost else []
    claims = session.scalar(sa.select(sa.func.count()).select_from(r).where(r.type == "claim"))
    rows = session.scalar(sa.select(sa.func.count()).select_from(Claim))
    faults += [f"{claims} claims are stored, {rows} are in the table"] if claims != rows else []
    return _of("history", "every record has its states", faults)


def _bodies(session: Session) -> Diagnosis:
    """Whether records are what today's code renders: some hundred, spread evenly."""
    r = StoredRecord
    keys = [Key(*row) for row in session.execute(sa.select(r.type, r.id).order_by(r.type, r.id))]
    keys = keys[:: max(1, len(keys) // SAMPLE)]
    records = CurrentRecords(session)
    records.prefetch(keys, depth=1)
    differing = [f"{key.type}/{key.id}" for key in keys if not _is_rendered_alike(session, records, key)]
    faults = [f"{len(differing)} of {len(keys)} differ from what is stored, such as {name}" for name in differing[:1]]
    return _of("bodies", f"{len(keys)} records rendered again are as they are stored", faults)


def _is_rendered_alike(session: Session, records: CurrentRecords, key: Key) -> bool:
    row = records.row(key)
    if row is None:
        return False
    stamp = Stamp(row.version, row.serial, row.updated_at)
    body = BY_TYPE[key.type].render(records, row.content, row.derived, stamp).model_dump_json().encode()
    stored = session.scalar(sa.select(StoredRecord.body).filter_by(type=key.type, id=key.id))
    return bytes(stored or b"") == body


_CHECKS: dict[str, Callable[[Session], Diagnosis]] = {
    "data set": _dataset,
    "indexes": _indexes,
    "counts": _counts,
    "history": _history,
    "bodies": _bodies,
}
