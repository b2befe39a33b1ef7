"""Response models of the catalogue: concepts, studies, documents, dosing ranges, searches and interaction rules."""

from typing import ClassVar, Literal

from app.claims import vocabulary as terms
from app.claims.dose_responses import DoseAmount, DoseBandRead, DoseTotal
from app.claims.responses import ByStance, ClaimSummary, EstimateRead, StanceCount, SubgroupRef, VerdictRead
from app.claims.schemas import (
    OverrideReason,
    Schedule,
)
from app.concepts.manifest_doses import BandName
from app.concepts.schemas import ConceptRead, ConceptRef, Inheritance
from app.concepts.vocabulary import Better, InterventionKind, Unit
from app.core.content import Envelope, RecordLinks, ResponseModel
from app.core.text import DoseNumber, Number, Slug
from app.sources.schemas import DocumentAddresses, DocumentRead, DocumentRef, StudyRead
from app.sources.vocabulary import ArmRole, Standing


class DosingRangeRead(Envelope):
    """A dose that was studied, recommended or reported; never advice."""

    type: Literal["dosing_range"]
    intervention: ConceptRef
    conditions: tuple[ConceptRef, ...]
    low: DoseNumber | None
    high: DoseNumber | None
    unit: Unit | None
    dose_text: str
    low_pg_per_day: int | None
    """The lowest daily total in picograms, exact; null where it cannot be known, is no mass or no whole number."""
    high_pg_per_day: int | None
    low_amount: DoseAmount | None
    """The lowest total, exact whatever its period; null where it cannot be known or is no mass."""
    high_amount: DoseAmount | None
    """The highest total, exact whatever its period; null where it cannot be known or is no mass."""
    total: DoseTotal | None
    """The same of a dose in any unit: doses are compared where the units of their totals are the same. Null where it
    cannot be known."""
    tiers: tuple[BandName, ...]
    """The bands of doses that it touches, by their names in the manifest of the data set; `bands` explains them. Empty
    where its dose cannot be compared, and for interventions without bands."""
    bands: tuple[DoseBandRead, ...]
    """The same bands, with label and definition."""
    schedule: Schedule
    route: terms.Route | None
    formulation: str | None
    titration: str | None
    population: str | None
    basis: terms.DoseBasis
    claims: tuple[ClaimSummary, ...]
    links: RecordLinks


class SearchRead(Envelope):
    """A question and what was done about it. `not_searched` is not evidence of no effect, nor of safety."""

    type: Literal["search"]
    question: str
    coverage: terms.Coverage
    intervention: ConceptRef | None
    conditions: tuple[ConceptRef, ...]
    mechanisms: tuple[ConceptRef, ...]
    side_effects: tuple[ConceptRef, ...]
    interactants: tuple[ConceptRef, ...]
    topic: str | None
    depth: terms.SearchDepth | None
    sources: tuple[str, ...]
    query: str | None
    searched_on: str | None
    searched_by: str | None
    found: int | None
    screened: int | None
    note: str | None
    links: RecordLinks


class SituationClaimsRead(ResponseModel):
    """The claims that a warning rests on when two drugs meet in one way; those to read first come first."""

    situation: terms.InteractionSituation
    claims: tuple[ClaimSummary, ...]


class InteractionRuleRead(Envelope):
    """A warning that holds for any drug of one set with any drug of another."""

    type: Literal["interaction_rule"]
    name: str
    first: tuple[ConceptRef, ...]
    """A class stands for its members, a drug also for its dose regimens."""
    second: tuple[ConceptRef, ...]
    severity: terms.InteractionSeverity
    claims: tuple[SituationClaimsRead, ...]
    override_reasons: tuple[OverrideReason, ...]
    """Why a prescriber may go on in spite of the warning, in the order in which they are offered."""
    links: RecordLinks


class Assertion(ResponseModel):
    """Something that a claim asserts of a concept, with what must travel with its text."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset(
        {"claim_id", "verdict", "answer", "counts_text", "caveat", "caveat_required", "supports", "disputes"}
    )

    aspect: terms.Aspect
    verdict: VerdictRead
    answer: str
    """What the evidence says; shown before the text."""
    counts_text: str | None
    text: str
    """What is claimed."""
    claim_id: Slug
    subgroup: SubgroupRef | None
    """Whom alone the claim is about; null for everybody with the condition."""
    caveat: str | None
    caveat_required: bool
    consensus: terms.Consensus
    leaning: terms.Leaning
    certainty: terms.Certainty
    supports: StanceCount
    disputes: StanceCount


class ReportedFrequency(ResponseModel):
    """How often something was reported, exactly as a source gives it; what it does not give is null."""

    arm: str | None
    """The group; null where one figure stands for all who were treated."""
    role: ArmRole | None
    events: int | None
    """People, or events where the source counts these."""
    total: int | None
    """People in the group, or analysed."""
    percent: Number | None
    """Only as the source states it; nothing is computed here."""
    timepoint: str | None


class AspectReference(ResponseModel):
    """A citation of a claim on a side effect, with its figures."""

    citation_id: Slug
    number: int
    """The footnote's number within the claim."""
    stance: terms.Stance
    directness: terms.Directness
    document: DocumentRef
    doi: str | None
    standing: Standing
    finding: str | None
    frequencies: tuple[ReportedFrequency, ...]
    """Shares and counts that the source reports; empty where none was read."""
    estimates: tuple[EstimateRead, ...]
    """All figures that were read, ratios among them."""
    links: DocumentAddresses


