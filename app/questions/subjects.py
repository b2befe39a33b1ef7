"""Which claims are about an intervention."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select

from app.claims.models import Claim
from app.claims.vocabulary import HARM_KINDS
from app.concepts.models import Concept
from app.concepts.vocabulary import REGIMEN


def about_interventions(ids: Sequence[str]) -> ColumnElement[bool]:
    """Claims on the interventions themselves; for a dose regimen also the harms of its drug."""
    own = select(Concept.pk).where(Concept.type == "intervention", Concept.id.in_(ids))
    drugs = own.with_only_columns(Concept.parent_pk).where(Concept.kind == REGIMEN, Concept.parent_pk.is_not(None))
    inherited = and_(Claim.intervention_pk.in_(drugs), Claim.kind.in_(HARM_KINDS))
    return or_(Claim.intervention_pk.in_(own), inherited)
