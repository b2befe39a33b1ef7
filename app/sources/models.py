"""Tables of studies and documents."""

from sqlalchemy import JSON, Float, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base, DateColumn, LineColumn, RecordColumns, TermColumn, TextColumn
from app.storage.paging import sort_indexes


class Study(RecordColumns, Base):
    __tablename__ = "studies"
    name: Mapped[LineColumn]
    design: Mapped[TermColumn]
    is_review: Mapped[bool]
    evidence_source: Mapped[TermColumn]
    population: Mapped[TextColumn | None]
    participants: Mapped[int | None]
    planned: Mapped[int | None]
    analysed: Mapped[int | None]
    comparator: Mapped[LineColumn | None]
    blinding: Mapped[TermColumn | None]
    duration: Mapped[LineColumn | None]
    recruitment: Mapped[TermColumn | None]
    results: Mapped[TermColumn | None]
    includes_completeness: Mapped[TermColumn | None]
    includes_designs: Mapped[TermColumn | None]
    includes_study_count: Mapped[int | None]
    includes_participants: Mapped[int | None]
    includes_searched_on: Mapped[DateColumn | None]
    note: Mapped[TextColumn | None]

    __table_args__ = (*sort_indexes("studies", "participants"),)


class StudyIdentifier(Base):
    """A registry id, as read and in normal form."""

    __tablename__ = "study_identifiers"
    study_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    scheme: Mapped[TermColumn]
    value: Mapped[LineColumn]
    normal: Mapped[str] = mapped_column(SLUG)
    __table_args__ = (Index("ix_study_identifiers_scheme_normal", "scheme", "normal"),)


class StudyCondition(Base):
    __tablename__ = "study_conditions"
    study_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk", ondelete="CASCADE"), primary_key=True)
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), primary_key=True)
    position: Mapped[int]
    __table_args__ = (Index("ix_study_conditions_concept_pk_study_pk", "concept_pk", "study_pk"),)


class StudyArm(Base):
    __tablename__ = "study_arms"
    study_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[LineColumn]
    role: Mapped[TermColumn]
    participants: Mapped[int | None]
    dose_text: Mapped[LineColumn | None]
    dose_low: Mapped[float | None] = mapped_column(Float(53))
    dose_high: Mapped[float | None] = mapped_column(Float(53))
    dose_unit: Mapped[TermColumn | None]
    called_low_dose: Mapped[bool | None]


class StudyLimitation(Base):
    __tablename__ = "study_limitations"
    study_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk", ondelete="CASCADE"), primary_key=True)
    limitation: Mapped[str] = mapped_column(SLUG, primary_key=True)


class StudyInclusion(Base):
    """A review includes a study."""

    __tablename__ = "study_inclusions"
    review_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk", ondelete="CASCADE"), primary_key=True)
    study_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk"), primary_key=True, index=True)


class Document(RecordColumns, Base):
    __tablename__ = "documents"
    kind: Mapped[TermColumn]
    label: Mapped[LineColumn]
    title: Mapped[LineColumn | None]
    authors: Mapped[list[dict[str, str | None]]] = mapped_column(JSON)
    authors_complete: Mapped[bool]
    container_title: Mapped[LineColumn | None]
    container_title_short: Mapped[LineColumn | None]
    issued: Mapped[DateColumn | None]
    year: Mapped[int | None]
    volume: Mapped[LineColumn | None]
    issue: Mapped[LineColumn | None]
    page: Mapped[LineColumn | None]
    publisher: Mapped[LineColumn | None]
    url: Mapped[TextColumn | None]
    accessed: Mapped[DateColumn | None]
    interest: Mapped[TermColumn]
    standing: Mapped[TermColumn]
    """The newest entry of the history."""
    note: Mapped[TextColumn | None]

    __table_args__ = (*sort_indexes("documents", "year"), *sort_indexes("documents", "label"))


class DocumentIdentifier(Base):
    """An identifier, as read and in normal form."""

    __tablename__ = "document_identifiers"
    document_pk: Mapped[int] = mapped_column(ForeignKey("documents.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    scheme: Mapped[TermColumn]
    value: Mapped[LineColumn]
    normal: Mapped[LineColumn]
    __table_args__ = (UniqueConstraint("scheme", "normal"),)


class DocumentStanding(Base):
    __tablename__ = "document_standings"
    document_pk: Mapped[int] = mapped_column(ForeignKey("documents.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    standing: Mapped[TermColumn]
    on: Mapped[DateColumn | None] = mapped_column("on_date")
    source: Mapped[LineColumn | None]
    notice_doi: Mapped[LineColumn | None]
    notice_url: Mapped[TextColumn | None]
    notice_text: Mapped[TextColumn | None]


class DocumentStudyLink(Base):
    """Which studies a document reports, and in what role; many to many."""

    __tablename__ = "document_studies"
    document_pk: Mapped[int] = mapped_column(ForeignKey("documents.pk", ondelete="CASCADE"), primary_key=True)
    study_pk: Mapped[int] = mapped_column(ForeignKey("studies.pk"), primary_key=True, index=True)
    role: Mapped[TermColumn]
    position: Mapped[int]
