"""TYPES: every resource type of the facade, from which record it is made, and how it can be searched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.claims.models import Citation, Claim, DosingRange
from app.claims.schemas import CitationRecord, ClaimWrite
from app.claims.vocabulary import HARM_KINDS
from app.concepts.models import Concept
from app.concepts.schemas import InterventionWrite
from app.concepts.vocabulary import InterventionLevel
from app.core.vocabulary import Status
from app.fhir import search, uses
from app.fhir.artifact_assessment import artifact_assessment
from app.fhir.citation import citation
from app.fhir.clinical_use_definition import clinical_use_definition
from app.fhir.evidence import evidence
from app.fhir.medication_knowledge import MAX_ISSUES, medication_knowledge
from app.fhir.substance import substance
from app.fhir.values import Json
from app.sources.models import Document
from app.storage.records import DatabaseRecords
from app.storage.resource import Key

Rows = Select[str]


@dataclass(frozen=True)
class Made:
    """What a mapper may ask for besides the world."""

    session: Session
    base: str
    """Before path-absolute addresses: empty, or the public address of this server."""


@dataclass(frozen=True)
class FhirType:
    name: str
    record_type: str
    id: InstrumentedAttribute[str]
    ids: Callable[[], Rows]
    """Ids of all published resources of the type."""
    render: Callable[[DatabaseRecords, str, Made], Json | None]
    """The resource; null where the record is of another type of resource."""
    parameters: tuple[search.Parameter, ...]
    summary: tuple[str, ...]
    """Elements that `_summary=true` shows besides the mandatory ones."""
    mandatory: tuple[str, ...]
    sums_up: bool = False
    """Made from whatever records point at it, so that one that no longer does leaves no trace: every publication makes
    a new version, and none but the last can be made again."""


# --- resources ------------------------------------------------------------------------------------------------------


def _citation(records: DatabaseRecords, record_id: str, _made: Made) -> Json:
    return citation(records, records.content(Key("document", record_id)))


def _evidence(records: DatabaseRecords, record_id: str, made: Made) -> Json:
    record: CitationRecord = records.content(Key("citation", record_id))
    return evidence(records, record.claim, record.citation, made.base)


def _clinical_use_definition(records: DatabaseRecords, record_id: str, made: Made) -> Json | None:
    claim: ClaimWrite = records.content(Key("claim", record_id))
    if uses.use_of(claim) is None:
        return None
    return clinical_use_definition(records, claim, _heirs(records, made.session, claim))


def _artifact_assessment(records: DatabaseRecords, record_id: str, made: Made) -> Json:
    key = Key("claim", record_id)
    row = records.row(key)
    updated_at = row.updated_at if row else ""
    return artifact_assessment(records, records.content(key), records.derived(key), made.base, updated_at)


def _substance(records: DatabaseRecords, record_id: str, _made: Made) -> Json:
    return substance(records, records.content(Key("intervention", record_id)))


def _medication_knowledge(records: DatabaseRecords, record_id: str, made: Made) -> Json | None:
    content: InterventionWrite = records.content(Key("intervention", record_id))
    if made.session.scalar(_medications().where(Concept.id == record_id)) is None:
        return None
    own = select(Concept.pk).where(Concept.type == "intervention", Concept.id == record_id).scalar_subquery()
    doses = made.session.scalars(
        select(DosingRange.id)
        .where(DosingRange.intervention_pk == own, DosingRange.status == Status.published)
        .order_by(DosingRange.low_pg_per_day.is_(None), DosingRange.low_pg_per_day, DosingRange.id)
    ).all()
    records.prefetch((Key("dosing_range", dose) for dose in doses), depth=1)
    issues = made.session.scalars(
        _claims()
        .where(search.about_subject([record_id]), uses.of_types(uses.HARM_TYPES))
        .order_by(Claim.id)
        .limit(MAX_ISSUES + 1)
    ).all()
    if content.parent:
        records.row(Key("intervention", content.parent))  # its harms are among the issues
    return medication_knowledge(records, content, doses, issues)


def _heirs(records: DatabaseRecords, session: Session, claim: ClaimWrite) -> Sequence[str]:
    """The dose regimens of the claim's drug that share its harms."""
    if claim.kind not in HARM_KINDS:
        return ()
    drug = select(Concept.pk).where(Concept.type == "intervention", Concept.id == claim.intervention).scalar_subquery()
    named = session.scalars(select(Concept.id).where(Concept.parent_pk == drug).order_by(Concept.id)).all()
    # Retired ones are looked at too: the day on which they went is a new version of the resource.
    rows = [(name, row) for name in named if (row := records.row(Key("intervention", name)))]
    return [
        name
        for name, row in rows
        if not row.is_retired
        and row.content.level is InterventionLevel.regimen
        and row.content.parent == claim.intervention
    ]


# --- which there are --------------------------------------------------------------------------------------------------


def _documents() -> Rows:
    return select(Document.id).where(Document.status == Status.published)


def _citations() -> Rows:
    return select(Citation.id).join(Claim, Claim.pk == Citation.claim_pk).where(Claim.status == Status.published)


def _claims() -> Rows:
    return select(Claim.id).where(Claim.status == Status.published)


def _uses() -> Rows:
    return _claims().where(uses.of_types())


def _interventions() -> Rows:
    return select(Concept.id).where(Concept.type == "intervention", Concept.status == Status.published)


def _medications() -> Rows:
    """Drugs and regimens that a claim or a dosing range is about."""
    claimed = select(Claim.intervention_pk).where(Claim.status == Status.published, Claim.intervention_pk.is_not(None))
    dosed = select(DosingRange.intervention_pk).where(DosingRange.status == Status.published)
    is_medication = Concept.level.in_((InterventionLevel.drug, InterventionLevel.regimen))
    return _interventions().where(and_(is_medication, or_(Concept.pk.in_(claimed), Concept.pk.in_(dosed))))


TYPES: tuple[FhirType, ...] = (
    FhirType(
        "Citation", "document", Document.id, _documents, _citation,
        (search.IDENTIFIER, search.TITLE, search.status(search.CANONICAL)),
        ("status",), ("status",),
    ),
    FhirType(
        "Evidence", "citation", Citation.id, _citations, _evidence,
        (search.DESCRIPTION, search.status(search.CANONICAL)),
        ("status",), ("status", "variableDefinition"),
    ),
    FhirType(
        "ClinicalUseDefinition", "claim", Claim.id, _uses, _clinical_use_definition,
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
        "MedicationKnowledge", "intervention", Concept.id, _medications, _medication_knowledge,
        (search.medication_code("MedicationKnowledge"), search.INGREDIENT, search.status(search.CANONICAL)),
        ("code", "status", "name"), (), sums_up=True,
    ),
    FhirType(
        "Substance", "intervention", Concept.id, _interventions, _substance,
        (search.medication_code("Substance"), search.status("Substance")),
        ("status", "category", "description", "ingredient"), ("instance", "code"),
    ),
    FhirType(
        "ArtifactAssessment", "claim", Claim.id, _claims, _artifact_assessment,
        (), ("title", "date", "lastReviewDate"), ("artifactUri",),
    ),
)  # fmt: skip

BY_NAME = {fhir_type.name: fhir_type for fhir_type in TYPES}
