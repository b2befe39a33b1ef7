"""New contents of records: which of them differ from what is stored, and what publishing refuses in them.

Refused are contents that break a rule alone, or together with other records.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.models import Claim
from app.claims.schemas import CitationRecord, ClaimWrite
from app.concepts.manifest import current_vocabularies
from app.concepts.terms import Vocabularies
from app.core.content import Record
from app.core.errors import Fault, InvalidInput, nearest
from app.core.text import RuleViolation
from app.core.vocabulary import Status
from app.publishing.loops import loops
from app.publishing.terms import term_faults
from app.registry import BY_TYPE, RESOURCES
from app.sources.models import Document, DocumentIdentifier
from app.sources.rules import normal_identifiers, taken_identifiers
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import IdentifierScheme, Standing
from app.storage.history import StoredRecord, batches, referrers, text_of
from app.storage.records import CurrentRecords
from app.storage.resource import Key, Resource

_ORDER = {resource.type: index for index, resource in enumerate(RESOURCES)}


@dataclass(frozen=True)
class Change:
    """New content for an existing record or a new one."""

    type: str
    content: Record

    @cached_property
    def key(self) -> Key:
        return Key(self.type, self.content.id)


def with_citations(session: Session, records: CurrentRecords, changes: Sequence[Change]) -> list[Change]:
    """The changes, and one for every citation of their claims; a citation that its claim no longer has is retired."""
    claims = [change.content for change in changes if isinstance(change.content, ClaimWrite)]
    citations = [
        CitationRecord(id=citation.id, status=claim.status, claim=claim.id, citation=citation)
        for claim in claims
        for citation in claim.citations
    ]
    current = {(record.claim, record.id) for record in citations}
    stored = [key for key in referrers(session, (Key("claim", claim.id) for claim in claims)) if key.type == "citation"]
    records.prefetch(stored)
    for key in sorted(stored):
        record: CitationRecord = records.content(key)
        if (record.claim, record.id) not in current:
            citations.append(record.model_copy(update={"status": Status.retired}))
    return [*changes, *(Change("citation", record) for record in citations)]


def differing(records: CurrentRecords, changes: Sequence[Change]) -> list[Change]:
    """The changes whose content is not the stored one; parents first."""
    records.prefetch(change.key for change in changes)
    different = [
        change
        for change in changes
        if (row := records.row(change.key)) is None or row.content_json != text_of(change.content)
    ]
    return sorted(different, key=lambda change: _ORDER[change.type])


# --- what is refused ----------------------------------------------------------------------------------------------


def check(session: Session, records: CurrentRecords, changed: Sequence[Change], every: Sequence[Change]) -> None:
    """Raise InvalidInput with all faults of the changes; `every` includes those that repeat what is stored."""
    new = [change.key for change in changed]
    vocabularies = current_vocabularies(session)
    faults: list[Fault] = []
    for change in changed:
        if isinstance(change.content, CitationRecord):
            faults += _citation_faults(records, change.content)
        else:
            faults += _content_faults(change, vocabularies)
            faults += _successor_faults(records, change)
            faults += _reference_faults(session, records, change, new)
    for loop in loops((change.key for change in changed), partial(_find, records)):
        faults.append(_fault(loop.key, loop.field, "loop", loop.reason))
    faults += _duplicates(every)
    faults += _taken_identifiers(session, changed)
    faults += _subgroup_faults(session, changed)
    if faults:
        raise InvalidInput("The change breaks rules; nothing was written.", errors=faults)


def _content_faults(change: Change, vocabularies: Vocabularies) -> Iterator[Fault]:
    for field, reason in content_violations(BY_TYPE[change.type], change.content):
        yield _fault(change.key, field, "rule", reason)
    for field, fault in term_faults(change.content, vocabularies):
        yield replace(fault, field=f"{change.type}/{change.content.id}: {field}")


def content_violations(resource: Resource, content: Record) -> Iterator[RuleViolation]:
    """The rules that a content breaks alone."""
    yield from resource.check(content)
    if content.successor is not None and content.status is Status.published:
        yield "successor", "is for retired records only"
    if content.successor == content.id:
        yield "successor", "a record cannot take over from itself"


def _successor_faults(records: CurrentRecords, change: Change) -> Iterator[Fault]:
    successor = change.content.successor
    if successor is not None and _find(records, Key(change.type, successor)) is None:
        yield _fault(change.key, "successor", "unknown_reference", "names no record")


def _reference_faults(session: Session, records: CurrentRecords, change: Change, new: Sequence[Key]) -> Iterator[Fault]:
    """A published record refers only to published records, and a record that is referred to cannot be retired."""
    if change.content.status is Status.retired:
        yield from _remaining_referrers(session, records, change.key)
        return
    for reference in BY_TYPE[change.type].references(change.content):
        record_type = reference.key.type
        target = _find(records, reference.key)
        if target is not None and target.status is Status.published:
            continue
        problem = "names no" if target is None else "names a retired"
        stored = session.scalars(select(StoredRecord.id).where(StoredRecord.type == record_type))
        guesses = nearest(reference.key.id, {*stored, *(key.id for key in new if key.type == record_type)})
        reason = f"{problem} {record_type.replace('_', ' ')}"
        yield _fault(change.key, reference.field, "unknown_reference", reason, guesses)


def _remaining_referrers(session: Session, records: CurrentRecords, key: Key) -> Iterator[Fault]:
    """A record's own parts are retired with it. A claim that relates to it stays: the relation leads to its history."""
    for other in sorted(referrers(session, [key])):
        resource, content = BY_TYPE[other.type], records.content(other)
        fields = [reference.field for reference in resource.references(content) if reference.key == key]
        is_named = any(not field.startswith("relations") for field in fields)
        if is_named and content.status is Status.published and resource.part_of != key.type:
            yield _fault(key, "status", "still_named", f"{other.type}/{other.id} still names it")


