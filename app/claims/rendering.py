"""Renders records as the API shows them, from content, derived values and the records that they refer to."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from app.claims.derived import ClaimDerived, ConceptDerived, DosingRangeDerived, Nothing, SourceDerived
from app.claims.models import Claim
from app.claims.projection import CONCEPT_ROLES, daily_dose
from app.claims.responses import (
    Assertion,
    CatalogueLinks,
    CitationBody,
    CitationLinks,
    CitationRead,
    ClaimEvidence,
    ClaimLinks,
    ClaimRead,
    ClaimSummary,
    ConditionRead,
    DocumentWithEvidence,
    DosingRangeRead,
    DosingRangeRef,
    EstimateRead,
    InterventionRead,
    MechanismRead,
    OriginRead,
    OutcomeRead,
    RelationRead,
    SearchRead,
    SelfLink,
    SideEffectRead,
    StudyWithEvidence,
)
from app.claims.schemas import (
    CitationRecord,
    CitationWrite,
    ClaimWrite,
    DosingRangeWrite,
    Estimate,
    LiteratureSearchWrite,
    Origin,
)
from app.concepts.schemas import (
    ConceptRef,
    ConceptWrite,
    ConditionWrite,
    InterventionWrite,
    MechanismWrite,
    OutcomeRef,
    OutcomeWrite,
    SideEffectWrite,
)
from app.core.content import ContentModel, Record, RecordLinks
from app.sources import rendering as sources
from app.sources.rendering import concept_ref
from app.sources.schemas import DocumentRef, DocumentWrite, StudyWrite
from app.storage.history import StoredRecord
from app.storage.resource import Key, RecordReader, Stamp

MAX_EMBEDDED = 100
"""Citations embedded in a claim; the rest is at the claim's `citations` address."""


def address(plural: str, record_id: str) -> str:
    return f"/v1/{plural}/{record_id}"


def _links(plural: str, record_id: str, stamp: Stamp) -> dict[str, str]:
    self = address(plural, record_id)
    return {"self": self, "permalink": f"{self}?serial={stamp.serial}", "versions": f"{self}/versions"}


def _envelope(record: Record, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": record.id,
        "version": stamp.version,
        "status": record.status,
        "successor": record.successor,
        "updated_at": stamp.updated_at,
    }


def _fields(content: ContentModel, names: Iterable[str]) -> dict[str, Any]:
    """Fields that the response shows as they are written."""
    return {name: getattr(content, name) for name in names}


def concept(records: RecordReader, record_type: str, record_id: str | None) -> ConceptRef | None:
    return None if record_id is None else concept_ref(records, record_type, record_id)


def concepts(records: RecordReader, record_type: str, ids: Iterable[str]) -> tuple[ConceptRef, ...]:
    return tuple(concept_ref(records, record_type, record_id) for record_id in ids)


def outcome(records: RecordReader, record_id: str | None) -> OutcomeRef | None:
    if record_id is None:
        return None
    content: OutcomeWrite = records.content(Key("outcome", record_id))
    return OutcomeRef(id=content.id, name=content.name, better=content.better)


def _concepts_of(records: RecordReader, content: ClaimWrite | LiteratureSearchWrite) -> dict[str, Any]:
    """The intervention and the linked concepts, under the same names as in the content."""
    linked = {field: concepts(records, type_, getattr(content, field)) for field, (_, type_) in CONCEPT_ROLES.items()}
    return {"intervention": concept(records, "intervention", content.intervention), **linked}


# --- claims and citations -----------------------------------------------------------------------------------------


def summary(records: RecordReader, claim_id: str) -> ClaimSummary:
    """A claim's text with its caveat, its verdict and both sides' counts: they travel together."""
    key = Key("claim", claim_id)
    return _summary(records.content(key), records.derived(key).evidence)


def summaries(session: Session, claim_ids: Iterable[str]) -> dict[str, ClaimSummary]:
    """Summaries of claims as they are now, read without the rest of their content. One statement."""
    rows = session.execute(
        select(Claim.id, Claim.statement, Claim.caveat, Claim.caveat_required, StoredRecord.derived)
        .join(StoredRecord, and_(StoredRecord.type == "claim", StoredRecord.id == Claim.id))
        .where(Claim.id.in_(sorted(claim_ids)))
    )
    return {row.id: _summary(row, ClaimDerived.model_validate_json(row.derived).evidence) for row in rows}


