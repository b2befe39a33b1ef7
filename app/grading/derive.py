"""The derived values of every type of record, computed at publication and stored beside its content.

A claim gets its grades, the order of its citations and their doses. A catalogue record (concept, study, document) gets
counts over the claims that name it. The grades themselves are computed in `grade.py`, the counts in `counts.py`.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.claims import doses
from app.claims.derived import ClaimDerived, ConceptDerived, DosingRangeDerived, Nothing, SourceDerived
from app.claims.models import Citation, Claim, ClaimConcept, DosingRange, Maintained, Override
from app.claims.responses import CatalogueEvidence, ClaimEvidence, OverrideRead
from app.claims.schemas import CitationWrite, ClaimWrite, DosingRangeWrite, LiteratureSearchWrite
from app.claims.vocabulary import HARM_KINDS, Certainty, Consensus, Stance, Unit
from app.concepts.models import Concept
from app.concepts.schemas import ConceptWrite, InterventionWrite
from app.core.vocabulary import Status
from app.grading.consensus import ROLE_RANK
from app.grading.counts import Counted, Tally, overlap, study_stances, tally
from app.grading.evidence import CitationEvidence, Grade, votes
from app.grading.grade import grade
from app.grading.method import METHOD
from app.sources.models import Document, DocumentStudyLink, Study
from app.sources.projection import year_of
from app.sources.schemas import DocumentWrite, StudyWrite
from app.sources.vocabulary import ArmRole, Completeness, Design, EvidenceSource, Standing
from app.storage.resource import Key, RecordReader
from app.storage.rows import key_of

# --- claims -------------------------------------------------------------------------------------------------------


def evidence_of(records: RecordReader, claim: ClaimWrite) -> list[CitationEvidence]:
    """What the rules of the method need of each citation, with its document and study as `records` holds them."""
    return [_evidence(records, claim, citation) for citation in claim.citations]


def _evidence(records: RecordReader, claim: ClaimWrite, citation: CitationWrite) -> CitationEvidence:
    document: DocumentWrite = records.content(Key("document", citation.document))
    study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
    on_outcome = [e for e in citation.estimates if e.outcome is None or e.outcome == claim.outcome]
    pooled = [e.i2 for e in on_outcome if e.pooled and e.i2 is not None]
    events = [arm.events for e in on_outcome for arm in e.arms if arm.events is not None]
    included = study.includes if study else None
    return CitationEvidence(
        citation=citation.id,
        document=citation.document,
        stance=citation.stance,
        stance_reason=citation.stance_reason,
        directness=citation.directness,
        indirect_because=frozenset(citation.indirect_because),
        role=citation.role,
        standing=document.standing[-1].standing,
        basis=citation.verification.basis,
        study=citation.study,
        design=study.design if study else Design.other,
        evidence_source=study.evidence_source if study else EvidenceSource.other,
        people=people(citation, study),
        limitations=frozenset(study.limitations) if study else frozenset(),
        issued=document.issued,
        has_ci=any(e.ci_low is not None for e in on_outcome),
        pooled_i2=Fraction(max(pooled)) if pooled else None,
        events=sum(events) if events else None,
        includes=frozenset(included.studies) if included else frozenset(),
        includes_complete=included is not None and included.completeness is Completeness.full,
    )


def people(citation: CitationWrite, study: StudyWrite | None) -> int | None:
    """People behind a finding: those analysed for it where that was read, else those who took part."""
    if citation.analysed_n is not None or study is None:
        return citation.analysed_n
    if study.includes is not None:
        return study.includes.participants
    return study.participants


def counted(items: Iterable[CitationEvidence]) -> list[Counted]:
    """The citations that count: all but those of retracted documents (R2)."""
    return [
        Counted(
            citation=item.citation,
            document=item.document,
            stance=item.stance,
            rank=ROLE_RANK.get(item.role, 0),
            study=item.study,
            is_review=item.is_review,
            people=item.people,
        )
        for item in items
        if item.standing is not Standing.retracted
    ]


def claim_evidence(items: list[CitationEvidence], graded: Grade) -> ClaimEvidence:
    """Grades, counts by stance and overlap as a claim shows them, without overrides."""
    counts = counted(items)
    totals = tally(counts)
    reviews = [(item.includes, item.includes_complete) for item in items if item.is_review]
    share = graded.support_share
    return ClaimEvidence(
        consensus=graded.consensus,
        leaning=graded.leaning,
        certainty=graded.certainty,
        method=METHOD.certainty,
        consensus_method=METHOD.consensus,
        support_share=None if share is None else Decimal(f"{float(share):.4f}"),
        study_count=totals.studies,
        review_count=totals.reviews,
        participant_count=totals.participants,
        overlap=overlap(set(study_stances(counts)), reviews),
        by_stance=totals.by_stance,
        overrides=(),
    )


def derive_claim(session: Session, records: RecordReader, claim: ClaimWrite) -> ClaimDerived:
    """The derived values of a claim, with the overrides that are active."""
    computed = computed_claim(records, claim, maintained_on(session))
    overrides = session.scalars(
        select(Override).where(Override.claim_id == claim.id, Override.is_active).order_by(Override.pk)
    )
    return computed.model_copy(update={"evidence": _overridden(computed.evidence, overrides)})


def computed_claim(records: RecordReader, claim: ClaimWrite, day: str | None) -> ClaimDerived:
    """The derived values of a claim without overrides; a pure function of the records and the day of maintenance."""
    items = evidence_of(records, claim)
    graded = grade(claim.form, claim.kind, items)
    return ClaimDerived(
        evidence=claim_evidence(items, graded),
        weight=float(sum(votes(graded.units))),
        order=_citation_order(items, graded),
        doses=_doses(records, claim),
        stale=day is not None and claim.stale_on is not None and claim.stale_on <= day,
    )


def _doses(records: RecordReader, claim: ClaimWrite) -> dict[str, tuple[int, int]]:
    """Citation → lowest and highest daily dose of its study, in picograms; absent where none was read."""
    by_citation = {}
    for citation in claim.citations:
        dose = studied_dose(records.content(Key("study", citation.study))) if citation.study else None
        if dose is not None and dose.low is not None and dose.high is not None:
            by_citation[citation.id] = (dose.low, dose.high)
    return by_citation


def studied_dose(study: StudyWrite) -> doses.DailyDose | None:
    """From the lowest to the highest daily dose that the study's intervention arms gave; null where none was read."""
    totals = [
        doses.daily(arm.dose_low, arm.dose_high, Unit(arm.dose_unit))
        for arm in study.arms
        if arm.role is ArmRole.intervention and arm.dose_unit in list(Unit)
    ]
    lows = [dose.low for dose in totals if dose is not None and dose.low is not None]
    highs = [dose.high for dose in totals if dose is not None and dose.high is not None]
    return doses.DailyDose(min(lows), max(highs)) if lows and highs else None