class SideEffectAspect(Assertion):
    """What one claim says of a side effect: when, with which treatment, and by which references."""

    intervention: ConceptRef | None
    timepoint: str | None
    """When, as the claim puts it; null where it names no time."""
    magnitude: str | None
    """How much or how often, as the claim puts it; null where it gives no figure."""
    references: tuple[AspectReference, ...]
    """In the order of the claim's footnotes: both sides."""


class CatalogueEvidence(ResponseModel):
    """How much evidence touches a record, each claim, document, study and person counted once."""

    claims: int
    citations: int
    documents: int
    studies: int
    reviews: int
    participants: int
    by_kind: dict[str, int]
    """Claims of each kind; kinds without claims are left out."""
    by_verdict: dict[str, int]
    """Claims of each verdict (its code); values without claims are left out. Verdicts are never merged."""
    by_stance: ByStance


class CatalogueLinks(RecordLinks):
    claims: str
    """The claims that name this record."""


class DocumentRecordLinks(CatalogueLinks, DocumentAddresses):
    """Addresses of the record, and those at which the document can be opened."""


class InheritedWarning(ClaimSummary):
    """A claim of harm on the drug or on a class of an intervention; harm is inherited, whatever the dose."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = ClaimSummary.ALWAYS_SHOWN | {"inheritance"}

    inheritance: Inheritance
    """The steps by which it is inherited, each worded by its relation."""


class InterventionRead(ConceptRead):
    """A drug, a class of drugs, or a dose regimen of a drug."""

    type: Literal["intervention"]
    kind: InterventionKind
    parent: ConceptRef | None
    """The drug of a dose regimen, or the wider class of a class."""
    members: tuple[ConceptRef, ...]
    """The drugs of a class."""
    assertions: tuple[Assertion, ...]
    inherited_warnings: tuple[InheritedWarning, ...]
    """Interactions, contraindications and warnings of its drug and of its classes, the nearest first."""
    evidence: CatalogueEvidence
    links: CatalogueLinks


class ConditionRead(ConceptRead):
    """A disease, syndrome or state."""

    type: Literal["condition"]
    parent: ConceptRef | None
    assertions: tuple[Assertion, ...]
    evidence: CatalogueEvidence
    links: CatalogueLinks


class MechanismRead(ConceptRead):
    """A biological process or target."""

    type: Literal["mechanism"]
    assertions: tuple[Assertion, ...]
    evidence: CatalogueEvidence
    links: CatalogueLinks


class SideEffectRead(ConceptRead):
    """An unwanted effect; onset, course, mitigation and frequency are assertions of claims."""

    type: Literal["side_effect"]
    frequency: tuple[SideEffectAspect, ...]
    """What claims say of whether and how often it happens."""
    onset: tuple[SideEffectAspect, ...]
    """When it begins."""
    course: tuple[SideEffectAspect, ...]
    """How it goes on and ends."""
    severity: tuple[SideEffectAspect, ...]
    """How bad it is."""
    mitigation: tuple[SideEffectAspect, ...]
    """What is done to lessen it."""
    assertions: tuple[Assertion, ...]
    evidence: CatalogueEvidence
    links: CatalogueLinks


class OutcomeRead(ConceptRead):
    """Something that is measured to see whether a treatment helps or harms."""

    type: Literal["outcome"]
    better: Better
    assertions: tuple[Assertion, ...]
    evidence: CatalogueEvidence
    links: CatalogueLinks


class StudyWithEvidence(StudyRead):
    """A study and the claims that rest on it."""

    type: Literal["study"]
    evidence: CatalogueEvidence
    links: CatalogueLinks


class DocumentWithEvidence(DocumentRead):
    """A document and the claims that cite it."""

    type: Literal["document"]
    evidence: CatalogueEvidence
    links: DocumentRecordLinks
