"""Renders records as the API shows them, from content, derived values and the records that they refer to."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from app.claims import catalogue_responses as catalogue
from app.claims import responses as reads
from app.claims import schemas
from app.claims.derived import ClaimDerived, ConceptDerived, DosingRangeDerived, Nothing, SourceDerived
from app.claims.dose_responses import dose_fields, shown_bands
from app.claims.models import Claim
from app.claims.projection import CONCEPT_ROLES, daily_total
from app.claims.vocabulary import Aspect, Measure
from app.concepts.lineage import worded_line
from app.concepts.schemas import ConceptRef, ConceptWrite, ConditionWrite, InterventionWrite, OutcomeRef, OutcomeWrite
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.concepts.vocabulary import HarmRelation
from app.core.content import ContentModel, Record, RecordLinks, ResponseModel, common_fields
from app.sources import rendering as sources
from app.sources.rendering import concept_ref
from app.sources.schemas import DocumentRef, DocumentWrite, StudyWrite
from app.sources.vocabulary import IdentifierScheme
from app.storage.history import StoredRecord
from app.storage.resource import Key, RecordReader, Stamp

Response = TypeVar("Response", bound=ResponseModel)

MAX_EMBEDDED = 100
"""Citations embedded in a claim; the rest is at the claim's `citations` address."""


def address(plural: str, record_id: str) -> str:
    return f"/v1/{plural}/{record_id}"


def _links(plural: str, record_id: str, stamp: Stamp) -> dict[str, str]:
    self = address(plural, record_id)
    return {
        "self": self,
        "permalink": f"{self}?serial={stamp.serial}",
        "versions": f"{self}/versions",
        "html": self.removeprefix("/v1"),
    }


def _envelope(record: Record, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": record.id,
        "version": stamp.version,
        "status": record.status,
        "successor": record.successor,
        "updated_at": stamp.updated_at,
    }


