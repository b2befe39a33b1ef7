"""The one door through which published records change.

`publish` takes new contents and, in one transaction, checks them, writes the tables, recomputes what depends on them,
renders the documents whose bytes change, and keeps every state under a new serial. All or nothing, and nothing at all
where nothing would change.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b

from pydantic import BaseModel
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.accounts.models import Actor
from app.claims.derived import ClaimDerived
from app.claims.models import Citation, Claim
from app.claims.schemas import CitationRecord, ClaimWrite
from app.concepts.schemas import InterventionWrite
from app.core.content import Envelope, Record
from app.core.errors import Fault, InvalidInput, nearest
from app.core.vocabulary import Status
from app.publishing.records import CurrentRecords
from app.registry import BY_TYPE, FILTERS, RESOURCES
from app.search import index
from app.sources.identifiers import IdentifierError, normalise
from app.sources.models import Document, DocumentIdentifier
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import Standing
from app.storage.database import CHANNEL, now
from app.storage.filter_index import FilterIndexUpdater
from app.storage.history import Publication, RecordReference, RecordState, StoredRecord, current_serial
from app.storage.resource import Key, Stamp

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Change:
    """New content for one record, or for a new record."""

    type: str
    content: Record

    @property
    def key(self) -> Key:
        return Key(self.type, self.content.id)


@dataclass(frozen=True)
class Outcome:
    """What a publication did; `serial` is null where nothing changed."""

    serial: int | None
    created: tuple[Key, ...] = ()
    updated: tuple[Key, ...] = ()
    touched: tuple[Key, ...] = field(default=())
    """Records whose own content stayed, but whose derived values or bytes changed."""


def publish(
    session: Session,
    actor: Actor,
    changes: Iterable[Change],
    note: str,
    progress: Progress | None = None,
    recompute: Iterable[Key] = (),
) -> Outcome:
    """Publish new contents; InvalidInput lists every fault and leaves nothing written.

    `recompute` names records whose derived values may have moved although no content did.
    """
    whole = [part for change in changes for part in (change, *_parts(session, change))]
    changed = _really_changed(session, whole)
    recompute = set(recompute)
    if not changed and not recompute:
        return Outcome(None)
    world = CurrentRecords(session)
    for change in changed:
        world.overlay(change.key, change.content)
    _refuse_faults(session, world, changed, whole)
    stored = _stored(session, [change.key for change in changed])
    before = _neighbours(session, changed)
    updater = FilterIndexUpdater(session, FILTERS)
    _look(updater, before | recompute | {change.key for change in changed} | _warning(session, changed, stored))
    _write_tables(session, changed)
    _write_references(session, changed)
    neighbours = before | _neighbours(session, changed)
    _look(updater, neighbours)
    serial = current_serial(session) + 1
    at = now()
    session.add(Publication(serial=serial, at=at, actor=actor.id, note=note))
    session.flush()
    renderer = Renderer(session, world, serial, at, {change.key for change in changed}, progress)
    renderer.run(neighbours | recompute)
    updater.apply()
    if not renderer.changed_keys:
        session.execute(delete(Publication).where(Publication.serial == serial))
        return Outcome(None)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, str(serial))))
    return Outcome(
        serial=serial,
        created=tuple(c.key for c in changed if c.key not in stored),
        updated=tuple(c.key for c in changed if c.key in stored),
        touched=tuple(sorted(renderer.touched)),
    )


# --- what changes -------------------------------------------------------------------------------------------------


def _really_changed(session: Session, whole: Sequence[Change]) -> list[Change]:
    """The changes less those that say what is already stored; parents first."""
    stored = _stored(session, [change.key for change in whole])
    order = {resource.type: index for index, resource in enumerate(RESOURCES)}
    changed = [change for change in whole if stored.get(change.key) != text_of(change.content)]
    return sorted(changed, key=lambda change: order[change.type])


def _parts(session: Session, change: Change) -> Iterable[Change]:
    """A claim's citations as records of their own; those that it no longer has are retired."""
    if not isinstance(change.content, ClaimWrite):
        return
    claim = change.content
    kept = set()
    for citation in claim.citations:
        kept.add(citation.id)
        record = CitationRecord(id=citation.id, status=claim.status, claim=claim.id, citation=citation)
        yield Change("citation", record)
    referring = select(RecordReference.id).where(
        RecordReference.type == "citation", RecordReference.to_type == "claim", RecordReference.to_id == claim.id
    )
    for citation_id in session.scalars(referring):
        if citation_id not in kept:
            content = session.scalars(
                select(StoredRecord.content).where(StoredRecord.type == "citation", StoredRecord.id == citation_id)
            ).one()
            gone = CitationRecord.model_validate_json(content).model_copy(update={"status": Status.retired})
            yield Change("citation", gone)


