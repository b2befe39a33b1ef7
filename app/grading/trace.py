"""The evidence trace of a claim: every rule applied (R1 to R6, steps 1 to 8), every unit and estimate.

The trace can be computed again without some of the evidence (`WhatIf`).
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from app.claims import rendering as render
from app.claims.derived import ClaimDerived
from app.claims.responses import ClaimEvidence, ClaimSummary, EstimateRead
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import CitationRole, Directness, IndirectBecause, Stance
from app.core.content import QueryModel, ResponseModel
from app.core.text import Count, Slug
from app.grading.derive import claim_evidence, evidence_of
from app.grading.evidence import CitationEvidence, EvidenceUnit, Grade, votes
from app.grading.grade import grade
from app.grading.method import Method
from app.sources import rendering as sources
from app.sources.schemas import DocumentEmbed, StudyEmbed
from app.sources.vocabulary import Design, EvidenceSource, Standing
from app.storage.resource import Key, RecordReader


class WhatIf(QueryModel):
    """Evidence to leave out, to see what the answer rests on. Computed for this answer alone, never stored."""

    exclude_standing: Annotated[tuple[Standing, ...], Field(max_length=10)] = ()
    """Leave out citations of documents with these standings."""
    exclude_evidence_source: Annotated[tuple[EvidenceSource, ...], Field(max_length=10)] = ()
    """Leave out citations of studies of these sources."""
    design: Annotated[tuple[Design, ...], Field(max_length=30)] = ()
    """Keep only citations of studies of these designs."""
    directness: Annotated[tuple[Directness, ...], Field(max_length=5)] = ()
    """Keep only citations of this directness."""
    min_participants: Count | None = None
    """Keep only citations with at least so many people; those of unknown number are left out."""
    as_if_retracted: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    """Treat these documents as retracted."""

    @property
    def is_set(self) -> bool:
        return bool(self.model_dump(exclude_defaults=True))

    def includes(self, item: CitationEvidence) -> bool:
        return not (
            item.standing in self.exclude_standing
            or item.evidence_source in self.exclude_evidence_source
            or (self.design and item.design.id not in self.design)
            or (self.directness and item.directness not in self.directness)
            or (self.min_participants is not None and (item.people or 0) < self.min_participants)
            or item.document in self.as_if_retracted
        )


class StepRead(ResponseModel):
    """One rule as it was applied."""

    rule: str
    """`R1` to `R6` of the consensus, `1` to `8` of the certainty; see the method's page."""
    text: str
    inputs: dict[str, Any]
    result: str | None


class UnitRead(ResponseModel):
    """One study with its vote, or all systematic reviews together where no study votes."""

    study: str
    stance: Stance
    weight: float
    participants: int | None
    randomized: bool
    in_people: bool
    direct: bool
    indirect_because: tuple[IndirectBecause, ...]
    known_serious_limit: bool
    read_in_full: bool
    under_concern: bool
    is_reviews: bool


class SideRead(ResponseModel):
    """One side of the scale."""

    units: int
    weight: float
    randomized_units: int
    randomized_participants: int


class ForestRow(ResponseModel):
    """One citation as a forest plot needs it; null findings and missing figures included."""

    citation_id: Slug
    stance: Stance
    directness: Directness
    role: CitationRole
    document: DocumentEmbed
    study: StudyEmbed | None
    is_review: bool
    weight: float | None
    """Of the study's unit; null for citations that make none."""
    analysed_n: int | None
    estimates: tuple[EstimateRead, ...]


class TraceLinks(ResponseModel):
    self: str
    claim: str


class EvidenceTrace(ResponseModel):
    """The whole way from citations to grades."""

    claim: ClaimSummary
    what_if: dict[str, Any] | None
    """The evidence left out, as asked; null for the grades as they stand."""
    evidence: ClaimEvidence
    """Under the what-if, where one was asked for."""
    as_published: ClaimEvidence
    supports: SideRead
    disputes: SideRead
    undecided_units: int
    units: tuple[UnitRead, ...]
    steps: tuple[StepRead, ...]
    forest: tuple[ForestRow, ...]
    links: TraceLinks


