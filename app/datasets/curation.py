"""What a curator should look at: citations not coded by their figures, and caveats whose evidence has moved."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.claims.schemas import ClaimWrite
from app.core.vocabulary import Status
from app.grading.coding import coding_notes
from app.grading.derive import evidence_of, is_caveat_stale
from app.grading.method import METHOD, Method
from app.storage.records import RecordsInMemory
from app.storage.resource import Key


def curation_notes(contents: Mapping[Key, Any], method: Method = METHOD) -> Iterator[str]:
    """One line for each finding, by claim; of published claims only."""
    records = RecordsInMemory(contents)
    for key in sorted(contents):
        claim = contents[key]
        if not isinstance(claim, ClaimWrite) or claim.status is not Status.published:
            continue
        for note in coding_notes(records, claim, method):
            yield f"{note.claim}: {note.citation}: {note.text}"
        if is_caveat_stale(claim, evidence_of(records, claim, method.designs)):
            yield f"{claim.id}: caveat_stale: its evidence is not that on which the caveat rests"
