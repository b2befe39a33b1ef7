"""The derived values of catalogue records: counts over the claims that name a concept, study or document, harms that an
intervention inherits, and the bands of a dose. Computed at publication and stored beside the content.

How counting goes: `counts.py`. The derived values of claims: `derive.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.claims import doses
from app.claims.catalogue_responses import CatalogueEvidence
from app.claims.derived import ConceptDerived, DosingRangeDerived, Nothing, SourceDerived, StoredLine
from app.claims.models import Citation, Claim, ClaimConcept, DosingRange
from app.claims.projection import computed_total
from app.claims.schemas import DosingRangeWrite
from app.claims.vocabulary import HARM_KINDS, Stance
from app.concepts.dose_tiers import stored_dose_tiers
from app.concepts.lineage import HarmStep, refs_of, stored_lines
from app.concepts.manifest import manifest_in_force
from app.concepts.models import Concept
from app.concepts.schemas import ConceptWrite, InterventionWrite
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.core.vocabulary import Status
from app.grading.counts import Counted, tally
from app.sources.models import Document, DocumentStudyLink, Study
from app.sources.schemas import DocumentWrite, StudyWrite
from app.sources.vocabulary import Standing
from app.storage.history import batches
from app.storage.resource import RecordReader
from app.storage.rows import key_of


def derive_concepts(
    session: Session, _records: RecordReader, concepts: Sequence[ConceptWrite], record_type: str
) -> Iterator[ConceptDerived]:
    return (_derived_concept(session, concept, record_type) for concept in concepts)


def _derived_concept(session: Session, concept: ConceptWrite, record_type: str) -> ConceptDerived:
    pk = key_of(session, Concept, concept.id, record_type)
    claims = _claims_about(pk)
    asserted = select(Claim.id).where(Claim.pk.in_(claims), Claim.aspect.is_not(None)).order_by(Claim.aspect, Claim.id)
    inherited, lines = _inherited_harms(session, pk) if isinstance(concept, InterventionWrite) else ((), {})
    return ConceptDerived(
        evidence=_evidence_of_claims(session, claims),
        assertions=tuple(session.scalars(asserted)),
        inherited=inherited,
        lines=lines,
    )


def _claims_about(concept_pk: int) -> Select[Any]:
    """Keys of the published claims that name the concept in any role."""
    linked = select(ClaimConcept.claim_pk).where(ClaimConcept.concept_pk == concept_pk)
    in_any_role = or_(Claim.intervention_pk == concept_pk, Claim.outcome_pk == concept_pk, Claim.pk.in_(linked))
    return select(Claim.pk).where(Claim.status == Status.published, in_any_role)


def _inherited_harms(session: Session, pk: int) -> tuple[tuple[str, ...], dict[str, StoredLine]]:
    """Claims of harm on the drug and the classes of an intervention, the nearest first; how each is reached."""
    lines = stored_lines(session, pk)
    if not lines:
        return (), {}
    statement = (
        select(Claim.id, Claim.intervention_pk)
        .where(Claim.status == Status.published, Claim.intervention_pk.in_(lines), Claim.kind.in_(HARM_KINDS))
        .order_by(Claim.kind, Claim.id)
    )
    nearest = list(lines)
    rows = sorted(session.execute(statement).all(), key=lambda row: nearest.index(row.intervention_pk))
    reached = {row.intervention_pk: lines[row.intervention_pk] for row in rows}
    refs = refs_of(session, (step.source for steps in reached.values() for step in steps))

    def stored(steps: Iterable[HarmStep]) -> StoredLine:
        return tuple((step.relation, refs[step.source].id) for step in steps)

    return tuple(row.id for row in rows), {refs[pk].id: stored(steps) for pk, steps in reached.items()}


def derive_studies(session: Session, _records: RecordReader, studies: Sequence[StudyWrite]) -> Iterator[SourceDerived]:
    evidence = _evidence_of_sources(session, Study, [study.id for study in studies])
    documents: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for some in batches([study.id for study in studies]):
        rows = session.execute(
            select(Study.id, Document.id, DocumentStudyLink.role)
            .join(DocumentStudyLink, DocumentStudyLink.study_pk == Study.pk)
            .join(Document, Document.pk == DocumentStudyLink.document_pk)
            .where(Study.id.in_(some), Document.status == Status.published)
            .order_by(Document.issued.is_(None), Document.issued, Document.id)
        )
        for study, document, role in rows:
            documents[study].append((document, role))
    designs = manifest_in_force(session).study_designs
    return (
        SourceDerived(
            evidence=evidence[study.id],
            documents=tuple(documents.get(study.id, ())),
            is_review=None if study.design in SHIPPED_DESIGNS else designs.design(study.design).is_review,
        )
        for study in studies
    )


def derive_documents(
    session: Session, _records: RecordReader, documents: Sequence[DocumentWrite]
) -> Iterator[SourceDerived]:
    evidence = _evidence_of_sources(session, Document, [document.id for document in documents])
    return (SourceDerived(evidence=evidence[document.id]) for document in documents)


def derive_dosing_ranges(
    session: Session, _records: RecordReader, ranges: Sequence[DosingRangeWrite]
) -> Iterator[DosingRangeDerived]:
    interventions = {one.id: key_of(session, Concept, one.intervention, "intervention") for one in ranges}
    tiers, units = stored_dose_tiers(session, interventions.values()), manifest_in_force(session).units
    for dosing in ranges:
        is_named = Claim.dosing_range_pk == key_of(session, DosingRange, dosing.id)
        claims = select(Claim.id).where(Claim.status == Status.published, is_named).order_by(Claim.id)
        total = computed_total(dosing, units)
        bands = doses.bands_of(total.dose if total else None, tiers[interventions[dosing.id]], units)
        yield DosingRangeDerived(claims=tuple(session.scalars(claims)), bands=bands, total=total)


def derive_nothing(_session: Session, _records: RecordReader, contents: Sequence[BaseModel]) -> Iterator[Nothing]:
    """For what has no derived values, such as citations and literature searches."""
    return (Nothing() for _ in contents)


def _evidence_of_sources(
    session: Session, table: type[Study | Document], ids: Sequence[str]
) -> dict[str, CatalogueEvidence]:
    """Counts over the published claims that cite each study or document, and over their citations of it."""
    claims: dict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
    counted: dict[str, list[Counted]] = defaultdict(list)
    for some in batches(ids):
        rows = session.execute(
            select(table.id, Claim.pk, Claim.kind, Claim.verdict, Document.standing, *_COUNTED)
            .select_from(Citation)
            .join(Claim, Claim.pk == Citation.claim_pk)
            .join(Document, Document.pk == Citation.document_pk)
            .outerjoin(Study, Study.pk == Citation.study_pk)
            .where(table.id.in_(some), Claim.status == Status.published)
        )
        for source, claim, kind, verdict, standing, *columns in rows:
            claims[source][claim] = (kind, verdict)
            if standing != Standing.retracted:
                counted[source].append(_counted(*columns))
    return {one: _catalogue_evidence(claims.get(one, {}).values(), counted.get(one, ())) for one in ids}


def _evidence_of_claims(session: Session, claims: Select[Any]) -> CatalogueEvidence:
    """Counts over claims and over their citations."""
    verdicts = session.execute(select(Claim.kind, Claim.verdict).where(Claim.pk.in_(claims)))
    citations = session.execute(
        select(*_COUNTED)
        .join(Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(Citation.claim_pk.in_(claims), Document.standing != Standing.retracted)
    )
    return _catalogue_evidence(((kind, verdict) for kind, verdict in verdicts), (_counted(*row) for row in citations))


def _catalogue_evidence(claims: Iterable[tuple[str, str]], citations: Iterable[Counted]) -> CatalogueEvidence:
    """Counts over claims, each as its kind and verdict, and over citations."""
    claims = list(claims)
    kinds = Counter(kind for kind, _ in claims)
    verdicts = Counter(verdict for _, verdict in claims)
    totals = tally(citations)
    return CatalogueEvidence(
        claims=kinds.total(),
        citations=totals.citations,
        documents=totals.documents,
        studies=totals.studies,
        reviews=totals.reviews,
        participants=totals.participants,
        by_kind=dict(sorted(kinds.items())),
        by_verdict=dict(sorted(verdicts.items())),
        by_stance=totals.by_stance,
    )


_COUNTED = (Citation.id, Document.id, Citation.stance, Study.id, Study.is_review, Study.participants)
"""What counting needs of a citation, in the order of `_counted`."""


def _counted(
    citation: str, document: str, stance: str, study: str | None, is_review: bool | None, people: int | None
) -> Counted:
    return Counted(
        citation=citation,
        document=document,
        stance=Stance(stance),
        study=study,
        is_review=bool(is_review),
        people=people,
    )
