"""Formatted references, stored when documents are published: a style needs milliseconds for each reference.

What is not stored is formatted when it is asked for: documents of old serials whose text no publication wrote.
"""

from collections.abc import Iterable

from sqlalchemy import String, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_marked, is_remembered, remember
from app.sources.schemas import DocumentWrite
from app.storage.database import Base, TermColumn, TextColumn
from app.storage.history import MAX_KEYS, StoredRecord

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


def update(session: Session, documents: Iterable[DocumentWrite]) -> None:
    """Store the references of documents in every style, those that are not stored yet."""
    cited = {one.digest: one for one in map(reference_of, documents)}
    ordered = sorted(cited)
    for start in range(0, len(ordered), MAX_KEYS):
        some = ordered[start : start + MAX_KEYS]
        stored = set(session.scalars(select(FormattedReference.digest).where(FormattedReference.digest.in_(some))))
        rows = [
            {"digest": digest, "style": style, "text": format_marked(cited[digest], style)}
            for digest in some
            if digest not in stored
            for style in Style
        ]
        if rows:
            session.execute(insert(FormattedReference), rows)


def rebuild(session: Session) -> None:
    """Format the references of all documents as they are now."""
    session.execute(delete(FormattedReference))
    contents = session.scalars(select(StoredRecord.content).filter_by(type="document").order_by(StoredRecord.id))
    update(session, map(DocumentWrite.model_validate_json, contents))
