"""Claim → ClinicalUseDefinition: indication, contraindication, interaction, undesirable effect or warning."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Effect, Kind
from app.concepts.code_systems import CodeSystems
from app.fhir import related, wording
from app.fhir.uses import use_of
from app.fhir.values import Json, codeable_concept, codeable_concepts, drops_empty, fhir_code, reference
from app.storage.resource import Key, RecordReader

APPROVED = "Approved use"
STUDIED = "Studied use; not an approval"


class Heir(NamedTuple):
    """An intervention that inherits the harms of another."""

    id: str
    is_member: bool
    """Whether it inherits from a class, not only a dose regimen from its drug."""


_REASONS = {
    False: "for dose regimens inherit the harms of the drug at its usual doses",
    True: "for members inherit the harms of their class, and dose regimens those of the drug at its usual doses",
}


@drops_empty
def clinical_use_definition(
    records: RecordReader, claim: ClaimWrite, heirs: Sequence[Heir], systems: CodeSystems
) -> Json:
    """`heirs` share the harms of the claim's drug or class. The claim must have a use."""
    use = use_of(claim)
    assert use is not None and claim.intervention is not None  # noqa: S101, PT018 - callers check `use_of`
    subjects = [claim.intervention, *(heir.id for heir in heirs)]
    names = [_name(records, "intervention", subject) for subject in subjects]
    note, shared = wording.note(records, claim.id), None
    if heirs:
        shared = f"Said of {names[0]}; it holds for {', '.join(names[1:])} too, {_REASONS[heirs[0].is_member]}."
        note = {"text": f"{note['text']}\n\n{shared}"}
    field, body = _BODIES[use]
    return {
        "resourceType": "ClinicalUseDefinition",
        "id": claim.id,
        "text": wording.claim_narrative(records, claim.id, _scope(claim), shared),
        "extension": [wording.note_extension(note), *related.extensions(related.artifacts(records, claim.id))],
        "type": use,
        "category": [_category(claim)] if use == "indication" else [],
        "population": [{"display": claim.subgroup.label}] if claim.subgroup else [],
        "subject": [reference("Substance", s, name) for s, name in zip(subjects, names, strict=True)],
        "status": fhir_code("publication-status", "active", "Active"),
        field: body(records, claim, systems),
    }


def _category(claim: ClaimWrite) -> Json:
    if claim.kind is not Kind.regulatory:
        return {"text": STUDIED}
    where = ", ".join(filter(None, (claim.authority, claim.jurisdiction)))
    return {"text": f"{APPROVED} ({where})" if where else APPROVED}


def _scope(claim: ClaimWrite) -> str | None:
    """Population, comparator and period of the claim."""
    parts = (
        ("Only in", claim.subgroup.label if claim.subgroup else None),
        ("Population", claim.population),
        ("Comparator", claim.comparator),
        ("Time", claim.timepoint),
        ("Valid from", claim.valid_from),
        ("Valid to", claim.valid_to),
        ("As of", claim.as_of),
    )
    return " ".join(f"{name}: {text}." for name, text in parts if text) or None


def _name(records: RecordReader, record_type: str, record_id: str) -> str:
    name: str = records.content(Key(record_type, record_id)).name
    return name


def _concepts(records: RecordReader, record_type: str, ids: Sequence[str], systems: CodeSystems) -> Json | None:
    return codeable_concepts([records.content(Key(record_type, record_id)) for record_id in ids], systems)


def _indication(records: RecordReader, claim: ClaimWrite, systems: CodeSystems) -> Json:
    outcome = _name(records, "outcome", claim.outcome) if claim.outcome else None
    return {
        "diseaseSymptomProcedure": {"concept": _concepts(records, "condition", claim.conditions, systems)},
        "intendedEffect": {"concept": {"text": f"{outcome}: {claim.effect.label.lower()}"}} if outcome else None,
    }


def _contraindication(records: RecordReader, claim: ClaimWrite, systems: CodeSystems) -> Json:
    # Next to an interacting drug, a condition on its own would read as a contraindication by itself, although
    # the drug may be approved for it.
    is_condition = bool(claim.conditions) and not claim.interactants
    concept = _concepts(records, "condition", claim.conditions, systems) if is_condition else {"text": claim.statement}
    return {
        "diseaseSymptomProcedure": {"concept": concept},
        "otherTherapy": [
            {
                "relationshipType": fhir_code("therapy-relationship-type", "contraindicated-only-with"),
                "treatment": {
                    "concept": codeable_concept(records.content(Key("intervention", other)), systems),
                    "reference": reference("Substance", other),
                },
            }
            for other in claim.interactants
        ],
    }


def _interaction(records: RecordReader, claim: ClaimWrite, _systems: CodeSystems) -> Json:
    return {
        "interactant": [
            {"itemReference": reference("Substance", other, _name(records, "intervention", other))}
            for other in claim.interactants
        ],
        "type": fhir_code("interaction-type", "drug-drug", "drug to drug interaction"),
        "effect": {"concept": {"text": claim.statement}},
    }


def _undesirable_effect(records: RecordReader, claim: ClaimWrite, systems: CodeSystems) -> Json:
    frequency = claim.magnitude if claim.effect is Effect.causes else None
    return {
        "symptomConditionEffect": {"concept": _concepts(records, "side_effect", claim.side_effects, systems)},
        "classification": {"text": claim.aspect.label} if claim.aspect else None,
        "frequencyOfOccurrence": {"text": frequency},
    }


def _warning(_records: RecordReader, claim: ClaimWrite, _systems: CodeSystems) -> Json:
    return {"description": claim.statement}


_BODIES: dict[str, tuple[str, Callable[[RecordReader, ClaimWrite, CodeSystems], Json]]] = {
    "indication": ("indication", _indication),
    "contraindication": ("contraindication", _contraindication),
    "interaction": ("interaction", _interaction),
    "undesirable-effect": ("undesirableEffect", _undesirable_effect),
    "warning": ("warning", _warning),
}
