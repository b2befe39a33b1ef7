"""Selects the claims of a brief and the place of each of them in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, desc, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.claims.models import Citation, Claim, ClaimConcept
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import HARM_KINDS, Effect, Form, Kind, RelationType
from app.concepts.lineage import inheritances
from app.concepts.models import Concept
from app.concepts.schemas import Inheritance
from app.concepts.vocabulary import REGIMEN
from app.core.english import inline
from app.core.vocabulary import Status
from app.grading.derive import is_on_same_people
from app.sources.models import Document, Study
from app.sources.vocabulary import Standing
from app.storage.rows import key_of

MAX_CLAIMS = 300
"""Claims considered for one brief."""
MAX_BYTES = 1_000_000
"""Of a brief as JSON, by estimate: claims that do not fit any more are not shown."""
_BYTES_OF_CLAIM, _BYTES_OF_CITATION, _BYTES_OF_REFERENCE = 1_750, 900, 850
"""Measured over the data set; texts are counted beside them."""

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
    """What a brief is about."""

    intervention: str
    condition: str
    parent: str | None
    """The drug of a dose regimen."""
    inherited: Mapping[str, Inheritance] = field(default_factory=dict)
    """The interventions whose harms the intervention inherits, its drug among them."""


def pair_of(session: Session, intervention_pk: int, condition_pk: int) -> Pair:
    intervention = session.get_one(Concept, intervention_pk)
    parent = None
    if intervention.kind == REGIMEN and intervention.parent_pk is not None:
        parent = session.get_one(Concept, intervention.parent_pk).id
    inherited = inheritances(session, [intervention_pk])
    return Pair(intervention.id, session.get_one(Concept, condition_pk).id, parent, inherited)


# --- selecting -----------------------------------------------------------------------------------------------------


def claim_ids(session: Session, pair: Pair) -> list[str]:
    """Claims of the intervention, of its parent drug, harms of its classes, and those of no intervention that bear on
    the condition.

    The most important first; at most one more than MAX_CLAIMS, which tells that there are more.
    """
    condition = key_of(session, Concept, pair.condition, "condition")
    own = key_of(session, Concept, pair.intervention, "intervention")
    on_condition = Claim.pk.in_(_naming("condition", [condition]))
    on_no_condition = ~Claim.pk.in_(select(ClaimConcept.claim_pk).where(ClaimConcept.role == "condition"))
    selected: list[ColumnElement[bool]] = [
        Claim.intervention_pk == own,
        and_(Claim.intervention_pk.is_(None), or_(on_condition, on_no_condition)),
        and_(Claim.kind == Kind.regulatory, Claim.effect == Effect.approved, on_condition),
        and_(Claim.intervention_pk.is_(None), Claim.kind == Kind.background, Claim.pk.in_(_of_neighbours(own))),
    ]
    if pair.parent is not None:
        selected.append(Claim.intervention_pk == key_of(session, Concept, pair.parent, "intervention"))
    if pair.inherited:
        sources = select(Concept.pk).where(Concept.type == "intervention", Concept.id.in_(pair.inherited))
        selected.append(and_(Claim.intervention_pk.in_(sources), Claim.kind.in_(HARM_KINDS)))
    # What is said of the condition comes first, then harms wherever they were seen: these are cut off last.
    is_harm = and_(Claim.kind.in_(HARM_KINDS), Claim.intervention_pk.is_not(None))
    order = (on_condition.desc(), is_harm.desc(), (Claim.intervention_pk == own).desc().nulls_last())
    statement = (
        select(Claim.id)
        .where(Claim.status == Status.published, or_(*selected))
        .order_by(*order, Claim.study_count.desc(), Claim.id)
        .limit(MAX_CLAIMS + 1)
    )
    return list(session.scalars(statement))


def _naming(role: str, keys: Sequence[int]) -> Select[Any]:
    return select(ClaimConcept.claim_pk).where(ClaimConcept.role == role, ClaimConcept.concept_pk.in_(keys))


def _of_neighbours(intervention: int) -> Select[Any]:
    """Claims about conditions that claims of the intervention name."""
    neighbours = (
        select(ClaimConcept.concept_pk)
        .join(Claim, Claim.pk == ClaimConcept.claim_pk)
        .where(ClaimConcept.role == "condition", Claim.intervention_pk == intervention)
    )
    return select(ClaimConcept.claim_pk).where(
        ClaimConcept.role == "condition", ClaimConcept.concept_pk.in_(neighbours)
    )


def that_fit(claims: Iterable[ClaimWrite]) -> frozenset[str]:
    """Ids of the first claims that fit into one brief."""
    shown: list[str] = []
    documents: set[str] = set()
    size = 0
    for claim in claims:
        documents.update(citation.document for citation in claim.citations)
        texts = sum(len(citation.finding or "") for citation in claim.citations)
        size += _BYTES_OF_CLAIM + _BYTES_OF_CITATION * len(claim.citations) + texts
        if size + _BYTES_OF_REFERENCE * len(documents) > MAX_BYTES:
            break
        shown.append(claim.id)
    return frozenset(shown)


# --- placing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    section: str
    topic: str
    rank: int = 0
    """Orders the topics of a section; topics of equal rank go by how much was studied, then by name."""


NameOf = Callable[[str, str], str]
"""The name of a concept by type and id."""


def places(pair: Pair, claims: Mapping[str, ClaimWrite], name: NameOf) -> dict[str, Place]:
    """The place of each claim. Claims of which the brief has no use are left out."""
    background = _Background(pair, claims.values())
    placed = {claim.id: place for claim in claims.values() if (place := _place(pair, claim, name, background))}
    for claim in claims.values():
        if claim.kind is Kind.advice and claim.id in placed:
            related = next((placed[r.claim] for r in claim.relations if r.claim in placed), None)
            section = related.section if related else "cautions"
            placed[claim.id] = Place(section, "What the source article advises", 9)
    return placed


class _Background:
    """Tells which claims without intervention and condition belong to a brief."""

    def __init__(self, pair: Pair, claims: Iterable[ClaimWrite]) -> None:
        own = [claim for claim in claims if claim.intervention == pair.intervention]
        self._mechanisms = {mechanism for claim in own for mechanism in claim.mechanisms}
        self._origins = {origin.document for claim in own for origin in claim.origins}

    def includes(self, claim: ClaimWrite) -> bool:
        """Whether the intervention's claims share its mechanism or its origin."""
        shares_origin = any(origin.document in self._origins for origin in claim.origins)
        return shares_origin or not self._mechanisms.isdisjoint(claim.mechanisms)


