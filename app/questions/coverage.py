"""What is known of a question: found, searched without a find, or not searched. An empty answer is never good news.

`found` needs a relevant published claim with an informative citation (`relevance.py`). A search that found nothing
answers only the question that it names.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.models import Citation, Claim, LiteratureSearch
from app.claims.responses import ClaimSummary, SelfLink, SubgroupRef
from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import Coverage, Effect, SearchDepth
from app.concepts.models import Concept
from app.concepts.queries import concept_keys
from app.concepts.schemas import ConceptRef, OutcomeRef
from app.core.content import ResponseModel
from app.core.english import inline, join_and, join_sentences, quantity
from app.core.text import Slug
from app.core.vocabulary import Status
from app.grading.wording import NEVER_SEARCHED, NO_ALL_CLEAR, search_text
from app.questions.relevance import (
    EvidenceBody,
    EvidenceQuestion,
    RelevantClaim,
    amounts_of,
    best_design,
    evidence_on,
    evidence_question,
    relatives_with_evidence,
)
from app.questions.searches import RecordedSearch, SearchMatch, names_concept, newest, recorded_searches
from app.sources.models import Study, StudyCondition, StudyIdentifier
from app.sources.vocabulary import Design, Recruitment, ResultsStatus

WITHOUT_RESULTS = (ResultsStatus.pending, ResultsStatus.none_found, ResultsStatus.overdue)
MAX_PAIRS = 10
"""Questions that the coverage of an empty list answers at most."""


class PendingStudy(ResponseModel):
    """A registered trial whose results have not been read anywhere."""

    id: Slug
    name: str
    registry_ids: tuple[str, ...]
    recruitment: Recruitment | None
    results: ResultsStatus
    links: SelfLink


class OutcomeFinding(ResponseModel):
    """What is claimed of an outcome, by the claim that most evidence bears on."""

    outcome: OutcomeRef
    effect: Effect
    claim: ClaimSummary


class SubgroupFinding(ResponseModel):
    """What is claimed of some people alone, by the claim that most evidence bears on."""

    subgroup: SubgroupRef
    claim: ClaimSummary


class CoverageSummary(ResponseModel):
    """For a card. Verdicts of several claims are never merged: the answer is that of one claim."""

    text: str
    """The answer on the headline claim with its counts; without one, what was and was not looked for."""
    headline_claim: ClaimSummary | None
    """The claim on exactly this question with the most weight; never one on a subgroup."""
    other_claims: int
    """Further claims with evidence on the question."""
    best_design: Design | None
    """The strongest design of a study cited for, against or undecided; indirect ones only where there is no other."""
    studies: int
    """Studies that vote on the headline, as that claim counts them."""
    reviews: int
    """Reviews that measured it."""
    participants: int
    """People in those studies, each study once; studies of unknown size add none."""
    outcomes: tuple[OutcomeFinding, ...]
    subgroups: tuple[SubgroupFinding, ...]
    """What is claimed of some people alone; it does not answer for everybody."""
    pending: tuple[PendingStudy, ...]


class CoverageRead(ResponseModel):
    """What is known of an intervention and a condition, mechanism, side effect or other drug."""

    status: Coverage
    sentence: str
    intervention: ConceptRef
    condition: ConceptRef | None
    mechanism: ConceptRef | None
    side_effect: ConceptRef | None
    interactant: ConceptRef | None
    search: SearchMatch | None
    """The search that found nothing, where that is the status."""
    searches: tuple[SearchMatch, ...]
    """Every recorded question that touches this one, open ones included."""
    summary: CoverageSummary


def coverage(
    session: Session,
    *,
    intervention_pk: int,
    condition_pk: int | None = None,
    mechanism_pk: int | None = None,
    side_effect_pk: int | None = None,
    interactant_pk: int | None = None,
) -> CoverageRead:
    """What is known of the intervention together with everything else that is named (at least one concept)."""
    keys = {
        "condition": condition_pk,
        "mechanism": mechanism_pk,
        "side_effect": side_effect_pk,
        "interactant": interactant_pk,
    }
    question = evidence_question(session, intervention_pk, {role: pk for role, pk in keys.items() if pk is not None})
    body = evidence_on(session, question)
    searches = recorded_searches(session, *_on(question))
    answer = newest(search for search in searches if _answers(search, question))
    refs = _references(session, [intervention_pk, *question.concepts.values()])
    status = Coverage.found if body.claims else answer.coverage if answer else Coverage.not_searched
    names = [refs[pk].name for pk in (intervention_pk, *question.concepts.values())]
    sentence = sentence_on(status, names, answer)
    if body.claims and not body.on_everybody:
        sentence = _sentence_on_subgroups(names, body)
    elif status is Coverage.not_searched and (relatives := relatives_with_evidence(session, question)):
        others = _references(session, relatives)
        sentence = _sentence_on_relatives(names, [others[pk].name for pk in relatives])
    return CoverageRead(
        status=status,
        sentence=sentence,
        intervention=refs[intervention_pk],
        **{role: None if pk is None else refs[pk] for role, pk in keys.items()},
        search=answer if status is Coverage.searched_none_found else None,
        searches=tuple(search.match for search in searches),
        summary=_summary(session, body, _pending(session, question), sentence),
    )


class CoverageOfPairs(NamedTuple):
    """The coverage of pairs of an intervention and a condition."""

    pairs: tuple[CoverageRead, ...]
    is_truncated: bool
    """Whether there are more pairs."""


def coverage_of_empty_list(
    session: Session, interventions: Sequence[str], conditions: Sequence[str]
) -> CoverageOfPairs:
    """The coverage of each intervention with each condition that filters name by id or code, at most MAX_PAIRS."""
    keys = (
        concept_keys(session, "intervention", interventions, "intervention"),
        concept_keys(session, "condition", conditions, "condition"),
    )
    pairs = list(dict.fromkeys(product(*keys)))
    found = tuple(coverage(session, intervention_pk=i, condition_pk=c) for i, c in pairs[:MAX_PAIRS])
    return CoverageOfPairs(found, len(pairs) > MAX_PAIRS)


def sentence_on(status: Coverage, names: Sequence[str], search: SearchMatch | None) -> str:
    """The status in plain words; every empty answer says what it is not."""
    about = " and ".join(names)
    if status is Coverage.found:
        return f"{about}: evidence is recorded; see the claims for both sides of it."
    found = None if search is None or status is Coverage.not_searched else search
    sentence = search_text(found.searched_on, is_limited=found.depth is not SearchDepth.systematic) if found else None
    return f"{about}: {inline(sentence or NEVER_SEARCHED)} {NO_ALL_CLEAR}"


def _sentence_on_subgroups(names: Sequence[str], body: EvidenceBody) -> str:
    """That evidence is recorded for some people alone."""
    groups = join_and(claim.subgroup.label for claim in body.subgroup_headlines if claim.subgroup)
    return f"{' and '.join(names)}: evidence is recorded in {groups} alone, and none for everybody. {NO_ALL_CLEAR}"


def _sentence_on_relatives(names: Sequence[str], relatives: Sequence[str]) -> str:
    """That evidence is recorded for another dose or form of the drug."""
    others = join_and(inline(name) for name in relatives)
    return f"{' and '.join(names)}: nothing is recorded of just this; evidence is recorded of {others}. {NO_ALL_CLEAR}"


# --- the card --------------------------------------------------------------------------------------------------------


def _summary(session: Session, body: EvidenceBody, pending: tuple[PendingStudy, ...], sentence: str) -> CoverageSummary:
    headline, on_outcomes = body.headline, _on_outcomes(body.on_everybody)
    claims = [*([headline] if headline else []), *on_outcomes.values(), *body.subgroup_headlines]
    summaries = render.summaries(session, [claim.id for claim in claims]) if claims else {}
    counts = amounts_of(headline)
    return CoverageSummary(
        text=_text(summaries[headline.id], len(pending)) if headline else sentence,
        headline_claim=summaries[headline.id] if headline else None,
        other_claims=len(body.claims) - (headline is not None),
        best_design=best_design(body.citations),
        **counts._asdict(),
        outcomes=tuple(
            OutcomeFinding(outcome=outcome, effect=effect, claim=summaries[claim.id])
            for (outcome, effect), claim in on_outcomes.items()
        ),
        subgroups=tuple(
            SubgroupFinding(subgroup=claim.subgroup, claim=summaries[claim.id])
            for claim in body.subgroup_headlines
            if claim.subgroup
        ),
        pending=pending,
    )


def _on_outcomes(claims: Iterable[RelevantClaim]) -> dict[tuple[OutcomeRef, Effect], RelevantClaim]:
    """For each outcome and direction the claim that ranks first among those that gather votes."""
    first: dict[tuple[OutcomeRef, Effect], RelevantClaim] = {}
    for claim in claims:
        if claim.outcome is not None and claim.form in VOTING_FORMS:
            first.setdefault((claim.outcome, claim.effect), claim)
    return first


def _text(headline: ClaimSummary, pending: int) -> str:
    trials = quantity(pending, "registered trial has", "registered trials have")
    return join_sentences(
        headline.answer, headline.counts_text, f"{trials} no results yet." if pending else "", headline.caveat
    )


# --- searches, pending trials, names ------------------------------------------------------------------------------


def _on(question: EvidenceQuestion) -> list[ColumnElement[bool]]:
    """Conditions that hold for searches on the intervention and everything else that is named."""
    intervention = LiteratureSearch.intervention_pk
    subject = intervention == question.intervention
    if "interactant" in question.concepts:
        subject = or_(
            and_(subject, names_concept("interactant", question.interactant_relatives)),
            and_(intervention == question.concepts["interactant"], names_concept("interactant", question.relatives)),
        )
    return [subject, *(names_concept(role, [pk]) for role, pk in question.concepts.items() if role != "interactant")]


def _answers(search: RecordedSearch, question: EvidenceQuestion) -> bool:
    """Whether the search is about just this question: one that also names other kinds of concepts is narrower."""
    concepts = dict(question.concepts)
    if search.intervention != question.intervention:
        concepts["interactant"] = question.intervention
    is_narrower = set(search.concepts) != set(concepts)
    return not is_narrower and all(pk in search.concepts[role] for role, pk in concepts.items())


def _pending(session: Session, question: EvidenceQuestion) -> tuple[PendingStudy, ...]:
    if "condition" not in question.concepts:
        return ()
    trials = pending_trials(session, question.intervention, [question.concepts["condition"]])
    return tuple(study for _, study in trials)


def pending_trials(
    session: Session, intervention_pk: int, condition_pks: Sequence[int] | None = None
) -> list[tuple[int, PendingStudy]]:
    """Registered trials in the conditions, or in any, whose results were not read; with the condition's key.

    A study does not name its drug: one that is cited only for other interventions is left out. Two statements.
    """
    cited = select(Citation.study_pk).join(Claim, Claim.pk == Citation.claim_pk).where(Citation.study_pk.is_not(None))
    own = cited.where(Claim.intervention_pk == intervention_pk)
    of_any = cited.where(Claim.intervention_pk.is_not(None))
    rows = session.execute(
        select(StudyCondition.concept_pk, Study.pk, Study.id, Study.name, Study.recruitment, Study.results)
        .join(Study, Study.pk == StudyCondition.study_pk)
        .where(
            *(() if condition_pks is None else (StudyCondition.concept_pk.in_(condition_pks),)),
            Study.status == Status.published,
            Study.results.in_(WITHOUT_RESULTS),
            or_(Study.pk.in_(own), Study.pk.not_in(of_any)),
        )
        .order_by(StudyCondition.concept_pk, Study.id)
    ).all()
    registry_ids = _registry_ids(session, [row.pk for row in rows])
    return [
        (
            row.concept_pk,
            PendingStudy(
                id=row.id,
                name=row.name,
                registry_ids=tuple(registry_ids[row.pk]),
                recruitment=Recruitment(row.recruitment) if row.recruitment else None,
                results=ResultsStatus(row.results),
                links=SelfLink(self=render.address("studies", row.id)),
            ),
        )
        for row in rows
    ]


def _registry_ids(session: Session, study_pks: Sequence[int]) -> Mapping[int, list[str]]:
    """Registry ids as they were read, by the study's key."""
    by_study: dict[int, list[str]] = {pk: [] for pk in study_pks}
    if study_pks:
        statement = select(StudyIdentifier.study_pk, StudyIdentifier.value).order_by(StudyIdentifier.position)
        for pk, value in session.execute(statement.where(StudyIdentifier.study_pk.in_(study_pks))):
            by_study[pk].append(value)
    return by_study


def _references(session: Session, pks: Sequence[int]) -> dict[int, ConceptRef]:
    rows = session.execute(select(Concept.pk, Concept.id, Concept.name).where(Concept.pk.in_(pks)))
    return {pk: ConceptRef(id=record_id, name=name) for pk, record_id, name in rows}
