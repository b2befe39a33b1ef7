"""The disclaimer that stands wherever the data set is shown."""

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.concepts.manifest import current_manifest
from app.concepts.models import Concept, InterventionMember


def disclaimer_about(session: Session, interventions: Iterable[str]) -> str:
    """What the data set says must stand with what is known of these interventions: the disclaimers of all data, theirs,
    and those of the drugs and classes above them. With no intervention, every disclaimer."""
    manifest = current_manifest(session)
    ids = set(interventions)
    if not ids or all(disclaimer.intervention is None for disclaimer in manifest.disclaimers):
        return manifest.disclaimer()
    is_one = Concept.type == "intervention"
    level = set(session.scalars(select(Concept.pk).where(is_one, Concept.id.in_(ids))))
    above: set[int] = set()
    while level - above:
        above |= level
        classes = select(InterventionMember.class_pk).where(InterventionMember.member_pk.in_(level))
        parents = select(Concept.parent_pk).where(Concept.pk.in_(level), Concept.parent_pk.is_not(None))
        level = set(session.scalars(select(Concept.pk).where(or_(Concept.pk.in_(classes), Concept.pk.in_(parents)))))
    return manifest.disclaimer(ids.union(session.scalars(select(Concept.id).where(is_one, Concept.pk.in_(above)))))