def text_of(model: BaseModel) -> str:
    """The exact text under which contents and derived values are stored and compared."""
    return model.model_dump_json()


def _stored(session: Session, keys: Iterable[Key]) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for record_type, ids in _by_type(keys):
        rows = session.execute(
            select(StoredRecord.id, StoredRecord.content).where(
                StoredRecord.type == record_type, StoredRecord.id.in_(ids)
            )
        )
        found.update({Key(record_type, record_id): content for record_id, content in rows})
    return found


# --- checks -------------------------------------------------------------------------------------------------------


def _refuse_faults(session: Session, world: CurrentRecords, changed: Sequence[Change], whole: Sequence[Change]) -> None:
    faults = [fault for change in changed for fault in _faults(session, world, change)]
    faults += _twice(whole)
    faults += _identifiers_taken(session, changed)
    if faults:
        raise InvalidInput("The change breaks rules; nothing was written.", errors=faults)


def _faults(session: Session, world: CurrentRecords, change: Change) -> Iterable[Fault]:
    resource = BY_TYPE[change.type]
    if isinstance(change.content, CitationRecord):
        yield from _citation_moved(session, change.key, change.content)
        yield from _new_citation_of_retracted(session, world, change.content)
        return
    at = f"{change.type}/{change.content.id}"
    for field_path, reason in resource.check(change.content):
        yield Fault("file", f"{at}: {field_path}", "rule", reason)
    content = change.content
    if content.status is Status.published and content.successor is not None:
        yield Fault("file", f"{at}: successor", "rule", "is for retired records only")
    if content.successor == content.id:
        yield Fault("file", f"{at}: successor", "rule", "a record cannot take over from itself")
    elif content.successor is not None and not _exists(world, Key(change.type, content.successor)):
        yield Fault("file", f"{at}: successor", "unknown_reference", "names no record")
    if content.status is Status.retired:
        yield from _still_named(session, world, change.key)
    for reference in resource.references(content):
        problem = _problem_with(world, reference.key)
        if problem and content.status is Status.published:
            candidates = session.scalars(select(StoredRecord.id).where(StoredRecord.type == reference.key.type))
            guesses = nearest(reference.key.id, [*candidates, *world.ids(reference.key.type)])
            yield Fault("file", f"{at}: {reference.field}", "unknown_reference", problem, did_you_mean=guesses)


def _still_named(session: Session, world: CurrentRecords, key: Key) -> Iterable[Fault]:
    """A record goes only when no published record names it any more. Its own parts go with it, and a claim that
    relates to it goes on doing so: the relation leads to what became of it."""
    for other in sorted(referrers(session, [key])):
        resource, content = BY_TYPE[other.type], world.content(other)
        named_by = [r for r in resource.references(content) if r.key == key and not r.field.startswith("relations")]
        if content.status is Status.published and named_by and resource.part_of != key.type:
            yield Fault(
                "file", f"{key.type}/{key.id}: status", "still_named", f"{other.type}/{other.id} still names it"
            )


def _problem_with(world: CurrentRecords, key: Key) -> str | None:
    if not _exists(world, key):
        return f"names no {key.type.replace('_', ' ')}"
    if world.content(key).status is Status.retired:
        return f"names a retired {key.type.replace('_', ' ')}"
    return None


def _exists(world: CurrentRecords, key: Key) -> bool:
    try:
        world.content(key)
    except KeyError:
        return False
    return True


def _citation_moved(session: Session, key: Key, citation: CitationRecord) -> Iterable[Fault]:
    """A citation id belongs to one claim for ever."""
    for text in _stored(session, [key]).values():
        if CitationRecord.model_validate_json(text).claim != citation.claim:
            at = f"claim/{citation.claim}: citations"
            yield Fault("file", at, "duplicate", "a citation id of another claim is used again")


def _identifiers_taken(session: Session, changed: Sequence[Change]) -> Iterable[Fault]:
    """An identifier names one document."""
    documents = [change.content for change in changed if isinstance(change.content, DocumentWrite)]
    owners: dict[tuple[str, str], str] = {}
    for document in documents:
        for position, identifier in enumerate(document.identifiers):
            with suppress(IdentifierError):
                name = (identifier.scheme, normalise(identifier.scheme, identifier.value))
                stored = session.scalar(
                    select(Document.id)
                    .join(DocumentIdentifier, DocumentIdentifier.document_pk == Document.pk)
                    .where(DocumentIdentifier.scheme == name[0], DocumentIdentifier.normal == name[1])
                )
                given_up = stored in {other.id for other in documents}
                owner = owners.setdefault(name, stored if stored and not given_up else document.id)
                if owner != document.id:
                    at = f"document/{document.id}: identifiers[{position}]"
                    yield Fault("file", at, "duplicate", f"is the identifier of {owner} already")


