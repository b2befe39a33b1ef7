"""The derived values of every type of record, computed at publication and stored beside its content.

A claim gets its grades, the order of its citations and their doses. A catalogue record (concept, study, document) gets
counts over the claims that name it. The grades themselves are computed in `grade.py`, the counts in `counts.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.claims import doses
from app.claims.catalogue_responses import CatalogueEvidence
from app.claims.derived import (
    ClaimDerived,
    ConceptDerived,
    DosingRangeDerived,
    Nothing,
    SourceDerived,
    StoredLine,
)
from app.claims.models import Citation, Claim, ClaimConcept, DosingRange, Maintained, Override
from app.claims.projection import daily_dose
from app.claims.responses import ClaimEvidence, OverrideRead
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite, DosingRangeWrite
from app.claims.vocabulary import HARM_KINDS, Certainty, CitationRole, Consensus, RelationType, Stance
from app.concepts.dose_tiers import stored_dose_tiers
from app.concepts.lineage import HarmStep, refs_of, stored_lines
from app.concepts.models import Concept
from app.concepts.schemas import ConceptWrite, InterventionWrite
from app.concepts.vocabulary import REGIMEN
from app.core.folding import fold
from app.core.vocabulary import Status
from app.grading.consensus import ROLE_RANK, evidence_units, informative_citations
from app.grading.counts import Counted, overlap, study_stances, tally, vote_counts
from app.grading.evidence import CitationEvidence, Grade, votes
from app.grading.grade import grade
from app.grading.method import METHOD
from app.grading.wording import WordedVerdict, worded_claim, worded_record
from app.sources.models import Document, DocumentStudyLink, Study
from app.sources.projection import year_of
from app.sources.schemas import Author, DocumentWrite, StudyWrite
from app.sources.vocabulary import ArmRole, Completeness, Design, EvidenceSource, IncludedDesigns, Standing
from app.storage.history import batches
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
        standing=document.current_standing.standing,
        basis=citation.verification.basis,
        study=citation.study,
        design=study.design if study else Design.other,
        evidence_source=study.evidence_source if study else EvidenceSource.other,
        people=people(citation, study),
        is_analysed=analysed_for(citation) is not None,
        limitations=frozenset(study.limitations) if study else frozenset(),
        issued=document.issued,
        has_ci=any(e.ci_low is not None for e in on_outcome),
        pooled_i2=Fraction(max(pooled)) if pooled else None,
        events=sum(events) if events else None,
        includes=frozenset(included.studies) if included else frozenset(),
        includes_complete=included is not None and included.completeness is Completeness.full,
        includes_designs=included.designs if included else IncludedDesigns.unknown,
        authors=frozenset(map(_author_key, document.authors)),
        authors_complete=document.authors_complete,
    )


def _author_key(author: Author) -> str:
    """An author's name as it can be compared across papers: family name and first initial, without accents or case."""
    if author.literal or not author.family:
        return fold(author.literal or author.given or "")
    return fold(f"{author.family} {(author.given or '')[:1]}").strip()


def people(citation: CitationWrite, study: StudyWrite | None) -> int | None:
    """People behind a finding: those analysed for it where that was read, else those who took part."""
    analysed = analysed_for(citation)
    if analysed is not None or study is None:
        return analysed
    if study.includes is not None:
        return study.includes.participants
    return study.participants


def analysed_for(citation: CitationWrite) -> int | None:
    """People analysed for the finding, as the citation or its primary estimate states; null where neither was read."""
    if citation.analysed_n is not None:
        return citation.analysed_n
    return next((estimate.n_analysed for estimate in citation.estimates if estimate.primary), None)


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
            is_analysed=item.is_analysed,
        )
        for item in items
        if item.standing is not Standing.retracted
    ]


