"""Claim → ClinicalUseDefinition: indication, contraindication, interaction, undesirable effect or warning."""

from collections.abc import Callable, Sequence
from typing import Any

from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Effect, Kind
from app.fhir import related
from app.fhir import wording as words
from app.fhir.uses import use_of
from app.fhir.values import Json, built, codeable, codeable_all, hl7, reference
from app.storage.resource import Key, RecordReader

APPROVED = "Approved use"
STUDIED = "Studied use; not an approval"


def clinical_use_definition(records: RecordReader, claim: ClaimWrite, heirs: Sequence[str]) -> Json:
    """`heirs` are the dose regimens that share the harms of the claim's drug: harm crosses dose tiers."""
    use = use_of(claim)
    assert use is not None and claim.intervention is not None  # noqa: S101, PT018 - the caller asked `use_of`
    subjects = [claim.intervention, *heirs]
    names = [records.content(Key("intervention", subject)).name for subject in subjects]
    shared = (
        f"Said of {names[0]}; it holds for {', '.join(names[1:])} too, for harm crosses dose tiers." if heirs else None
    )
    told = words.note(records, claim.id)
    if shared:
        told = {"text": f"{told['text']}\n\n{shared}"}
    field, body = _BODIES[use]
    return built(
        {
            "resourceType": "ClinicalUseDefinition",
            "id": claim.id,
            "text": words.claim_narrative(records, claim.id, _scope(claim), shared),
            "extension": [words.note_extension(told), *related.extensions(related.cited(records, claim.id))],
            "type": use,
            "category": [_category(claim)] if use == "indication" else [],
            "subject": [reference("Substance", s, name) for s, name in zip(subjects, names, strict=True)],
            "status": hl7("publication-status", "active", "Active"),
            field: body(records, claim),
        }
    )


def _category(claim: ClaimWrite) -> Json:
    if claim.kind is not Kind.regulatory:
        return {"text": STUDIED}
    where = ", ".join(filter(None, (claim.authority, claim.jurisdiction)))
    return {"text": f"{APPROVED} ({where})" if where else APPROVED}


def _scope(claim: ClaimWrite) -> str | None:
    """Whom, when and against what the claim is about."""
    told = (
        ("Population", claim.population),
        ("Comparator", claim.comparator),
        ("Time", claim.timepoint),
        ("Valid from", claim.valid_from),
        ("Valid to", claim.valid_to),
        ("As of", claim.as_of),
    )
    return " ".join(f"{name}: {text}." for name, text in told if text) or None


def _named(records: RecordReader, record_type: str, ids: Sequence[str]) -> Json | None:
    return codeable_all([records.content(Key(record_type, name)) for name in ids])


def _indication(records: RecordReader, claim: ClaimWrite) -> Json:
    outcome = records.content(Key("outcome", claim.outcome)).name if claim.outcome else None
    return {
        "diseaseSymptomProcedure": {"concept": _named(records, "condition", claim.conditions)},
        "intendedEffect": {"concept": {"text": f"{outcome}: {claim.effect.label.lower()}"}} if outcome else None,
    }


def _contraindication(records: RecordReader, claim: ClaimWrite) -> Json:
    # Beside a drug that must not be given with it, a condition named alone would read as forbidden by itself: opioid
    # use disorder is what naltrexone is approved for.
    alone = bool(claim.conditions) and not claim.interactants
    return {
        "diseaseSymptomProcedure": {
            "concept": _named(records, "condition", claim.conditions) if alone else {"text": claim.statement}
        },
        "otherTherapy": [
            {
                "relationshipType": hl7("therapy-relationship-type", "contraindicated-only-with"),
                "treatment": {
                    "concept": codeable(records.content(Key("intervention", other))),
                    "reference": reference("Substance", other),
                },
            }
            for other in claim.interactants
        ],
    }


def _interaction(records: RecordReader, claim: ClaimWrite) -> Json:
    return {
        "interactant": [
            {"itemReference": reference("Substance", other, records.content(Key("intervention", other)).name)}
            for other in claim.interactants
        ],
        "type": hl7("interaction-type", "drug-drug", "drug to drug interaction"),
        "effect": {"concept": {"text": claim.statement}},
    }


def _undesirable_effect(records: RecordReader, claim: ClaimWrite) -> Json:
    return {
        "symptomConditionEffect": {"concept": _named(records, "side_effect", claim.side_effects)},
        "classification": {"text": claim.aspect.label} if claim.aspect else None,
        "frequencyOfOccurrence": {"text": claim.magnitude}
        if claim.magnitude and claim.effect is Effect.causes
        else None,
    }


def _warning(_world: RecordReader, claim: ClaimWrite) -> Json:
    return {"description": claim.statement}


_BODIES: dict[str, tuple[str, Callable[[RecordReader, ClaimWrite], Any]]] = {
    "indication": ("indication", _indication),
    "contraindication": ("contraindication", _contraindication),
    "interaction": ("interaction", _interaction),
    "undesirable-effect": ("undesirableEffect", _undesirable_effect),
    "warning": ("warning", _warning),
}
