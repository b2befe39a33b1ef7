"""The answer to an Infobutton request: the claims about each concept, with what must be read with them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import Session

from app.claims import rendering
from app.claims.models import Claim, ClaimConcept, ClaimRelation
from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import HARM_KINDS, Form, Kind, RelationType
from app.concepts.disclaimer import disclaimer_about
from app.concepts.lineage import inheritances
from app.concepts.manifest import current_manifest
from app.concepts.models import Concept
from app.concepts.schemas import Inheritance
from app.concepts.vocabulary import DRUG, REGIMEN
from app.core.vocabulary import Status
from app.grading.wording import claimed_text, count_text
from app.infobutton.criteria import InfobuttonConcept
from app.infobutton.page import InfobuttonAnswer, InfobuttonClaim, InfobuttonGroup, InfobuttonLinks
from app.questions.subjects import about_interventions
from app.storage.records import CurrentRecords
from app.storage.resource import Key

MAX_CLAIMS = 60
SHOWN_FORMS = (*VOTING_FORMS, Form.regulatory_status, Form.gap)
"""Statements that evidence can support or dispute, and those that say what is not known."""

HARMS_FIRST = (*HARM_KINDS, *(kind for kind in Kind if kind not in HARM_KINDS))
EFFICACY_FIRST = (Kind.efficacy, *(kind for kind in HARMS_FIRST if kind is not Kind.efficacy))

NOTHING = "Nothing is recorded here for what was asked. That is not evidence of no effect, and not evidence of no risk."
BOTH_DOSES = "A code of the drug does not tell the dose, so the drug and its dose regimens are all shown."


def build_answer(
    session: Session, concepts: Sequence[InfobuttonConcept], order: Sequence[Kind], updated_at: str, base: str
) -> InfobuttonAnswer:
    """`order` is that of the claims in a group; `base` the prefix of path-absolute links."""
    kinds = [match.concept.kind for match in concepts]
    interventions = [match.concept.id for match in concepts if match.concept.type == "intervention"]
    has_both_doses = DRUG in kinds and REGIMEN in kinds
    return InfobuttonAnswer(
        title=", ".join(match.concept.name for match in concepts if not match.harms_only) or "No match",
        updated=updated_at,
        message=NOTHING if not concepts else BOTH_DOSES if has_both_doses else None,
        site=current_manifest(session).name,
        language=current_manifest(session).language,
        evidence_id=current_manifest(session).evidence_id,
        disclaimer=disclaimer_about(session, interventions if len(interventions) == len(concepts) else ()),
        groups=[_group(session, match, order, base) for match in concepts],
    )


def _group(session: Session, match: InfobuttonConcept, order: Sequence[Kind], base: str) -> InfobuttonGroup:
    concept = match.concept
    ids = session.scalars(_claim_ids(match)).all()
    records = CurrentRecords(session)
    records.prefetch((Key("claim", claim_id) for claim_id in ids), depth=1)
    inherited = inheritances(session, [concept.pk]) if concept.type == "intervention" else {}
    claims = [_claim(records, claim_id, inherited, base) for claim_id in ids[:MAX_CLAIMS]]
    positions = {kind.label: position for position, kind in enumerate(order)}
    has_briefs = concept.type in ("intervention", "condition")
    return InfobuttonGroup(
        label=match.label,
        type=concept.type,
        id=concept.id,
        message=None if claims else NOTHING,
        claims=sorted(claims, key=lambda claim: positions[claim.kind]),
        truncated=len(ids) > MAX_CLAIMS,
        links=InfobuttonLinks(
            claims=f"{base}/v1/claims?{concept.type}={concept.id}",
            briefs=f"{base}/v1/briefs?{concept.type}={concept.id}" if has_briefs else None,
        ),
    )


def _claim_ids(match: InfobuttonConcept) -> Select[str]:
    """Claims about the concept without restatements of others; harms first, so that the limit never cuts them."""
    restatements = select(ClaimRelation.claim_pk).where(ClaimRelation.type == RelationType.restates)
    harms_first = case((Claim.kind.in_(HARM_KINDS), 0), (Claim.kind == Kind.efficacy, 1), else_=2)
    return (
        select(Claim.id)
        .where(
            Claim.status == Status.published,
            Claim.form.in_(SHOWN_FORMS),
            Claim.pk.not_in(restatements),
            _is_about(match.concept),
            Claim.kind.in_(HARM_KINDS if match.harms_only else tuple(Kind)),
        )
        .order_by(harms_first, Claim.citation_count.desc(), Claim.id)
        .limit(MAX_CLAIMS + 1)
    )


def _is_about(concept: Concept) -> ColumnElement[bool]:
    linked = Claim.pk.in_(select(ClaimConcept.claim_pk).where(ClaimConcept.concept_pk == concept.pk))
    if concept.type == "intervention":
        return or_(about_interventions([concept.id]), linked)
    if concept.type == "outcome":
        return Claim.outcome_pk == concept.pk
    return and_(linked, Claim.intervention_pk.is_not(None))


def _claim(records: CurrentRecords, claim_id: str, inherited: Mapping[str, Inheritance], base: str) -> InfobuttonClaim:
    key = Key("claim", claim_id)
    row, summary = records.row(key), rendering.summary(records, claim_id)
    claim = records.content(key)
    inheritance = inherited.get(claim.intervention or "")
    return InfobuttonClaim(
        id=claim_id,
        kind=claim.kind.label,
        claimed=claimed_text(summary.answer, summary.statement),
        caveat=summary.caveat,
        inheritance=inheritance.text if inheritance else None,
        consensus=summary.consensus,
        leaning=summary.leaning,
        verdict=summary.verdict.label,
        tone=summary.verdict.tone,
        answer=summary.answer,
        counts=summary.counts_text,
        supporting=count_text(summary.supports),
        disputing=count_text(summary.disputes),
        link=f"{base}{summary.links.self}?serial={row.serial if row else 1}",
        updated=row.updated_at if row else "",
    )
