"""Finds the evidence that is relevant to a question: published claims that name every part of it, and their citations.

Harms of a drug also apply to its dose regimens, and harms of a class to its members. Benefits apply only to the
intervention that the claim names.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.claims.models import Citation, Claim, ClaimConcept
from app.claims.responses import SubgroupRef
from app.claims.rules import INFORMATIVE, VOTING_FORMS
from app.claims.vocabulary import HARM_KINDS, Directness, Effect, Form, Kind
from app.concepts.lineage import intervention_tree
from app.concepts.manifest import current_manifest
from app.concepts.models import Concept
from app.concepts.queries import concept_keys
from app.concepts.schemas import OutcomeRef
from app.concepts.terms import StudyDesignTerm
from app.concepts.vocabulary import Better
from app.core import deadline
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.grading.counts import Amounts
from app.sources.models import Document, Study
from app.sources.vocabulary import Design, Standing

RELEVANT_FORMS = VOTING_FORMS | {Form.study_report, Form.regulatory_status}
"""Forms of claims that say something about effect or harm; use, advice and opinions do not."""

MAIN_KIND = {
    "condition": Kind.efficacy,
    "mechanism": Kind.mechanism,
    "side_effect": Kind.safety,
    "interactant": Kind.interaction,
}


@dataclass(frozen=True)
class EvidenceQuestion:
    """An intervention and at least one other concept, by their internal keys."""

    intervention: int
    concepts: Mapping[str, int]
    """Role (`condition`, `mechanism`, `side_effect` or `interactant`) → key of the concept."""
    relatives: Sequence[int]
    """The intervention, then the interventions whose warnings apply to it: its drug, its classes and, in questions
    about two drugs, its regimens."""
    interactant_relatives: Sequence[int] = ()
    """The same for the interactant."""


# --- the question -------------------------------------------------------------------------------------------------


def concept_key(session: Session, record_type: str, name: str, parameter: str) -> int:
    """Key of the one concept that a parameter names by id or code; InvalidInput if several carry the code."""
    keys = list(dict.fromkeys(concept_keys(session, record_type, [name], parameter)))
    if len(keys) > 1:
        ids = tuple(session.scalars(select(Concept.id).where(Concept.pk.in_(keys)).order_by(Concept.id)))
        fault = Fault("query", parameter, "ambiguous_code", "Several records carry this code: name one by its id.", ids)
        raise InvalidInput("A code leads to more than one record.", errors=[fault])
    return keys[0]


def evidence_question(session: Session, intervention_pk: int, concepts: Mapping[str, int]) -> EvidenceQuestion:
    """The question about an intervention and the concepts in `concepts`, by role. One statement."""
    tree = intervention_tree(session)
    if "interactant" in concepts:
        interactant = tree.relatives(concepts["interactant"])
        return EvidenceQuestion(intervention_pk, concepts, tree.relatives(intervention_pk), interactant)
    return EvidenceQuestion(intervention_pk, concepts, tree.with_sources(intervention_pk))


def relatives_with_evidence(session: Session, question: EvidenceQuestion) -> list[int]:
    """The drug and its dose regimens, other than the intervention itself, that hold evidence on the same concepts. It
    says nothing of the intervention, for benefit is not inherited, but somebody has looked. None in questions about two
    drugs, which take relatives into account already."""
    tree = intervention_tree(session)
    drug = tree.drug(question.intervention)
    family = {drug, *tree.regimens(drug)} - {question.intervention}
    if not family or "interactant" in question.concepts:
        return []
    about = (Claim.intervention_pk.in_(family), *(_names(role, [pk]) for role, pk in question.concepts.items()))
    cited = informative_citations(session, *about)
    claims = [claim for claim in relevant_claims(session, *about) if claim.pk in cited] if cited else []
    return sorted({claim.intervention_pk for claim in claims if claim.intervention_pk is not None})


def _about(question: EvidenceQuestion) -> list[ColumnElement[bool]]:
    """Conditions that hold for claims about the intervention and every concept that is named."""
    if "interactant" in question.concepts:
        own, other = question.relatives, question.interactant_relatives
        # "A meets B" says the same as "B meets A", whichever of the two the claim is about.
        subject = or_(
            and_(on_relatives(own), _names("interactant", other)),
            and_(on_relatives(other), _names("interactant", own)),
        )
    else:
        subject = on_relatives(question.relatives)
    return [subject, *(_names(role, [pk]) for role, pk in question.concepts.items() if role != "interactant")]


def on_relatives(relatives: Sequence[int]) -> ColumnElement[bool]:
    """Claims about the first intervention, and harms of the others."""
    own, others = Claim.intervention_pk == relatives[0], relatives[1:]
    return or_(own, and_(Claim.intervention_pk.in_(others), Claim.kind.in_(HARM_KINDS))) if others else own


def _names(role: str, pks: Sequence[int]) -> ColumnElement[bool]:
    linked = select(ClaimConcept.claim_pk).where(ClaimConcept.role == role, ClaimConcept.concept_pk.in_(pks))
    return Claim.pk.in_(linked)


# --- the evidence -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RelevantClaim:
    """A claim with the derived values that answers are built from."""

    pk: int
    id: str
    intervention_pk: int | None
    kind: Kind
    form: Form
    effect: Effect
    outcome_pk: int | None
    outcome: OutcomeRef | None
    subgroup: SubgroupRef | None
    """Whom alone it is about: such a claim answers for nobody else."""
    weight: float
    """Of both sides together."""
    studies: int
    """Studies that vote."""
    reviews: int
    participants: int
    """People in the studies that vote."""

    @property
    def amounts(self) -> Amounts:
        return Amounts(self.studies, self.reviews, self.participants)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sort key: contraindications first, then claims that gather votes, by their weight."""
        return self.effect is not Effect.contraindicated, self.form not in VOTING_FORMS, -self.weight, self.id


