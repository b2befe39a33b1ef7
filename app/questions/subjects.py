"""Which claims are about an intervention."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select

from app.claims.models import Claim
from app.claims.vocabulary import HARM_KINDS
from app.concepts.lineage import inheritance
from app.concepts.models import Concept


def about_interventions(ids: Sequence[str]) -> ColumnElement[bool]:
    """Claims on the interventions themselves, and the harms of their drugs and classes."""
    own = select(Concept.pk).where(Concept.type == "intervention", Concept.id.in_(ids))
    lines = inheritance()
    sources = select(lines.c.source).where(lines.c.heir.in_(own))
    inherited = and_(Claim.intervention_pk.in_(sources), Claim.kind.in_(HARM_KINDS))
    return or_(Claim.intervention_pk.in_(own), inherited)
