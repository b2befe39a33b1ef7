"""Which claims a brief is made of, and where in it each of them stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.briefs.wording import inline
from app.claims.models import Citation, Claim, ClaimConcept
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import HARM_KINDS, Effect, Form, Kind, RelationType
from app.concepts.models import Concept
from app.concepts.vocabulary import InterventionLevel
from app.core.vocabulary import Status
from app.sources.models import Document, Study
from app.sources.vocabulary import Standing
from app.storage.rows import key_of

MAX_CLAIMS = 1000
"""Claims considered for one brief, those with the most studies first."""

SECTIONS = {
    "what-it-is": "What it is",
    "how-it-may-work": "How it may work",
    "does-it-help": "Does it help?",
    "dosing": "Dosing",
    "side-effects": "Side effects",
    "cautions": "Cautions",
    "unknown": "What is unknown",
    "elsewhere": "In other conditions",
}
"""Id and title, in reading order."""


@dataclass(frozen=True)
class Pair:
    """What a brief is about. A regimen inherits from its drug, the `parent`; others from nothing."""

    intervention: str
    condition: str
    parent: str | None


def pair_of(session: Session, intervention_pk: int, condition_pk: int) -> Pair:
    intervention = session.get_one(Concept, intervention_pk)
    parent = None
    if intervention.level == InterventionLevel.regimen and intervention.parent_pk is not None:
        parent = session.get_one(Concept, intervention.parent_pk).id
    return Pair(intervention.id, session.get_one(Concept, condition_pk).id, parent)


# --- choosing -----------------------------------------------------------------------------------------------------


def claim_ids(session: Session, pair: Pair) -> list[str]:
    """Claims of the intervention, of its parent drug, and those of no intervention that the condition calls for."""
    condition = key_of(session, Concept, pair.condition, "condition")
    own = key_of(session, Concept, pair.intervention, "intervention")
    on_condition = Claim.pk.in_(_naming("condition", [condition]))
    nothing_named = ~Claim.pk.in_(select(ClaimConcept.claim_pk).where(ClaimConcept.role == "condition"))
    wanted: list[ColumnElement[bool]] = [
        Claim.intervention_pk == own,
        and_(Claim.intervention_pk.is_(None), or_(on_condition, nothing_named)),
        and_(Claim.kind == Kind.regulatory, Claim.effect == Effect.approved, on_condition),
        and_(Claim.intervention_pk.is_(None), Claim.kind == Kind.background, Claim.pk.in_(_of_neighbours(own))),
    ]
    if pair.parent is not None:
        wanted.append(Claim.intervention_pk == key_of(session, Concept, pair.parent, "intervention"))
    # What is about the pair itself comes first, should there ever be too much.
    nearest = (on_condition.desc(), (Claim.intervention_pk == own).desc().nulls_last())
    statement = (
        select(Claim.id)
        .where(Claim.status == Status.published, or_(*wanted))
        .order_by(*nearest, Claim.study_count.desc(), Claim.id)
        .limit(MAX_CLAIMS)
    )
    return list(session.scalars(statement))


def _naming(role: str, keys: Sequence[int]) -> Select[Any]:
    return select(ClaimConcept.claim_pk).where(ClaimConcept.role == role, ClaimConcept.concept_pk.in_(keys))


def _of_neighbours(intervention: int) -> Select[Any]:
    """Claims about conditions for which the intervention is spoken of."""
    neighbours = (
        select(ClaimConcept.concept_pk)
        .join(Claim, Claim.pk == ClaimConcept.claim_pk)
        .where(ClaimConcept.role == "condition", Claim.intervention_pk == intervention)
    )
    return select(ClaimConcept.claim_pk).where(
        ClaimConcept.role == "condition", ClaimConcept.concept_pk.in_(neighbours)
    )


# --- placing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    section: str
    topic: str
    rank: int = 0
    """Topics of a section go by rank, then by how much was studied, then by name."""


def places(pair: Pair, claims: Mapping[str, ClaimWrite], name: Callable[[str, str], str]) -> dict[str, Place]:
    """Where each claim stands; claims that the brief has no use for are left out.

    `name` gives the name of a concept by type and id.
    """
    found = {claim.id: place for claim in claims.values() if (place := _place(pair, claims, claim, name))}
    for claim in claims.values():
        if claim.kind is Kind.advice and claim.id in found:
            related = next((found[r.claim] for r in claim.relations if r.claim in found), None)
            section = related.section if related else "cautions"
            found[claim.id] = Place(section, "What the source article advises", 9)
    return found


def _place(
    pair: Pair, claims: Mapping[str, ClaimWrite], claim: ClaimWrite, name: Callable[[str, str], str]
) -> Place | None:
    concerns = not claim.conditions or pair.condition in claim.conditions
    if claim.intervention is None and not claim.conditions and not _called_for(pair, claims, claim):
        return None
    if claim.kind in HARM_KINDS and claim.intervention is not None:
        return _harm(pair, claim, name)
    if pair.parent is not None and claim.intervention == pair.parent:
        return _of_parent(pair, claim, name)
    if not concerns:
        others = [condition for condition in claim.conditions if condition != pair.condition]
        return Place("elsewhere", name("condition", others[0]))
    if claim.kind is Kind.mechanism:
        return _mechanism(claim, name)
    if claim.kind is Kind.efficacy:
        return _benefit(claim)
    if claim.kind is Kind.dosing:
        return Place("dosing", "Doses studied and used")
    if claim.kind is Kind.research_gap:
        return Place("unknown", "Gaps that sources name")
    if claim.kind in HARM_KINDS:
        return Place("cautions", "Warnings", 2)
    return _what_it_is(pair, claim, name)


def _called_for(pair: Pair, claims: Mapping[str, ClaimWrite], claim: ClaimWrite) -> bool:
    """General background belongs here where the intervention's claims share its mechanism or its origin."""
    ours = [c for c in claims.values() if c.intervention == pair.intervention]
    mechanisms = {mechanism for c in ours for mechanism in c.mechanisms}
    origins = {c.origin.document for c in ours if c.origin}
    return bool(mechanisms & set(claim.mechanisms)) or (claim.origin is not None and claim.origin.document in origins)