@dataclass(frozen=True)
class InformativeCitation:
    """A citation that supports, disputes or leaves undecided its claim."""

    design: StudyDesignTerm | None
    rank: int
    """Of the design among those of the data set: 0 is the strongest."""
    direct: bool


@dataclass(frozen=True)
class EvidenceBody:
    """The claims relevant to a question, best first, and their informative citations."""

    intervention: int
    claims: tuple[RelevantClaim, ...] = ()
    citations: tuple[InformativeCitation, ...] = ()
    """Those of claims on everybody."""
    main_kinds: frozenset[Kind] = field(default_factory=frozenset)

    @property
    def headline(self) -> RelevantClaim | None:
        """The claim that answers the question: of its kind, on the intervention itself, and with the most weight."""
        return headline_of(self.claims, self.main_kinds, self.intervention)

    @property
    def on_everybody(self) -> tuple[RelevantClaim, ...]:
        """The claims that are about no subgroup."""
        return tuple(claim for claim in self.claims if claim.subgroup is None)

    @property
    def subgroup_headlines(self) -> tuple[RelevantClaim, ...]:
        """For each subgroup the claim that answers for it, by the subgroup's id."""
        by_group: dict[str, list[RelevantClaim]] = {}
        for claim in self.claims:
            if claim.subgroup is not None:
                by_group.setdefault(claim.subgroup.id, []).append(claim)
        key = _headline_key(self.main_kinds, self.intervention)
        return tuple(min(claims, key=key) for _, claims in sorted(by_group.items()))


def headline_of(
    claims: Iterable[RelevantClaim], main_kinds: Container[Kind], intervention_pk: int
) -> RelevantClaim | None:
    """The claim that answers a question: of its kind, on the intervention itself, and with the most weight.

    A claim on a subgroup never answers for everybody.
    """
    key = _headline_key(main_kinds, intervention_pk)
    return min((claim for claim in claims if claim.subgroup is None), key=key, default=None)


def _headline_key(main_kinds: Container[Kind], intervention_pk: int) -> Callable[[RelevantClaim], tuple[Any, ...]]:
    def key(claim: RelevantClaim) -> tuple[Any, ...]:
        contraindicated, *rank = claim.rank
        return claim.kind not in main_kinds, contraindicated, claim.intervention_pk != intervention_pk, rank

    return key


