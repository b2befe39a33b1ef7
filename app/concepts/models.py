"""Tables of concepts. All types share one table, so that a link to a concept is one foreign key whatever its type."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base, LineColumn, Pk, SlugColumn, TermColumn, TextColumn


class Concept(Base):
    """An intervention, condition, mechanism, side effect or outcome."""

    __tablename__ = "concepts"
    pk: Mapped[Pk]
    type: Mapped[str] = mapped_column(String(20))
    id: Mapped[SlugColumn]
    status: Mapped[TermColumn]
    successor: Mapped[str | None] = mapped_column(SLUG)
    name: Mapped[LineColumn]
    description: Mapped[TextColumn]
    parent_pk: Mapped[int | None] = mapped_column(ForeignKey("concepts.pk"), index=True)
    kind: Mapped[TermColumn | None]
    """Of interventions."""
    better: Mapped[TermColumn | None]
    """Of outcomes."""
    __table_args__ = (UniqueConstraint("type", "id"),)


class InterventionMember(Base):
    """A drug in a class of drugs."""

    __tablename__ = "intervention_members"
    class_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    member_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), index=True)


class ConceptSynonym(Base):
    __tablename__ = "concept_synonyms"
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[LineColumn]


class ConceptCode(Base):
    __tablename__ = "concept_codes"
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TermColumn]
    code: Mapped[str] = mapped_column(SLUG)
    """In normal form: upper case."""
    relation: Mapped[TermColumn]
    verified: Mapped[bool]
    source: Mapped[LineColumn | None]
    __table_args__ = (Index("ix_concept_codes_system_code", "system", "code"),)