def record_fields(plural: str, record: Record, stamp: Stamp) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields that every record has besides its content, and its links."""
    return _envelope(record, stamp), _links(plural, record.id, stamp)


def _response(read: type[Response], content: ContentModel, **made: Any) -> Response:
    """A response with what is `made` for it; the other fields that the content has as well are shown as written."""
    as_is = {name: getattr(content, name) for name in common_fields(type(content), read) if name not in made}
    return read(**as_is, **made)


def concept(records: RecordReader, record_type: str, record_id: str | None) -> ConceptRef | None:
    return None if record_id is None else concept_ref(records, record_type, record_id)


def concepts(records: RecordReader, record_type: str, ids: Iterable[str]) -> tuple[ConceptRef, ...]:
    return tuple(concept_ref(records, record_type, record_id) for record_id in ids)


def outcome(records: RecordReader, record_id: str | None) -> OutcomeRef | None:
    if record_id is None:
        return None
    content: OutcomeWrite = records.content(Key("outcome", record_id))
    return OutcomeRef(id=content.id, name=content.name, better=content.better)


def _concepts_of(records: RecordReader, content: schemas.ClaimWrite | schemas.LiteratureSearchWrite) -> dict[str, Any]:
    """The intervention and the linked concepts, under the same names as in the content."""
    linked = {field: concepts(records, type_, getattr(content, field)) for field, (_, type_) in CONCEPT_ROLES.items()}
    return {"intervention": concept(records, "intervention", content.intervention), **linked}


# --- claims and citations -----------------------------------------------------------------------------------------


def summary(records: RecordReader, claim_id: str) -> reads.ClaimSummary:
    """A claim's text with its caveat, its verdict and both sides' counts: they travel together."""
    key = Key("claim", claim_id)
    content: schemas.ClaimWrite = records.content(key)
    return _summary(content, records.derived(key).evidence, subgroup_ref(content))


def subgroup_ref(claim: schemas.ClaimWrite) -> reads.SubgroupRef | None:
    return reads.SubgroupRef(id=claim.subgroup.id, label=claim.subgroup.label) if claim.subgroup else None


def summaries(session: Session, claim_ids: Iterable[str]) -> dict[str, reads.ClaimSummary]:
    """Summaries of claims as they are now, read without the rest of their content. One statement."""
    rows = session.execute(
        select(
            Claim.id, Claim.statement, Claim.caveat, Claim.caveat_required, Claim.subgroup, Claim.subgroup_label,
            StoredRecord.derived,
        )
        .join(StoredRecord, and_(StoredRecord.type == "claim", StoredRecord.id == Claim.id))
        .where(Claim.id.in_(sorted(claim_ids)))
    )  # fmt: skip
    return {
        row.id: _summary(
            row,
            ClaimDerived.model_validate_json(row.derived).evidence,
            reads.SubgroupRef(id=row.subgroup, label=row.subgroup_label) if row.subgroup else None,
        )
        for row in rows
    }


def _summary(
    claim: schemas.ClaimWrite | Row[*tuple[Any, ...]],
    evidence: reads.ClaimEvidence,
    subgroup: reads.SubgroupRef | None,
) -> reads.ClaimSummary:
    return reads.ClaimSummary(
        id=claim.id,
        verdict=evidence.verdict,
        answer=evidence.answer,
        counts_text=evidence.counts_text,
        statement=claim.statement,
        subgroup=subgroup,
        caveat=claim.caveat,
        caveat_required=claim.caveat_required,
        consensus=evidence.consensus,
        leaning=evidence.leaning,
        certainty=evidence.certainty,
        supports=evidence.by_stance.supports,
        disputes=evidence.by_stance.disputes,
        counts=evidence.counts,
        links=reads.SelfLink(self=address("claims", claim.id)),
    )


def claim(records: RecordReader, content: schemas.ClaimWrite, derived: ClaimDerived, stamp: Stamp) -> reads.ClaimRead:
    by_id = {citation.id: citation for citation in content.citations}
    embedded = derived.order[:MAX_EMBEDDED]
    dosing: schemas.DosingRangeWrite | None = (
        records.content(Key("dosing_range", content.dosing_range)) if content.dosing_range else None
    )
    links = _links("claims", content.id, stamp)
    return _response(
        reads.ClaimRead,
        content,
        type="claim",
        **_envelope(content, stamp),
        **_concepts_of(records, content),
        inheritance=None,
        outcome=outcome(records, content.outcome),
        dosing_range=reads.DosingRangeRef(id=dosing.id, dose_text=dosing.dose_text) if dosing else None,
        origins=tuple(origin(records, stated) for stated in content.origins),
        relations=tuple(reads.RelationRead(type=r.type, claim=summary(records, r.claim)) for r in content.relations),
        evidence=derived.evidence,
        citations=tuple(citation_body(records, by_id[shown], n) for n, shown in enumerate(embedded, start=1)),
        citations_truncated=len(derived.order) > MAX_EMBEDDED,
        stale=derived.stale,
        caveat_stale=derived.caveat_stale,
        links=reads.ClaimLinks(**links, citations=f"{links['self']}/citations", evidence=f"{links['self']}/evidence"),
    )


def origin(records: RecordReader, stated: schemas.Origin) -> reads.OriginRead:
    document: DocumentWrite = records.content(Key("document", stated.document))
    about = DocumentRef(id=document.id, label=document.label)
    return _response(reads.OriginRead, stated, document=about)


def citation_body(records: RecordReader, citation: schemas.CitationWrite, number: int) -> reads.CitationBody:
    document: DocumentWrite = records.content(Key("document", citation.document))
    links = reads.EmbeddedCitationLinks(
        self=address("citations", citation.id),
        document=address("documents", document.id),
        **dict(sources.document_addresses(document)),
    )
    return _response(reads.CitationBody, citation, number=number, **_cited(records, citation), links=links)


def _cited(records: RecordReader, citation: schemas.CitationWrite) -> dict[str, Any]:
    study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
    quotes = citation.all_quotes
    return {
        "dose_match": None,
        "locator": citation.locator.model_copy(update={"quote": quotes[0].text if quotes else None}),
        "quotes": quotes,
        "estimates": tuple(estimate(records, read) for read in citation.estimates),
        "document": sources.document_embed(records.content(Key("document", citation.document))),
        "study": sources.study_embed(study) if study else None,
    }


def estimate(records: RecordReader, content: schemas.Estimate) -> reads.EstimateRead:
    return _response(reads.EstimateRead, content, outcome=outcome(records, content.outcome))


def citation(
    records: RecordReader, content: schemas.CitationRecord, _derived: Nothing, stamp: Stamp
) -> reads.CitationRead:
    links = _links("citations", content.id, stamp)
    document: DocumentWrite = records.content(Key("document", content.citation.document))
    claim: ClaimDerived = records.derived(Key("claim", content.claim))
    addresses = {
        "claim": address("claims", content.claim),
        "document": address("documents", document.id),
        "html": f"/claims/{content.claim}#{content.id}",
    }
    return _response(
        reads.CitationRead,
        content.citation,
        type="citation",
        **_envelope(content, stamp),
        number=claim.order.index(content.id) + 1 if content.id in claim.order else None,
        claim=summary(records, content.claim),
        **_cited(records, content.citation),
        links=reads.CitationLinks(**links | addresses, **dict(sources.document_addresses(document))),
    )


# --- dosing ranges and searches -----------------------------------------------------------------------------------


def dosing_range(
    records: RecordReader, content: schemas.DosingRangeWrite, derived: DosingRangeDerived, stamp: Stamp
) -> catalogue.DosingRangeRead:
    total = daily_total(content, derived)
    return _response(
        catalogue.DosingRangeRead,
        content,
        type="dosing_range",
        **_envelope(content, stamp),
        intervention=concept_ref(records, "intervention", content.intervention),
        conditions=concepts(records, "condition", content.conditions),
        **(dose_fields(total.dose, total.smallest) if total else dose_fields(None)),
        tiers=tuple(band.value for band in derived.bands),
        bands=shown_bands(derived.bands),
        claims=tuple(summary(records, claim_id) for claim_id in derived.claims),
        links=RecordLinks(**_links("dosing-ranges", content.id, stamp)),
    )


def search(
    records: RecordReader, content: schemas.LiteratureSearchWrite, _derived: Nothing, stamp: Stamp
) -> catalogue.SearchRead:
    return _response(
        catalogue.SearchRead,
        content,
        type="search",
        **_envelope(content, stamp),
        **_concepts_of(records, content),
        links=RecordLinks(**_links("searches", content.id, stamp)),
    )


# --- the catalogue ------------------------------------------------------------------------------------------------


def _assertion(records: RecordReader, claim_id: str) -> catalogue.Assertion:
    content: schemas.ClaimWrite = records.content(Key("claim", claim_id))
    shared = summary(records, claim_id).model_dump(include=set(catalogue.Assertion.model_fields))
    return catalogue.Assertion(aspect=content.aspect, text=content.statement, claim_id=claim_id, **shared)


_SIDE_EFFECT_ASPECTS = {
    "frequency": Aspect.occurrence,
    "onset": Aspect.onset,
    "course": Aspect.course,
    "severity": Aspect.severity,
    "mitigation": Aspect.mitigation,
}
"""Field of a side effect → the claims that it shows."""


def _side_effect_aspects(records: RecordReader, claim_ids: Iterable[str]) -> dict[str, Any]:
    shown = [_side_effect_aspect(records, claim_id) for claim_id in claim_ids]
    return {
        field: tuple(asserted for asserted in shown if asserted.aspect is aspect)
        for field, aspect in _SIDE_EFFECT_ASPECTS.items()
    }


def _side_effect_aspect(records: RecordReader, claim_id: str) -> catalogue.SideEffectAspect:
    key = Key("claim", claim_id)
    content: schemas.ClaimWrite = records.content(key)
    derived: ClaimDerived = records.derived(key)
    by_id = {citation.id: citation for citation in content.citations}
    return catalogue.SideEffectAspect(
        **dict(_assertion(records, claim_id)),
        intervention=concept(records, "intervention", content.intervention),
        timepoint=content.timepoint,
        magnitude=content.magnitude,
        references=tuple(
            _aspect_reference(records, by_id[shown], number)
            for number, shown in enumerate(derived.order[:MAX_EMBEDDED], start=1)
        ),
    )


def _aspect_reference(records: RecordReader, citation: schemas.CitationWrite, number: int) -> catalogue.AspectReference:
    document: DocumentWrite = records.content(Key("document", citation.document))
    return catalogue.AspectReference(
        citation_id=citation.id,
        number=number,
        stance=citation.stance,
        directness=citation.directness,
        document=DocumentRef(id=document.id, label=document.label),
        doi=sources.identified(document, IdentifierScheme.doi),
        standing=document.current_standing.standing,
        finding=citation.finding,
        frequencies=tuple(frequency for read in citation.estimates for frequency in _frequencies(read)),
        estimates=tuple(estimate(records, read) for read in citation.estimates),
        links=sources.document_addresses(document),
    )


def _frequencies(read: schemas.Estimate) -> Iterator[catalogue.ReportedFrequency]:
    """The shares and counts of an estimate, for each arm where it has arms."""
    is_share = read.measure is Measure.proportion and read.unit == "%"
    if read.measure not in (Measure.proportion, Measure.count_):
        return
    for arm in read.arms:
        yield catalogue.ReportedFrequency(
            arm=arm.name,
            role=arm.role,
            events=arm.events,
            total=arm.n if arm.total is None else arm.total,
            percent=arm.value if is_share else None,
            timepoint=read.timepoint,
        )
    if read.value is not None:
        yield catalogue.ReportedFrequency(
            arm=None,
            role=None,
            events=int(read.value) if read.measure is Measure.count_ and read.value == int(read.value) else None,
            total=read.n_analysed,
            percent=read.value if is_share else None,
            timepoint=read.timepoint,
        )


def concept_record(
    read: type[Response],
    record_type: str,
    records: RecordReader,
    content: ConceptWrite,
    derived: ConceptDerived,
    stamp: Stamp,
) -> Response:
    made: dict[str, Any] = {}
    if isinstance(content, InterventionWrite | ConditionWrite):
        made["parent"] = concept(records, record_type, content.parent)
    if isinstance(content, InterventionWrite):
        made["members"] = concepts(records, record_type, content.members)
        made["inherited_warnings"] = tuple(
            _inherited_warning(records, content, derived, claim_id) for claim_id in derived.inherited
        )
    if record_type == "side_effect":
        made |= _side_effect_aspects(records, derived.assertions)
    links = _links(f"{record_type.replace('_', '-')}s", content.id, stamp)
    return _response(
        read,
        content,
        type=record_type,
        **_envelope(content, stamp),
        **made,
        assertions=tuple(_assertion(records, claim_id) for claim_id in derived.assertions),
        evidence=derived.evidence,
        links=catalogue.CatalogueLinks(**links, claims=f"/v1/claims?{record_type}={content.id}"),
    )


def _inherited_warning(
    records: RecordReader, heir: InterventionWrite, derived: ConceptDerived, claim_id: str
) -> catalogue.InheritedWarning:
    about = records.content(Key("claim", claim_id)).intervention
    line = derived.lines.get(about) or ((HarmRelation.drug_of_regimen, about),)
    steps = ((relation, concept_ref(records, "intervention", source)) for relation, source in line)
    return catalogue.InheritedWarning(
        **dict(summary(records, claim_id)),
        inheritance=worded_line(ConceptRef(id=heir.id, name=heir.name), steps),
    )


def study(
    records: RecordReader, content: StudyWrite, derived: SourceDerived, stamp: Stamp
) -> catalogue.StudyWithEvidence:
    shipped = SHIPPED_DESIGNS.design(content.design).is_review
    is_review = shipped if derived.is_review is None else derived.is_review
    return catalogue.StudyWithEvidence(
        type="study",
        **_envelope(content, stamp),
        **sources.study_fields(records, content, is_review, derived.documents),
        evidence=derived.evidence,
        links=catalogue.CatalogueLinks(**_links("studies", content.id, stamp), claims=f"/v1/claims?study={content.id}"),
    )


def document(
    records: RecordReader, content: DocumentWrite, derived: SourceDerived, stamp: Stamp
) -> catalogue.DocumentWithEvidence:
    return catalogue.DocumentWithEvidence(
        type="document",
        **_envelope(content, stamp),
        **sources.document_fields(records, content),
        evidence=derived.evidence,
        links=catalogue.DocumentRecordLinks(
            **_links("documents", content.id, stamp),
            claims=f"/v1/claims?document={content.id}",
            **dict(sources.document_addresses(content)),
        ),
    )
