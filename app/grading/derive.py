"""The derived values of claims, computed at publication and stored beside the content: grades, the order of citations
and their doses.

The grades themselves are computed in `grade.py`, the counts in `counts.py`, values of other records in
`derive_catalogue.py`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims import doses
from app.claims.derived import ClaimDerived
from app.claims.models import Maintained, Override
from app.claims.responses import ClaimEvidence, OverrideRead
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite
from app.claims.vocabulary import Certainty, CitationRole, Consensus, RelationType, Stance
from app.concepts.manifest import UNDESCRIBED, Manifest, manifest_in_force
from app.concepts.study_designs import SHIPPED_DESIGNS, StudyDesigns
from app.concepts.units import MASS, Units
from app.concepts.vocabulary import REGIMEN
from app.core.folding import fold
from app.core.vocabulary import Status
from app.grading.consensus import ROLE_RANK, evidence_units, informative_citations
from app.grading.counts import Counted, overlap, study_stances, tally, vote_counts
from app.grading.evidence import CitationEvidence, Grade, votes
from app.grading.grade import grade
from app.grading.method import Method, method_of
from app.grading.wording import WordedVerdict, worded_claim, worded_record
from app.sources.projection import year_of
from app.sources.schemas import Author, DocumentWrite, StudyWrite
from app.sources.vocabulary import (
    UNRECORDED_DESIGN,
    ArmRole,
    Completeness,
    EvidenceSource,
    IncludedDesigns,
    Standing,
)
from app.storage.resource import Key, RecordReader


def evidence_of(
    records: RecordReader, claim: ClaimWrite, designs: StudyDesigns = SHIPPED_DESIGNS
) -> list[CitationEvidence]:
    """What the rules of the method need of each citation, with its document and study as `records` holds them."""
    return [_evidence(records, claim, citation, designs) for citation in claim.citations]


def _evidence(
    records: RecordReader, claim: ClaimWrite, citation: CitationWrite, designs: StudyDesigns
) -> CitationEvidence:
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
        design=designs.design(study.design if study else UNRECORDED_DESIGN),
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
    records: RecordReader,
    claim: ClaimWrite,
    items: list[CitationEvidence],
    graded: Grade,
    day: str | None,
    method: Method,
) -> ClaimEvidence:
    """Verdict in words, grades, counts by stance and overlap as a claim shows them; the verdict is the claim's own."""
    counts = counted(items)
    totals = tally(counts)
    reviews = [(item.includes, item.includes_complete) for item in items if item.is_review]
    informative = informative_citations(items, [])
    units = graded.units or evidence_units(informative, method, [])
    votes_cast = vote_counts(units, informative, totals.by_stance)
    voting = (votes_cast.supports, votes_cast.disputes, votes_cast.mixed)
    return ClaimEvidence(
        **_words(records, claim, items, graded, day)._asdict(),
        consensus=graded.consensus,
        leaning=graded.leaning,
        certainty=graded.certainty,
        method=method.certainty,
        consensus_method=method.consensus,
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
    day, manifest = maintained_on(session), manifest_in_force(session)
    return (
        computed_claim(records, claim, day, lambda claim_id: overrides.get(claim_id, ()), manifest) for claim in claims
    )


def computed_claim(
    records: RecordReader,
    claim: ClaimWrite,
    day: str | None,
    overrides_of: Callable[[str], Sequence[OverrideRead]] = lambda _claim_id: (),
    manifest: Manifest = UNDESCRIBED,
) -> ClaimDerived:
    """The derived values of a claim; a pure function of the records, the overrides, the day of maintenance and the
    manifest, which states the method and the units.

    A claim that restates another shows that claim's verdict, answer and counts.
    """
    method = method_of(manifest)
    items, graded, evidence = _graded(records, claim, day, overrides_of(claim.id), method)
    restated = restated_claim(records, claim)
    if restated is not claim:
        *_, other = _graded(records, restated, day, overrides_of(restated.id), method)
        evidence = evidence.model_copy(update={name: getattr(other, name) for name in WordedVerdict._fields})
    return ClaimDerived(
        evidence=evidence,
        weight=float(sum(votes(graded.units))),
        order=_citation_order(items, graded, method.designs),
        doses=_doses(records, claim, manifest.units),
        stale=day is not None and claim.stale_on is not None and claim.stale_on <= day,
        caveat_stale=is_caveat_stale(claim, items),
    )


def _graded(
    records: RecordReader, claim: ClaimWrite, day: str | None, overrides: Sequence[OverrideRead], method: Method
) -> tuple[list[CitationEvidence], Grade, ClaimEvidence]:
    """What the grade rests on, the computed grade, and the evidence with the values that people have set."""
    items = evidence_of(records, claim, method.designs)
    graded = grade(claim.form, claim.kind, items, method)
    values: dict[str, Any] = {
        override.field: (Consensus if override.field == "consensus" else Certainty)(override.value)
        for override in overrides
    }
    if not overrides:
        return items, graded, claim_evidence(records, claim, items, graded, day, method)
    evidence = claim_evidence(records, claim, items, replace(graded, **values), day, method)
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


def _doses(
    records: RecordReader, claim: ClaimWrite, units: Units
) -> dict[str, tuple[Fraction, Fraction] | tuple[Fraction, Fraction, str]]:
    """As `ClaimDerived.doses` holds them."""
    by_citation: dict[str, tuple[Fraction, Fraction] | tuple[Fraction, Fraction, str]] = {}
    for citation in claim.citations:
        dose = studied_dose(records.content(Key("study", citation.study)), units) if citation.study else None
        if dose is not None and dose.low is not None and dose.high is not None:
            ends = Fraction(dose.low), Fraction(dose.high)
            by_citation[citation.id] = ends if dose.of == MASS else (*ends, dose.of)
    return by_citation


def studied_dose(study: StudyWrite, units: Units) -> doses.DailyDose | None:
    """From the lowest to the highest daily dose that the study's intervention arms gave; null where none was read.

    Where they cannot all be compared, those that are masses count, or else those of the first arm's kind.
    """
    totals = [
        total
        for arm in study.arms
        if arm.role is ArmRole.intervention
        and (total := doses.dose_of_arm(arm.dose_low, arm.dose_high, arm.dose_unit, units)) is not None
    ]
    kinds = [total.of for total in totals]
    kind = MASS if MASS in kinds else next(iter(kinds), MASS)
    lows = [total.low for total in totals if total.of == kind and total.low is not None]
    highs = [total.high for total in totals if total.of == kind and total.high is not None]
    return doses.DailyDose(min(lows), max(highs), kind) if lows and highs else None


def maintained_on(session: Session) -> str | None:
    """The day up to which what expires has been published."""
    return session.scalar(select(Maintained.day))


def _citation_order(items: list[CitationEvidence], graded: Grade, designs: StudyDesigns) -> tuple[str, ...]:
    """The side with more weight first, then the other; within a side by design, people, year, id; retracted last."""
    supports, disputes = votes(graded.units)
    sides = (Stance.disputes, Stance.supports) if disputes > supports else (Stance.supports, Stance.disputes)
    rank = {stance: index for index, stance in enumerate((*sides, *(s for s in Stance if s not in sides)))}

    def key(item: CitationEvidence) -> tuple[bool, int, int, int, int, str]:
        return (
            item.standing is Standing.retracted,
            rank[item.stance],
            designs.rank(item.design.id),
            -(item.people or 0),
            -(year_of(item.issued) or 0),
            item.citation,
        )

    return tuple(item.citation for item in sorted(items, key=key))