def _place(pair: Pair, claim: ClaimWrite, name: NameOf, background: _Background) -> Place | None:
    if claim.intervention is None and not claim.conditions and not background.includes(claim):
        return None
    if claim.kind in HARM_KINDS and claim.intervention is not None:
        return _harm(pair, claim, name)
    if pair.parent is not None and claim.intervention == pair.parent:
        return _of_parent(pair, claim, name)
    if claim.conditions and pair.condition not in claim.conditions:
        return Place("elsewhere", name("condition", claim.conditions[0]))
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


def _harm(pair: Pair, claim: ClaimWrite, name: NameOf) -> Place:
    """Harm crosses doses and conditions: what was seen elsewhere stands here too."""
    if claim.effect is Effect.contraindicated:
        return Place("cautions", "Contraindications")
    if claim.kind is Kind.interaction or claim.effect is Effect.interacts:
        return Place("cautions", "Interactions", 1)
    if claim.intervention in pair.inherited:
        return Place("cautions", "Warnings", 2)
    if claim.side_effects:
        return Place("side-effects", name("side_effect", claim.side_effects[0]), 1)
    return Place("side-effects", "Altogether")


def _of_parent(pair: Pair, claim: ClaimWrite, name: NameOf) -> Place | None:
    """Benefit never crosses doses: what the drug does for this very condition is no answer for the regimen."""
    if claim.kind is Kind.mechanism:
        return _mechanism(claim, name)
    if claim.kind is Kind.efficacy and (not claim.conditions or pair.condition in claim.conditions):
        return None
    if claim.side_effects:
        return Place("cautions", "Warnings", 2)
    return Place("what-it-is", f"{name('intervention', claim.intervention or '')}, the parent drug", 1)


def _mechanism(claim: ClaimWrite, name: NameOf) -> Place:
    if claim.mechanisms:
        return Place("how-it-may-work", name("mechanism", claim.mechanisms[0]))
    return Place("how-it-may-work", "In general", 1)


def _benefit(claim: ClaimWrite) -> Place:
    if claim.form in VOTING_FORMS and claim.subgroup is not None:
        return Place("does-it-help", f"In {claim.subgroup.label}", 1)
    if claim.form in VOTING_FORMS:
        return Place("does-it-help", "By outcome")
    if claim.form is Form.study_report:
        return Place("does-it-help", "What single studies reported", 2)
    return Place("does-it-help", "How it is spoken of", 3)


def _what_it_is(pair: Pair, claim: ClaimWrite, name: NameOf) -> Place:
    if claim.intervention == pair.intervention:
        if claim.form is Form.regulatory_status:
            return Place("what-it-is", "Approval and supply")
        return Place("what-it-is", "In use", 2)
    if claim.intervention is not None:
        return Place("what-it-is", f"Drugs approved for {inline(name('condition', pair.condition))}", 4)
    if claim.conditions:
        return Place("what-it-is", name("condition", pair.condition), 3)
    return Place("what-it-is", "Terms", 5)


def restatements(claims: Mapping[str, ClaimWrite], placed: Mapping[str, Place]) -> dict[str, list[str]]:
    """Placed claims that restate another placed claim, by the claim at the end of their chain of restatements."""
    parents = {
        claim.id: relation.claim
        for claim in claims.values()
        for relation in claim.relations
        if relation.type is RelationType.restates
        and claim.id in placed
        and relation.claim in placed
        and is_on_same_people(claim, claims[relation.claim])
    }
    by_end: dict[str, list[str]] = {}
    for claim_id in parents:
        end, passed = claim_id, {claim_id}
        while end in parents and parents[end] not in passed:
            end = parents[end]
            passed.add(end)
        if end not in parents:  # the chain is no circle
            by_end.setdefault(end, []).append(claim_id)
    return by_end


# --- pairs with a brief --------------------------------------------------------------------------------------------


def pairs() -> tuple[Select[str, str, str, str, int, int], type[Concept], type[Concept]]:
    """Pairs that at least one claim names, with the numbers of their claims and of the studies cited for them.

    With it the aliases of intervention and condition, by which the caller filters, sorts and pages.
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


def most_studied_intervention(session: Session, condition_id: str) -> str | None:
    """The intervention of which most is claimed in the condition; null where none is."""
    statement, intervention, condition = pairs()
    row = session.execute(
        statement.where(condition.id == condition_id).order_by(desc("studies"), desc("statements"), intervention.id)
    ).first()
    return row.intervention if row else None


def other_interventions(session: Session, pair: Pair) -> list[tuple[str, str]]:
    """Id and name of further interventions of which something is claimed in this condition, by name."""
    statement, intervention, condition = pairs()
    rows = session.execute(
        statement.where(condition.id == pair.condition, intervention.id != pair.intervention).order_by(
            intervention.name
        )
    )
    return [(row.intervention, row.intervention_name) for row in rows]
