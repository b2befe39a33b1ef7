"""Seed data into the database: only what the files changed, and never over a curator's work."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.datasets import bundle
from app.datasets.models import SeedRecord
from app.publishing import publish as service
from app.publishing.publish import Change, Progress, text_of
from app.storage.database import now
from app.storage.history import Release, StoredRecord, current_serial
from app.storage.resource import Key


@dataclass(frozen=True)
class Report:
    """What seeding did."""

    serial: int | None
    created: int
    updated: int
    unchanged: int
    conflicts: tuple[Key, ...]
    """Records that both the files and a curator changed; left as the curator made them."""
    release: str | None


def seed(session: Session, directory: Path, progress: Progress | None = None) -> Report:
    """Apply the files; a record is applied when its file digest changed and nobody edited it since."""
    changes = bundle.read(directory)
    ensure_system_actors(session)
    applied = {Key(row.type, row.id): row for row in session.scalars(select(SeedRecord))}
    stored = _stored_digests(session)
    due: list[Change] = []
    conflicts: list[Change] = []
    for change in changes:
        last = applied[change.key].digest if change.key in applied else None
        wanted = _digest(change)
        if last == wanted:
            continue
        edited = stored.get(change.key) not in (last, wanted)
        (conflicts if edited else due).append(change)
    outcome = service.publish(session, SEED, due, "Seed data", progress)
    _remember(session, due, applied)
    return Report(
        serial=outcome.serial,
        created=sum(key.type != "citation" for key in outcome.created),
        updated=sum(key.type != "citation" for key in outcome.updated),
        unchanged=len(changes) - len(due) - len(conflicts),
        conflicts=tuple(change.key for change in conflicts),
        release=_cut_first_release(session),
    )


def _digest(change: Change) -> str:
    return blake2b(text_of(change.content).encode(), digest_size=16).hexdigest()


def _stored_digests(session: Session) -> dict[Key, str]:
    """Of current contents; derived values may move without anybody editing."""
    rows = session.execute(select(StoredRecord.type, StoredRecord.id, StoredRecord.content))
    return {
        Key(record_type, record_id): blake2b(content.encode(), digest_size=16).hexdigest()
        for record_type, record_id, content in rows
    }


def _remember(session: Session, due: list[Change], applied: dict[Key, SeedRecord]) -> None:
    for change in due:
        row = applied.get(change.key) or SeedRecord(type=change.type, id=change.content.id)
        row.digest = _digest(change)
        session.add(row)
    session.flush()


def _cut_first_release(session: Session) -> str | None:
    """Release 1 is the first state of the data set."""
    serial = current_serial(session)
    if serial == 0 or session.scalar(select(Release.name).limit(1)):
        return None
    session.add(Release(name="1", serial=serial, published_on=now()[:10], note="First release"))
    session.flush()
    return "1"
