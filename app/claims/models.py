"""Tables of claims, citations, dosing ranges and literature searches."""

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import (
    SLUG,
    Base,
    DateColumn,
    InstantColumn,
    LineColumn,
    Pk,
    RecordColumns,
    TermColumn,
    TextColumn,
)
from app.storage.paging import sort_indexes


class DosingRange(RecordColumns, Base):
    __tablename__ = "dosing_ranges"
    intervention_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), index=True)
    low: Mapped[str | None] = mapped_column(String(20))
    """Verbatim decimal; exact on both engines."""
    high: Mapped[str | None] = mapped_column(String(20))
    unit: Mapped[TermColumn | None]
    low_amount: Mapped[int | None] = mapped_column(BigInteger)
    """Parts of `amount_of` in 5,040 days, exact on both engines (`doses.py`), of masses picograms; derived, null for
    doses that cannot be compared."""
    high_amount: Mapped[int | None] = mapped_column(BigInteger)
    amount_of: Mapped[TermColumn | None]
    """The unit that stands for the kind of the dose; amounts of other kinds are no smaller and no larger."""
    dose_order: Mapped[str | None] = mapped_column(SLUG)
    """`low_amount` as text that sorts: doses that can be compared stand together, masses first."""
    dose_text: Mapped[LineColumn]
    schedule_count: Mapped[int | None]
    schedule_period: Mapped[int | None]
    schedule_period_unit: Mapped[TermColumn | None]
    schedule_timing: Mapped[LineColumn | None]
    schedule_text: Mapped[LineColumn | None]
    route: Mapped[TermColumn | None]
    formulation: Mapped[LineColumn | None]
    titration: Mapped[TextColumn | None]
    population: Mapped[LineColumn | None]
    basis: Mapped[TermColumn]


class DosingRangeCondition(Base):
    __tablename__ = "dosing_range_conditions"
    dosing_range_pk: Mapped[int] = mapped_column(ForeignKey("dosing_ranges.pk", ondelete="CASCADE"), primary_key=True)
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), primary_key=True, index=True)
    position: Mapped[int]


class DosingRangeTier(Base):
    """Every dose band that the range touches."""

    __tablename__ = "dosing_range_tiers"
    dosing_range_pk: Mapped[int] = mapped_column(ForeignKey("dosing_ranges.pk", ondelete="CASCADE"), primary_key=True)
    tier: Mapped[str] = mapped_column(SLUG, primary_key=True)


class Claim(RecordColumns, Base):
    __tablename__ = "claims"
    kind: Mapped[TermColumn]
    form: Mapped[TermColumn]
    statement: Mapped[TextColumn]
    effect: Mapped[TermColumn]
    intervention_pk: Mapped[int | None] = mapped_column(ForeignKey("concepts.pk"))
    outcome_pk: Mapped[int | None] = mapped_column(ForeignKey("concepts.pk"))
    dosing_range_pk: Mapped[int | None] = mapped_column(ForeignKey("dosing_ranges.pk"), index=True)
    comparator: Mapped[LineColumn | None]
    timepoint: Mapped[LineColumn | None]
    population: Mapped[LineColumn | None]
    subgroup: Mapped[str | None] = mapped_column(SLUG)
    """Id of the subgroup; null for everybody with the condition."""
    subgroup_label: Mapped[LineColumn | None]
    subgroup_basis: Mapped[TermColumn | None]
    magnitude: Mapped[LineColumn | None]
    evidence_level: Mapped[TermColumn | None]
    aspect: Mapped[TermColumn | None]
    jurisdiction: Mapped[LineColumn | None]
    authority: Mapped[LineColumn | None]
    valid_from: Mapped[DateColumn | None]
    valid_to: Mapped[DateColumn | None]
    as_of: Mapped[DateColumn | None]
    caveat: Mapped[TextColumn | None]
    caveat_required: Mapped[bool]
    reviewed_on: Mapped[DateColumn | None]
    stale_on: Mapped[DateColumn | None]
    updated_at: Mapped[InstantColumn]
    verdict: Mapped[TermColumn]
    """The code of the verdict. This and the columns below are derived values, written at publication."""
    consensus: Mapped[TermColumn]
    leaning: Mapped[TermColumn | None]
    certainty: Mapped[TermColumn]
    method: Mapped[TermColumn]
    weight: Mapped[float] = mapped_column(Float(53))
    """Weight of both sides together."""
    citation_count: Mapped[int]
    study_count: Mapped[int]
    review_count: Mapped[int]
    participant_count: Mapped[int]
    is_stale: Mapped[bool]
    """Whether the day for review had passed at the last maintenance."""
    relevance: Mapped[int]
    """Orders claims, the smallest first: voting ones by their weight, others that are cited, uncited ones."""
    __table_args__ = (
        Index("ix_claims_intervention_pk_id", "intervention_pk", "id"),
        Index("ix_claims_outcome_pk_id", "outcome_pk", "id"),
        Index("ix_claims_kind_id", "kind", "id"),
        Index("ix_claims_subgroup_id", "subgroup", "id"),
        *sort_indexes("claims", "updated_at"),
        *sort_indexes("claims", "study_count"),
        *sort_indexes("claims", "participant_count"),
        Index("ix_claims_relevance_id", "relevance", "id"),
    )


