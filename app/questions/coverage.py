"""What is known of a question: found, searched without a find, or not searched. An empty answer is never good news.

`found` needs a published claim about the intervention and everything else that is asked, in a form that evidence can
bear on, with a citation that tells something (`bearing.py`). A search that found nothing holds for what it names alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.models import Citation, Claim, Search, SearchConcept, SearchSource
from app.claims.responses import ClaimSummary, SelfLink
from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import (
    Certainty,
    Consensus,
    Coverage,
    Effect,
    Leaning,
    SearchDepth,
)
from app.concepts.models import Concept
from app.concepts.queries import keys_named
from app.concepts.schemas import ConceptRef, OutcomeRef
from app.core.content import ResponseModel
from app.core.english import counted
from app.core.text import Slug
from app.core.vocabulary import Status
from app.grading.wording import NO_ALL_CLEAR
from app.questions.relevance import EvidenceBody, Question, evidence_on, question_of
from app.sources.models import Study, StudyCondition, StudyIdentifier
from app.sources.vocabulary import Design, Recruitment, ResultsStatus
from app.storage.resource import RecordReader

WITHOUT_RESULTS = (ResultsStatus.pending, ResultsStatus.none_found, ResultsStatus.overdue)
MAX_PAIRS = 10
"""Questions that an empty list answers at most."""


class SearchMatch(ResponseModel):
    """A question that was put to the literature, or that nobody has put yet."""

    id: Slug
    question: str
    coverage: Coverage
    topic: str | None
    depth: SearchDepth | None
    sources: tuple[str, ...]
    searched_on: str | None
    """As precise as known; null where the day was not noted, or where nobody searched."""
    note: str | None
    links: SelfLink


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


class CoverageSummary(ResponseModel):
    """For a card. `consensus`, `leaning` and `certainty` are those of `headline`, the claim that most bears on it."""

    text: str
    headline: ClaimSummary | None
    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    best_design: Design | None
    """The strongest design of a study cited for, against or undecided; indirect ones only where there is no other."""
    studies: int
    reviews: int
    participants: int
    """People in those studies, each study once; studies of unknown size add none."""
    outcomes: tuple[OutcomeFinding, ...]
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
    records: RecordReader,
    *,
    intervention_pk: int,
    condition_pk: int | None = None,
    mechanism_pk: int | None = None,
    side_effect_pk: int | None = None,
    interactant_pk: int | None = None,
) -> CoverageRead:
    """What is known of the intervention together with everything else that is named (at least one thing)."""
    given = {
        "condition": condition_pk,
        "mechanism": mechanism_pk,
        "side_effect": side_effect_pk,
        "interactant": interactant_pk,
    }
    question = question_of(session, intervention_pk, {role: pk for role, pk in given.items() if pk is not None})
    body = evidence_on(session, question)
    searches, answer = _searches(session, question)
    refs = _references(session, [intervention_pk, *question.named.values()])
    names = [refs[intervention_pk].name, *(refs[pk].name for pk in question.named.values())]
    status = Coverage.found if body.citations else answer.coverage if answer else Coverage.not_searched
    sentence = sentence_on(status, names, answer)
    pending = _pending(session, question)
    return CoverageRead(
        status=status,
        sentence=sentence,
        intervention=refs[intervention_pk],
        condition=refs.get(condition_pk or 0),
        mechanism=refs.get(mechanism_pk or 0),
        side_effect=refs.get(side_effect_pk or 0),
        interactant=refs.get(interactant_pk or 0),
        search=answer if status is Coverage.searched_none_found else None,
        searches=searches,
        summary=_summary(records, body, pending, sentence),
    )


def coverage_of_empty_list(
    session: Session, records: RecordReader, interventions: Sequence[str], conditions: Sequence[str]
) -> tuple[CoverageRead, ...]:
    """What an empty list of claims says of the interventions and conditions that were asked for, by id or code."""
    keys = (
        keys_named(session, "intervention", interventions, "intervention"),
        keys_named(session, "condition", conditions, "condition"),
    )
    pairs = list(dict.fromkeys(product(*keys)))[:MAX_PAIRS]
    return tuple(coverage(session, records, intervention_pk=i, condition_pk=c) for i, c in pairs)


def sentence_on(status: Coverage, names: Sequence[str], search: SearchMatch | None) -> str:
    """The status in plain words; every empty answer says what it is not."""
    about = " and ".join(names)
    if status is Coverage.found:
        return f"{about}: evidence is recorded; see the claims for both sides of it."
    if status is Coverage.not_searched or search is None:
        return f"{about}: nobody has searched for this yet. {NO_ALL_CLEAR}"
    when = f"of {search.searched_on}" if search.searched_on else "whose day was not noted"
    where = f" in {', '.join(search.sources)}" if search.sources else ""
    kind = "a limited search" if search.depth is not SearchDepth.systematic else "a search"
    return f"{about}: none found in {kind}{where} {when}. {NO_ALL_CLEAR}"


# --- the card --------------------------------------------------------------------------------------------------------


def _summary(
    records: RecordReader, body: EvidenceBody, pending: tuple[PendingStudy, ...], sentence: str
) -> CoverageSummary:
    head, totals = body.headline, body.totals
    return CoverageSummary(
        text=_text(body, len(pending)) if head else sentence,
        headline=render.summary(records, head.id) if head else None,
        consensus=head.consensus if head else Consensus.uncited,
        leaning=head.leaning if head else Leaning.neither,
        certainty=head.certainty if head else Certainty.not_graded,
        best_design=body.best_design,
        studies=totals.studies,
        reviews=totals.reviews,
        participants=totals.participants,
        outcomes=tuple(_outcomes(records, body)),
        pending=pending,
    )


def _outcomes(records: RecordReader, body: EvidenceBody) -> Iterable[OutcomeFinding]:
    """For each outcome and direction the claim that tells most, the best known first."""
    seen = set()
    for claim in body.claims:
        if claim.outcome is None or claim.form not in VOTING_FORMS or (claim.outcome.id, claim.effect) in seen:
            continue
        seen.add((claim.outcome.id, claim.effect))
        yield OutcomeFinding(outcome=claim.outcome, effect=claim.effect, claim=render.summary(records, claim.id))


_SIDES = {
    Leaning.supports: "with more weight for the claim than against it",
    Leaning.disputes: "with more weight against the claim than for it",
    Leaning.neither: "with neither side ahead",
}


def _text(body: EvidenceBody, pending: int) -> str:
    head, totals = body.headline, body.totals
    assert head is not None  # noqa: S101 - narrows the type: asked only where something was found
    amounts = []
    if totals.studies:
        people = (
            counted(totals.participants, "person", "people") if totals.participants else "an unknown number of people"
        )
        amounts.append(f"{counted(totals.studies, 'study', 'studies')} with {people}")
    if totals.reviews:
        amounts.append(counted(totals.reviews, "review", "reviews"))
    if pending:
        amounts.append(f"{counted(pending, 'registered trial', 'registered trials')} without results")
    lines = [f"{', '.join(amounts)}." if amounts else "No study is recorded; what is known is what sources state."]
    if head.effect is Effect.contraindicated:
        lines.append("The leading claim is a contraindication.")
        return " ".join(lines)
    if head.consensus is Consensus.not_applicable:
        lines.append("The leading claim reports what a source states and gathers no votes.")
    else:
        on = f" on {head.outcome.name.lower()}" if head.outcome else ""
        lines.append(
            f"The leading claim{on}: {head.consensus.label.lower()}, {_SIDES[head.leaning]}; "
            f"certainty in that answer: {head.certainty.label.lower()}."
        )
    if head.consensus in (Consensus.insufficient, Consensus.not_applicable) or head.leaning is Leaning.neither:
        lines.append(NO_ALL_CLEAR)
    return " ".join(lines)


# --- searches, pending trials, names ------------------------------------------------------------------------------


def _searches(session: Session, question: Question) -> tuple[tuple[SearchMatch, ...], SearchMatch | None]:
    """The recorded questions that touch this one, and the newest search that found nothing on just this.

    A search that also names things of another sort asked something narrower, so it is listed and answers nothing.
    """
    rows = session.scalars(
        select(Search).where(Search.status == Status.published, *_asked(question)).order_by(Search.id)
    ).all()
    pks = [row.pk for row in rows]
    linked: dict[int, dict[str, set[int]]] = {pk: {} for pk in pks}
    for pk, role, concept in session.execute(
        select(SearchConcept.search_pk, SearchConcept.role, SearchConcept.concept_pk).where(
            SearchConcept.search_pk.in_(pks)
        )
    ):
        linked[pk].setdefault(role, set()).add(concept)
    sources: dict[int, list[str]] = {pk: [] for pk in pks}
    for pk, name in session.execute(
        select(SearchSource.search_pk, SearchSource.name)
        .where(SearchSource.search_pk.in_(pks))
        .order_by(SearchSource.search_pk, SearchSource.position)
    ):
        sources[pk].append(name)
    matches = {row.pk: search_match(row, sources[row.pk]) for row in rows}
    answers = [
        matches[row.pk]
        for row in rows
        if row.coverage == Coverage.searched_none_found and _answers(question, row, linked[row.pk])
    ]
    newest = max(answers, key=lambda match: (match.searched_on or "", match.id), default=None)
    return tuple(matches.values()), newest


def _asked(question: Question) -> list[ColumnElement[bool]]:
    def names(role: str, pks: Sequence[int]) -> ColumnElement[bool]:
        linked = select(SearchConcept.search_pk).where(SearchConcept.role == role, SearchConcept.concept_pk.in_(pks))
        return Search.pk.in_(linked)

    if "interactant" in question.named:
        subject = or_(
            and_(Search.intervention_pk == question.intervention, names("interactant", question.other_line)),
            and_(Search.intervention_pk == question.named["interactant"], names("interactant", question.line)),
        )
    else:
        subject = Search.intervention_pk == question.intervention
    return [subject, *(names(role, [pk]) for role, pk in question.named.items() if role != "interactant")]


def _answers(question: Question, row: Search, linked: Mapping[str, set[int]]) -> bool:
    if set(linked) != set(question.named):
        return False
    named = dict(question.named)
    if row.intervention_pk != question.intervention:
        named["interactant"] = question.intervention
    return all(pk in linked[role] for role, pk in named.items())


def search_match(row: Search, sources: Sequence[str]) -> SearchMatch:
    return SearchMatch(
        id=row.id,
        question=row.question,
        coverage=Coverage(row.coverage),
        topic=row.topic,
        depth=SearchDepth(row.depth) if row.depth else None,
        sources=tuple(sources),
        searched_on=row.searched_on,
        note=row.note,
        links=SelfLink(self=render.address("searches", row.id)),
    )


def _pending(session: Session, question: Question) -> tuple[PendingStudy, ...]:
    if "condition" not in question.named:
        return ()
    found = pending_trials(session, question.intervention, [question.named["condition"]])
    return tuple(study for _, study in found)


def pending_trials(
    session: Session, intervention_pk: int, condition_pks: Sequence[int] | None = None
) -> list[tuple[int, PendingStudy]]:
    """Registered trials in the conditions, or in any, whose results were not read; with the condition's key.

    A study does not name its drug: one that is cited for other interventions alone belongs to them. Two statements.
    """
    cited = select(Citation.study_pk).join(Claim, Claim.pk == Citation.claim_pk).where(Citation.study_pk.is_not(None))
    ours = cited.where(Claim.intervention_pk == intervention_pk)
    theirs = cited.where(Claim.intervention_pk.is_not(None))
    rows = session.execute(
        select(StudyCondition.concept_pk, Study)
        .join(Study, Study.pk == StudyCondition.study_pk)
        .where(
            *(() if condition_pks is None else (StudyCondition.concept_pk.in_(condition_pks),)),
            Study.status == Status.published,
            Study.results.in_(WITHOUT_RESULTS),
            or_(Study.pk.in_(ours), Study.pk.not_in(theirs)),
        )
        .order_by(StudyCondition.concept_pk, Study.id)
    ).all()
    registered: dict[int, list[str]] = {}
    for pk, value in session.execute(
        select(StudyIdentifier.study_pk, StudyIdentifier.value)
        .where(StudyIdentifier.study_pk.in_([study.pk for _, study in rows]))
        .order_by(StudyIdentifier.study_pk, StudyIdentifier.position)
    ):
        registered.setdefault(pk, []).append(value)
    return [
        (
            condition,
            PendingStudy(
                id=study.id,
                name=study.name,
                registry_ids=tuple(registered.get(study.pk, ())),
                recruitment=Recruitment(study.recruitment) if study.recruitment else None,
                results=ResultsStatus(study.results or ""),
                links=SelfLink(self=render.address("studies", study.id)),
            ),
        )
        for condition, study in rows
    ]


def _references(session: Session, pks: Sequence[int]) -> dict[int, ConceptRef]:
    rows = session.execute(select(Concept.pk, Concept.id, Concept.name).where(Concept.pk.in_(pks)))
    return {pk: ConceptRef(id=record_id, name=name) for pk, record_id, name in rows}
