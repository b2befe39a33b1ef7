"""What is remembered of the seed files that were applied last: what each file held, and where each record stood."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import cast

from sqlalchemy import Index, String, Table, and_, delete, insert, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.datasets.bundle import files_that_are_read
from app.storage.database import SLUG, Base
from app.storage.history import RecordState, are_among, batches
from app.storage.resource import Key

MAX_COMPARED = 2_000
"""States published since the files were applied that are compared with them; after more of them all files are read."""


class SeedRecord(Base):
    """Digest of a record's content when the seed files were last applied.

    If the stored content has another digest, a curator has edited the record since.
    """

    __tablename__ = "seed_records"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    digest: Mapped[str] = mapped_column(String(32))
    file: Mapped[str | None] = mapped_column(String(300))
    """The `SeedFile` in which it stands; null once none of them holds it."""
    __table_args__ = (Index("ix_seed_records_file", "file"),)


class SeedFile(Base):
    """A seed file as it was applied last; there is none after a conflict."""

    __tablename__ = "seed_files"
    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    """The position of its directory among those that were read together, and its path below it."""
    digest: Mapped[str] = mapped_column(String(32))
    """Of its content, and of the release of the software that read it."""
    records: Mapped[int]
    """How many it holds."""
    is_edited: Mapped[bool]
    """Whether some of its records had been edited here, so that what is stored is not what it says."""
    serial: Mapped[int]
    """The newest serial then."""


@dataclass(frozen=True)
class AppliedRecord:
    """What is remembered of a record."""

    digest: str
    file: str | None


def digest_of(content: str) -> str:
    return blake2b(content.encode(), digest_size=16).hexdigest()


def name_of(directories: Sequence[Path], directory: Path, path: Path) -> str:
    """How a file of one of the directories is called here."""
    return f"{directories.index(directory)}/{path.relative_to(directory).as_posix()}"


def files_now(directories: Sequence[Path]) -> dict[str, str]:
    """Name and digest of every file that says something."""
    release = version("ldn-evidence").encode()
    return {
        name_of(directories, directory, path): blake2b(release + b"\0" + path.read_bytes(), digest_size=16).hexdigest()
        for directory in directories
        for path in files_that_are_read(directory)
    }


def applied_files(session: Session) -> dict[str, SeedFile]:
    """The files that were applied last, by name."""
    return {row.name: row for row in session.scalars(select(SeedFile))}


def applied_records(session: Session, files: Collection[str] | None = None) -> dict[Key, AppliedRecord]:
    """All records that a seed brought, or those that stood in some of the files."""
    rows = select(SeedRecord.type, SeedRecord.id, SeedRecord.digest, SeedRecord.file)
    if files is not None:
        rows = rows.where(SeedRecord.file.in_(files))
    return {Key(*key): AppliedRecord(digest, file) for *key, digest, file in session.execute(rows)}


def records_named(session: Session, keys: Iterable[Key]) -> dict[Key, AppliedRecord]:
    """Those of the records that a seed brought."""
    found = {}
    for some in batches(keys):
        rows = select(SeedRecord.type, SeedRecord.id, SeedRecord.digest, SeedRecord.file)
        for *key, digest, file in session.execute(rows.where(are_among((SeedRecord.type, SeedRecord.id), some))):
            found[Key(*key)] = AppliedRecord(digest, file)
    return found


def is_as_applied(session: Session, files: Mapping[str, SeedFile]) -> bool:
    """Whether the records of the files are stored as the files say: nobody edited one before they were applied, or has
    since."""
    if any(file.is_edited for file in files.values()):
        return False
    since = min((file.serial for file in files.values()), default=0)
    states = session.execute(
        select(RecordState.content, SeedRecord.digest)
        .join(SeedRecord, and_(SeedRecord.type == RecordState.type, SeedRecord.id == RecordState.id))
        .where(RecordState.serial > since)
        .limit(MAX_COMPARED + 1)
    ).all()
    return len(states) <= MAX_COMPARED and all(digest_of(content) == digest for content, digest in states)


_UPSERT = text(
    "INSERT INTO seed_records (type, id, digest, file) VALUES (:type, :id, :digest, :file) "
    "ON CONFLICT (type, id) DO UPDATE SET digest = excluded.digest, file = excluded.file"
)
"""An upsert that both engines understand."""


def remember_records(session: Session, records: Mapping[Key, AppliedRecord]) -> None:
    """Remember records in the place of what was known of them."""
    rows = [{"type": key.type, "id": key.id, "digest": one.digest, "file": one.file} for key, one in records.items()]
    if rows:
        session.execute(_UPSERT, rows)


def remember_files(session: Session, files: Iterable[Mapping[str, object]], serial: int) -> None:
    """Remember files, as rows of `SeedFile` without the serial, in the place of all others of their names."""
    rows = [{**file, "serial": serial} for file in files]
    session.execute(delete(SeedFile).where(SeedFile.name.in_([row["name"] for row in rows])))
    if rows:
        session.execute(insert(cast("Table", SeedFile.__table__)), rows)
    session.execute(update(SeedFile).values(serial=serial))


def forget_files(session: Session) -> None:
    """Let the next seed read all files."""
    session.execute(delete(SeedFile))