def _summary(claim: ClaimWrite | Row[*tuple[Any, ...]], evidence: ClaimEvidence) -> ClaimSummary:
    return ClaimSummary(
        id=claim.id,
        statement=claim.statement,
        caveat=claim.caveat,
        caveat_required=claim.caveat_required,
        consensus=evidence.consensus,
        leaning=evidence.leaning,
        certainty=evidence.certainty,
        supports=evidence.by_stance.supports,
        disputes=evidence.by_stance.disputes,
        links=SelfLink(self=address("claims", claim.id)),
    )


def claim(records: RecordReader, content: ClaimWrite, derived: ClaimDerived, stamp: Stamp) -> ClaimRead:
    by_id = {citation.id: citation for citation in content.citations}
    embedded = derived.order[:MAX_EMBEDDED]
    dosing: DosingRangeWrite | None = (
        records.content(Key("dosing_range", content.dosing_range)) if content.dosing_range else None
    )
    links = _links("claims", content.id, stamp)
    return ClaimRead(
        type="claim",
        **_envelope(content, stamp),
        **_fields(content, _CLAIM_AS_IS),
        **_concepts_of(records, content),
        outcome=outcome(records, content.outcome),
        dosing_range=DosingRangeRef(id=dosing.id, dose_text=dosing.dose_text) if dosing else None,
        origins=tuple(origin(records, stated) for stated in content.origins),
        relations=tuple(RelationRead(type=r.type, claim=summary(records, r.claim)) for r in content.relations),
        evidence=derived.evidence,
        citations=tuple(citation_body(records, by_id[citation]) for citation in embedded),
        citations_truncated=len(derived.order) > MAX_EMBEDDED,
        stale=derived.stale,
        links=ClaimLinks(
            **links, citations=f"{links['self']}/citations", evidence=f"{links['self']}/evidence", html=None
        ),
    )


_CLAIM_AS_IS = (
    "kind", "form", "statement", "effect", "comparator", "timepoint", "population", "magnitude", "evidence_level",
    "aspect", "jurisdiction", "authority", "valid_from", "valid_to", "as_of", "caveat", "caveat_required",
    "reviewed_on", "stale_on",
)  # fmt: skip


def origin(records: RecordReader, stated: Origin) -> OriginRead:
    document: DocumentWrite = records.content(Key("document", stated.document))
    return OriginRead(
        document=DocumentRef(id=document.id, label=document.label), **stated.model_dump(exclude={"document"})
    )


def citation_body(records: RecordReader, citation: CitationWrite) -> CitationBody:
    return CitationBody(id=citation.id, **_citation_fields(records, citation))


def _citation_fields(records: RecordReader, citation: CitationWrite) -> dict[str, Any]:
    study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
    return {
        **_fields(citation, _CITATION_AS_IS),
        "dose_match": None,
        "estimates": tuple(estimate(records, read) for read in citation.estimates),
        "document": sources.document_embed(records.content(Key("document", citation.document))),
        "study": sources.study_embed(study) if study else None,
    }


_CITATION_AS_IS = (
    "stance", "stance_reason", "directness", "indirect_because", "role", "analysed_n", "finding", "locator",
    "attached_by", "verification",
)  # fmt: skip


def estimate(records: RecordReader, content: Estimate) -> EstimateRead:
    as_is = _fields(content, EstimateRead.model_fields.keys() - {"outcome"})
    return EstimateRead(**as_is, outcome=outcome(records, content.outcome))


def citation(records: RecordReader, content: CitationRecord, _derived: Nothing, stamp: Stamp) -> CitationRead:
    links = _links("citations", content.id, stamp)
    claim_address = address("claims", content.claim)
    return CitationRead(
        type="citation",
        **_envelope(content, stamp),
        claim=summary(records, content.claim),
        **_citation_fields(records, content.citation),
        links=CitationLinks(**links, claim=claim_address, document=address("documents", content.citation.document)),
    )


# --- dosing ranges and searches -----------------------------------------------------------------------------------


