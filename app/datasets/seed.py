"""Applies the seed files to the database: only what changed in the files, and never over a curator's edit."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import SEED, Account, Actor
from app.accounts.service import ensure_system_actors
from app.concepts.manifest import about_to_apply
from app.core.content import Record
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.datasets import bundle
from app.datasets.applied_files import (
    AppliedRecord,
    SeedFile,
    applied_files,
    applied_records,
    digest_of,
    files_now,
    forget_files,
    name_of,
    records_named,
    remember_files,
    remember_records,
)
from app.datasets.changed_files import read_changed
from app.datasets.changed_manifest import (
    doses_in_other_terms,
    graded_otherwise,
    keep_manifest,
    refuse_dropped_terms,
    refuse_reused_names,
)
from app.datasets.entries import Bundle
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.publishing.rendering import Progress
from app.registry import BY_TYPE
from app.storage.database import MAX_KEYS, now
from app.storage.history import Release, StoredRecord, are_among, batches, current_serial, text_of
from app.storage.resource import Key


@dataclass(frozen=True)
class SeedConflict:
    """A record that was edited both here and in the files, and the fields in which the two differ now."""

    key: Key
    fields: tuple[str, ...]

    def __str__(self) -> str:
        name = f"{self.key.type}/{self.key.id}"
        return (
            f"{name} was edited here and in the files; left as it is here. They differ in {', '.join(self.fields)}. "
            f"To take it from the files: ldn-evidence seed --take {name}; "
            "to take what is stored into the files: ldn-evidence pull"
        )


@dataclass(frozen=True)
class SeedResult:
    """What seeding did; `serial` is null if nothing changed."""

    serial: int | None
    created: tuple[Key, ...]
    updated: tuple[Key, ...]
    unchanged: int
    conflicts: tuple[SeedConflict, ...]
    """Records that were changed both in the files and by a curator; the curator's content stays."""
    release: str | None
    """The release that was cut; null if none was."""
    dropped: tuple[Key, ...] = ()
    """Published records that an earlier seed brought and that the files no longer hold; where all files were read."""
    retired: tuple[Key, ...] = ()
    """Those of `dropped` that were retired."""


@dataclass(frozen=True)
class SeedPlan:
    """How to seed: beside the files, what the person who does it says."""

    take: Collection[Key] = ()
    """Records that are applied even if a curator edited them."""
    note: str = "Seed data"
    """What the publication says of itself."""
    author: str = SEED.id
    """The account that answers for it."""
    prune: bool = False
    """Retire what an earlier seed brought and the files no longer hold, unless a curator edited it."""
    reread: bool = False
    """Read the files even if they are those that were applied last, to say what they no longer hold."""


PLAIN = SeedPlan()


def seed(
    session: Session,
    directories: Path | Sequence[Path],
    progress: Progress | None = None,
    plan: SeedPlan = PLAIN,
) -> SeedResult:
    """Apply the records whose content in the files changed since the last time, unless a curator edited them."""
    directories = [directories] if isinstance(directories, Path) else directories
    ensure_system_actors(session)
    actor = _actor(session, plan.author)
    files, applied = files_now(directories), applied_files(session)
    if not (plan.take or plan.prune or plan.reread):
        if files == {name: file.digest for name, file in applied.items()}:
            return SeedResult(None, (), (), sum(file.records for file in applied.values()), (), None)
        read = read_changed(session, directories, files, applied)
        if read is not None:
            try:
                return _apply(session, actor, read, _Loaded(directories, files, applied, progress), plan)
            except InvalidInput:
                pass  # nothing was written; read with all the others, it is said where the fault stands
    return _apply(session, actor, bundle.load_bundle(directories), _Loaded(directories, files, {}, progress), plan)


@dataclass(frozen=True)
class _Loaded:
    """What records were read from."""

    directories: Sequence[Path]
    files: Mapping[str, str]
    """Name and digest."""
    others: Mapping[str, SeedFile]
    """Files as they were applied before, where only those that changed since were read; else empty."""
    progress: Progress | None

    @property
    def names(self) -> list[str]:
        """Of the files that were read."""
        return [
            name for name, digest in self.files.items() if name not in self.others or self.others[name].digest != digest
        ]

    def names_of(self, read: Bundle) -> dict[Path, str]:
        files = {source.file.path: source.directory for source in read.sources.values()}
        return {path: name_of(self.directories, directory, path) for path, directory in files.items()}


