"""Applies the seed files to the database: only what changed in the files, and never over a curator's edit."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import SEED, Account, Actor
from app.accounts.service import ensure_system_actors
from app.claims.models import Citation, Claim
from app.concepts.manifest import UNDESCRIBED, Manifest, StoredManifest, about_to_apply, manifest_at
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
from app.datasets.entries import Bundle
from app.datasets.files_beside import used_name
from app.datasets.layout import MANIFEST
from app.grading.method import has_same_numbers, method_of
from app.publishing.changes import Change
from app.publishing.publish import announce, open_publication, publish
from app.publishing.rendering import Progress
from app.publishing.terms import term_faults
from app.registry import BY_TYPE
from app.sources.models import Study
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
    _refuse_reused_names(session, read)
    with about_to_apply(session, manifest):
        graded = _doses_in_other_terms(session, manifest) + _graded_otherwise(session, manifest)
        result = publish(session, actor, [*due, *retirements], plan.note, loaded.progress, recompute=graded)
    _refuse_dropped_terms(session, manifest)
    serial = result.serial if manifest is None else _apply_manifest(session, actor, manifest, result.serial)
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


def _doses_in_other_terms(session: Session, manifest: Manifest | None) -> list[Key]:
    """Stored dosing ranges, if the manifest is about to tell other bands of doses apart; with the claims, whose
    citations hold the doses of studies, if it is about to measure in other units."""
    stored = manifest_at(session) or UNDESCRIBED
    if manifest is None:
        return []
    types = ["dosing_range"] if manifest.dose_tiers != stored.dose_tiers else []
    if manifest.vocabularies.units != stored.vocabularies.units:
        types = ["dosing_range", "claim"]
    rows = session.execute(
        select(StoredRecord.type, StoredRecord.id)
        .where(StoredRecord.type.in_(types))
        .order_by(StoredRecord.type, StoredRecord.id)
    )
    return [Key(*row) for row in rows]


def _refuse_dropped_terms(session: Session, manifest: Manifest | None) -> None:
    """InvalidInput if records use terms, or codes of a form, that the manifest no longer has: records that the files do
    not hold, or that were edited here."""
    before = (manifest_at(session) or UNDESCRIBED).vocabularies
    if manifest is None or manifest.vocabularies == before:
        return
    faults = []
    rows = select(StoredRecord.type, StoredRecord.id, StoredRecord.content).order_by(StoredRecord.type, StoredRecord.id)
    for record_type, record_id, text in session.execute(rows):
        content = BY_TYPE[record_type].write.model_validate_json(text)
        known = {(field, fault.code) for field, fault in term_faults(content, before)}
        for field, fault in term_faults(content, manifest.vocabularies):
            if (field, fault.code) not in known:
                faults.append(replace(fault, field=f"{record_type}/{record_id}: {field}"))
    if faults:
        message = f"Stored records use terms that {MANIFEST} no longer has; keep those, or edit the records first."
        raise InvalidInput(message, errors=faults)


def _graded_otherwise(session: Session, manifest: Manifest | None) -> list[Key]:
    """Every claim, if the manifest is about to state other numbers or names of the method; else the studies of its own
    designs and the claims that cite them, if it is about to change those."""
    if manifest is None:
        return []
    stored, keys = manifest_at(session) or UNDESCRIBED, []
    claims = select(StoredRecord.id).where(StoredRecord.type == "claim")
    own, former = manifest.vocabularies.study_designs, stored.vocabularies.study_designs
    if own != former:
        of_designs = Study.design.in_({term.id for term in (*own, *former)})
        keys += [Key("study", study_id) for study_id in session.scalars(select(Study.id).where(of_designs))]
        cited = select(Citation.claim_pk).join(Study, Study.pk == Citation.study_pk).where(of_designs)
        claims = select(Claim.id).where(Claim.pk.in_(cited))
    method, before = method_of(manifest), method_of(stored)
    if method.model_dump(exclude={"designs"}) != before.model_dump(exclude={"designs"}):
        claims = select(StoredRecord.id).where(StoredRecord.type == "claim")
    elif own == former:
        return []
    return keys + [Key("claim", claim_id) for claim_id in sorted(set(session.scalars(claims)))]


def _refuse_reused_names(session: Session, files: Bundle) -> None:
    """InvalidInput if the method has other numbers under names that an earlier state of the data set was graded by."""
    manifest = files.manifest
    if manifest is None or manifest.grading is None:
        return
    method = method_of(manifest)
    for serial, content in session.execute(select(StoredManifest.serial, StoredManifest.content)):
        earlier = method_of(Manifest.model_validate_json(content))
        is_named_so = (earlier.consensus, earlier.certainty) == (method.consensus, method.certainty)
        if is_named_so and not has_same_numbers(method, earlier):
            raise InvalidInput("Other numbers make another version of the method.", errors=[used_name(files, serial)])


def _apply_manifest(session: Session, actor: Actor, manifest: Manifest, serial: int | None) -> int | None:
    """Keep what the data set says of itself from this serial on, or from a new one where no record changed; the serial.

    InvalidInput if the database holds another data set.
    """
    stored = manifest_at(session)
    if stored == manifest:
        return serial
    if stored is not None and stored.id != manifest.id:
        reason = f"is {manifest.id!r}; the database holds the data set {stored.id!r}"
        fault = Fault("file", f"{MANIFEST}: id", "another_data_set", reason)
        raise InvalidInput("A database holds one data set; seed another one into another.", errors=[fault])
    if serial is None:
        serial = open_publication(session, actor, "What the data set says of itself").serial
        announce(session, serial)
    session.add(StoredManifest(serial=serial, content=text_of(manifest)))
    return serial


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
