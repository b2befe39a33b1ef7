"""TYPES: every resource type, the record it is made from, and its search parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.claims.models import Citation, Claim, DosingRange
from app.claims.schemas import CitationRecord, ClaimWrite
from app.claims.vocabulary import HARM_KINDS
from app.concepts.lineage import stored_heirs
from app.concepts.manifest import Manifest, current_manifest
from app.concepts.models import Concept
from app.concepts.schemas import InterventionWrite
from app.concepts.vocabulary import DRUG, REGIMEN, HarmRelation
from app.core.vocabulary import Status
from app.fhir import search, uses
from app.fhir.artifact_assessment import artifact_assessment
from app.fhir.citation import citation
from app.fhir.clinical_use_definition import Heir, clinical_use_definition
from app.fhir.evidence import evidence
from app.fhir.medication_knowledge import MAX_ISSUES, medication_knowledge, substance
from app.fhir.values import Json
from app.grading.method import method_of
from app.questions.subjects import about_interventions
from app.sources.models import Document
from app.storage.records import DatabaseRecords
from app.storage.resource import Key


@dataclass(frozen=True)
class RenderContext:
    """What a mapper may use besides the records."""

    session: Session
    base: str
    """Prefix of path-absolute addresses: empty, or the public address of this server."""
    heirs: dict[str, Sequence[str]] = field(default_factory=dict)
    """Intervention → those that inherit its harms, of those that were asked for."""

    @property
    def manifest(self) -> Manifest:
        return current_manifest(self.session)


@dataclass(frozen=True)
class FhirType:
    name: str
    record_type: str
    id: InstrumentedAttribute[str]
    ids: Select[str]
    """Ids of all published resources of the type."""
    render: Callable[[DatabaseRecords, str, RenderContext], Json | None]
    """The resource; null if the record has no resource of this type."""
    parameters: tuple[search.SearchParameter, ...]
    summary: tuple[str, ...]
    """Elements that `_summary=true` shows besides the mandatory ones."""
    mandatory: tuple[str, ...]
    is_aggregate: bool = False
    """Whether it also lists records that point at it. One that no longer does leaves no trace, so every publication
    makes a new version, and only the last can be read."""


# --- published ids ----------------------------------------------------------------------------------------------------

_DOCUMENTS = select(Document.id).where(Document.status == Status.published)
_CLAIMS = select(Claim.id).where(Claim.status == Status.published)
_USES = _CLAIMS.where(uses.of_types())
_CITATIONS = select(Citation.id).join(Claim, Claim.pk == Citation.claim_pk).where(Claim.status == Status.published)
_INTERVENTIONS = select(Concept.id).where(Concept.type == "intervention", Concept.status == Status.published)
_MEDICATIONS = _INTERVENTIONS.where(
    Concept.kind.in_((DRUG, REGIMEN)),
    or_(
        Concept.pk.in_(_CLAIMS.with_only_columns(Claim.intervention_pk).where(Claim.intervention_pk.is_not(None))),
        Concept.pk.in_(select(DosingRange.intervention_pk).where(DosingRange.status == Status.published)),
    ),
)
"""Drugs and regimens with a claim or a dosing range."""


# --- resources ------------------------------------------------------------------------------------------------------


def _evidence(records: DatabaseRecords, record_id: str, context: RenderContext) -> Json:
    record: CitationRecord = records.content(Key("citation", record_id))
    return evidence(records, record.claim, record.citation, context.base, context.manifest.study_designs)


def _clinical_use_definition(records: DatabaseRecords, record_id: str, context: RenderContext) -> Json | None:
    claim: ClaimWrite = records.content(Key("claim", record_id))
    if uses.use_of(claim) is None:
        return None
    heirs = _heirs(records, context, claim)
    return clinical_use_definition(records, claim, heirs, context.manifest.code_systems)


def _artifact_assessment(records: DatabaseRecords, record_id: str, context: RenderContext) -> Json:
    key = Key("claim", record_id)
    row = records.row(key)
    at, method = row.updated_at if row else "", method_of(context.manifest)
    return artifact_assessment(records, records.content(key), context.base, at, method)


def _medication_knowledge(records: DatabaseRecords, record_id: str, context: RenderContext) -> Json | None:
    content: InterventionWrite = records.content(Key("intervention", record_id))
    if context.session.scalar(_MEDICATIONS.where(Concept.id == record_id)) is None:
        return None
    own = select(Concept.pk).where(Concept.type == "intervention", Concept.id == record_id).scalar_subquery()
    doses = context.session.scalars(
        select(DosingRange.id)
        .where(DosingRange.intervention_pk == own, DosingRange.status == Status.published)
        .order_by(DosingRange.dose_order.is_(None), DosingRange.dose_order, DosingRange.id)
    ).all()
    dose_keys = [Key("dosing_range", dose) for dose in doses]
    records.prefetch(dose_keys, depth=1)
    records.prefetch({Key("claim", claim) for dose in dose_keys for claim in records.derived(dose).claims}, depth=1)
    issues = context.session.scalars(
        _CLAIMS.where(about_interventions([record_id]), uses.of_types(uses.HARM_TYPES))
        .order_by(Claim.id)
        .limit(MAX_ISSUES + 1)
    ).all()
    derived = records.derived(Key("intervention", record_id))
    for source in {*derived.lines, *filter(None, (content.parent,))}:
        records.row(Key("intervention", source))  # its harms are among the issues, so it dates the resource
    return medication_knowledge(records, content, doses, issues, context.manifest)


def _substance(records: DatabaseRecords, record_id: str, context: RenderContext) -> Json:
    return substance(records.content(Key("intervention", record_id)), context.manifest)


def _heirs(records: DatabaseRecords, context: RenderContext, claim: ClaimWrite) -> Sequence[Heir]:
    """The dose regimens of the claim's drug and the members of its class that share its harms."""
    if claim.kind not in HARM_KINDS or claim.intervention is None:
        return ()
    if claim.intervention not in context.heirs:
        own = select(Concept.pk).where(Concept.type == "intervention", Concept.id == claim.intervention)
        heirs = stored_heirs(context.session, context.session.scalars(own))
        ids = select(Concept.id).where(Concept.pk.in_(heirs)).order_by(Concept.id)
        context.heirs[claim.intervention] = context.session.scalars(ids).all()
    # Retired ones are read too: the serial at which one was retired is a new version of the resource.
    rows = [(record_id, records.row(Key("intervention", record_id))) for record_id in context.heirs[claim.intervention]]
    return [
        Heir(record_id, is_member=any(step is not HarmRelation.drug_of_regimen for step, _ in line))
        for record_id, row in rows
        if row and not row.is_retired and claim.id in row.derived.inherited
        for line in [row.derived.lines.get(claim.intervention, ())]
    ]