def _apply(session: Session, actor: Actor, read: Bundle, loaded: _Loaded, plan: SeedPlan) -> SeedResult:
    """Publish what is due of the records that were read."""
    _refuse_unknown(plan.take, read.contents)
    before = _before(session, read, loaded)
    due: list[Change] = []
    conflicts: list[SeedConflict] = []
    remembered: dict[Key, AppliedRecord] = {}
    edited: set[str] = set()
    names = loaded.names_of(read)
    for change in read.changes:
        key, digest = change.key, digest_of(text_of(change.content))
        file = names[read.sources[key].file.path]
        last, here = before.applied.get(key), before.stored.get(key)
        if here not in (last and last.digest, digest) and digest != (last and last.digest) and key not in plan.take:
            conflicts.append(SeedConflict(key, _differing_fields(_content(session, key), change)))
            continue
        if last != (now := AppliedRecord(digest, file)):
            remembered[key] = now
        if digest != (last and last.digest) or (key in plan.take and here != digest):
            due.append(change)
        elif here != digest:
            edited.add(file)
    dropped = _dropped(session, before.applied.keys() - read.contents.keys()) if not loaded.others else ()
    retirements = _retirements(session, before, dropped) if plan.prune else []
    manifest = read.manifest
    refuse_reused_names(session, read)
    with about_to_apply(session, manifest):
        graded = doses_in_other_terms(session, manifest) + graded_otherwise(session, manifest)
        result = publish(session, actor, [*due, *retirements], plan.note, loaded.progress, recompute=graded)
    refuse_dropped_terms(session, manifest)
    serial = result.serial if manifest is None else keep_manifest(session, actor, manifest, result.serial)
    retired = {change.key: AppliedRecord(digest_of(text_of(change.content)), None) for change in retirements}
    gone = {
        key: AppliedRecord(one.digest, None)
        for key, one in before.applied.items()
        if key not in read.contents and one.file is not None
    }
    remember_records(session, remembered | gone | retired)
    if conflicts:
        forget_files(session)
    else:
        _remember_files(session, read, loaded, edited)
    return SeedResult(
        serial=serial,
        created=tuple(key for key in result.created if key.type != "citation"),
        updated=tuple(key for key in result.updated if key.type != "citation" and key not in retired),
        unchanged=_number_of_records(read, loaded) - len(due) - len(conflicts),
        conflicts=tuple(conflicts),
        release=_cut_first_release(session),
        dropped=dropped,
        retired=tuple(sorted(retired)),
    )


class _Before(NamedTuple):
    """Records before they are applied."""

    applied: Mapping[Key, AppliedRecord]
    stored: Mapping[Key, str]
    """Digests of their contents."""


def _before(session: Session, read: Bundle, loaded: _Loaded) -> _Before:
    """What is known of the records that were read, and of all that a seed brought if all files were read."""
    r = StoredRecord
    contents = select(r.type, r.id, r.content).execution_options(yield_per=MAX_KEYS)
    if loaded.others:
        applied = applied_records(session, loaded.names) | records_named(session, read.contents)
        conditions = [are_among((r.type, r.id), some) for some in batches(read.contents)]
    else:
        applied, conditions = applied_records(session), [r.type != "citation"]
    rows = (row for condition in conditions for row in session.execute(contents.where(condition)))
    return _Before(applied, {Key(record_type, record_id): digest_of(text) for record_type, record_id, text in rows})


def _remember_files(session: Session, read: Bundle, loaded: _Loaded, edited: Collection[str]) -> None:
    names = loaded.names_of(read)
    held = Counter(names[source.file.path] for source in read.sources.values())
    rows = (
        {"name": name, "digest": loaded.files[name], "records": held[name], "is_edited": name in edited}
        for name in loaded.names
    )
    if not loaded.others:
        forget_files(session)
    remember_files(session, rows, current_serial(session))


def _number_of_records(read: Bundle, loaded: _Loaded) -> int:
    others = loaded.others.keys() - loaded.names
    return len(read.contents) + sum(loaded.others[name].records for name in others)


def _content(session: Session, key: Key) -> str | None:
    return session.scalar(select(StoredRecord.content).filter_by(type=key.type, id=key.id))


def _actor(session: Session, account_id: str) -> Actor:
    """The account that answers for the publication; InvalidInput if there is none, or if it is disabled."""
    account = session.get(Account, account_id)
    if account is None or account.disabled_at is not None:
        accounts = session.scalars(select(Account.id).where(Account.disabled_at.is_(None)).order_by(Account.id))
        fault = Fault("file", "author", "unknown_value", "names no account", did_you_mean=tuple(accounts)[:20])
        raise InvalidInput("Somebody who is known here must answer for a publication.", errors=[fault])
    return account.actor


def _dropped(session: Session, keys: Iterable[Key]) -> tuple[Key, ...]:
    """Those of the records, which an earlier seed brought and the files no longer hold, that are published."""
    dropped: set[Key] = set()
    for some in batches(keys):
        rows = select(StoredRecord.type, StoredRecord.id).where(
            StoredRecord.status == Status.published, are_among((StoredRecord.type, StoredRecord.id), some)
        )
        dropped.update(Key(*row) for row in session.execute(rows))
    return tuple(sorted(dropped))


def _retirements(session: Session, before: _Before, keys: Iterable[Key]) -> list[Change]:
    """The records as retired ones, without those that a curator edited since they were seeded."""
    changes = []
    for key in keys:
        if before.stored[key] == before.applied[key].digest:
            content = BY_TYPE[key.type].write.model_validate_json(_content(session, key) or "")
            changes.append(Change(key.type, content.model_copy(update={"status": Status.retired})))
    return changes


def _refuse_unknown(take: Collection[Key], contents: Mapping[Key, Record]) -> None:
    missing = set(take) - contents.keys()
    if missing:
        faults = [
            Fault("file", f"{key.type}/{key.id}", "unknown_reference", "is in no file") for key in sorted(missing)
        ]
        raise InvalidInput("A record that is to be taken from the files is not there.", errors=faults)


def _differing_fields(stored: str | None, change: Change) -> tuple[str, ...]:
    here: dict[str, Any] = {} if stored is None else json.loads(stored)
    files: dict[str, Any] = json.loads(text_of(change.content))
    return tuple(name for name in {**files, **here} if here.get(name) != files.get(name))


def _cut_first_release(session: Session) -> str | None:
    """Release 1 is the first state of the data set."""
    serial = current_serial(session)
    if serial == 0 or session.scalar(select(Release.name).limit(1)):
        return None
    session.add(Release(name="1", serial=serial, published_on=now()[:10], note="First release"))
    session.flush()
    return "1"
