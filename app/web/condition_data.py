"""What a page about an intervention in a condition is made of, read for its first two layers alone.

Nothing is added up over claims: every number and every answer belongs to one claim, or to one citation of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.briefs.builder import open_questions
from app.briefs.selection import Pair
from app.claims import rendering as render
from app.claims.catalogue_responses import DosingRangeRead
from app.claims.responses import ClaimSummary, EstimateRead
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite, Estimate
from app.claims.vocabulary import (
    Comparison,
    Consensus,
    Directness,
    Effect,
    Form,
    Leaning,
    Stance,
    VerdictCode,
)
from app.concepts.manifest import current_manifest
from app.concepts.models import Concept
from app.concepts.schemas import ConceptRef, Inheritance, OutcomeRef
from app.concepts.study_designs import StudyDesigns
from app.core import deadline
from app.grading.method import current_method
from app.grading.trace import EvidenceTrace, WhatIf, trace
from app.questions.coverage import CoverageRead, coverage
from app.questions.pair_records import benefit_claims, harm_claims, recorded_doses
from app.questions.searches import SearchMatch
from app.sources.queries import retracted_studies
from app.sources.schemas import DocumentRef, DocumentWrite, StudyWrite
from app.sources.vocabulary import EvidenceSource, Standing
from app.storage.history import current_bodies
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords
from app.storage.resource import Key, RecordReader
from app.storage.rows import key_of

MAX_OUTCOMES = 40
"""Claims on benefits that one page shows."""
MAX_HARMS = 200
"""Claims on harms that one page reads; contraindications first, so that none of them is cut off."""
MAX_FIGURES = 2
"""Estimates of one stance that a table shows; the claim's page has all of them."""


def is_decided(claim: ClaimSummary) -> bool:
    """Whether the evidence of a claim that gathers votes leans anywhere or conflicts, rather than being too little."""
    return claim.consensus not in (Consensus.insufficient, Consensus.uncited)


DOMAINS = {"3": "Limits", "4": "Inconsistency", "5": "Indirectness", "6": "Imprecision", "7": "Concern"}
"""Step of the certainty → why it lowers."""
TAKES_A_SIDE = (Stance.supports, Stance.disputes, Stance.mixed, Stance.inconclusive)


@dataclass(frozen=True)
class Figure:
    """One estimate as a citation states it."""

    citation: str
    stance: Stance
    document: DocumentRef
    is_retracted: bool
    is_indirect: bool
    is_review: bool
    estimate: EstimateRead


def _of_people(name: str, claim: ClaimSummary) -> str:
    """The name, with the people that the claim is about if it is not about everybody."""
    return f"{name} (in {claim.subgroup.label})" if claim.subgroup else name