def dosing_range(
    records: RecordReader, content: DosingRangeWrite, derived: DosingRangeDerived, stamp: Stamp
) -> DosingRangeRead:
    total = daily_dose(content)
    as_is = ("low", "high", "unit", "dose_text", "schedule", "route", "formulation", "titration", "population", "basis")
    return DosingRangeRead(
        type="dosing_range",
        **_envelope(content, stamp),
        **_fields(content, as_is),
        intervention=concept_ref(records, "intervention", content.intervention),
        conditions=concepts(records, "condition", content.conditions),
        low_pg_per_day=total.low if total else None,
        high_pg_per_day=total.high if total else None,
        tiers=total.tiers if total else (),
        claims=tuple(summary(records, claim_id) for claim_id in derived.claims),
        links=RecordLinks(**_links("dosing-ranges", content.id, stamp)),
    )


def search(records: RecordReader, content: LiteratureSearchWrite, _derived: Nothing, stamp: Stamp) -> SearchRead:
    as_is = (
        "question", "coverage", "topic", "depth", "sources", "query", "searched_on", "searched_by", "found",
        "screened", "note",
    )  # fmt: skip
    return SearchRead(
        type="search",
        **_envelope(content, stamp),
        **_fields(content, as_is),
        **_concepts_of(records, content),
        links=RecordLinks(**_links("searches", content.id, stamp)),
    )


# --- the catalogue ------------------------------------------------------------------------------------------------


def _assertion(records: RecordReader, claim_id: str) -> Assertion:
    content: ClaimWrite = records.content(Key("claim", claim_id))
    shared = summary(records, claim_id).model_dump(include=set(Assertion.model_fields))
    return Assertion(aspect=content.aspect, text=content.statement, claim_id=claim_id, **shared)


def _concept_fields(
    records: RecordReader, record_type: str, content: ConceptWrite, derived: ConceptDerived, stamp: Stamp
) -> dict[str, Any]:
    plural = f"{record_type.replace('_', '-')}s"
    claims = f"/v1/claims?{record_type}={content.id}"
    return {
        "type": record_type,
        **_envelope(content, stamp),
        **_fields(content, ("name", "synonyms", "description", "codes")),
        "assertions": tuple(_assertion(records, claim_id) for claim_id in derived.assertions),
        "evidence": derived.evidence,
        "links": CatalogueLinks(**_links(plural, content.id, stamp), claims=claims),
    }


def intervention(
    records: RecordReader, content: InterventionWrite, derived: ConceptDerived, stamp: Stamp
) -> InterventionRead:
    return InterventionRead(
        **_concept_fields(records, "intervention", content, derived, stamp),
        level=content.level,
        parent=concept(records, "intervention", content.parent),
        inherited_warnings=tuple(summary(records, claim_id) for claim_id in derived.inherited),
    )


def condition(records: RecordReader, content: ConditionWrite, derived: ConceptDerived, stamp: Stamp) -> ConditionRead:
    fields = _concept_fields(records, "condition", content, derived, stamp)
    return ConditionRead(**fields, parent=concept(records, "condition", content.parent))


def mechanism(records: RecordReader, content: MechanismWrite, derived: ConceptDerived, stamp: Stamp) -> MechanismRead:
    return MechanismRead(**_concept_fields(records, "mechanism", content, derived, stamp))


def side_effect(
    records: RecordReader, content: SideEffectWrite, derived: ConceptDerived, stamp: Stamp
) -> SideEffectRead:
    return SideEffectRead(**_concept_fields(records, "side_effect", content, derived, stamp))


def outcome_record(records: RecordReader, content: OutcomeWrite, derived: ConceptDerived, stamp: Stamp) -> OutcomeRead:
    return OutcomeRead(**_concept_fields(records, "outcome", content, derived, stamp), better=content.better)


def study(records: RecordReader, content: StudyWrite, derived: SourceDerived, stamp: Stamp) -> StudyWithEvidence:
    return StudyWithEvidence(
        type="study",
        **_envelope(content, stamp),
        **sources.study_fields(records, content, derived.documents),
        evidence=derived.evidence,
        links=CatalogueLinks(**_links("studies", content.id, stamp), claims=f"/v1/claims?study={content.id}"),
    )


def document(
    records: RecordReader, content: DocumentWrite, derived: SourceDerived, stamp: Stamp
) -> DocumentWithEvidence:
    return DocumentWithEvidence(
        type="document",
        **_envelope(content, stamp),
        **sources.document_fields(records, content),
        evidence=derived.evidence,
        links=CatalogueLinks(**_links("documents", content.id, stamp), claims=f"/v1/claims?document={content.id}"),
    )
