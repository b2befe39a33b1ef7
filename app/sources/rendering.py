"""Renders studies and documents as the API shows them, from content and the records that they refer to."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from app.concepts.schemas import ConceptRef
from app.core.content import shared_fields
from app.sources import identifiers
from app.sources.names import initials, is_solid, split_suffix
from app.sources.projection import year_of
from app.sources.schemas import (
    Author,
    DocumentAddresses,
    DocumentEmbed,
    DocumentLinks,
    DocumentRead,
    DocumentRef,
    DocumentStudyRead,
    DocumentWrite,
    Identifier,
    IdentifierRead,
    IncludedRead,
    StudyDocument,
    StudyEmbed,
    StudyRead,
    StudyRef,
    StudyWrite,
)
from app.sources.standing import checked_on
from app.sources.vocabulary import IdentifierScheme, StudyRole
from app.storage.resource import Key, RecordReader

_MAX_REMEMBERED = 1_000
"""Sources that are not rendered again where a claim, its citations and their neighbours show them."""


def concept_ref(records: RecordReader, record_type: str, record_id: str) -> ConceptRef:
    return ConceptRef(id=record_id, name=records.content(Key(record_type, record_id)).name)


def study_ref(records: RecordReader, study_id: str) -> StudyRef:
    return StudyRef(id=study_id, name=records.content(Key("study", study_id)).name)


def identifier(read: Identifier) -> IdentifierRead:
    normal = identifiers.normalise(read.scheme, read.value)
    url = identifiers.address(read.scheme, normal)
    return IdentifierRead(scheme=read.scheme, value=read.value, normal=normal, url=url)


def identified(document: DocumentWrite, scheme: IdentifierScheme) -> str | None:
    """The document's identifier in a scheme, in normal form."""
    for read in document.identifiers:
        if read.scheme is scheme:
            return identifiers.normalise(read.scheme, read.value)
    return None


def author_name(author: Author) -> str:
    """As in a reference list: `Younger J`, `Abu Dabrh AM`; group names stand as they are."""
    if author.literal:
        return author.literal
    family, given = author.family or "", author.given or ""
    if is_solid(family + given):
        return family + given
    given, suffix = split_suffix(given)
    short = initials(given, "", with_hyphen=False, keep_capitals=True)
    return " ".join(part for part in (family, short, suffix) if part)


@lru_cache(maxsize=_MAX_REMEMBERED)
def study_embed(study: StudyWrite) -> StudyEmbed:
    registry_ids = tuple(identifier(read).normal for read in study.registry_ids)
    return StudyEmbed(id=study.id, **shared_fields(study, StudyEmbed) | {"registry_ids": registry_ids})


@lru_cache(maxsize=_MAX_REMEMBERED)
def document_embed(document: DocumentWrite) -> DocumentEmbed:
    fields = shared_fields(document, DocumentEmbed) | _derived_fields(document)
    fields["authors"] = tuple(author_name(author) for author in document.authors)
    doi_url = identifiers.address(IdentifierScheme.doi, fields["doi"]) if fields["doi"] else None
    return DocumentEmbed(
        id=document.id,
        **fields,
        notice=document.current_standing.notice,
        links=DocumentLinks(self=f"/v1/documents/{document.id}", doi=doi_url),
    )


@lru_cache(maxsize=_MAX_REMEMBERED)
def document_addresses(document: DocumentWrite) -> DocumentAddresses:
    """Where the document can be opened."""
    doi, pubmed, pmc = (
        identifiers.address(scheme, normal) if (normal := identified(document, scheme)) else None
        for scheme in (IdentifierScheme.doi, IdentifierScheme.pmid, IdentifierScheme.pmcid)
    )
    return DocumentAddresses(best=doi or pubmed or pmc or document.url, doi=doi, pubmed=pubmed, url=document.url)


def _derived_fields(document: DocumentWrite) -> dict[str, Any]:
    """What every representation of a document derives from its content."""
    return {
        "year": year_of(document.issued),
        "doi": identified(document, IdentifierScheme.doi),
        "pmid": identified(document, IdentifierScheme.pmid),
        "pmcid": identified(document, IdentifierScheme.pmcid),
        "standing": document.current_standing.standing,
    }


def study_fields(
    records: RecordReader, study: StudyWrite, is_review: bool, documents: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    return {
        **shared_fields(study, StudyRead),
        "is_review": is_review,
        "registry_ids": tuple(identifier(read) for read in study.registry_ids),
        "conditions": tuple(concept_ref(records, "condition", condition) for condition in study.conditions),
        "includes": _included(records, study),
        "documents": tuple(
            StudyDocument(
                document=DocumentRef(id=d, label=records.content(Key("document", d)).label), role=StudyRole(role)
            )
            for d, role in documents
        ),
    }


def _included(records: RecordReader, study: StudyWrite) -> IncludedRead | None:
    if study.includes is None:
        return None
    return IncludedRead(
        studies=tuple(study_ref(records, study_id) for study_id in study.includes.studies),
        **study.includes.model_dump(exclude={"studies"}),
    )


def document_fields(records: RecordReader, document: DocumentWrite) -> dict[str, Any]:
    return {
        **shared_fields(document, DocumentRead),
        **_derived_fields(document),
        "identifiers": tuple(identifier(read) for read in document.identifiers),
        "standing_checked_on": checked_on(document.standing),
        "standing_history": document.standing,
        "studies": tuple(
            DocumentStudyRead(study=study_ref(records, entry.study), role=entry.role) for entry in document.studies
        ),
    }
