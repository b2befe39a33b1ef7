"""Intervention → MedicationKnowledge: the doses that are recorded for a drug or regimen, and what its use may do."""

from collections.abc import Sequence

from app.claims.derived import DosingRangeDerived
from app.claims.schemas import DosingRangeWrite
from app.claims.vocabulary import Route, Unit
from app.concepts.schemas import InterventionWrite
from app.concepts.vocabulary import InterventionLevel
from app.fhir import related
from app.fhir import wording as words
from app.fhir.values import Json, built, codeable, reference, ucum
from app.storage.resource import Key, RecordReader

NO_ADVICE = "Doses that were studied, reported or approved; none is a recommendation."
MAX_ISSUES = 500


def medication_knowledge(
    records: RecordReader, intervention: InterventionWrite, doses: Sequence[str], issues: Sequence[str]
) -> Json:
    """`doses` are its dosing ranges; `issues` the claims of harm about it, those of its drug among them."""
    ranges: list[DosingRangeWrite] = [records.content(Key("dosing_range", dose)) for dose in doses]
    regimen = intervention.level is InterventionLevel.regimen
    routes = list(dict.fromkeys(dose.route for dose in ranges if dose.route))
    cut = len(issues) > MAX_ISSUES
    told = NO_ADVICE + (
        f" The first {MAX_ISSUES} issues are listed; search ClinicalUseDefinition by subject for all." if cut else ""
    )
    return built(
        {
            "resourceType": "MedicationKnowledge",
            "id": intervention.id,
            "text": words.narrative(
                f"{intervention.name} ({intervention.level.label.lower()}).",
                intervention.description,
                told,
                listed=[_told(dose) for dose in ranges],
            ),
            "extension": [words.note_extension({"text": told}), *related.extensions(_citations(records, doses))],
            "code": codeable(intervention),
            "status": "active",
            "name": [intervention.name, *intervention.synonyms],
            "relatedMedicationKnowledge": [
                {
                    "type": {"text": "Dose regimen of this drug"},
                    "reference": [reference("MedicationKnowledge", intervention.parent)],
                }
            ]
            if regimen and intervention.parent
            else [],
            "indicationGuideline": [_guideline(records, dose) for dose in ranges],
            "clinicalUseIssue": [reference("ClinicalUseDefinition", claim) for claim in issues[:MAX_ISSUES]],
            "definitional": {
                "intendedRoute": [_route(route) for route in routes],
                "ingredient": [{"item": {"reference": reference("Substance", intervention.id)}}],
            },
        }
    )


def _citations(records: RecordReader, doses: Sequence[str]) -> list[Json]:
    """Of the claims that state the doses."""
    derived: list[DosingRangeDerived] = [records.derived(Key("dosing_range", dose)) for dose in doses]
    claims = dict.fromkeys(claim for dose in derived for claim in dose.claims)
    return [related.artifact(records, c, of=claim) for claim in claims for c in related.in_order(records, claim)]


def _guideline(records: RecordReader, dose: DosingRangeWrite) -> Json:
    return {
        "indication": [{"concept": codeable(records.content(Key("condition", c)))} for c in dose.conditions],
        "dosingGuideline": [{"dosage": [{"type": {"text": dose.basis.label}, "dosage": [_dosage(dose)]}]}],
    }


def _dosage(dose: DosingRangeWrite) -> Json:
    schedule = dose.schedule
    timed = schedule.count is not None and schedule.period is not None and schedule.period_unit is not None
    repeat = (
        {"frequency": schedule.count, "period": schedule.period, "periodUnit": str(schedule.period_unit)}
        if timed and schedule.count
        else None
    )
    further = (dose.population, dose.formulation, dose.titration)
    return {
        "text": _told(dose),
        "additionalInstruction": [{"text": text} for text in further if text],
        "timing": {"repeat": repeat, "code": {"text": schedule.timing or schedule.text}},
        "route": _route(dose.route),
        "doseAndRate": [_amount(dose)],
    }


def _amount(dose: DosingRangeWrite) -> Json | None:
    """Per dose as it was given; a dose that was not read has none."""
    unit = str(dose.unit) if isinstance(dose.unit, Unit) else None
    if dose.low is None and dose.high is None:
        return None
    if dose.low == dose.high:
        return {"doseQuantity": ucum(dose.low, unit)}
    return {"doseRange": {"low": ucum(dose.low, unit), "high": ucum(dose.high, unit)}}


def _told(dose: DosingRangeWrite) -> str:
    return f"{dose.basis.label}: {dose.dose_text}"


def _route(route: Route | None) -> Json | None:
    if route is None:
        return None
    oral = [{"system": "http://snomed.info/sct", "code": "26643006"}] if route is Route.oral else []
    return {"coding": oral, "text": route.label}
