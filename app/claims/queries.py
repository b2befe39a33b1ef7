"""Which filters the lists accept, and what they keep. Filters choose records; they never trim a claim's citations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pyroaring import BitMap
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.claims import dose_query
from app.claims.doses import DailyDose
from app.claims.filters import CITATIONS, CITED, CLAIMS, COMBINATION, DOSING_RANGES, SEARCHES, SEPARATOR
from app.claims.models import Citation, Claim, DosingRange, LiteratureSearch
from app.claims.vocabulary import (
    HARM_KINDS,
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
from app.concepts.filters import filter_spec
from app.concepts.models import Concept
from app.concepts.queries import ids_named, keys_named
from app.core.errors import Fault, InvalidInput, nearest
from app.core.text import Instant, Named, Slug
from app.core.vocabulary import Status
from app.sources.filters import DOCUMENTS, STUDIES
from app.sources.identifiers import IdentifierError, normalise
from app.sources.models import Document, DocumentIdentifier, DocumentStudy, Study
from app.sources.vocabulary import (
    Design,
    DocumentKind,
    EvidenceSource,
    IdentifierScheme,
    Recruitment,
    ResultsStatus,
    Standing,
)
from app.storage.database import Base
from app.storage.filter_index import Filter, FilterIndexView
from app.storage.paging import MAX_READ, Selection, SortedQuery, Sorts, TextQuery

_FEW = Field(max_length=50)
Names = Annotated[list[Named], _FEW]


class ClaimFilters(TextQuery):
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
    facets: bool = False
    """Whether to count all matching claims by what they can be narrowed by (`facets` in the answer)."""
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


CLAIM_FACETS = (
    "kind", "effect", "consensus", "certainty", "condition", "intervention", "outcome", "mechanism", "side_effect",
    "stance", "design", "evidence_source", "standing",
)  # fmt: skip
"""Filters by whose values claims are counted."""
MAX_FACET_VALUES = 50

CLAIM_SORTS: Sorts = {
    "id": Claim.id,
    "updated_at": Claim.updated_at,
    "study_count": Claim.study_count,
    "participant_count": Claim.participant_count,
}


def claims(session: Session, kept: FilterIndexView, query: ClaimQuery) -> Selection:
    """Published claims that meet every filter."""
    matching = _meeting(session, kept, query)
    if query.id:
        matching = matching.also(Claim.pk.in_(keys_of_ids(session, Claim, query.id, "id")))
    if query.updated_since is not None:
        matching = matching.also(Claim.updated_at >= query.updated_since)
    if query.stale is not None:
        matching = matching.filtered("stale", [_flag(query.stale)])
    if query.dose is not None:
        matching = matching.also(_of_dose(dose_query.parse(query.dose)), counted_to=MAX_READ)
    return matching


def _flag(value: bool) -> str:
    return str(value).lower()


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


def _meeting(session: Session, kept: FilterIndexView, filters: ClaimFilters) -> Selection:
    """Published claims that meet the filters by what they say and what is cited for them."""
    matching = Selection("claim", CLAIMS)
    for name, record_type in (
        ("intervention", "intervention"),
        ("outcome", "outcome"),
        ("condition", "condition"),
        ("mechanism", "mechanism"),
        ("side_effect", "side_effect"),
        ("interactant", "intervention"),
    ):
        named: list[str] = getattr(filters, name)
        down = filters.descendants and name != "outcome"
        matching = matching.filtered(name, ids_named(session, record_type, named, name, descendants=down))
    for name in ("kind", "form", "effect", "consensus", "certainty"):
        matching = matching.filtered(name, getattr(filters, name))
    if filters.cited is not None:
        matching = matching.filtered("cited", [_flag(filters.cited)])
    return _cited(session, kept, matching, filters)


def _cited(session: Session, kept: FilterIndexView, matching: Selection, filters: ClaimFilters) -> Selection:
    """The claims of which one and the same citation meets all the filters about citations."""
    asked = {name: getattr(filters, name) for name in CITED if getattr(filters, name)}
    sources = _of_sources(session, filters)
    if sources:
        meeting = _citations(*(CITED[name].in_(values) for name, values in asked.items()), *sources)
        return matching.also(Claim.pk.in_(meeting.with_only_columns(Citation.claim_pk)))
    if len(asked) < 2:
        for name, values in asked.items():
            matching = matching.filtered(name, values)
        return matching
    combinations = [
        value
        for value in kept.values("claim", COMBINATION)
        if all(part in asked.get(name, (part,)) for name, part in zip(CITED, value.split(SEPARATOR), strict=True))
    ]
    return matching.filtered(COMBINATION, combinations or [""])


def _of_sources(session: Session, filters: Any) -> list[ColumnElement[bool]]:
    """The filters that name what is cited, as conditions on one citation."""
    where: list[ColumnElement[bool]] = []
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


def citations(session: Session, query: CitationQuery) -> Selection:
    """Citations of published claims that meet every filter."""
    matching = Selection("citation", CITATIONS)
    for name in (*CITED, "role"):
        matching = matching.filtered(name, getattr(query, name))
    matching = matching.also(*_of_sources(session, query))
    if query.claim:
        matching = matching.also(Citation.claim_pk.in_(keys_of_ids(session, Claim, query.claim, "claim")))
    return matching


# --- the catalogue ------------------------------------------------------------------------------------------------


class ConceptQuery(ClaimFilters):
    """Concepts, of all or of the claims that meet the evidence filters."""

    code: Names = []
    """A code that the concept carries, such as `mesh:D005356`."""
    sort: Literal["id", "-id", "name", "-name"] = "id"


CONCEPT_SORTS: Sorts = {"id": Concept.id, "name": Concept.name}


def concepts(session: Session, kept: FilterIndexView, record_type: str, query: ConceptQuery) -> Selection:
    """Published concepts of a type; evidence filters keep those that a matching claim names."""
    matching = Selection(record_type, filter_spec(record_type))
    if query.code:
        matching = matching.also(Concept.pk.in_(keys_named(session, record_type, query.code, "code")))
    if _asks_for_evidence(query):
        claims_ = _meeting(session, kept, query).keys(session, kept)
        named = {
            record_id
            for name in _NAMING[record_type]
            for record_id in kept.values("claim", name)
            if kept.of("claim", Filter(name, record_id)).intersect(claims_)
        }
        rows = session.execute(select(Concept.pk, Concept.id).where(Concept.type == record_type))
        matching = replace(matching, only=BitMap(pk for pk, record_id in rows if record_id in named))
    return matching


_NAMING = {
    "intervention": ("subject", "interactant"),
    "condition": ("condition",),
    "mechanism": ("mechanism",),
    "side_effect": ("side_effect",),
    "outcome": ("outcome",),
}
"""Filters of claims under which stand the concepts of a type that claims name."""


def _asks_for_evidence(query: BaseModel) -> bool:
    asked = query.model_fields_set & ClaimFilters.model_fields.keys() - TextQuery.model_fields.keys()
    return bool(asked - {"descendants"})


class StudyQuery(TextQuery):
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


def studies(session: Session, query: StudyQuery) -> Selection:
    """Published studies that meet every filter."""
    matching = Selection("study", STUDIES)
    for name in ("design", "evidence_source", "recruitment", "results"):
        matching = matching.filtered(name, getattr(query, name))
    if query.is_review is not None:
        matching = matching.filtered("is_review", [_flag(query.is_review)])
    matching = matching.filtered("condition", ids_named(session, "condition", query.condition, "condition"))
    if query.document:
        documents_ = keys_of_ids(session, Document, query.document, "document")
        reported = select(DocumentStudy.study_pk).where(DocumentStudy.document_pk.in_(documents_))
        matching = matching.also(Study.pk.in_(reported))
    if query.claim:
        cited = keys_of_ids(session, Claim, query.claim, "claim")
        matching = matching.also(Study.pk.in_(select(Citation.study_pk).where(Citation.claim_pk.in_(cited))))
    return matching


class DocumentQuery(TextQuery):
    kind: Annotated[list[DocumentKind], _FEW] = []
    standing: Annotated[list[Standing], _FEW] = []
    doi: Names = []
    pmid: Names = []
    year: Annotated[list[Annotated[int, Field(ge=1000, le=9999)]], _FEW] = []
    claim: Annotated[list[Slug], _FEW] = []
    """Documents cited for one of these claims."""
    sort: Literal["id", "-id", "year", "-year", "label", "-label"] = "id"


DOCUMENT_SORTS: Sorts = {"id": Document.id, "year": Document.year, "label": Document.label}


def documents(session: Session, query: DocumentQuery) -> Selection:
    """Published documents that meet every filter."""
    matching = Selection("document", DOCUMENTS)
    for name in ("kind", "standing"):
        matching = matching.filtered(name, getattr(query, name))
    matching = matching.filtered("year", [str(year) for year in query.year])
    for scheme, identifiers in ((IdentifierScheme.doi, query.doi), (IdentifierScheme.pmid, query.pmid)):
        if identifiers:
            matching = matching.also(Document.pk.in_(_identified(scheme, identifiers)))
    if query.claim:
        cited = keys_of_ids(session, Claim, query.claim, "claim")
        matching = matching.also(Document.pk.in_(select(Citation.document_pk).where(Citation.claim_pk.in_(cited))))
    return matching


class DosingRangeQuery(TextQuery):
    intervention: Names = []
    condition: Names = []
    basis: Annotated[list[DoseBasis], _FEW] = []
    tier: Annotated[list[DoseTier], _FEW] = []
    dose: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """A daily total such as `4.5 mg` or `1.5..4.5 mg`, both ends inclusive. Ranges whose dose was not read are kept."""
    sort: Literal["id", "-id", "dose", "-dose"] = "id"
    """`dose` is the lowest daily total; ranges without one come last."""


DOSING_RANGE_SORTS: Sorts = {"id": DosingRange.id, "dose": DosingRange.low_pg_per_day}


def dosing_ranges(session: Session, query: DosingRangeQuery) -> Selection:
    """Published dosing ranges that meet every filter."""
    matching = Selection("dosing_range", DOSING_RANGES)
    for name in ("intervention", "condition"):
        matching = matching.filtered(name, ids_named(session, name, getattr(query, name), name))
    matching = matching.filtered("basis", query.basis).filtered("tier", query.tier)
    if query.dose is not None:
        asked = dose_query.parse(query.dose)
        low, high = DosingRange.low_pg_per_day, DosingRange.high_pg_per_day
        unread = and_(low.is_(None), high.is_(None))
        end = asked.high if asked.high is not None else _NO_END
        touching = and_(func.coalesce(low, 0) <= end, func.coalesce(high, _NO_END) >= (asked.low or 0))
        matching = matching.also(or_(unread, touching), counted_to=MAX_READ)
    return matching


class LiteratureSearchQuery(TextQuery):
    intervention: Names = []
    condition: Names = []
    interactant: Names = []
    coverage: Annotated[list[Coverage], _FEW] = []
    sort: Literal["id", "-id"] = "id"


SEARCH_SORTS: Sorts = {"id": LiteratureSearch.id}


def searches(session: Session, query: LiteratureSearchQuery) -> Selection:
    """Published questions that meet every filter."""
    matching = Selection("search", SEARCHES)
    for name, record_type in (
        ("intervention", "intervention"),
        ("condition", "condition"),
        ("interactant", "intervention"),
    ):
        matching = matching.filtered(name, ids_named(session, record_type, getattr(query, name), name))
    return matching.filtered("coverage", query.coverage)
