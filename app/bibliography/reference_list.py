"""The documents that a selection of claims cites, as a numbered list; and how to cite this data set."""

from collections.abc import Sequence
from typing import Literal

from pyroaring import BitMap
from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_reference
from app.claims.models import Citation, Claim
from app.claims.queries import CLAIM_SORTS
from app.concepts.manifest import current_manifest
from app.core.content import ResponseModel
from app.core.errors import Fault, InvalidInput
from app.core.text import Slug
from app.sources.identifiers import address
from app.sources.models import Document
from app.sources.projection import year_of
from app.sources.schemas import Author, DocumentWrite, Notice
from app.sources.vocabulary import IdentifierScheme, Standing
from app.storage.history import MissingRecord, published_at
from app.storage.read_view import ReadView, is_among
from app.storage.records import DatabaseRecords
from app.storage.resource import Key

MAX_REFERENCES = 500
"""In one bibliography. A longer one is refused, never truncated."""


class TooManyReferences(InvalidInput):
    code = "too_many_references"
    title = "Too many references"

    def __init__(self) -> None:
        fault = Fault("query", "claims", self.code, "Narrow the choice with further filters.")
        super().__init__(
            f"The claims rest on more than {MAX_REFERENCES} documents; a bibliography is given whole or not at all.",
            errors=[fault],
        )


_FIRST_CLAIMS = 2_000
"""A selection that rests on too many documents mostly does so within these claims, so they are counted first."""


def cited_documents(session: Session, claims: BitMap, sort: str) -> list[str]:
    """Ids of the documents that the claims with these keys cite, each once, claim by claim in the order of `sort`."""
    for part in (claims[:_FIRST_CLAIMS], claims):
        cited = select(Citation.document_pk).where(is_among(session, Citation.claim_pk, part))
        documents = cited.distinct().limit(MAX_REFERENCES + 1).subquery()
        if (session.scalar(select(func.count(distinct(documents.c.document_pk)))) or 0) > MAX_REFERENCES:
            raise TooManyReferences
    column, descending = CLAIM_SORTS[sort.removeprefix("-")], sort.startswith("-")
    rows = session.scalars(
        select(Document.id)
        .join(Citation, Citation.document_pk == Document.pk)
        .join(Claim, Claim.pk == Citation.claim_pk)
        .where(is_among(session, Claim.pk, claims))
        .order_by(column.is_(None), column.desc() if descending else column.asc(), Claim.id, Citation.position)
    )
    return list(dict.fromkeys(rows))


# --- references as JSON -------------------------------------------------------------------------------------------


class ReferenceLinks(ResponseModel):
    self: str
    doi: str | None
    pubmed: str | None


class NumberedReference(ResponseModel):
    """A document in a reference list."""

    number: int
    id: Slug
    label: str
    """Short form for footnotes."""
    csl_type: str
    """CSL item type."""
    title: str | None
    """Verbatim; null where it was not read, and `text` then shows the label in brackets."""
    authors: tuple[Author, ...]
    authors_complete: bool
    container_title: str | None
    container_title_short: str | None
    issued: str | None
    year: int | None
    volume: str | None
    issue: str | None
    page: str | None
    publisher: str | None
    url: str | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    text: str
    """The reference in the requested style, plain text without its number. A retracted work is marked."""
    standing: Standing
    notice: Notice | None
    links: ReferenceLinks


class Bibliography(ResponseModel):
    """A whole reference list. There is never a next page."""

    style: str
    how_to_cite: str
    """How to cite what was requested: a claim, a brief, or the data set."""
    items: tuple[NumberedReference, ...]
    next: None
    next_cursor: None
    total: int
    total_is: Literal["exact"]
    missing: tuple[MissingRecord, ...]
    """Always empty: an id that is unknown or retired is refused with 422, so that no format leaves a claim out."""


def numbered(number: int, document: DocumentWrite, reference: Reference, style: Style) -> NumberedReference:
    """The document, which is cited as the reference, with its text in the style."""
    copied = (
        "id", "label", "title", "authors", "authors_complete", "container_title", "container_title_short", "issued",
        "volume", "issue", "page", "publisher",
    )  # fmt: skip
    standing = document.current_standing
    return NumberedReference(
        number=number,
        **{name: getattr(document, name) for name in copied},
        csl_type=reference.type,
        year=year_of(document.issued),
        url=reference.url,
        doi=reference.doi,
        pmid=reference.pmid,
        pmcid=reference.pmcid,
        text=format_reference(reference, style),
        standing=standing.standing,
        notice=standing.notice,
        links=ReferenceLinks(
            self=f"/v1/documents/{document.id}",
            doi=address(IdentifierScheme.doi, reference.doi) if reference.doi else None,
            pubmed=address(IdentifierScheme.pmid, reference.pmid) if reference.pmid else None,
        ),
    )


def documents(records: DatabaseRecords, ids: Sequence[str]) -> list[DocumentWrite]:
    keys = [Key("document", document_id) for document_id in ids]
    records.prefetch(keys)
    return [records.content(key) for key in keys]


# --- how to cite this data ---------------------------------------------------------------------------------------


def how_to_cite(view: ReadView, address: str, part: str = "") -> str:
    """A reference to the data set or to a `part` of it, such as `Claim tea-cough, version 2`.

    It names no statement: a claim's text never travels without its caveat and both sides.
    """
    version = f"Release {view.release}, serial {view.serial}" if view.release else f"Serial {view.serial}"
    at, manifest = published_at(view), current_manifest(view.session)
    dated = f"{version}, {at[:10]}" if at else version
    parts = (f"{manifest.name} [data set]", part, dated, f"Licence {manifest.licence.spdx or manifest.licence.name}")
    return f"{'. '.join(part for part in parts if part)}. Available from: {address}"