def _new_citation_of_retracted(session: Session, world: CurrentRecords, citation: CitationRecord) -> Iterable[Fault]:
    """What is retracted stays visible where it is cited, but is cited nowhere new."""
    if citation.status is Status.retired or not _exists(world, Key("document", citation.citation.document)):
        return
    document = world.content(Key("document", citation.citation.document))
    if document.standing[-1].standing is Standing.retracted and not _stored(session, [Key("citation", citation.id)]):
        at = f"claim/{citation.claim}: citations"
        yield Fault("file", at, "retracted", f"the document {document.id} is retracted and can be cited nowhere new")


def _twice(changed: Sequence[Change]) -> Iterable[Fault]:
    seen: set[Key] = set()
    for change in changed:
        if change.key in seen:
            yield Fault("file", f"{change.type}/{change.content.id}: id", "duplicate", "stands twice")
        seen.add(change.key)


# --- writing ------------------------------------------------------------------------------------------------------


def _write_tables(session: Session, changed: Sequence[Change]) -> None:
    for change in changed:
        BY_TYPE[change.type].apply(session, change.content)
    for change in changed:
        BY_TYPE[change.type].link(session, change.content)


def _write_references(session: Session, changed: Sequence[Change]) -> None:
    rows = []
    for change in changed:
        session.execute(
            delete(RecordReference).where(RecordReference.type == change.type, RecordReference.id == change.content.id)
        )
        targets = {reference.key for reference in BY_TYPE[change.type].references(change.content)}
        rows += [
            {"type": change.type, "id": change.content.id, "to_type": key.type, "to_id": key.id}
            for key in sorted(targets)
        ]
    if rows:
        session.execute(insert(RecordReference), rows)


def _look(updater: FilterIndexUpdater, keys: Iterable[Key]) -> None:
    for record_type, ids in _by_type(keys):
        updater.snapshot(record_type, ids)


def _warning(session: Session, changed: Sequence[Change], stored: Mapping[Key, str]) -> set[Key]:
    """Claims on the drugs of changed regimens: their warnings stand under the regimens as well."""
    regimens = [change.content for change in changed if isinstance(change.content, InterventionWrite)]
    earlier = [InterventionWrite.model_validate_json(stored[k]) for k in stored if k.type == "intervention"]
    drugs = {Key("intervention", parent) for regimen in (*regimens, *earlier) if (parent := regimen.parent)}
    return {key for key in referrers(session, drugs) if key.type == "claim"}


def _neighbours(session: Session, changed: Sequence[Change]) -> set[Key]:
    """What refers to the changed records, and what they refer to."""
    return referrers(session, [c.key for c in changed]) | targets(session, [c.key for c in changed])


