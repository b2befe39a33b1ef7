"""Tables of curation: proposed changes, their reviews, and flags."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base, InstantColumn, LineColumn, Pk, TermColumn, TextColumn


class Revision(Base):
    """A proposed content of a record, against the version it was written for."""

    __tablename__ = "revisions"
    pk: Mapped[Pk]
    record_type: Mapped[str] = mapped_column(String(20))
    record_id: Mapped[str] = mapped_column(SLUG)
    base_version: Mapped[int | None]
    """Null for a new record."""
    content: Mapped[TextColumn]
    state: Mapped[TermColumn]
    """`submitted`, `accepted`, `rejected` or `superseded`."""
    author_id: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"))
    note: Mapped[LineColumn]
    created_at: Mapped[InstantColumn]
    serial: Mapped[int | None] = mapped_column(ForeignKey("publications.serial"))
    """The publication that carried it, once accepted."""
    __table_args__ = (Index("ix_revisions_record_type_record_id", "record_type", "record_id"),)


class Review(Base):
    """One person's word on a revision; never its author's."""

    __tablename__ = "reviews"
    pk: Mapped[Pk]
    revision_pk: Mapped[int] = mapped_column(ForeignKey("revisions.pk"), index=True)
    reviewer_id: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"))
    verdict: Mapped[TermColumn]
    note: Mapped[LineColumn]
    created_at: Mapped[InstantColumn]


class Flag(Base):
    """A doubt about a published record."""

    __tablename__ = "flags"
    pk: Mapped[Pk]
    record_type: Mapped[str] = mapped_column(String(20))
    record_id: Mapped[str] = mapped_column(SLUG)
    author_id: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"))
    reason: Mapped[TextColumn]
    state: Mapped[TermColumn]
    created_at: Mapped[InstantColumn]
    resolved_at: Mapped[InstantColumn | None]
    __table_args__ = (Index("ix_flags_record_type_record_id", "record_type", "record_id"),)
