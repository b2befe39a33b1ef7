"""Writes concepts as rows, and lists what they refer to."""

from collections.abc import Iterator

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.concepts.models import Concept, ConceptCode, ConceptSynonym
from app.concepts.schemas import ConceptWrite, ConditionWrite, InterventionWrite
from app.core.text import RuleViolation
from app.storage.resource import FieldReference, Key
from app.storage.rows import column_values, key_of, replace, upsert

TYPE_OF_PARENT = {InterventionWrite: "intervention", ConditionWrite: "condition"}


def check(concept: ConceptWrite) -> list[RuleViolation]:
    """A concept is not its own parent, and no code is listed twice."""
    violations: list[RuleViolation] = []
    if getattr(concept, "parent", None) == concept.id:
        violations.append(("parent", "a concept cannot be its own parent"))
    codes = [(code.system, code.code) for code in concept.codes]
    violations.extend((f"codes[{i}]", "stands twice") for i, code in enumerate(codes) if code in codes[:i])
    return violations


def references(concept: ConceptWrite) -> Iterator[FieldReference]:
    if isinstance(concept, InterventionWrite | ConditionWrite) and concept.parent:
        yield FieldReference("parent", Key(TYPE_OF_PARENT[type(concept)], concept.parent))


def apply(session: Session, record_type: str, concept: ConceptWrite) -> None:
    upsert(session, Concept, {"type": record_type, "id": concept.id}, column_values(Concept, concept))


def link(session: Session, record_type: str, concept: ConceptWrite) -> None:
    pk = key_of(session, Concept, concept.id, record_type)
    parent = getattr(concept, "parent", None)
    parent_pk = key_of(session, Concept, parent, record_type) if parent else None
    session.execute(update(Concept).where(Concept.pk == pk).values(parent_pk=parent_pk))
    owner = {"concept_pk": pk}
    replace(session, ConceptSynonym, owner, ({"text": text} for text in concept.synonyms))
    codes = (code.model_dump() | {"code": code.code.upper()} for code in concept.codes)
    replace(session, ConceptCode, owner, codes)
