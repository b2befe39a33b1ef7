"""What is recorded of an intervention in a condition, as ids: claims on benefits and harms, and doses."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.claims.models import Claim, ClaimConcept, DosingRange, DosingRangeCondition
from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import HARM_KINDS, Effect, Kind
from app.core.vocabulary import Status
from app.questions.subjects import about_interventions


def benefit_claims(session: Session, intervention_pk: int, condition_pk: int, limit: int) -> list[str]:
    """Claims that gather votes on a benefit of exactly this intervention in this condition, the most studied first."""
    named = select(ClaimConcept.claim_pk).where(
        ClaimConcept.role == "condition", ClaimConcept.concept_pk == condition_pk
    )
    is_on_pair = (Claim.intervention_pk == intervention_pk, Claim.pk.in_(named), Claim.form.in_(VOTING_FORMS))
    return _published(session, [*is_on_pair, Claim.kind == Kind.efficacy], limit)


def harm_claims(session: Session, intervention: str, limit: int) -> list[str]:
    """Claims on harms of the intervention, and of the drug that it is a regimen of, in any condition;
    contraindications first, then the most studied."""
    return _published(session, [about_interventions([intervention]), Claim.kind.in_(HARM_KINDS)], limit)


def contraindications_of(session: Session, intervention: str, limit: int) -> list[str]:
    """Contraindications of the intervention, of its drug and of its classes, the most studied first."""
    return _published(session, [about_interventions([intervention]), Claim.effect == Effect.contraindicated], limit)


def _published(session: Session, where: Iterable[ColumnElement[bool]], limit: int) -> list[str]:
    statement = (
        select(Claim.id)
        .where(Claim.status == Status.published, *where)
        .order_by((Claim.effect == Effect.contraindicated).desc(), Claim.weight.desc(), Claim.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def recorded_doses(session: Session, intervention_pk: int, condition_pk: int) -> list[str]:
    """Dosing ranges of the intervention in the condition, by their lowest daily total."""
    statement = (
        select(DosingRange.id)
        .join(DosingRangeCondition, DosingRangeCondition.dosing_range_pk == DosingRange.pk)
        .where(
            DosingRange.intervention_pk == intervention_pk,
            DosingRangeCondition.concept_pk == condition_pk,
            DosingRange.status == Status.published,
        )
        .order_by(DosingRange.dose_order.asc().nulls_last(), DosingRange.id)
    )
    return list(session.scalars(statement))
