"""Applies the seed files to the database: only what changed in the files, and never over a curator's edit."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.datasets import bundle
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.publishing.rendering import Progress
from app.storage.database import SLUG, Base, now
from app.storage.history import Release, StoredRecord, current_serial, text_of
from app.storage.resource import Key


class SeedRecord(Base):
    """Digest of a record's content when the seed files were last applied.

    If the stored content has another digest, a curator has edited the record since.
    """

    __tablename__ = "seed_records"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    digest: Mapped[str] = mapped_column(String(32))


@dataclass(frozen=True)
class SeedResult:
    """What seeding did; `serial` is null if nothing changed."""

    serial: int | None
    created: int
    updated: int
    unchanged: int
    conflicts: tuple[Key, ...]
    """Records that were changed both in the files and by a curator; the curator's content stays."""
    release: str | None
    """The release that was cut; null if none was."""


def seed(session: Session, directory: Path, progress: Progress | None = None) -> SeedResult:
    """Apply the records whose content in the files changed since the last time, unless a curator edited them."""
    changes = bundle.read(directory)
    ensure_system_actors(session)
    applied = {Key(row.type, row.id): row for row in session.scalars(select(SeedRecord))}
    contents = session.execute(select(StoredRecord.type, StoredRecord.id, StoredRecord.content))
    stored = {Key(record_type, record_id): _digest(content) for record_type, record_id, content in contents}
    due: list[Change] = []
    conflicts: list[Key] = []
    for change in changes:
        key, digest = change.key, _digest(text_of(change.content))
        row = applied.get(key)
        last = row.digest if row else None
        if digest == last:
            continue
        if stored.get(key) not in (last, digest):
            conflicts.append(key)
            continue
        due.append(change)
        row = row or SeedRecord(type=key.type, id=key.id)
        row.digest = digest
        session.add(row)
    result = publish(session, SEED, due, "Seed data", progress)
    return SeedResult(
        serial=result.serial,
        created=sum(key.type != "citation" for key in result.created),
        updated=sum(key.type != "citation" for key in result.updated),
        unchanged=len(changes) - len(due) - len(conflicts),
        conflicts=tuple(conflicts),
        release=_cut_first_release(session),
    )


def _digest(content: str) -> str:
    return blake2b(content.encode(), digest_size=16).hexdigest()


def _cut_first_release(session: Session) -> str | None:
    """Release 1 is the first state of the data set."""
    serial = current_serial(session)
    if serial == 0 or session.scalar(select(Release.name).limit(1)):
        return None
    session.add(Release(name="1", serial=serial, published_on=now()[:10], note="First release"))
    session.flush()
    return "1"