def claim_evidence(
    records: RecordReader, claim: ClaimWrite, items: list[CitationEvidence], graded: Grade, day: str | None
) -> ClaimEvidence:
    """Verdict in words, grades, counts by stance and overlap as a claim shows them; the verdict is the claim's own."""
    counts = counted(items)
    totals = tally(counts)
    reviews = [(item.includes, item.includes_complete) for item in items if item.is_review]
    informative = informative_citations(items, [])
    units = graded.units or evidence_units(informative, METHOD, [])
    votes_cast = vote_counts(units, informative, totals.by_stance)
    voting = (votes_cast.supports, votes_cast.disputes, votes_cast.mixed)
    return ClaimEvidence(
        **_words(records, claim, items, graded, day)._asdict(),
        consensus=graded.consensus,
        leaning=graded.leaning,
        certainty=graded.certainty,
        method=METHOD.certainty,
        consensus_method=METHOD.consensus,
        support_share=_rounded(graded.support_share),
        body=graded.body,
        insufficient_reason=graded.insufficient_reason,
        opposite_share=_rounded(graded.opposite_share),
        study_count=sum(side.studies for side in voting),
        review_count=len({item.study for item in informative if item.design.is_systematic}),
        participant_count=sum(side.participants for side in voting),
        counts=votes_cast,
        overlap=overlap(set(study_stances(counts)), reviews),
        by_stance=totals.by_stance,
        overrides=(),
    )


def _rounded(share: Fraction | None) -> Decimal | None:
    return None if share is None else Decimal(f"{float(share):.4f}")


def _words(
    records: RecordReader, claim: ClaimWrite, items: list[CitationEvidence], graded: Grade, day: str | None
) -> WordedVerdict:
    if claim.form not in VOTING_FORMS:
        return worded_record(claim, day)
    labels = {
        citation.document: records.content(Key("document", citation.document)).label
        for citation in claim.citations
        if citation.role is CitationRole.label_
    }
    drug = _drug_of(records, claim) if claim.wording else None
    return worded_claim(claim, items, graded, labels, drug)


def _drug_of(records: RecordReader, claim: ClaimWrite) -> str | None:
    """The name of the claim's intervention, or of the drug of which it is a regimen."""
    if claim.intervention is None:
        return None
    intervention = records.content(Key("intervention", claim.intervention))
    parent = intervention.parent if intervention.kind == REGIMEN else None
    return str(records.content(Key("intervention", parent)).name if parent else intervention.name)


def derive_claims(session: Session, records: RecordReader, claims: Sequence[ClaimWrite]) -> Iterator[ClaimDerived]:
    """The derived values of claims, with the overrides that are active."""
    overrides: dict[str, list[OverrideRead]] = defaultdict(list)
    for override in session.scalars(select(Override).where(Override.is_active).order_by(Override.pk)):
        overrides[override.claim_id].append(
            OverrideRead(
                field=override.field,
                value=override.value,
                computed="",
                reason=override.reason,
                author=override.author_id,
                expires_on=override.expires_on,
            )
        )
    day = maintained_on(session)
    return (computed_claim(records, claim, day, lambda claim_id: overrides.get(claim_id, ())) for claim in claims)


def computed_claim(
    records: RecordReader,
    claim: ClaimWrite,
    day: str | None,
    overrides_of: Callable[[str], Sequence[OverrideRead]] = lambda _claim_id: (),
) -> ClaimDerived:
    """The derived values of a claim; a pure function of the records, the overrides and the day of maintenance.

    A claim that restates another shows that claim's verdict, answer and counts.
    """
    items, graded, evidence = _graded(records, claim, day, overrides_of(claim.id))
    restated = restated_claim(records, claim)
    if restated is not claim:
        *_, other = _graded(records, restated, day, overrides_of(restated.id))
        evidence = evidence.model_copy(update={name: getattr(other, name) for name in WordedVerdict._fields})
    return ClaimDerived(
        evidence=evidence,
        weight=float(sum(votes(graded.units))),
        order=_citation_order(items, graded),
        doses=_doses(records, claim),
        stale=day is not None and claim.stale_on is not None and claim.stale_on <= day,
        caveat_stale=is_caveat_stale(claim, items),
    )


def _graded(
    records: RecordReader, claim: ClaimWrite, day: str | None, overrides: Sequence[OverrideRead]
) -> tuple[list[CitationEvidence], Grade, ClaimEvidence]:
    """What the grade rests on, the computed grade, and the evidence with the values that people have set."""
    items = evidence_of(records, claim)
    graded = grade(claim.form, claim.kind, items)
    values: dict[str, Any] = {
        override.field: (Consensus if override.field == "consensus" else Certainty)(override.value)
        for override in overrides
    }
    evidence = claim_evidence(records, claim, items, replace(graded, **values), day)
    listed = tuple(o.model_copy(update={"computed": str(getattr(graded, o.field))}) for o in overrides)
    return items, graded, evidence.model_copy(update={"overrides": listed})