def maintained_on(session: Session) -> str | None:
    """The day up to which what expires has been published."""
    return session.scalar(select(Maintained.day))


def _overridden(evidence: ClaimEvidence, overrides: Iterable[Override]) -> ClaimEvidence:
    """The evidence with the values that people have set, each listed beside the computed one."""
    values: dict[str, Any] = {}
    listed = []
    for override in overrides:
        values[override.field] = (Consensus if override.field == "consensus" else Certainty)(override.value)
        listed.append(
            OverrideRead(
                field=override.field,
                value=override.value,
                computed=getattr(evidence, override.field),
                reason=override.reason,
                author=override.author_id,
                expires_on=override.expires_on,
            )
        )
    return evidence.model_copy(update={**values, "overrides": tuple(listed)}) if listed else evidence


def _citation_order(items: list[CitationEvidence], graded: Grade) -> tuple[str, ...]:
    """The side with more weight first, then the other; within a side by design, people, year, id; retracted last."""
    supports, disputes = votes(graded.units)
    sides = (Stance.disputes, Stance.supports) if disputes > supports else (Stance.supports, Stance.disputes)
    rank = {stance: index for index, stance in enumerate((*sides, *(s for s in Stance if s not in sides)))}
    designs = list(Design)

    def key(item: CitationEvidence) -> tuple[bool, int, int, int, int, str]:
        return (
            item.standing is Standing.retracted,
            rank[item.stance],
            designs.index(item.design),
            -(item.people or 0),
            -(year_of(item.issued) or 0),
            item.citation,
        )

    return tuple(item.citation for item in sorted(items, key=key))


# --- the catalogue ------------------------------------------------------------------------------------------------


def derive_concept(session: Session, _records: RecordReader, concept: ConceptWrite, record_type: str) -> ConceptDerived:
    pk = key_of(session, Concept, concept.id, record_type)
    claims = _claims_about(pk)
    asserted = select(Claim.id).where(Claim.pk.in_(claims), Claim.aspect.is_not(None)).order_by(Claim.aspect, Claim.id)
    return ConceptDerived(
        evidence=_catalogue_evidence(session, claims),
        assertions=tuple(session.scalars(asserted)),
        inherited=_inherited_harms(session, concept),
    )


