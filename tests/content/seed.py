"""The records of the seed files, read once for all tests of content."""

from collections.abc import Iterator
from functools import cache

import yaml

from app.claims.schemas import CitationWrite, ClaimWrite, LiteratureSearchWrite
from app.claims.vocabulary import Stance
from app.core.content import Record
from app.core.vocabulary import Status
from app.datasets.bundle import read
from app.settings import ROOT
from app.sources.schemas import DocumentWrite

SEED = ROOT / "seed_data"


@cache
def records() -> dict[tuple[str, str], Record]:
    return {(change.type, change.content.id): change.content for change in read(SEED)}


def claims() -> dict[str, ClaimWrite]:
    """The published claims."""
    return {claim.id: claim for claim in _every_claim() if claim.status is Status.published}


def retired_claims() -> dict[str, ClaimWrite]:
    return {claim.id: claim for claim in _every_claim() if claim.status is Status.retired}


def _every_claim() -> Iterator[ClaimWrite]:
    return (record for record in records().values() if isinstance(record, ClaimWrite))


def documents() -> dict[str, DocumentWrite]:
    return {record.id: record for record in records().values() if isinstance(record, DocumentWrite)}


def searches() -> dict[str, LiteratureSearchWrite]:
    return {record.id: record for record in records().values() if isinstance(record, LiteratureSearchWrite)}


def citations() -> Iterator[tuple[ClaimWrite, CitationWrite]]:
    for claim in claims().values():
        for citation in claim.citations:
            yield claim, citation


@cache
def reading_notes() -> dict[str, str]:
    notes = yaml.safe_load((SEED / "reading_notes.yaml").read_text(encoding="utf-8"))["reading_notes"]
    return {note["document"]: note["notes"] for note in notes}


def stances(claim: str) -> dict[str, Stance]:
    return {citation.document: citation.stance for citation in claims()[claim].citations}