# --- types ------------------------------------------------------------------------------------------------------------

TYPES: tuple[FhirType, ...] = (
    FhirType(
        "Citation", "document", Document.id, _DOCUMENTS,
        lambda records, record_id, _context: citation(records.content(Key("document", record_id))),
        (search.IDENTIFIER, search.TITLE, search.status(search.CANONICAL)),
        ("status",), ("status",),
    ),
    FhirType(
        "Evidence", "citation", Citation.id, _CITATIONS, _evidence,
        (search.DESCRIPTION, search.status(search.CANONICAL)),
        ("status",), ("status", "variableDefinition"),
    ),
    FhirType(
        "ClinicalUseDefinition", "claim", Claim.id, _USES, _clinical_use_definition,
        (
            search.USE_TYPE, search.SUBJECT, search.INDICATION, search.CONTRAINDICATION, search.EFFECT,
            search.INTERACTION, search.status("ClinicalUseDefinition"),
        ),
        (
            "category", "subject", "status", "indication", "contraindication", "interaction", "undesirableEffect",
            "warning",
        ),
        ("type",),
    ),
    FhirType(
        "MedicationKnowledge", "intervention", Concept.id, _MEDICATIONS, _medication_knowledge,
        (search.medication_code("MedicationKnowledge"), search.INGREDIENT, search.status(search.CANONICAL)),
        ("code", "status", "name"), (), is_aggregate=True,
    ),
    FhirType(
        "Substance", "intervention", Concept.id, _INTERVENTIONS,
        _substance,
        (search.medication_code("Substance"), search.status("Substance")),
        ("status", "category", "description", "ingredient"), ("instance", "code"),
    ),
    FhirType(
        "ArtifactAssessment", "claim", Claim.id, _CLAIMS, _artifact_assessment,
        (), ("title", "date", "lastReviewDate"), ("artifactUri",),
    ),
)  # fmt: skip

BY_NAME = {fhir_type.name: fhir_type for fhir_type in TYPES}
