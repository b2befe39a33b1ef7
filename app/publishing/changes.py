"""New contents of records, and which of them differ from what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.claims.schemas import CitationRecord, ClaimWrite
from app.core.content import Record
from app.core.vocabulary import Status
from app.registry import RESOURCES
from app.storage.history import referrers, text_of
from app.storage.records import CurrentRecords
from app.storage.resource import Key

_ORDER = {resource.type: index for index, resource in enumerate(RESOURCES)}


@dataclass(frozen=True)
class Change:
    """New content for an existing record or a new one."""

    type: str
    content: Record

    @property
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
