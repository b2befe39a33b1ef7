"""Which filters the lists accept, and their SQL. Filters choose records; they never trim a claim's citations."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.concepts.models import Concept
from app.concepts.queries import keys_named
from app.concepts.vocabulary import InterventionLevel
from app.core.database import Base
from app.core.errors import Fault, InvalidInput, nearest
from app.core.lists import SortedQuery, Sorts, WordedQuery
from app.core.text import Instant, Named, Slug
from app.core.vocabulary import Status
from app.evidence import dose_query
from app.evidence.doses import DailyDose
from app.evidence.models import (
    Citation,
    Claim,
    ClaimConcept,
    DosingRange,
    DosingRangeCondition,
    DosingRangeTier,
    Search,
    SearchConcept,
)
from app.evidence.vocabulary import (
    Certainty,
    CitationRole,
    Consensus,
    Coverage,
    Directness,
    DoseBasis,
    DoseTier,
    Effect,
    Form,
    Kind,
    Stance,
    Verification,
)
from app.sources.identifiers import IdentifierError, normalise
from app.sources.models import Document, DocumentIdentifier, DocumentStudy, Study, StudyCondition
from app.sources.vocabulary import (
    Design,
    DocumentKind,
    EvidenceSource,
    IdentifierScheme,
    Recruitment,
    ResultsStatus,
    Standing,
)

HARM_KINDS = (Kind.interaction, Kind.safety)
"""Claims of these kinds on a drug hold for its dose regimens too: harm crosses dose tiers, benefit never does."""

_FEW = Field(max_length=50)
Names = Annotated[list[Named], _FEW]


class ClaimFilters(WordedQuery):
    """Filters by what claims say and what is cited for them. A repeated parameter means OR, different ones mean AND;
    those about a citation must hold on one and the same citation. A code such as `icd10cm:M79.7` may stand for an id.
    """

    intervention: Names = []
    """Drug or regimen. A regimen also brings the interactions and warnings of its drug."""
    condition: Names = []
    mechanism: Names = []
    side_effect: Names = []
    outcome: Names = []
    interactant: Names = []
    """Drugs or drug classes that the intervention meets."""
    descendants: bool = False
    """Whether narrower conditions and interventions count as well."""
    kind: Annotated[list[Kind], _FEW] = []
    form: Annotated[list[Form], _FEW] = []
    effect: Annotated[list[Effect], _FEW] = []
    consensus: Annotated[list[Consensus], _FEW] = []
    certainty: Annotated[list[Certainty], _FEW] = []
    cited: bool | None = None
    """Whether the claim has any citation."""
    stance: Annotated[list[Stance], _FEW] = []
    directness: Annotated[list[Directness], _FEW] = []
    verification: Annotated[list[Verification], _FEW] = []
    document: Annotated[list[Slug], _FEW] = []
    study: Annotated[list[Slug], _FEW] = []
    doi: Names = []
    pmid: Names = []
    design: Annotated[list[Design], _FEW] = []
    evidence_source: Annotated[list[EvidenceSource], _FEW] = []
    standing: Annotated[list[Standing], _FEW] = []


class ClaimQuery(ClaimFilters):
    id: Annotated[list[Slug], Field(max_length=200)] = []
    dose: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """A daily total such as `4.5 mg`, `1.5..4.5 mg` or `4500 ug`, both ends inclusive. Keeps claims with a studied dose
    in the range, claims whose doses were not read, and every warning; each citation is marked (`dose_match`)."""
    citations: Literal["all", "top"] = "all"
    """`top` embeds only the strongest citation of the supporting and of the disputing side."""
    stale: bool | None = None
    """Whether the claim is past its day for review, as of the last maintenance of the data set."""
    updated_since: Instant | None = None
    """Published or changed at or after this instant (RFC 3339, UTC)."""
    sort: Literal[
        "id",
        "-id",
        "updated_at",
        "-updated_at",
        "study_count",
        "-study_count",
        "participant_count",
        "-participant_count",
    ] = "id"


CLAIM_SORTS: Sorts = {
    "id": Claim.id,
    "updated_at": Claim.updated_at,
    "study_count": Claim.study_count,
    "participant_count": Claim.participant_count,
}


def claims(session: Session, query: ClaimQuery) -> Select[Any]:
    """Published claims that meet every filter."""
    where = claim_conditions(session, query)
    if query.id:
        where.append(Claim.pk.in_(keys_of_ids(session, Claim, query.id, "id")))
    if query.updated_since is not None:
        where.append(Claim.updated_at >= query.updated_since)
    if query.stale is not None:
        where.append(Claim.is_stale.is_(query.stale))
    if query.dose is not None:
        where.append(_of_dose(dose_query.parse(query.dose)))
    return select(Claim.pk).where(*where)


def _of_dose(asked: DailyDose) -> ColumnElement[bool]:
    """Claims on a treatment, less those whose every known dose lies outside: nothing unread is dropped, and no harm."""
    low, high = asked.low or 0, asked.high if asked.high is not None else _NO_END
    studied = Citation.dose_low_pg.is_not(None)
    ranged = DosingRange.low_pg_per_day.is_not(None) | DosingRange.high_pg_per_day.is_not(None)
    overlapping = and_(Citation.dose_low_pg <= high, Citation.dose_high_pg >= low)
    touching = and_(
        func.coalesce(DosingRange.low_pg_per_day, 0) <= high, func.coalesce(DosingRange.high_pg_per_day, _NO_END) >= low
    )
    known = or_(
        Claim.pk.in_(select(Citation.claim_pk).where(studied)),
        Claim.dosing_range_pk.in_(select(DosingRange.pk).where(ranged)),
    )
    inside = or_(
        Claim.pk.in_(select(Citation.claim_pk).where(studied, overlapping)),
        Claim.dosing_range_pk.in_(select(DosingRange.pk).where(ranged, touching)),
    )
    return and_(Claim.intervention_pk.is_not(None), or_(Claim.kind.in_(HARM_KINDS), inside, ~known))


_NO_END = 2**63 - 1


def claim_conditions(session: Session, filters: ClaimFilters) -> list[ColumnElement[bool]]:
    """The filters as conditions on Claim, published claims only."""
    where: list[ColumnElement[bool]] = [Claim.status == Status.published]
    down = filters.descendants
    if filters.intervention:
        keys = keys_named(session, "intervention", filters.intervention, "intervention", descendants=down)
        where.append(_of_interventions(session, keys))
    if filters.outcome:
        where.append(Claim.outcome_pk.in_(keys_named(session, "outcome", filters.outcome, "outcome")))
    for name, record_type in (
        ("condition", "condition"),
        ("mechanism", "mechanism"),
        ("side_effect", "side_effect"),
        ("interactant", "intervention"),
    ):
        named: list[str] = getattr(filters, name)
        if named:
            keys = keys_named(session, record_type, named, name, descendants=down)
            linked = select(ClaimConcept.claim_pk).where(ClaimConcept.role == name, ClaimConcept.concept_pk.in_(keys))
            where.append(Claim.pk.in_(linked))
    for name in ("kind", "form", "effect", "consensus", "certainty"):
        values: Sequence[str] = getattr(filters, name)
        if values:
            where.append(getattr(Claim, name).in_(values))
    if filters.cited is not None:
        where.append(Claim.citation_count > 0 if filters.cited else Claim.citation_count == 0)
    cited = citation_conditions(session, filters)
    if cited:
        where.append(Claim.pk.in_(_citations(*cited).with_only_columns(Citation.claim_pk)))
    return where


def _of_interventions(session: Session, keys: Sequence[int]) -> ColumnElement[bool]:
    parents = session.scalars(
        select(Concept.parent_pk).where(
            Concept.pk.in_(keys), Concept.level == InterventionLevel.regimen, Concept.parent_pk.is_not(None)
        )
    ).all()
    own = Claim.intervention_pk.in_(keys)
    return or_(own, and_(Claim.intervention_pk.in_(parents), Claim.kind.in_(HARM_KINDS))) if parents else own


def citation_conditions(session: Session, filters: Any) -> list[ColumnElement[bool]]:
    """The filters about citations, to hold on one and the same citation (joined to its document and study)."""
    where: list[ColumnElement[bool]] = []
    columns: tuple[tuple[str, InstrumentedAttribute[Any]], ...] = (
        ("stance", Citation.stance),
        ("directness", Citation.directness),
        ("verification", Citation.verification),
        ("design", Study.design),
        ("evidence_source", Study.evidence_source),
        ("standing", Document.standing),
    )
    for name, column in columns:
        values: Sequence[str] = getattr(filters, name)
        if values:
            where.append(column.in_(values))
    if filters.document:
        where.append(Citation.document_pk.in_(keys_of_ids(session, Document, filters.document, "document")))
    if filters.study:
        where.append(Citation.study_pk.in_(keys_of_ids(session, Study, filters.study, "study")))
    for scheme, values in ((IdentifierScheme.doi, filters.doi), (IdentifierScheme.pmid, filters.pmid)):
        if values:
            where.append(Citation.document_pk.in_(_identified(scheme, values)))
    return where


def _citations(*where: ColumnElement[bool]) -> Select[Any]:
    return (
        select(Citation.pk)
        .join(Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(*where)
    )


def _identified(scheme: IdentifierScheme, values: Sequence[str]) -> Select[Any]:
    """Documents with one of the identifiers; a well-formed one that nobody recorded finds nothing, and is no error."""
    normal = []
    for value in values:
        try:
            normal.append(normalise(scheme, value))
        except IdentifierError as error:
            fault = Fault("query", scheme, "malformed_identifier", f"A {scheme.label} {error}.")
            raise InvalidInput("An identifier cannot be read.", errors=[fault]) from error
    return select(DocumentIdentifier.document_pk).where(
        DocumentIdentifier.scheme == scheme, DocumentIdentifier.normal.in_(normal)
    )


def keys_of_ids(session: Session, table: type[Base], ids: Sequence[str], parameter: str) -> list[int]:
    """Keys of records named by id; InvalidInput says what is near, or what took over."""
    columns = table.__table__.c
    rows = {
        row.id: row
        for row in session.execute(
            select(columns.pk, columns.id, columns.status, columns.successor).where(columns.id.in_(ids))
        )
    }
    for record_id in ids:
        row = rows.get(record_id)
        if row is None:
            known = session.scalars(select(columns.id).where(columns.status == Status.published).order_by(columns.id))
            fault = Fault(
                "query", parameter, "unknown_value", "There is no record with this id.",
                did_you_mean=nearest(record_id, known.all()),
            )  # fmt: skip
            raise InvalidInput("A filter names something that does not exist here.", errors=[fault])
        if row.status != Status.published:
            fault = Fault("query", parameter, "retired", "This record was retired.", successor=row.successor)
            raise InvalidInput("A filter names a retired record.", errors=[fault])
    return [int(row.pk) for row in rows.values()]


# --- citations ----------------------------------------------------------------------------------------------------


class CitationFilters(SortedQuery):
    stance: Annotated[list[Stance], _FEW] = []
    directness: Annotated[list[Directness], _FEW] = []
    role: Annotated[list[CitationRole], _FEW] = []
    verification: Annotated[list[Verification], _FEW] = []
    document: Annotated[list[Slug], _FEW] = []
    study: Annotated[list[Slug], _FEW] = []
    doi: Names = []
    pmid: Names = []
    design: Annotated[list[Design], _FEW] = []
    evidence_source: Annotated[list[EvidenceSource], _FEW] = []
    standing: Annotated[list[Standing], _FEW] = []
    sort: Literal["id", "-id"] = "id"


class CitationQuery(CitationFilters):
    claim: Annotated[list[Slug], _FEW] = []


CITATION_SORTS: Sorts = {"id": Citation.id}


def citations(session: Session, query: CitationQuery) -> Select[Any]:
    """Citations of published claims that meet every filter."""
    where = citation_conditions(session, query)
    if query.role:
        where.append(Citation.role.in_(query.role))
    if query.claim:
        where.append(Citation.claim_pk.in_(keys_of_ids(session, Claim, query.claim, "claim")))
    published = select(Claim.pk).where(Claim.status == Status.published)
    return _citations(Citation.claim_pk.in_(published), *where)


# --- the catalogue ------------------------------------------------------------------------------------------------


class ConceptQuery(ClaimFilters):
    """Concepts, of all or of the claims that meet the evidence filters."""

    code: Names = []
    """A code that the concept carries, such as `mesh:D005356`."""
    sort: Literal["id", "-id", "name", "-name"] = "id"


CONCEPT_SORTS: Sorts = {"id": Concept.id, "name": Concept.name}


def concepts(session: Session, record_type: str, query: ConceptQuery) -> Select[Any]:
    """Published concepts of a type; evidence filters keep those that a matching claim names."""
    where: list[ColumnElement[bool]] = [Concept.type == record_type, Concept.status == Status.published]
    if query.code:
        where.append(Concept.pk.in_(keys_named(session, record_type, query.code, "code")))
    if _asks_for_evidence(query):
        matching = select(Claim.pk).where(*claim_conditions(session, query))
        linked = select(ClaimConcept.concept_pk).where(ClaimConcept.claim_pk.in_(matching))
        named = [select(column).where(Claim.pk.in_(matching)) for column in (Claim.intervention_pk, Claim.outcome_pk)]
        where.append(or_(Concept.pk.in_(linked), *(Concept.pk.in_(statement) for statement in named)))
    return select(Concept.pk).where(*where)


def _asks_for_evidence(query: BaseModel) -> bool:
    asked = query.model_fields_set & ClaimFilters.model_fields.keys() - WordedQuery.model_fields.keys()
    return bool(asked - {"descendants"})


class StudyQuery(WordedQuery):
    condition: Names = []
    design: Annotated[list[Design], _FEW] = []
    evidence_source: Annotated[list[EvidenceSource], _FEW] = []
    recruitment: Annotated[list[Recruitment], _FEW] = []
    results: Annotated[list[ResultsStatus], _FEW] = []
    is_review: bool | None = None
    document: Annotated[list[Slug], _FEW] = []
    claim: Annotated[list[Slug], _FEW] = []
    """Studies cited for one of these claims."""
    sort: Literal["id", "-id", "participants", "-participants"] = "id"


STUDY_SORTS: Sorts = {"id": Study.id, "participants": Study.participants}


def studies(session: Session, query: StudyQuery) -> Select[Any]:
    """Published studies that meet every filter."""
    where: list[ColumnElement[bool]] = [Study.status == Status.published]
    for name in ("design", "evidence_source", "recruitment", "results"):
        values: Sequence[str] = getattr(query, name)
        if values:
            where.append(getattr(Study, name).in_(values))
    if query.is_review is not None:
        where.append(Study.is_review.is_(query.is_review))
    if query.condition:
        keys = keys_named(session, "condition", query.condition, "condition")
        where.append(Study.pk.in_(select(StudyCondition.study_pk).where(StudyCondition.concept_pk.in_(keys))))
    if query.document:
        documents_ = keys_of_ids(session, Document, query.document, "document")
        where.append(Study.pk.in_(select(DocumentStudy.study_pk).where(DocumentStudy.document_pk.in_(documents_))))
    if query.claim:
        cited = keys_of_ids(session, Claim, query.claim, "claim")
        where.append(Study.pk.in_(select(Citation.study_pk).where(Citation.claim_pk.in_(cited))))
    return select(Study.pk).where(*where)


class DocumentQuery(WordedQuery):
    kind: Annotated[list[DocumentKind], _FEW] = []
    standing: Annotated[list[Standing], _FEW] = []
    doi: Names = []
    pmid: Names = []
    year: Annotated[list[Annotated[int, Field(ge=1000, le=9999)]], _FEW] = []
    claim: Annotated[list[Slug], _FEW] = []
    """Documents cited for one of these claims."""
    sort: Literal["id", "-id", "year", "-year", "label", "-label"] = "id"


DOCUMENT_SORTS: Sorts = {"id": Document.id, "year": Document.year, "label": Document.label}


def documents(session: Session, query: DocumentQuery) -> Select[Any]:
    """Published documents that meet every filter."""
    where: list[ColumnElement[bool]] = [Document.status == Status.published]
    for name in ("kind", "standing", "year"):
        values: Sequence[Any] = getattr(query, name)
        if values:
            where.append(getattr(Document, name).in_(values))
    for scheme, identifiers in ((IdentifierScheme.doi, query.doi), (IdentifierScheme.pmid, query.pmid)):
        if identifiers:
            where.append(Document.pk.in_(_identified(scheme, identifiers)))
    if query.claim:
        cited = keys_of_ids(session, Claim, query.claim, "claim")
        where.append(Document.pk.in_(select(Citation.document_pk).where(Citation.claim_pk.in_(cited))))
    return select(Document.pk).where(*where)


class DosingRangeQuery(WordedQuery):
    intervention: Names = []
    condition: Names = []
    basis: Annotated[list[DoseBasis], _FEW] = []
    tier: Annotated[list[DoseTier], _FEW] = []
    dose: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """A daily total such as `4.5 mg` or `1.5..4.5 mg`, both ends inclusive. Ranges whose dose was not read are kept."""
    sort: Literal["id", "-id", "dose", "-dose"] = "id"
    """`dose` is the lowest daily total; ranges without one come last."""


DOSING_RANGE_SORTS: Sorts = {"id": DosingRange.id, "dose": DosingRange.low_pg_per_day}


def dosing_ranges(session: Session, query: DosingRangeQuery) -> Select[Any]:
    """Published dosing ranges that meet every filter."""
    where: list[ColumnElement[bool]] = [DosingRange.status == Status.published]
    if query.intervention:
        keys = keys_named(session, "intervention", query.intervention, "intervention")
        where.append(DosingRange.intervention_pk.in_(keys))
    if query.condition:
        keys = keys_named(session, "condition", query.condition, "condition")
        linked = select(DosingRangeCondition.dosing_range_pk).where(DosingRangeCondition.concept_pk.in_(keys))
        where.append(DosingRange.pk.in_(linked))
    if query.basis:
        where.append(DosingRange.basis.in_(query.basis))
    if query.tier:
        touching = select(DosingRangeTier.dosing_range_pk).where(DosingRangeTier.tier.in_(query.tier))
        where.append(DosingRange.pk.in_(touching))
    if query.dose is not None:
        asked = dose_query.parse(query.dose)
        low, high = DosingRange.low_pg_per_day, DosingRange.high_pg_per_day
        unread = and_(low.is_(None), high.is_(None))
        end = asked.high if asked.high is not None else _NO_END
        where.append(or_(unread, and_(func.coalesce(low, 0) <= end, func.coalesce(high, _NO_END) >= (asked.low or 0))))
    return select(DosingRange.pk).where(*where)


class SearchQuery(WordedQuery):
    intervention: Names = []
    condition: Names = []
    interactant: Names = []
    coverage: Annotated[list[Coverage], _FEW] = []
    sort: Literal["id", "-id"] = "id"


SEARCH_SORTS: Sorts = {"id": Search.id}


def searches(session: Session, query: SearchQuery) -> Select[Any]:
    """Published questions that meet every filter."""
    where: list[ColumnElement[bool]] = [Search.status == Status.published]
    if query.intervention:
        keys = keys_named(session, "intervention", query.intervention, "intervention")
        where.append(Search.intervention_pk.in_(keys))
    for name, record_type, values in (
        ("condition", "condition", query.condition),
        ("interactant", "intervention", query.interactant),
    ):
        if values:
            keys = keys_named(session, record_type, values, name)
            linked = select(SearchConcept.search_pk).where(
                SearchConcept.role == name, SearchConcept.concept_pk.in_(keys)
            )
            where.append(Search.pk.in_(linked))
    if query.coverage:
        where.append(Search.coverage.in_(query.coverage))
    return select(Search.pk).where(*where)
