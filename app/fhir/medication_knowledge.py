"""Intervention → Substance, and → MedicationKnowledge: its recorded doses and the harms of its use."""

from collections.abc import Sequence
from decimal import Decimal

from app.claims.derived import DosingRangeDerived
from app.claims.schemas import DosingRangeWrite
from app.claims.vocabulary import PeriodUnit
from app.concepts.manifest import Manifest
from app.concepts.schemas import ConceptWrite, InterventionWrite
from app.concepts.units import Units
from app.concepts.vocabulary import REGIMEN
from app.fhir import related, wording
from app.fhir.values import Json, codeable_concept, drops_empty, quantity, reference
from app.storage.resource import Key, RecordReader

NO_ADVICE = "Doses that were studied, reported or approved; none is a recommendation."
MAX_ISSUES = 500


@drops_empty
def substance(intervention: InterventionWrite, manifest: Manifest) -> Json:
    """An intervention as a substance; a dose regimen consists of its drug."""
    kind = manifest.label("intervention_kind", intervention.kind)
    is_regimen = intervention.kind == REGIMEN
    return {
        "resourceType": "Substance",
        "id": intervention.id,
        "text": wording.narrative(
            f"{intervention.name} ({kind.lower()}).",
            intervention.description,
            f"Also called {', '.join(intervention.synonyms)}." if intervention.synonyms else None,
        ),
        "instance": False,
        "status": "active",
        "category": [{"text": kind}],
        "code": {"concept": codeable_concept(intervention, manifest.code_systems)},
        "description": intervention.description,
        "ingredient": [{"substanceReference": reference("Substance", intervention.parent)}]
        if is_regimen and intervention.parent
        else [],
    }


@drops_empty
def medication_knowledge(
    records: RecordReader,
    intervention: InterventionWrite,
    doses: Sequence[str],
    issues: Sequence[str],
    manifest: Manifest,
) -> Json:
    """`doses` are ids of its dosing ranges; `issues` ids of the claims of harm, those of its drug included."""
    kind = manifest.label("intervention_kind", intervention.kind)
    ranges: list[DosingRangeWrite] = [records.content(Key("dosing_range", dose)) for dose in doses]
    note = NO_ADVICE
    if len(issues) > MAX_ISSUES:
        note += f" The first {MAX_ISSUES} issues are listed; search ClinicalUseDefinition by subject for all."
    return {
        "resourceType": "MedicationKnowledge",
        "id": intervention.id,
        "text": wording.narrative(
            f"{intervention.name} ({kind.lower()}).",
            intervention.description,
            note,
            items=map(_dose_text, ranges),
        ),
        "extension": [wording.note_extension({"text": note}), *related.extensions(_citations(records, doses))],
        "code": codeable_concept(intervention, manifest.code_systems),
        "status": "active",
        "name": [intervention.name, *intervention.synonyms],
        "relatedMedicationKnowledge": _parent(intervention),
        "indicationGuideline": [_guideline(records, dose, manifest) for dose in ranges],
        "clinicalUseIssue": [reference("ClinicalUseDefinition", claim) for claim in issues[:MAX_ISSUES]],
        "definitional": {
            "intendedRoute": [
                _route(route, manifest) for route in dict.fromkeys(dose.route for dose in ranges if dose.route)
            ],
            "ingredient": [{"item": {"reference": reference("Substance", intervention.id)}}],
        },
    }


def _parent(intervention: InterventionWrite) -> list[Json]:
    if intervention.kind != REGIMEN or not intervention.parent:
        return []
    drug = reference("MedicationKnowledge", intervention.parent)
    return [{"type": {"text": "Dose regimen of this drug"}, "reference": [drug]}]


def _citations(records: RecordReader, doses: Sequence[str]) -> list[Json]:
    """Of the claims that state the doses."""
    derived: list[DosingRangeDerived] = [records.derived(Key("dosing_range", dose)) for dose in doses]
    claims = dict.fromkeys(claim for dose in derived for claim in dose.claims)
    return [
        related.artifact(records, citation, claim_id=claim)
        for claim in claims
        for citation in related.ordered_citations(records, claim)
    ]


def _guideline(records: RecordReader, dose: DosingRangeWrite, manifest: Manifest) -> Json:
    conditions: list[ConceptWrite] = [records.content(Key("condition", condition)) for condition in dose.conditions]
    return {
        "indication": [{"concept": codeable_concept(condition, manifest.code_systems)} for condition in conditions],
        "dosingGuideline": [{"dosage": [{"type": {"text": dose.basis.label}, "dosage": [_dosage(dose, manifest)]}]}],
    }


def _dosage(dose: DosingRangeWrite, manifest: Manifest) -> Json:
    schedule = dose.schedule
    repeat = None
    if schedule.count and schedule.period is not None and schedule.period_unit is not None:
        repeat = {
            "frequency": schedule.count,
            "period": schedule.period,
            "periodUnit": str(PeriodUnit.d if schedule.period_unit is PeriodUnit.cycle else schedule.period_unit),
        }
    instructions = (dose.population, dose.formulation, dose.titration)
    return {
        "text": _dose_text(dose),
        "additionalInstruction": [{"text": text} for text in instructions if text],
        "timing": {"repeat": repeat, "code": {"text": schedule.timing or schedule.text}},
        "route": _route(dose.route, manifest),
        "doseAndRate": [_amount(dose, manifest.units)],
    }


def _amount(dose: DosingRangeWrite, units: Units) -> Json | None:
    """The amount per dose as it was reported; null if it was not read."""
    if dose.low is None and dose.high is None:
        return None
    low, high = (_quantity(end, dose.unit, units) for end in (dose.low, dose.high))
    return {"doseQuantity": low} if dose.low == dose.high else {"doseRange": {"low": low, "high": high}}


def _quantity(value: Decimal | None, unit: str | None, units: Units) -> Json | None:
    """An amount in a unit of the data set: coded where UCUM has a code for it."""
    term = units.term(unit)
    found = quantity(value, term.ucum if term else None)
    if found is None or unit is None or (term and term.ucum == unit):
        return found
    return found | {"unit": term.label if term else unit}


def _dose_text(dose: DosingRangeWrite) -> str:
    return f"{dose.basis.label}: {dose.dose_text}"


def _route(route: str | None, manifest: Manifest) -> Json | None:
    if route is None:
        return None
    term = manifest.term("route", route)
    system, _, code = (term.fhir or "" if term else "").partition("|")
    return {"coding": [{"system": system, "code": code}] if code else [], "text": manifest.label("route", route)}