def _citation_faults(records: CurrentRecords, record: CitationRecord) -> Iterator[Fault]:
    """A citation id belongs to one claim for ever. A retracted document keeps its citations but gets no new one."""
    at = Key("claim", record.claim)
    stored = records.row(Key("citation", record.id))
    if stored is not None and stored.content.claim != record.claim:
        reason = f"the citation {record.id} belongs to claim/{stored.content.claim} for ever: give this one another id"
        yield _fault(at, "citations", "duplicate", reason)
    if stored is None and record.status is Status.published and _was_retracted(records, record.citation.document):
        reason = f"the document {record.citation.document} is retracted and can be cited nowhere new"
        yield _fault(at, "citations", "retracted", reason)


def _was_retracted(records: CurrentRecords, document_id: str) -> bool:
    """Whether a document is retracted and was before: one that comes retracted, as in a data set that is loaded as a
    whole, was cited earlier."""
    key = Key("document", document_id)
    states = [row.content if (row := records.row(key)) else None, _find(records, key)]
    return all(state and state.current_standing.standing is Standing.retracted for state in states)


def _duplicates(changes: Sequence[Change]) -> Iterator[Fault]:
    for key, count in Counter(change.key for change in changes).items():
        for _ in range(count - 1):
            yield _fault(key, "id", "duplicate", "stands twice")


def _taken_identifiers(session: Session, changed: Sequence[Change]) -> Iterator[Fault]:
    """An identifier names one document."""
    documents = [change.content for change in changed if isinstance(change.content, DocumentWrite)]
    ids = {document.id for document in documents}
    stored: dict[tuple[IdentifierScheme, str], str] = {}
    for some in batches(normal for document in documents for _, normal in normal_identifiers(document.identifiers)):
        rows = session.execute(
            select(DocumentIdentifier.scheme, DocumentIdentifier.normal, Document.id)
            .join(Document, DocumentIdentifier.document_pk == Document.pk)
            .where(DocumentIdentifier.normal.in_(some))
        )
        # A document that changes too may give its identifier up.
        stored.update(((IdentifierScheme(scheme), normal), owner) for scheme, normal, owner in rows if owner not in ids)

    for document_id, field, reason in taken_identifiers(documents, stored):
        yield _fault(Key("document", document_id), field, "duplicate", reason)


def _subgroup_faults(session: Session, changed: Sequence[Change]) -> Iterator[Fault]:
    """The id of a subgroup means the same people, by label and basis, in every published claim."""
    claims = {
        change.key: change.content.subgroup
        for change in changed
        if isinstance(change.content, ClaimWrite) and change.content.status is Status.published
    }
    ids = {group.id for group in claims.values() if group is not None}
    if not ids:
        return
    rows = session.execute(
        select(Claim.id, Claim.subgroup, Claim.subgroup_label, Claim.subgroup_basis)
        .where(Claim.subgroup.in_(sorted(ids)), Claim.status == Status.published)
        .order_by(Claim.id)
    )
    changing = {change.key for change in changed}
    stored = (row for row in rows if Key("claim", row.id) not in changing)
    known = {row.subgroup: (row.id, row.subgroup_label, row.subgroup_basis) for row in stored}
    for key, group in claims.items():
        if group is None:
            continue
        claim, *people = known.setdefault(group.id, (key.id, group.label, group.basis))
        if people != [group.label, group.basis]:
            yield _fault(key, "subgroup", "duplicate", f"has the id of a subgroup of claim/{claim} with other people")


def _find(records: CurrentRecords, key: Key) -> Any:
    """The record's content; null if there is no such record."""
    try:
        return records.content(key)
    except KeyError:
        return None


def _fault(key: Key, field: str, code: str, reason: str, did_you_mean: tuple[str, ...] | None = None) -> Fault:
    return Fault("file", f"{key.type}/{key.id}: {field}", code, reason, did_you_mean=did_you_mean)