def referrers(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Records that name any of these."""
    r = RecordReference
    return _across(session, keys, (r.to_type, r.to_id), (r.type, r.id))


def targets(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Records that any of these names."""
    r = RecordReference
    return _across(session, keys, (r.type, r.id), (r.to_type, r.to_id))


Side = tuple[InstrumentedAttribute[str], InstrumentedAttribute[str]]


def _across(session: Session, keys: Iterable[Key], near: Side, far: Side) -> set[Key]:
    found: set[Key] = set()
    for record_type, ids in _by_type(keys):
        found.update(Key(*row) for row in session.execute(select(*far).where(near[0] == record_type, near[1].in_(ids))))
    return found


def _by_type(keys: Iterable[Key]) -> Iterator[tuple[str, list[str]]]:
    """Ids of each type, in portions that a statement can take."""
    grouped: dict[str, list[str]] = {}
    for key in keys:
        grouped.setdefault(key.type, []).append(key.id)
    for record_type, ids in grouped.items():
        for start in range(0, len(ids), 500):
            yield record_type, ids[start : start + 500]


class Renderer:
    """Recomputes and reprints: claims first, then what their verdicts change, then the rest of the catalogue."""

    def __init__(
        self,
        session: Session,
        world: CurrentRecords,
        serial: int,
        at: str,
        changed: set[Key],
        progress: Progress | None,
    ) -> None:
        self.session = session
        self.world = world
        self.serial = serial
        self.at = at
        self.changed = changed
        self.progress = progress
        self.changed_keys: list[Key] = []
        self.touched: list[Key] = []
        self.rows: dict[Key, StoredRecord] = {}

    def run(self, neighbours: set[Key]) -> None:
        dirty = self.changed | neighbours
        self._load(dirty)
        moved = {key for key in dirty if key.type == "claim" and self._derive(key)}
        # What a study's people add up to elsewhere moves even where the claim shows figures of its own.
        sources = [key for key in self.changed if key.type in ("study", "document")]
        moved |= {key for key in referrers(self.session, sources) if key.type == "claim"}
        dirty |= referrers(self.session, moved) | targets(self.session, moved)
        dirty |= {
            child
            for child in referrers(self.session, [key for key in dirty if key.type == "intervention"])
            if child.type == "intervention"  # a regimen shows the harms of its drug
        }
        self._load(dirty)
        for key in dirty:
            if key.type != "claim":
                self._derive(key)
        for done, key in enumerate(sorted(dirty), start=1):
            self._render(key)
            if self.progress:
                self.progress(done, len(dirty))
        index.update(
            self.session,
            self.world,
            ((key, self.world.content(key), self.world.derived(key)) for key in self.changed_keys),
        )

    def _derive(self, key: Key) -> bool:
        """Recompute a record's derived values; whether they, or its content, changed."""
        resource = BY_TYPE[key.type]
        derived = resource.derive(self.session, self.world, self.world.content(key))
        before = self.rows.get(key)
        self.world.overlay_derived(key, derived)
        if isinstance(derived, ClaimDerived):
            self._write_verdict(key, derived)
        return before is None or key in self.changed or before.derived != text_of(derived)

    def _write_verdict(self, key: Key, derived: ClaimDerived) -> None:
        evidence = derived.evidence
        self.session.execute(
            update(Claim)
            .where(Claim.id == key.id)
            .values(
                consensus=evidence.consensus,
                leaning=evidence.leaning,
                certainty=evidence.certainty,
                method=evidence.method,
                citation_count=len(derived.order),
                study_count=evidence.study_count,
                review_count=evidence.review_count,
                participant_count=evidence.participant_count,
                is_stale=derived.stale,
            )
        )
        for citation_id, (low, high) in derived.doses.items():
            self.session.execute(
                update(Citation).where(Citation.id == citation_id).values(dose_low_pg=low, dose_high_pg=high)
            )

    def _load(self, keys: Iterable[Key]) -> None:
        """Read the rows that are not read yet, some hundred at a time."""
        for record_type, ids in _by_type(key for key in keys if key not in self.rows):
            rows = select(StoredRecord).where(StoredRecord.type == record_type, StoredRecord.id.in_(ids))
            self.rows.update({Key(row.type, row.id): row for row in self.session.scalars(rows)})

    def _render(self, key: Key) -> None:
        """Render a record and, where its bytes changed, store it with a state of its own."""
        content, derived = self.world.content(key), self.world.derived(key)
        row = self.rows.get(key)
        stamp = self._stamp(key, row, text_of(content), text_of(derived))
        digest = _digest(self._document(key, Stamp(stamp.version, 0, stamp.updated_at)))
        if row is not None and row.digest == digest and row.content == text_of(content):
            return
        self.changed_keys.append(key)
        if key not in self.changed:
            self.touched.append(key)
        state = {
            "version": stamp.version,
            "status": content.status,
            "updated_at": stamp.updated_at,
            "content": text_of(content),
            "derived": text_of(derived),
        }
        identity = {"type": key.type, "id": key.id, "serial": self.serial}
        self.session.execute(insert(RecordState).values(**identity, **state))
        row = row or StoredRecord(type=key.type, id=key.id)
        body = self._document(key, stamp).model_dump_json().encode()
        for name, value in {
            **state, "serial": self.serial, "successor": content.successor, "digest": digest, "body": body,
        }.items():  # fmt: skip
            setattr(row, name, value)
        self.session.add(row)
        if key.type == "claim":
            self.session.execute(update(Claim).where(Claim.id == key.id).values(updated_at=stamp.updated_at))

    def _stamp(self, key: Key, row: StoredRecord | None, content: str, derived: str) -> Stamp:
        """A change of content is a new version, and so is a change of a claim's derived values."""
        if row is None:
            return Stamp(1, self.serial, self.at)
        if row.content != content or (key.type == "claim" and row.derived != derived):
            return Stamp(row.version + 1, self.serial, self.at)
        return Stamp(row.version, self.serial, row.updated_at)

    def _document(self, key: Key, stamp: Stamp) -> Envelope:
        return BY_TYPE[key.type].render(self.world, self.world.content(key), self.world.derived(key), stamp)


def _digest(document: Envelope) -> str:
    return blake2b(document.model_dump_json().encode(), digest_size=16).hexdigest()
