"""The evidence map of an intervention: conditions by outcomes, a cell for every pair, empty ones included.

Made for a bubble chart in one call: the number of statements does not depend on how much there is to show.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.claims.models import Claim, ClaimConcept, Search, SearchConcept
from app.claims.vocabulary import HARM_KINDS, Certainty, Consensus, Coverage, Effect, Leaning
from app.concepts.models import Concept
from app.concepts.schemas import ConceptRef, OutcomeRef
from app.concepts.vocabulary import InterventionLevel
from app.core.content import ResponseModel
from app.core.errors import Fault, InvalidInput
from app.core.text import Slug
from app.core.vocabulary import Status
from app.grading.counts import tally
from app.grading.wording import NO_ALL_CLEAR
from app.questions.coverage import PendingStudy, pending_trials
from app.questions.relevance import (
    BEARING_FORMS,
    CitationRow,
    CitedClaim,
    best_design,
    citation_row,
    cited_claim,
    informative_citations,
    outcome_ref,
)
from app.sources.vocabulary import Design

MAX_CELLS = 5_000
MAX_CLAIMS = 5_000


class EffectCount(ResponseModel):
    """How many claims of the cell point one way, and on which side their evidence lies."""

    effect: Effect
    leaning: Leaning
    claims: int


class MapCell(ResponseModel):
    """One condition and one outcome. `effect` to `certainty` are those of `claim_ids[0]`, the claim that tells most."""

    condition: Slug
    outcome: Slug
    coverage: Coverage
    """`not_searched` and `searched_none_found` are not evidence of no effect or of safety."""
    searched_on: str | None
    search: Slug | None
    """The search that found nothing, where that is the coverage."""
    studies: int
    reviews: int
    participants: int
    """People in those studies, each study once; studies of unknown size add none."""
    effect: Effect | None
    leaning: Leaning
    consensus: Consensus
    certainty: Certainty
    effects: tuple[EffectCount, ...]
    best_design: Design | None
    pending: tuple[Slug, ...]
    """Registered trials in the condition whose results were not read; which outcomes they measure is not recorded."""
    claim_ids: tuple[Slug, ...]


class MapRow(ConceptRef):
    """A condition, with what was found on it whatever the outcome."""

    coverage: Coverage
    studies: int
    reviews: int
    participants: int
    pending: tuple[PendingStudy, ...]


class EvidenceMapRead(ResponseModel):
    """Cells stand row by row, each row in the order of `outcomes`. Most studied conditions and outcomes come first."""

    intervention: ConceptRef
    notice: str
    conditions: tuple[MapRow, ...]
    outcomes: tuple[OutcomeRef, ...]
    cells: tuple[MapCell, ...]
    cells_at_most: int
    """Maps with more cells are refused: narrow them by `condition` or `outcome`."""


@dataclass(frozen=True)
class Known:
    """All that is recorded on the intervention, by keys of conditions and outcomes."""

    by_cell: Mapping[tuple[int, int], list[tuple[int, CitedClaim]]]
    by_condition: Mapping[int, set[int]]
    """Keys of every claim that evidence can bear on, with or without an outcome."""
    cites: Mapping[int, list[CitationRow]]
    searches: Mapping[int, Search]
    pending: Mapping[int, list[PendingStudy]] = field(default_factory=dict)

    def of(self, claims: Iterable[int]) -> list[CitationRow]:
        return [cite for pk in claims for cite in self.cites.get(pk, ())]


def evidence_map(
    session: Session, *, intervention_pk: int, condition_pks: Sequence[int], outcome_pks: Sequence[int]
) -> EvidenceMapRead:
    """The map of the conditions and outcomes that are named, else of all that anything is recorded on."""
    intervention = session.get_one(Concept, intervention_pk)
    known = _known(session, intervention, condition_pks)
    conditions = _rows(session, condition_pks or _touched(session, intervention_pk, known))
    outcomes = _rows(session, outcome_pks or list({outcome for _, outcome in known.by_cell}))
    if len(conditions) * len(outcomes) > MAX_CELLS:
        raise _too_much("many conditions and outcomes", f"{MAX_CELLS} cells")
    columns = _ordered(outcomes, lambda pk: known.of(_claims_on(known, outcome=pk)))
    lines = _ordered(conditions, lambda pk: known.of(known.by_condition.get(pk, ())))
    return EvidenceMapRead(
        intervention=_ref(intervention),
        notice=f"An empty cell: nothing found, or nobody searched. {NO_ALL_CLEAR}",
        conditions=tuple(_row(known, condition) for condition in lines),
        outcomes=tuple(outcome_ref(outcome) for outcome in columns),
        cells=tuple(_cell(known, condition, outcome) for condition in lines for outcome in columns),
        cells_at_most=MAX_CELLS,
    )


# --- reading ------------------------------------------------------------------------------------------------------


def _known(session: Session, intervention: Concept, condition_pks: Sequence[int]) -> Known:
    claims = _claims(intervention)
    conditions = select(ClaimConcept.claim_pk, ClaimConcept.concept_pk).where(ClaimConcept.role == "condition")
    if condition_pks:
        conditions = conditions.where(ClaimConcept.concept_pk.in_(condition_pks))
        claims = claims.where(Claim.pk.in_(conditions.with_only_columns(ClaimConcept.claim_pk)))
    rows = session.execute(
        claims.with_only_columns(Claim, Concept)
        .outerjoin(Concept, Concept.pk == Claim.outcome_pk)
        .order_by(Claim.id)
        .limit(MAX_CLAIMS + 1)
    ).all()
    if len(rows) > MAX_CLAIMS:
        raise _too_much("many claims", f"{MAX_CLAIMS} claims")
    cites: dict[int, list[CitationRow]] = {}
    for pk, cite in map(citation_row, session.execute(informative_citations(claims))):
        cites.setdefault(pk, []).append(cite)
    found = {claim.pk: (claim, outcome) for claim, outcome in rows}
    by_cell: dict[tuple[int, int], list[tuple[int, CitedClaim]]] = {}
    by_condition: dict[int, set[int]] = {}
    for claim_pk, condition_pk in session.execute(conditions.where(ClaimConcept.claim_pk.in_(claims))):
        claim, outcome = found[claim_pk]
        by_condition.setdefault(condition_pk, set()).add(claim_pk)
        if outcome is not None:
            by_cell.setdefault((condition_pk, outcome.pk), []).append((claim_pk, cited_claim(claim, outcome)))
    for told in by_cell.values():
        told.sort(key=lambda item: (item[0] not in cites, item[1].rank))
    pending: dict[int, list[PendingStudy]] = {}
    for condition_pk, study in pending_trials(session, intervention.pk, condition_pks or None):
        pending.setdefault(condition_pk, []).append(study)
    return Known(by_cell, by_condition, cites, _searches(session, intervention.pk), pending)


def _claims(intervention: Concept) -> Select[int]:
    """Claims on the intervention that evidence can bear on; harms of the drug hold for its regimen."""
    own = Claim.intervention_pk == intervention.pk
    if intervention.level == InterventionLevel.regimen and intervention.parent_pk is not None:
        own = or_(own, and_(Claim.intervention_pk == intervention.parent_pk, Claim.kind.in_(HARM_KINDS)))
    return select(Claim.pk).where(Claim.status == Status.published, Claim.form.in_(BEARING_FORMS), own)


def _searches(session: Session, intervention_pk: int) -> dict[int, Search]:
    """For each condition the newest search that found nothing on it; one that names more asked something narrower."""
    rows = session.execute(
        select(Search, SearchConcept.role, SearchConcept.concept_pk)
        .join(SearchConcept, SearchConcept.search_pk == Search.pk)
        .where(
            Search.status == Status.published,
            Search.intervention_pk == intervention_pk,
            Search.coverage == Coverage.searched_none_found,
        )
    ).all()
    narrower = {search.pk for search, role, _ in rows if role != "condition"}
    newest: dict[int, Search] = {}
    for search, _, condition_pk in sorted(rows, key=lambda row: (row[0].searched_on or "", row[0].id)):
        if search.pk not in narrower:
            newest[condition_pk] = search
    return newest


def _touched(session: Session, intervention_pk: int, known: Known) -> list[int]:
    """Conditions that any claim, question or pending trial of the intervention names."""
    named = session.scalars(
        select(ClaimConcept.concept_pk)
        .join(Claim, Claim.pk == ClaimConcept.claim_pk)
        .where(
            ClaimConcept.role == "condition",
            Claim.status == Status.published,
            Claim.intervention_pk == intervention_pk,
        )
        .union(
            select(SearchConcept.concept_pk)
            .join(Search, Search.pk == SearchConcept.search_pk)
            .where(
                SearchConcept.role == "condition",
                Search.status == Status.published,
                Search.intervention_pk == intervention_pk,
            )
        )
    )
    return list({*named, *known.by_condition, *known.pending})


def _rows(session: Session, pks: Sequence[int]) -> list[Concept]:
    return list(session.scalars(select(Concept).where(Concept.pk.in_(pks), Concept.status == Status.published)))


# --- showing ------------------------------------------------------------------------------------------------------


def _claims_on(known: Known, outcome: int) -> set[int]:
    return {pk for (_, its_outcome), claims in known.by_cell.items() if its_outcome == outcome for pk, _ in claims}


def _ordered(concepts: Iterable[Concept], cites: Callable[[int], list[CitationRow]]) -> list[Concept]:
    """Most studies first, then most people, then by id."""

    def key(concept: Concept) -> tuple[int, int, str]:
        totals = tally(cite.counted for cite in cites(concept.pk))
        return -totals.studies, -totals.participants, concept.id

    return sorted(concepts, key=key)


def _coverage(known: Known, condition: Concept, cites: Sequence[CitationRow]) -> Coverage:
    if cites:
        return Coverage.found
    if condition.pk in known.searches and not known.of(known.by_condition.get(condition.pk, ())):
        return Coverage.searched_none_found
    return Coverage.not_searched


def _row(known: Known, condition: Concept) -> MapRow:
    cites = known.of(known.by_condition.get(condition.pk, ()))
    totals = tally(cite.counted for cite in cites)
    return MapRow(
        id=condition.id,
        name=condition.name,
        coverage=_coverage(known, condition, cites),
        studies=totals.studies,
        reviews=totals.reviews,
        participants=totals.participants,
        pending=tuple(known.pending.get(condition.pk, ())),
    )


def _cell(known: Known, condition: Concept, outcome: Concept) -> MapCell:
    claims = known.by_cell.get((condition.pk, outcome.pk), [])
    cites = known.of(pk for pk, _ in claims)
    coverage = _coverage(known, condition, cites)
    search = known.searches[condition.pk] if coverage is Coverage.searched_none_found else None
    totals = tally(cite.counted for cite in cites)
    head = claims[0][1] if cites else None
    effects = Counter((claim.effect, claim.leaning) for pk, claim in claims if pk in known.cites)
    return MapCell(
        condition=condition.id,
        outcome=outcome.id,
        coverage=coverage,
        searched_on=search.searched_on if search else None,
        search=search.id if search else None,
        studies=totals.studies,
        reviews=totals.reviews,
        participants=totals.participants,
        effect=head.effect if head else None,
        leaning=head.leaning if head else Leaning.neither,
        consensus=head.consensus if head else Consensus.uncited,
        certainty=head.certainty if head else Certainty.not_graded,
        effects=tuple(EffectCount(effect=e, leaning=side, claims=n) for (e, side), n in sorted(effects.items())),
        best_design=best_design(cites),
        pending=tuple(study.id for study in known.pending.get(condition.pk, ())),
        claim_ids=tuple(claim.id for _, claim in claims),
    )


def _ref(concept: Concept) -> ConceptRef:
    return ConceptRef(id=concept.id, name=concept.name)


def _too_much(what: str, bound: str) -> InvalidInput:
    fault = Fault("query", "condition", "too_large", f"A map holds at most {bound}: name conditions or outcomes.")
    return InvalidInput(f"There are too {what} for one map.", errors=[fault])
