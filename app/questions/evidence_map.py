"""The evidence map of an intervention: conditions by outcomes, a cell for every pair, empty ones included.

One call serves a bubble chart: the number of statements does not depend on the size of the map.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.models import Claim, ClaimConcept, LiteratureSearch
from app.claims.responses import ClaimSummary, SubgroupRef
from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import HARM_KINDS, Coverage
from app.concepts.lineage import intervention_tree
from app.concepts.models import Concept
from app.concepts.schemas import ConceptRef, OutcomeRef
from app.concepts.vocabulary import Better
from app.core import deadline
from app.core.content import ResponseModel
from app.core.errors import Fault, InvalidInput
from app.core.text import Slug
from app.core.vocabulary import Status
from app.grading.counts import Amounts
from app.grading.wording import NO_ALL_CLEAR
from app.questions.coverage import PendingStudy, pending_trials
from app.questions.relevance import (
    MAIN_KIND,
    InformativeCitation,
    RelevantClaim,
    amounts_of,
    best_design,
    headline_of,
    informative_citations,
    is_relevant,
    relevant_claims,
)
from app.questions.searches import RecordedSearch, SearchMatch, newest, recorded_searches
from app.sources.vocabulary import Design

ConceptRow = Row[int, str, str, str | None]
"""Key, id, name and, of outcomes, the direction in which they improve."""

MAX_CELLS = 5_000
MAX_CLAIMS = 5_000


class MapCell(ResponseModel):
    """One condition and one outcome. Verdicts of several claims are never merged: the cell names one claim."""

    condition: Slug
    outcome: Slug
    coverage: Coverage
    """`not_searched` and `searched_none_found` are not evidence of no effect or of safety."""
    searched_on: str | None
    search: Slug | None
    """The search that found nothing, where that is the coverage."""
    studies: int
    """Studies that vote on that claim, as it counts them; claims are never added up."""
    reviews: int
    """Reviews that measured it."""
    participants: int
    """People in those studies, each study once; studies of unknown size add none."""
    headline_claim: ClaimSummary | None
    """The claim on exactly this intervention, condition and outcome with the most weight; null without one."""
    other_claims: int
    """Further claims in the cell."""
    best_design: Design | None
    pending: tuple[Slug, ...]
    """Registered trials in the condition whose results were not read; which outcomes they measure is not recorded."""
    claim_ids: tuple[Slug, ...]
    subgroup: SubgroupRef | None
    """Whom alone the cell is about; null in `cells`, which are about everybody with the condition."""


class MapRow(ConceptRef):
    """A condition, with the numbers of the claim that tells most about it, as its coverage gives them."""

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
    subgroup_cells: tuple[MapCell, ...]
    """Of claims on some people alone, which are in none of `cells`: one for each condition, outcome and subgroup on
    which something is claimed, in the order of `cells`, then by the id of the subgroup."""
    cells_at_most: int
    """Maps with more cells are refused: narrow them by `condition` or `outcome`."""


class CellKey(NamedTuple):
    """The claims of a cell: condition and outcome by internal key, and the id of a subgroup."""

    condition: int
    outcome: int
    subgroup: str | None = None


@dataclass(frozen=True)
class MapData:
    """All that is recorded on the intervention, by internal keys."""

    by_cell: Mapping[CellKey, list[RelevantClaim]]
    """Claims: those with informative citations first, then by rank."""
    by_condition: Mapping[int, Mapping[int, RelevantClaim]]
    """Condition → relevant claims by their key, with or without an outcome."""
    citations: Mapping[int, list[InformativeCitation]]
    """Claim → informative citations; claims without any are absent."""
    searches: Sequence[RecordedSearch]
    pending: Mapping[int, list[PendingStudy]]
    """Condition → trials whose results were not read."""
    intervention: int
    summaries: Mapping[str, ClaimSummary]
    """By id, of the claims that head a cell."""

    def headline(self, claims: Sequence[RelevantClaim]) -> RelevantClaim | None:
        """The claim whose numbers and verdict a cell shows."""
        return _cell_headline(self.intervention, claims)

    def citations_of(self, claims: Iterable[int]) -> list[InformativeCitation]:
        return [citation for pk in claims for citation in self.citations.get(pk, ())]

    def subgroups(self, condition: int, outcome: int) -> list[SubgroupRef]:
        """Those on which something is claimed, by id."""
        return self._subgroups.get((condition, outcome), [])

    @cached_property
    def _subgroups(self) -> Mapping[tuple[int, int], list[SubgroupRef]]:
        groups: dict[tuple[int, int], list[SubgroupRef]] = {}
        for key, claims in self.by_cell.items():
            if claims[0].subgroup is not None:
                groups.setdefault((key.condition, key.outcome), []).append(claims[0].subgroup)
        return {place: sorted(found, key=lambda group: group.id) for place, found in groups.items()}

    def citations_on(self, condition: int) -> list[InformativeCitation]:
        return self.citations_of(self.by_condition.get(condition, ()))

    def amounts_on(self, condition: int) -> Amounts:
        """The numbers that the coverage of the condition gives."""
        cited = (claim for pk, claim in self.by_condition.get(condition, {}).items() if pk in self.citations)
        return amounts_of(headline_of(cited, (MAIN_KIND["condition"],), self.intervention))

    @cached_property
    def empty_searches(self) -> Mapping[int, SearchMatch]:
        """Condition → the newest search that found nothing; one that also names other kinds of concepts is narrower."""
        plain = [search for search in self.searches if set(search.concepts) == {"condition"}]
        conditions = {pk for search in plain for pk in search.concepts["condition"]}
        matches = {pk: newest(search for search in plain if pk in search.concepts["condition"]) for pk in conditions}
        return {pk: match for pk, match in matches.items() if match is not None}

    def coverage(self, condition: int, citations: Sequence[InformativeCitation]) -> Coverage:
        """Of a cell or a row with these citations."""
        if citations:
            return Coverage.found
        if condition in self.empty_searches and not self.citations_on(condition):
            return Coverage.searched_none_found
        return Coverage.not_searched


def evidence_map(
    session: Session, *, intervention_pk: int, condition_pks: Sequence[int], outcome_pks: Sequence[int]
) -> EvidenceMapRead:
    """The map of the conditions and outcomes that are named, else of all on which anything is recorded."""
    intervention = session.get_one(Concept, intervention_pk)
    data = _read(session, intervention, condition_pks)
    by_outcome: dict[int, list[Amounts]] = {}
    for key, claims in data.by_cell.items():
        by_outcome.setdefault(key.outcome, []).append(amounts_of(data.headline(claims)))
    conditions = _concepts(session, condition_pks or _conditions(session, intervention_pk, data))
    outcomes = _concepts(session, outcome_pks or list(by_outcome))
    if len(conditions) * len(outcomes) > MAX_CELLS:
        raise _too_large("many conditions and outcomes", f"{MAX_CELLS} cells")
    conditions = _most_studied_first(conditions, lambda pk: [data.amounts_on(pk)])
    outcomes = _most_studied_first(outcomes, lambda pk: by_outcome.get(pk, ()))
    return EvidenceMapRead(
        intervention=ConceptRef(id=intervention.id, name=intervention.name),
        notice=f"An empty cell: nothing found, or nobody searched. {NO_ALL_CLEAR}",
        conditions=tuple(_row(data, condition) for condition in deadline.checked(conditions)),
        outcomes=tuple(OutcomeRef(id=row.id, name=row.name, better=Better(row.better)) for row in outcomes),
        cells=tuple(_cell(data, condition, outcome) for condition in conditions for outcome in outcomes),
        subgroup_cells=tuple(
            _cell(data, condition, outcome, group)
            for condition in conditions
            for outcome in outcomes
            for group in data.subgroups(condition.pk, outcome.pk)
        ),
        cells_at_most=MAX_CELLS,
    )


# --- reading ------------------------------------------------------------------------------------------------------


def _read(session: Session, intervention: Concept, condition_pks: Sequence[int]) -> MapData:
    links = select(ClaimConcept.claim_pk, ClaimConcept.concept_pk).where(ClaimConcept.role == "condition")
    about = [_on(session, intervention)]
    if condition_pks:
        links = links.where(ClaimConcept.concept_pk.in_(condition_pks))
        about.append(Claim.pk.in_(links.with_only_columns(ClaimConcept.claim_pk)))
    claims = {claim.pk: claim for claim in relevant_claims(session, *about, limit=MAX_CLAIMS + 1)}
    if len(claims) > MAX_CLAIMS:
        raise _too_large("many claims", f"{MAX_CLAIMS} claims")
    citations = informative_citations(session, *about)
    by_cell: dict[CellKey, list[RelevantClaim]] = {}
    by_condition: dict[int, dict[int, RelevantClaim]] = {}
    for claim_pk, condition_pk in session.execute(
        links.join(Claim, Claim.pk == ClaimConcept.claim_pk).where(*is_relevant(about))
    ):
        claim = claims[claim_pk]
        by_condition.setdefault(condition_pk, {})[claim_pk] = claim
        if claim.outcome_pk is not None:
            group = claim.subgroup.id if claim.subgroup else None
            by_cell.setdefault(CellKey(condition_pk, claim.outcome_pk, group), []).append(claim)
    for cell in by_cell.values():
        cell.sort(key=lambda claim: (claim.pk not in citations, claim.rank))
    pending: dict[int, list[PendingStudy]] = {}
    for condition_pk, study in pending_trials(session, intervention.pk, condition_pks or None):
        pending.setdefault(condition_pk, []).append(study)
    searches = recorded_searches(session, LiteratureSearch.intervention_pk == intervention.pk)
    headlines = [head.id for of_cell in by_cell.values() if (head := _cell_headline(intervention.pk, of_cell))]
    summaries = render.summaries(session, headlines) if headlines else {}
    return MapData(by_cell, by_condition, citations, searches, pending, intervention.pk, summaries)


def _cell_headline(intervention_pk: int, claims: Iterable[RelevantClaim]) -> RelevantClaim | None:
    """The voting claim on the intervention itself with the most weight, then by id."""
    own = (claim for claim in claims if claim.intervention_pk == intervention_pk and claim.form in VOTING_FORMS)
    return min(own, key=lambda claim: (-claim.weight, claim.id), default=None)


def _on(session: Session, intervention: Concept) -> ColumnElement[bool]:
    """Claims on the intervention, and the harms of its drug and classes."""
    own, sources = Claim.intervention_pk == intervention.pk, list(intervention_tree(session).lines(intervention.pk))
    return or_(own, and_(Claim.intervention_pk.in_(sources), Claim.kind.in_(HARM_KINDS))) if sources else own


def _conditions(session: Session, intervention_pk: int, data: MapData) -> list[int]:
    """Conditions that any claim, search or pending trial of the intervention names."""
    of_claims = session.scalars(
        select(ClaimConcept.concept_pk)
        .join(Claim, Claim.pk == ClaimConcept.claim_pk)
        .where(
            ClaimConcept.role == "condition",
            Claim.status == Status.published,
            Claim.intervention_pk == intervention_pk,
        )
    )
    of_searches = [pk for search in data.searches for pk in search.concepts.get("condition", ())]
    return list({*of_claims, *of_searches, *data.by_condition, *data.pending})


def _concepts(session: Session, pks: Sequence[int]) -> Sequence[ConceptRow]:
    columns = (Concept.pk, Concept.id, Concept.name, Concept.better)
    return session.execute(select(*columns).where(Concept.pk.in_(pks), Concept.status == Status.published)).all()


# --- the answer ---------------------------------------------------------------------------------------------------


def _most_studied_first(
    concepts: Iterable[ConceptRow], amounts: Callable[[int], Iterable[Amounts]]
) -> list[ConceptRow]:
    """By the largest number of studies on a claim, then of people, then by id."""

    def key(concept: ConceptRow) -> tuple[int, int, str]:
        most = max(((one.studies, one.participants) for one in amounts(concept.pk)), default=(0, 0))
        return -most[0], -most[1], concept.id

    return sorted(concepts, key=key)


def _row(data: MapData, condition: ConceptRow) -> MapRow:
    citations = data.citations_on(condition.pk)
    return MapRow(
        id=condition.id,
        name=condition.name,
        coverage=data.coverage(condition.pk, citations),
        **data.amounts_on(condition.pk)._asdict(),
        pending=tuple(data.pending.get(condition.pk, ())),
    )


def _cell(data: MapData, condition: ConceptRow, outcome: ConceptRow, group: SubgroupRef | None = None) -> MapCell:
    claims = data.by_cell.get(CellKey(condition.pk, outcome.pk, group.id if group else None), [])
    citations = data.citations_of(claim.pk for claim in claims)
    coverage = data.coverage(condition.pk, citations)
    search = data.empty_searches[condition.pk] if coverage is Coverage.searched_none_found else None
    headline = data.headline(claims)
    return MapCell(
        condition=condition.id,
        outcome=outcome.id,
        coverage=coverage,
        searched_on=search.searched_on if search else None,
        search=search.id if search else None,
        **amounts_of(headline)._asdict(),
        headline_claim=data.summaries[headline.id] if headline else None,
        other_claims=len(claims) - (headline is not None),
        best_design=best_design(citations),
        pending=tuple(study.id for study in data.pending.get(condition.pk, ())),
        claim_ids=tuple(claim.id for claim in claims),
        subgroup=group,
    )


def _too_large(what: str, bound: str) -> InvalidInput:
    fault = Fault("query", "condition", "too_large", f"A map holds at most {bound}: name conditions or outcomes.")
    return InvalidInput(f"There are too {what} for one map.", errors=[fault])
