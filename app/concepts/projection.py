"""Writes concepts as rows, and lists what they refer to."""

from collections.abc import Iterator

from app.concepts.code_systems import SHIPPED_SYSTEMS, CodeSystems
from app.concepts.manifest import current_code_systems
from app.concepts.models import Concept, ConceptCode, ConceptSynonym, InterventionMember
from app.concepts.schemas import ConceptWrite, ConditionWrite, InterventionWrite
from app.concepts.vocabulary import DRUG, DRUG_CLASS
from app.core.text import RuleViolation
from app.storage.resource import FieldReference, Key
from app.storage.rows import RowWriter, column_values

TYPE_OF_PARENT = {InterventionWrite: "intervention", ConditionWrite: "condition"}


def check(concept: ConceptWrite) -> list[RuleViolation]:
    """A concept is not its own parent, no code is listed twice, and only classes of drugs have members."""
    violations: list[RuleViolation] = []
    if getattr(concept, "parent", None) == concept.id:
        violations.append(("parent", "a concept cannot be its own parent"))
    if isinstance(concept, InterventionWrite):
        violations.extend(_family_faults(concept))
    violations.extend(repeated_codes(concept, SHIPPED_SYSTEMS))
    return violations


def repeated_codes(concept: ConceptWrite, systems: CodeSystems) -> Iterator[RuleViolation]:
    """Codes that stand there already, perhaps in another form."""
    codes = [(code.system, systems.normal(code.system, code.code)) for code in concept.codes]
    yield from ((f"codes[{i}]", "stands twice") for i, code in enumerate(codes) if code in codes[:i])


def _family_faults(intervention: InterventionWrite) -> Iterator[RuleViolation]:
    if intervention.parent and intervention.kind == DRUG:
        yield "parent", "a drug has no parent: list it among the members of its class"
    if intervention.members and intervention.kind != DRUG_CLASS:
        yield "members", "only a class has members"
    for i, member in enumerate(intervention.members):
        if member == intervention.id or member in intervention.members[:i]:
            yield f"members[{i}]", "stands twice"


def references(concept: ConceptWrite) -> Iterator[FieldReference]:
    if isinstance(concept, InterventionWrite | ConditionWrite) and concept.parent:
        yield FieldReference("parent", Key(TYPE_OF_PARENT[type(concept)], concept.parent))
    if isinstance(concept, InterventionWrite):
        for i, member in enumerate(concept.members):
            yield FieldReference(f"members[{i}]", Key("intervention", member))


def apply(rows: RowWriter, record_type: str, concept: ConceptWrite) -> None:
    rows.put(Concept, concept.id, column_values(Concept, concept), record_type)


def link(rows: RowWriter, record_type: str, concept: ConceptWrite) -> None:
    pk = rows.key(Concept, concept.id, record_type)
    parent = getattr(concept, "parent", None)
    parent_pk = rows.key(Concept, parent, record_type) if parent else None
    rows.change(Concept, pk, {"parent_pk": parent_pk})
    owner = {"concept_pk": pk}
    rows.replace(ConceptSynonym, owner, ({"text": text} for text in concept.synonyms))
    systems = current_code_systems(rows.session) if concept.codes else SHIPPED_SYSTEMS
    codes = (code.model_dump() | {"code": systems.normal(code.system, code.code)} for code in concept.codes)
    rows.replace(ConceptCode, owner, codes)
    members = concept.members if isinstance(concept, InterventionWrite) else ()
    keys = ({"member_pk": rows.key(Concept, member, "intervention")} for member in members)
    rows.replace(InterventionMember, {"class_pk": pk}, keys)