def _claims_about(concept_pk: int) -> Select[Any]:
    """Keys of the published claims that name the concept in any role."""
    linked = select(ClaimConcept.claim_pk).where(ClaimConcept.concept_pk == concept_pk)
    in_any_role = or_(Claim.intervention_pk == concept_pk, Claim.outcome_pk == concept_pk, Claim.pk.in_(linked))
    return select(Claim.pk).where(Claim.status == Status.published, in_any_role)


def _inherited_harms(session: Session, concept: ConceptWrite) -> tuple[str, ...]:
    """Claims of harm on the drug of a dose regimen: harm crosses dose tiers, benefit never does."""
    if not isinstance(concept, InterventionWrite) or concept.level != "regimen" or concept.parent is None:
        return ()
    parent = key_of(session, Concept, concept.parent, "intervention")
    statement = select(Claim.id).where(
        Claim.status == Status.published,
        Claim.intervention_pk == parent,
        Claim.kind.in_(HARM_KINDS),
    )
    return tuple(session.scalars(statement.order_by(Claim.kind, Claim.id)))


def derive_study(session: Session, _records: RecordReader, study: StudyWrite) -> SourceDerived:
    pk = key_of(session, Study, study.id)
    cited = select(Citation.claim_pk).where(Citation.study_pk == pk)
    documents = session.execute(
        select(Document.id, DocumentStudyLink.role)
        .join(Document, Document.pk == DocumentStudyLink.document_pk)
        .where(DocumentStudyLink.study_pk == pk, Document.status == Status.published)
        .order_by(Document.issued.is_(None), Document.issued, Document.id)
    )
    return SourceDerived(
        evidence=_catalogue_evidence(session, _published(cited), Citation.study_pk == pk),
        documents=tuple((document, role) for document, role in documents),
    )


def derive_document(session: Session, _records: RecordReader, document: DocumentWrite) -> SourceDerived:
    pk = key_of(session, Document, document.id)
    cited = select(Citation.claim_pk).where(Citation.document_pk == pk)
    return SourceDerived(evidence=_catalogue_evidence(session, _published(cited), Citation.document_pk == pk))


def _published(claims: Select[Any]) -> Select[Any]:
    """Those of the claims, by key, that are published."""
    return select(Claim.pk).where(Claim.status == Status.published, Claim.pk.in_(claims))


def derive_dosing_range(session: Session, _records: RecordReader, dosing: DosingRangeWrite) -> DosingRangeDerived:
    pk = key_of(session, DosingRange, dosing.id)
    claims = select(Claim.id).where(Claim.status == Status.published, Claim.dosing_range_pk == pk).order_by(Claim.id)
    return DosingRangeDerived(claims=tuple(session.scalars(claims)))


def derive_citation(_session: Session, _records: RecordReader, _citation: BaseModel) -> Nothing:
    return Nothing()


def derive_search(_session: Session, _records: RecordReader, _search: LiteratureSearchWrite) -> Nothing:
    return Nothing()


def _catalogue_evidence(session: Session, claims: Select[Any], *citations: ColumnElement[bool]) -> CatalogueEvidence:
    """Counts over claims, and over those of their citations that meet the conditions."""
    kinds: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for kind, consensus, number in session.execute(
        select(Claim.kind, Claim.consensus, func.count())
        .where(Claim.pk.in_(claims))
        .group_by(Claim.kind, Claim.consensus)
    ):
        kinds[kind] += number
        verdicts[consensus] += number
    totals = _tally_rows(session, claims, *citations)
    return CatalogueEvidence(
        claims=kinds.total(),
        citations=totals.citations,
        documents=totals.documents,
        studies=totals.studies,
        reviews=totals.reviews,
        participants=totals.participants,
        by_kind=dict(sorted(kinds.items())),
        by_consensus=dict(sorted(verdicts.items())),
        by_stance=totals.by_stance,
    )


def _tally_rows(session: Session, claims: Select[Any], *conditions: ColumnElement[bool]) -> Tally:
    rows = session.execute(
        select(Citation.id, Document.id, Citation.stance, Study.id, Study.is_review, Study.participants)
        .join(Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(Citation.claim_pk.in_(claims), Document.standing != Standing.retracted, *conditions)
    )
    return tally(
        Counted(
            citation=citation, document=document, stance=Stance(stance), study=study, is_review=bool(review), people=n
        )
        for citation, document, stance, study, review, n in rows
    )