def trace(records: RecordReader, claim_id: str, what_if: WhatIf, method: Method) -> EvidenceTrace:
    """The trace of a claim as `records` holds it, by the method that was in force then."""
    key = Key("claim", claim_id)
    content: ClaimWrite = records.content(key)
    derived: ClaimDerived = records.derived(key)
    included, graded, evidence = _graded(records, key, what_if, method)
    address = render.address("claims", claim_id)
    return EvidenceTrace(
        claim=render.summary(records, claim_id),
        what_if=what_if.model_dump(mode="json", exclude_defaults=True) or None,
        evidence=evidence,
        as_published=derived.evidence,
        supports=_side(graded.units, 0),
        disputes=_side(graded.units, 1),
        undecided_units=sum(unit.stance is Stance.inconclusive for unit in graded.units),
        units=tuple(map(_unit, graded.units)),
        steps=tuple(StepRead(rule=s.rule, text=s.text, inputs=s.inputs, result=s.result) for s in graded.steps),
        forest=_forest(records, content, derived.order, included, graded),
        links=TraceLinks(self=f"{address}/evidence", claim=address),
    )


def evidence_if(records: RecordReader, claim_id: str, what_if: WhatIf, method: Method) -> ClaimEvidence:
    """The evidence of a claim as its trace shows it, without the trace."""
    return _graded(records, Key("claim", claim_id), what_if, method)[2]


def _graded(
    records: RecordReader, key: Key, what_if: WhatIf, method: Method
) -> tuple[Sequence[CitationEvidence], Grade, ClaimEvidence]:
    """The citations that are left, their grade, and the evidence as it is shown."""
    content: ClaimWrite = records.content(key)
    included = [item for item in evidence_of(records, content, method.designs) if what_if.includes(item)]
    graded = grade(content.form, content.kind, included, method)
    if not what_if.is_set:
        return included, graded, records.derived(key).evidence
    return included, graded, claim_evidence(records, content, included, graded, None, method)


def _side(units: Sequence[EvidenceUnit], side: int) -> SideRead:
    voting = [unit for unit in units if unit.votes[side]]
    randomized = [unit for unit in voting if unit.randomized]
    return SideRead(
        units=len(voting),
        weight=float(votes(units)[side]),
        randomized_units=len(randomized),
        randomized_participants=sum(unit.people or 0 for unit in randomized),
    )


def _unit(unit: EvidenceUnit) -> UnitRead:
    return UnitRead(
        study=unit.study,
        stance=unit.stance,
        weight=float(unit.weight),
        participants=unit.people,
        randomized=unit.randomized,
        in_people=unit.human,
        direct=unit.direct,
        indirect_because=tuple(sorted(unit.reasons)),
        known_serious_limit=unit.limited,
        read_in_full=unit.full_text,
        under_concern=unit.of_concern,
        is_reviews=unit.is_reviews,
    )


def _forest(
    records: RecordReader,
    content: ClaimWrite,
    order: Sequence[str],
    included: Sequence[CitationEvidence],
    graded: Grade,
) -> tuple[ForestRow, ...]:
    by_id = {citation.id: citation for citation in content.citations}
    weights = {unit.study: float(unit.weight) for unit in graded.units}
    evidence = {item.citation: item for item in included}
    rows = []
    for citation_id in order:
        if citation_id not in evidence:
            continue
        citation = by_id[citation_id]
        study = records.content(Key("study", citation.study)) if citation.study else None
        rows.append(
            ForestRow(
                citation_id=citation_id,
                stance=citation.stance,
                directness=citation.directness,
                role=citation.role,
                document=sources.document_embed(records.content(Key("document", citation.document))),
                study=sources.study_embed(study) if study else None,
                is_review=evidence[citation_id].is_review,
                weight=weights.get(citation.study or ""),
                analysed_n=evidence[citation_id].people,
                estimates=tuple(render.estimate(records, estimate) for estimate in citation.estimates),
            )
        )
    return tuple(rows)
