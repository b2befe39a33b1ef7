"""Formatted references, stored when documents are published: a style needs milliseconds for each reference.

What is not stored is formatted when it is asked for: documents of old serials whose text no publication wrote, and
those of a large data set until `ldn-evidence maintain` has stored them.
"""

from collections.abc import Iterable

from sqlalchemy import String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_marked, is_remembered, remember
from app.sources.schemas import DocumentWrite
from app.storage.database import MAX_KEYS, Base, TermColumn, TextColumn
from app.storage.history import StoredRecord, batches

MAX_AT_ONCE = 500
"""References that one publication formats, in every style: some seconds of its time."""
VERSION = 1
"""Raised with every change of what a style makes of a reference: all are formatted anew then."""


class FormattedReference(Base):
    """What a style makes of a reference. The key is the reference itself, so a row never gets out of date."""

    __tablename__ = "formatted_references"
    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    style: Mapped[TermColumn] = mapped_column(primary_key=True)
    text: Mapped[TextColumn]
    """With its markup, as `markup` marks it."""


def references(session: Session, documents: Iterable[DocumentWrite], style: Style | None) -> list[Reference]:
    """The documents as references, their stored texts in the style read into memory; null for formats without style."""
    cited = [reference_of(document) for document in documents]
    if style is not None:
        stored = FormattedReference
        missing = [one.digest for one in cited if not is_remembered(one, style)]
        for start in range(0, len(missing), MAX_KEYS):
            some = missing[start : start + MAX_KEYS]
            rows = select(stored.digest, stored.text).where(stored.digest.in_(some), stored.style == style)
            for digest, text in session.execute(rows):
                remember(digest, style, text)
    return cited


def update(session: Session, documents: Iterable[DocumentWrite], limit: int = MAX_AT_ONCE) -> int:
    """Store the references of documents in every style, those that are not stored yet; how many were left out."""
    cited = {reference_of(document).digest: document for document in documents}
    missing = set(cited)
    for some in batches(cited):
        missing -= set(session.scalars(select(FormattedReference.digest).where(FormattedReference.digest.in_(some))))
    due = sorted(missing)[:limit]
    rows = [
        {"digest": digest, "style": style, "text": format_marked(reference, style)}
        for digest, reference in ((digest, reference_of(cited[digest])) for digest in due)
        for style in Style
    ]
    if rows:
        session.execute(insert(FormattedReference), rows)
    return len(missing) - len(due)


def store_missing(session: Session) -> int:
    """Store what an `update` left out, as much as one of them takes; how many references are still missing."""
    contents = session.scalars(select(StoredRecord.content).filter_by(type="document").order_by(StoredRecord.id))
    return update(session, map(DocumentWrite.model_validate_json, contents))


def rebuild(session: Session) -> None:
    """Format the references of the documents as they are now."""
    session.execute(delete(FormattedReference))
    store_missing(session)