def _harm(pair: Pair, claim: ClaimWrite, name: Callable[[str, str], str]) -> Place:
    """Harm crosses doses and conditions: what was seen elsewhere is told here too."""
    if claim.effect is Effect.contraindicated:
        return Place("cautions", "Contraindications")
    if claim.kind is Kind.interaction or claim.effect is Effect.interacts:
        return Place("cautions", "Interactions", 1)
    if claim.intervention == pair.parent:
        return Place("cautions", "Warnings", 2)
    if claim.side_effects:
        return Place("side-effects", name("side_effect", claim.side_effects[0]), 1)
    return Place("side-effects", "Altogether")


def _of_parent(pair: Pair, claim: ClaimWrite, name: Callable[[str, str], str]) -> Place | None:
    """Benefit never crosses doses: what the drug does for this very condition is no answer for the regimen."""
    if claim.kind is Kind.mechanism:
        return _mechanism(claim, name)
    if claim.kind is Kind.efficacy and (not claim.conditions or pair.condition in claim.conditions):
        return None
    if claim.side_effects:
        return Place("cautions", "Warnings", 2)
    return Place("what-it-is", f"{name('intervention', claim.intervention or '')}, the parent drug", 1)


def _mechanism(claim: ClaimWrite, name: Callable[[str, str], str]) -> Place:
    if claim.mechanisms:
        return Place("how-it-may-work", name("mechanism", claim.mechanisms[0]))
    return Place("how-it-may-work", "In general", 1)


def _benefit(claim: ClaimWrite) -> Place:
    if claim.form in VOTING_FORMS:
        return Place("does-it-help", "By outcome")
    if claim.form is Form.study_report:
        return Place("does-it-help", "What single studies reported", 1)
    return Place("does-it-help", "How it is spoken of", 2)


def _what_it_is(pair: Pair, claim: ClaimWrite, name: Callable[[str, str], str]) -> Place:
    if claim.intervention == pair.intervention:
        if claim.form is Form.regulatory_status:
            return Place("what-it-is", "Approval and supply")
        return Place("what-it-is", "In use", 2)
    if claim.intervention is not None:
        return Place("what-it-is", f"Drugs approved for {inline(name('condition', pair.condition))}", 4)
    if claim.conditions:
        return Place("what-it-is", name("condition", pair.condition), 3)
    return Place("what-it-is", "Terms", 5)


def roots(claims: Mapping[str, ClaimWrite], placed: Mapping[str, Place]) -> dict[str, str]:
    """For each placed claim that restates another placed one: the claim at the end of that chain."""
    parents = {
        claim.id: relation.claim
        for claim in claims.values()
        for relation in claim.relations
        if relation.type is RelationType.restates and claim.id in placed and relation.claim in placed
    }
    found: dict[str, str] = {}
    for claim_id in parents:
        end, seen = claim_id, {claim_id}
        while end in parents and parents[end] not in seen:
            end = parents[end]
            seen.add(end)
        if end != claim_id and end not in parents:
            found[claim_id] = end
    return found


# --- which briefs there are ---------------------------------------------------------------------------------------


def pairs() -> tuple[Select[str, str, str, str, int, int], type[Concept], type[Concept]]:
    """Pairs that at least one claim names, with their statements and the studies cited for them.

    Also the two aliases to filter, order and page by: intervention and condition.
    """
    intervention, condition = aliased(Concept), aliased(Concept)
    statement = (
        select(
            intervention.id.label("intervention"),
            intervention.name.label("intervention_name"),
            condition.id.label("condition"),
            condition.name.label("condition_name"),
            func.count(Claim.pk.distinct()).label("statements"),
            func.count(Study.pk.distinct()).label("studies"),
        )
        .select_from(Claim)
        .join(intervention, intervention.pk == Claim.intervention_pk)
        .join(ClaimConcept, and_(ClaimConcept.claim_pk == Claim.pk, ClaimConcept.role == "condition"))
        .join(condition, condition.pk == ClaimConcept.concept_pk)
        .outerjoin(Citation, Citation.claim_pk == Claim.pk)
        .outerjoin(Document, and_(Document.pk == Citation.document_pk, Document.standing != Standing.retracted))
        .outerjoin(Study, and_(Study.pk == Citation.study_pk, Study.is_review.is_(False), Document.pk.is_not(None)))
        .where(
            Claim.status == Status.published,
            intervention.status == Status.published,
            condition.status == Status.published,
        )
        .group_by(intervention.id, intervention.name, condition.id, condition.name)
    )
    return statement, intervention, condition