class ClaimSubgroupCode(Base):
    """A code for what tells the people of the subgroup from others."""

    __tablename__ = "claim_subgroup_codes"
    claim_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[TermColumn]
    code: Mapped[LineColumn]


class ClaimConcept(Base):
    """A condition, mechanism, side effect or interactant of a claim."""

    __tablename__ = "claim_concepts"
    claim_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), primary_key=True)
    position: Mapped[int]
    __table_args__ = (Index("ix_claim_concepts_concept_pk_role_claim_pk", "concept_pk", "role", "claim_pk"),)


class ClaimOrigin(Base):
    """A place where a document states the claim."""

    __tablename__ = "claim_origins"
    pk: Mapped[Pk]
    claim_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk", ondelete="CASCADE"), index=True)
    document_pk: Mapped[int] = mapped_column(ForeignKey("documents.pk"))
    position: Mapped[int]
    section: Mapped[LineColumn]
    paragraph: Mapped[int]
    asserts: Mapped[TextColumn]
    hedge: Mapped[TermColumn]
    fit: Mapped[TermColumn]
    fit_basis: Mapped[TermColumn | None]
    __table_args__ = (Index("ix_claim_origins_document_pk_position", "document_pk", "position"),)


class OriginReference(Base):
    """A reference number that the document attaches to the statement."""

    __tablename__ = "origin_references"
    origin_pk: Mapped[int] = mapped_column(ForeignKey("claim_origins.pk", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class ClaimRelation(Base):
    __tablename__ = "claim_relations"
    claim_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[TermColumn]
    target_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk"), index=True)


class Citation(Base):
    """The link from a claim to a document and, within it, to a study."""

    __tablename__ = "citations"
    pk: Mapped[Pk]
    id: Mapped[str] = mapped_column(SLUG, unique=True)
    claim_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk", ondelete="CASCADE"))
    position: Mapped[int]
    document_pk: Mapped[int] = mapped_column(ForeignKey("documents.pk"))
    study_pk: Mapped[int | None] = mapped_column(ForeignKey("studies.pk"))
    stance: Mapped[TermColumn]
    stance_reason: Mapped[TermColumn | None]
    directness: Mapped[TermColumn]
    role: Mapped[TermColumn]
    finding: Mapped[TextColumn | None]
    locator_section: Mapped[LineColumn | None]
    locator_page: Mapped[LineColumn | None]
    locator_figure: Mapped[LineColumn | None]
    analysed_n: Mapped[int | None]
    extent: Mapped[TermColumn | None]
    extent_note: Mapped[TextColumn | None]
    strength: Mapped[LineColumn | None]
    """As the scale names it."""
    strength_scale: Mapped[LineColumn | None]
    attached_by: Mapped[TermColumn]
    verification: Mapped[TermColumn]
    verification_basis: Mapped[TermColumn | None]
    checked_on: Mapped[DateColumn | None]
    dose_low: Mapped[int | None] = mapped_column(BigInteger)
    """Lowest dose that the study gave, in parts of `dose_of` in 5,040 days; derived, null where it was not read."""
    dose_high: Mapped[int | None] = mapped_column(BigInteger)
    dose_of: Mapped[TermColumn | None]
    __table_args__ = (
        Index("ix_citations_claim_pk_position", "claim_pk", "position"),
        Index("ix_citations_document_pk_claim_pk", "document_pk", "claim_pk"),
        Index("ix_citations_study_pk_claim_pk", "study_pk", "claim_pk"),
        Index("ix_citations_stance_claim_pk", "stance", "claim_pk"),
    )


class QuotedText(Base):
    """Words of the document, with the place where they stand."""

    __tablename__ = "citation_quotes"
    citation_pk: Mapped[int] = mapped_column(ForeignKey("citations.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[LineColumn]
    section: Mapped[LineColumn | None]
    page: Mapped[LineColumn | None]
    figure: Mapped[LineColumn | None]


class CitationIndirectness(Base):
    __tablename__ = "citation_indirectness"
    citation_pk: Mapped[int] = mapped_column(ForeignKey("citations.pk", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(SLUG, primary_key=True)
    position: Mapped[int]


class CitationReference(Base):
    """The number under which the origin cites the document."""

    __tablename__ = "citation_references"
    citation_pk: Mapped[int] = mapped_column(ForeignKey("citations.pk", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class CitationEstimate(Base):
    """A reported number; what was not reported is null."""

    __tablename__ = "estimates"
    pk: Mapped[Pk]
    citation_pk: Mapped[int] = mapped_column(ForeignKey("citations.pk", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    is_primary: Mapped[bool]
    outcome_pk: Mapped[int | None] = mapped_column(ForeignKey("concepts.pk"))
    measure: Mapped[TermColumn | None]
    value: Mapped[float | None] = mapped_column(Float(53))
    unit: Mapped[LineColumn | None]
    scale: Mapped[LineColumn | None]
    timepoint: Mapped[LineColumn | None]
    ci_low: Mapped[float | None] = mapped_column(Float(53))
    ci_high: Mapped[float | None] = mapped_column(Float(53))
    ci_level: Mapped[float | None] = mapped_column(Float(53))
    dispersion: Mapped[float | None] = mapped_column(Float(53))
    dispersion_kind: Mapped[TermColumn | None]
    p_operator: Mapped[TermColumn | None]
    p_value: Mapped[float | None] = mapped_column(Float(53))
    favours: Mapped[TermColumn | None]
    comparison: Mapped[TermColumn | None]
    analysis: Mapped[TermColumn | None]
    multiplicity_adjusted: Mapped[bool | None]
    n_analysed: Mapped[int | None]
    pooled: Mapped[bool]
    k: Mapped[int | None]
    i2: Mapped[float | None] = mapped_column(Float(53))


class CitationEstimateArm(Base):
    __tablename__ = "estimate_arms"
    estimate_pk: Mapped[int] = mapped_column(ForeignKey("estimates.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[LineColumn]
    role: Mapped[TermColumn]
    n: Mapped[int | None]
    value: Mapped[float | None] = mapped_column(Float(53))
    events: Mapped[int | None]
    total: Mapped[int | None]


class LiteratureSearch(RecordColumns, Base):
    """A question put to the literature, or one that nobody has put yet."""

    __tablename__ = "searches"
    question: Mapped[TextColumn]
    coverage: Mapped[TermColumn]
    intervention_pk: Mapped[int | None] = mapped_column(ForeignKey("concepts.pk"), index=True)
    topic: Mapped[LineColumn | None]
    depth: Mapped[TermColumn | None]
    query: Mapped[TextColumn | None]
    searched_on: Mapped[DateColumn | None]
    searched_by: Mapped[LineColumn | None]
    found: Mapped[int | None]
    screened: Mapped[int | None]
    note: Mapped[TextColumn | None]


class LiteratureSearchConcept(Base):
    """A condition, mechanism, side effect or interactant that the question names."""

    __tablename__ = "search_concepts"
    search_pk: Mapped[int] = mapped_column(ForeignKey("searches.pk", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), primary_key=True, index=True)
    position: Mapped[int]


class LiteratureSearchSource(Base):
    """A database or place that was searched."""

    __tablename__ = "search_sources"
    search_pk: Mapped[int] = mapped_column(ForeignKey("searches.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[LineColumn]


class Override(Base):
    """A derived value that a person has replaced, with a reason and an end."""

    __tablename__ = "overrides"
    pk: Mapped[Pk]
    claim_id: Mapped[str] = mapped_column(SLUG, ForeignKey("claims.id"), index=True)
    field: Mapped[TermColumn]
    """`consensus` or `certainty`."""
    value: Mapped[TermColumn]
    reason: Mapped[TextColumn]
    author_id: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"))
    created_at: Mapped[InstantColumn]
    expires_on: Mapped[DateColumn]
    """The first day on which it holds no more."""
    is_active: Mapped[bool]
    """True until maintenance publishes its end: nothing in the data set changes by the clock alone."""


class Maintained(Base):
    """The day up to which everything that expires has been published; at most one row."""

    __tablename__ = "maintained"
    pk: Mapped[Pk]
    day: Mapped[DateColumn]


class InteractionRule(Base):
    __tablename__ = "interaction_rules"
    pk: Mapped[Pk]
    id: Mapped[str] = mapped_column(SLUG, unique=True)
    status: Mapped[TermColumn]
    successor: Mapped[str | None] = mapped_column(SLUG)
    name: Mapped[LineColumn]
    severity: Mapped[TermColumn]


class InteractionRuleDrug(Base):
    """A drug, class or regimen in one of the two sets of a rule."""

    __tablename__ = "interaction_rule_drugs"
    rule_pk: Mapped[int] = mapped_column(ForeignKey("interaction_rules.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[TermColumn]
    """`first` or `second`."""
    concept_pk: Mapped[int] = mapped_column(ForeignKey("concepts.pk"), index=True)


class InteractionRuleClaim(Base):
    """A claim that the warning of a rule rests on in one situation."""

    __tablename__ = "interaction_rule_claims"
    rule_pk: Mapped[int] = mapped_column(ForeignKey("interaction_rules.pk", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    situation: Mapped[TermColumn]
    claim_pk: Mapped[int] = mapped_column(ForeignKey("claims.pk"), index=True)