def amounts_of(headline: RelevantClaim | None) -> Amounts:
    """The numbers of the claim that answers a question: studies of different claims are never added up."""
    return headline.amounts if headline else Amounts(0, 0, 0)


def best_design(citations: Iterable[InformativeCitation]) -> Design | None:
    """The strongest design; a review's, or that of indirect evidence, only where there is no other."""
    designs = [(d.is_review, not cite.direct, cite.rank, d.id) for cite in citations if (d := cite.design) is not None]
    return min(designs)[-1] if designs else None


def relevant_claims(session: Session, *where: ColumnElement[bool], limit: int | None = None) -> list[RelevantClaim]:
    """Published claims of the relevant forms that meet the conditions, by id. One statement."""
    rows = session.execute(
        select(
            Claim.pk, Claim.id, Claim.intervention_pk, Claim.kind, Claim.form, Claim.effect, Claim.weight,
            Claim.study_count, Claim.review_count, Claim.participant_count, Claim.outcome_pk,
            Claim.subgroup, Claim.subgroup_label,
            Concept.id.label("outcome"), Concept.name, Concept.better,
        )
        .outerjoin(Concept, Concept.pk == Claim.outcome_pk)
        .where(*is_relevant(where))
        .order_by(Claim.id)
        .limit(limit)
    )  # fmt: skip
    return [
        RelevantClaim(
            pk=row.pk,
            id=row.id,
            intervention_pk=row.intervention_pk,
            kind=Kind(row.kind),
            form=Form(row.form),
            effect=Effect(row.effect),
            outcome_pk=row.outcome_pk,
            outcome=OutcomeRef(id=row.outcome, name=row.name, better=Better(row.better)) if row.outcome else None,
            subgroup=SubgroupRef(id=row.subgroup, label=row.subgroup_label) if row.subgroup else None,
            weight=row.weight,
            studies=row.study_count,
            reviews=row.review_count,
            participants=row.participant_count,
        )
        for row in deadline.checked(rows)
    ]


def informative_citations(session: Session, *where: ColumnElement[bool]) -> dict[int, list[InformativeCitation]]:
    """Informative citations of the same claims, by the claim's key; those of retracted documents are left out."""
    rows = session.execute(
        select(
            Citation.claim_pk, Citation.directness, Study.design,
        )
        .join(Claim, Claim.pk == Citation.claim_pk)
        .join(Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(*is_relevant(where), Citation.stance.in_(INFORMATIVE), Document.standing != Standing.retracted)
        .order_by(Citation.id)
    )  # fmt: skip
    designs = current_manifest(session).study_designs
    by_claim: dict[int, list[InformativeCitation]] = {}
    for claim_pk, directness, design in rows:
        term = designs.design(design) if design else None
        citation = InformativeCitation(term, designs.rank(design or ""), directness != Directness.indirect)
        by_claim.setdefault(claim_pk, []).append(citation)
    return by_claim


def is_relevant(where: Iterable[ColumnElement[bool]]) -> tuple[ColumnElement[bool], ...]:
    """Conditions that hold for published claims of the relevant forms that meet further conditions."""
    return (Claim.status == Status.published, Claim.form.in_(RELEVANT_FORMS), *where)


def evidence_on(session: Session, question: EvidenceQuestion) -> EvidenceBody:
    """The claims about the question that have informative citations, and those citations. Two statements."""
    about = _about(question)
    citations = informative_citations(session, *about)
    if not citations:
        return EvidenceBody(question.intervention)
    claims = sorted(
        (claim for claim in relevant_claims(session, *about) if claim.pk in citations), key=lambda claim: claim.rank
    )
    on_everybody = {claim.pk for claim in claims if claim.subgroup is None}
    return EvidenceBody(
        question.intervention,
        claims=tuple(claims),
        citations=tuple(one for pk, of_claim in citations.items() if pk in on_everybody for one in of_claim),
        main_kinds=frozenset(MAIN_KIND[role] for role in question.concepts),
    )