def restated_claim(records: RecordReader, claim: ClaimWrite) -> ClaimWrite:
    """The claim at the end of a chain of restatements, on which the evidence hangs; else the claim itself.

    Only published claims that gather votes restate and are restated, and only about the same people: what holds in a
    subgroup is no answer for everybody. A circle of restatements leads nowhere.
    """
    current, passed = claim, {claim.id}
    while True:
        targets = [relation.claim for relation in current.relations if relation.type is RelationType.restates]
        if current.form not in VOTING_FORMS or not targets:
            return current
        try:
            target: ClaimWrite = records.content(Key("claim", targets[0]))
        except KeyError:
            return current
        if target.form not in VOTING_FORMS or target.status is not Status.published:
            return current
        if not is_on_same_people(target, claim):
            return current
        if target.id in passed:
            return claim
        current = target
        passed.add(target.id)


def is_on_same_people(claim: ClaimWrite, other: ClaimWrite) -> bool:
    """Whether both claims are about everybody, or about the same subgroup."""
    groups = [one.subgroup.id if one.subgroup else None for one in (claim, other)]
    return groups[0] == groups[1]


def is_caveat_stale(claim: ClaimWrite, items: Sequence[CitationEvidence]) -> bool:
    """Whether the claim's evidence is not that on which its caveat rests; false where that was not noted."""
    if claim.caveat is None or claim.caveat_basis is None:
        return False
    noted = {(source.citation, source.stance) for source in claim.caveat_basis}
    return noted != {(item.citation, item.stance) for item in informative_citations(items, [])}


def _doses(records: RecordReader, claim: ClaimWrite) -> dict[str, tuple[Fraction, Fraction]]:
    """Citation → lowest and highest daily dose of its study, in picograms; absent where none was read."""
    by_citation = {}
    for citation in claim.citations:
        dose = studied_dose(records.content(Key("study", citation.study))) if citation.study else None
        if dose is not None and dose.low is not None and dose.high is not None:
            by_citation[citation.id] = (Fraction(dose.low), Fraction(dose.high))
    return by_citation


def studied_dose(study: StudyWrite) -> doses.DailyDose | None:
    """From the lowest to the highest daily dose that the study's intervention arms gave; null where none was read."""
    totals = [
        doses.dose_of_arm(arm.dose_low, arm.dose_high, arm.dose_unit)
        for arm in study.arms
        if arm.role is ArmRole.intervention
    ]
    lows = [dose.low for dose in totals if dose is not None and dose.low is not None]
    highs = [dose.high for dose in totals if dose is not None and dose.high is not None]
    return doses.DailyDose(min(lows), max(highs)) if lows and highs else None


def maintained_on(session: Session) -> str | None:
    """The day up to which what expires has been published."""
    return session.scalar(select(Maintained.day))


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
    return (
        SourceDerived(evidence=evidence[study.id], documents=tuple(documents.get(study.id, ()))) for study in studies
    )


def derive_documents(
    session: Session, _records: RecordReader, documents: Sequence[DocumentWrite]
) -> Iterator[SourceDerived]:
    evidence = _evidence_of_sources(session, Document, [document.id for document in documents])
    return (SourceDerived(evidence=evidence[document.id]) for document in documents)


def derive_dosing_ranges(
    session: Session, _records: RecordReader, ranges: Sequence[DosingRangeWrite]
) -> Iterator[DosingRangeDerived]:
    for dosing in ranges:
        is_named = Claim.dosing_range_pk == key_of(session, DosingRange, dosing.id)
        claims = select(Claim.id).where(Claim.status == Status.published, is_named).order_by(Claim.id)
        intervention = key_of(session, Concept, dosing.intervention, "intervention")
        bands = doses.bands_of(daily_dose(dosing), stored_dose_tiers(session, intervention))
        yield DosingRangeDerived(claims=tuple(session.scalars(claims)), bands=bands)


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