@dataclass(frozen=True)
class OutcomeLine:
    """One claim on a benefit, with the trace of its grades."""

    outcome: OutcomeRef | None
    claim: ClaimSummary
    trace: EvidenceTrace
    figures: tuple[Figure, ...]
    comparator: str | None

    @property
    def name(self) -> str:
        return _of_people(self.outcome.name if self.outcome else "In general", self.claim)

    @property
    def is_decided(self) -> bool:
        return is_decided(self.claim)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the certainty is not higher: the steps that lowered it, in the words of the trace."""
        lowered = (step for step in self.trace.steps if step.result and step.result.startswith("-"))
        return tuple(f"{DOMAINS.get(step.rule, step.rule)}: {step.text}" for step in lowered)


@dataclass(frozen=True)
class HarmLine:
    """One claim on a harm, on the intervention or on its drug."""

    content: ClaimWrite
    claim: ClaimSummary
    names: tuple[str, ...]
    """Side effects, or the outcome, that it is about."""
    interactants: tuple[str, ...]
    """Names of the other medicines that it is about."""
    inheritance: Inheritance | None
    """How it holds for the intervention, where it was said of its drug or of a class."""
    figures: tuple[Figure, ...]
    lead: str
    """What stands before the statement in the answer, such as the authority and the day of an official record."""

    @property
    def source(self) -> str:
        """The verdict with the authority and the day in brackets: `Official warning (FDA, reviewed 2026)`."""
        _, bracket, details = self.lead.partition(" (")
        return f"{self.claim.verdict.label}{bracket}{details}"

    @property
    def is_contraindication(self) -> bool:
        return self.content.effect is Effect.contraindicated

    @property
    def is_warning(self) -> bool:
        return not self.is_contraindication and (
            self.claim.verdict.code is VerdictCode.official_warning or self.content.effect is Effect.interacts
        )

    @property
    def is_decided(self) -> bool:
        return self.content.form in VOTING_FORMS and is_decided(self.claim)

    @property
    def is_measured(self) -> bool:
        """Whether somebody counted: a claim with votes or undecided studies, a rate, or the report of a study."""
        return bool(self.claim.counts_text or self.figures) or self.content.form is Form.study_report


@dataclass(frozen=True)
class WarningGroup:
    """Warnings that share one caveat, which is then said once."""

    lines: tuple[HarmLine, ...]
    caveat: str | None


@dataclass(frozen=True)
class NamedLinks:
    """A name with the claims behind it."""

    name: str
    claim_ids: tuple[str, ...]


@dataclass(frozen=True)
class StudyLine:
    """A study in people that is cited on a benefit; reviews are left out."""

    id: str
    study: StudyWrite
    has_retracted_report: bool


@dataclass(frozen=True)
class ConditionEvidence:
    """All that the first two layers show."""

    pair: Pair
    intervention: ConceptRef
    condition: ConceptRef
    coverage: CoverageRead
    outcomes: tuple[OutcomeLine, ...]
    """Benefits; the claim that the coverage names as its headline comes first, then by weight; subgroups stand last."""
    harms: tuple[HarmLine, ...]
    studies: tuple[StudyLine, ...]
    """Largest first."""
    doses: tuple[DosingRangeRead, ...]
    questions: tuple[SearchMatch, ...]
    """Questions that were not answered."""
    reviewed_on: str | None
    """The newest day on which one of the claims was reviewed."""
    is_cut: bool

    @property
    def searched_on(self) -> str | None:
        return max((search.searched_on for search in self.coverage.searches if search.searched_on), default=None)

    @property
    def headline(self) -> ClaimSummary | None:
        """The claim that answers whether it helps; a warning is no answer to that."""
        claim = self.coverage.summary.headline_claim
        is_harm = claim is not None and any(line.claim.id == claim.id for line in self.harms)
        return None if is_harm else claim

    @property
    def contraindications(self) -> tuple[WarningGroup, ...]:
        """Those with the same caveat together; first the danger of which most is said."""
        groups: dict[str | None, list[HarmLine]] = {}
        for line in self.harms:
            if line.is_contraindication:
                groups.setdefault(line.claim.caveat, []).append(line)
        grouped = [WarningGroup(tuple(lines), caveat) for caveat, lines in groups.items()]
        return tuple(sorted(grouped, key=lambda group: -len(group.lines)))

    @property
    def warnings(self) -> tuple[HarmLine, ...]:
        return tuple(line for line in self.harms if line.is_warning)

    @property
    def side_effects(self) -> tuple[HarmLine, ...]:
        """What remains of the harms, ranked: what is supported first, then by how much was studied."""
        return tuple(line for line in self.harms if not line.is_contraindication and not line.is_warning)


# --- reading ------------------------------------------------------------------------------------------------------


def condition_evidence(view: ReadView, pair: Pair) -> ConditionEvidence:
    """Reads what is known of an intervention in a condition."""
    session = view.session
    intervention = key_of(session, Concept, pair.intervention, "intervention")
    condition = key_of(session, Concept, pair.condition, "condition")
    known = coverage(session, intervention_pk=intervention, condition_pk=condition)
    benefits = benefit_claims(session, intervention, condition, MAX_OUTCOMES + 1)
    harms = harm_claims(session, pair.intervention, MAX_HARMS + 1)
    doses = recorded_doses(session, intervention, condition)
    records = CurrentRecords(session)
    records.prefetch((Key("claim", claim_id) for claim_id in (*benefits, *harms)), depth=1)
    outcomes = _in_order(_outcome_lines(records, benefits[:MAX_OUTCOMES]), known)
    harm_lines = _ranked(_harm_line(records, pair, claim_id) for claim_id in deadline.checked(harms[:MAX_HARMS]))
    reviewed = (records.content(Key("claim", claim_id)).reviewed_on for claim_id in (*benefits, *harms))
    assert known.condition is not None  # noqa: S101 - it was asked about one
    return ConditionEvidence(
        pair=pair,
        intervention=known.intervention,
        condition=known.condition,
        coverage=known,
        outcomes=tuple(outcomes),
        harms=tuple(harm_lines),
        studies=tuple(_studies(records, outcomes)),
        doses=tuple(map(DosingRangeRead.model_validate_json, current_bodies(view, "dosing_range", doses))),
        questions=open_questions(session, pair),
        reviewed_on=max(filter(None, reviewed), default=None),
        is_cut=len(benefits) > MAX_OUTCOMES or len(harms) > MAX_HARMS,
    )


def _outcome_lines(records: CurrentRecords, claim_ids: Iterable[str]) -> Iterator[OutcomeLine]:
    method = current_method(records.session)
    for claim_id in deadline.checked(claim_ids):
        content: ClaimWrite = records.content(Key("claim", claim_id))
        yield OutcomeLine(
            outcome=render.outcome(records, content.outcome),
            claim=render.summary(records, claim_id),
            trace=(traced := trace(records, claim_id, WhatIf(), method)),
            figures=tuple(figures(records, content, [row.citation_id for row in traced.forest], method.designs)),
            comparator=content.comparator,
        )


def _in_order(lines: Iterable[OutcomeLine], known: CoverageRead) -> list[OutcomeLine]:
    headline = known.summary.headline_claim

    def key(line: OutcomeLine) -> tuple[bool, bool]:
        return line.claim.subgroup is not None, headline is None or line.claim.id != headline.id

    return sorted(lines, key=key)


def _harm_line(records: CurrentRecords, pair: Pair, claim_id: str) -> HarmLine:
    content: ClaimWrite = records.content(Key("claim", claim_id))
    summary = render.summary(records, claim_id)
    names = [concept.name for concept in render.concepts(records, "side_effect", content.side_effects)]
    if not names and (outcome := render.outcome(records, content.outcome)):
        names = [outcome.name]
    ends_with_statement = summary.answer.endswith(summary.statement)
    lead = summary.answer.removesuffix(summary.statement).rstrip(": ") if ends_with_statement else ""
    order = records.derived(Key("claim", claim_id)).order
    return HarmLine(
        content=content,
        claim=summary,
        names=tuple(_of_people(name, summary) for name in names),
        interactants=tuple(one.name for one in render.concepts(records, "intervention", content.interactants)),
        inheritance=pair.inherited.get(content.intervention or ""),
        figures=tuple(figures(records, content, order, current_manifest(records.session).study_designs)),
        lead=lead,
    )


def _ranked(lines: Iterable[HarmLine]) -> list[HarmLine]:
    """Contraindications, then what is supported, then reports and what is undecided; each by how much was studied."""

    def key(line: HarmLine) -> tuple[bool, bool, bool, int, str]:
        supported = line.claim.leaning is Leaning.supports
        votes = line.content.form in VOTING_FORMS
        people = line.claim.counts.supports.participants if line.claim.counts else 0
        return not line.is_contraindication, not (votes and supported), not votes, -people, line.claim.id

    return sorted(lines, key=key)


def _studies(records: CurrentRecords, outcomes: Iterable[OutcomeLine]) -> list[StudyLine]:
    ids = {
        row.study.id
        for line in outcomes
        for row in line.trace.forest
        if row.study and not row.is_review and row.stance in TAKES_A_SIDE
    }
    retracted = retracted_studies(records.session, ids)
    lines = (StudyLine(study_id, records.content(Key("study", study_id)), study_id in retracted) for study_id in ids)
    in_people = (line for line in lines if line.study.evidence_source is EvidenceSource.human_clinical)
    return sorted(in_people, key=lambda line: (-(line.study.participants or 0), line.id))


# --- choosing -----------------------------------------------------------------------------------------------------


def figures(records: RecordReader, claim: ClaimWrite, order: Sequence[str], designs: StudyDesigns) -> Iterator[Figure]:
    """For each stance the first estimates on the outcome itself; those that compare groups go first."""
    by_id = {citation.id: citation for citation in claim.citations}
    shown = dict.fromkeys(TAKES_A_SIDE, 0)
    for citation in (by_id[citation_id] for citation_id in order):
        if citation.stance not in shown or shown[citation.stance] >= MAX_FIGURES:
            continue
        estimate = _best(citation, claim.outcome)
        if estimate is not None:
            shown[citation.stance] += 1
            document: DocumentWrite = records.content(Key("document", citation.document))
            study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
            yield Figure(
                citation=citation.id,
                stance=citation.stance,
                document=DocumentRef(id=document.id, label=document.label),
                is_retracted=document.current_standing.standing is Standing.retracted,
                is_indirect=citation.directness is Directness.indirect,
                is_review=study is not None and designs.design(study.design).is_review,
                estimate=render.estimate(records, estimate),
            )


def _best(citation: CitationWrite, outcome: str | None) -> Estimate | None:
    on_outcome = [e for e in citation.estimates if outcome is None or e.outcome is None or e.outcome == outcome]
    return min(on_outcome, key=lambda e: (e.comparison is not Comparison.between_groups, not e.primary), default=None)


def by_label(lines: Iterable[tuple[str, str, str]]) -> Mapping[str, tuple[NamedLinks, ...]]:
    """Label → names with their claims, from (label, name, claim id); in the order of the lines."""
    grouped: dict[str, dict[str, list[str]]] = {}
    for label, name, claim_id in lines:
        grouped.setdefault(label, {}).setdefault(name, []).append(claim_id)
    return {label: _named(names) for label, names in grouped.items()}


def warned_of(lines: Iterable[HarmLine]) -> Mapping[str, tuple[NamedLinks, ...]]:
    """Warnings by what they name: other medicines, harms, groups of people; every warning stands under one of them."""
    grouped = by_label(
        (label, name, line.claim.id) for line in lines for label, found in [_subject(line)] for name in found
    )
    return {label: grouped.get(label, ()) for label in (MEDICINES, PEOPLE, HARMS, OTHERS)} if grouped else {}


MEDICINES, PEOPLE, HARMS, OTHERS = "medicines", "people", "harms", "others"


def _subject(line: HarmLine) -> tuple[str, tuple[str, ...]]:
    if line.interactants:
        return MEDICINES, line.interactants
    if line.names:
        return HARMS, line.names
    people = line.content.subgroup.label if line.content.subgroup else line.content.population
    return (PEOPLE, (people,)) if people else (OTHERS, ("Further warnings",))


def _named(names: Mapping[str, Iterable[str]]) -> tuple[NamedLinks, ...]:
    return tuple(NamedLinks(name, tuple(ids)) for name, ids in names.items())
