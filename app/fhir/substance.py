"""Intervention → Substance: a drug, a class of drugs, or a dose regimen as a substance that consists of its drug."""

from app.concepts.schemas import InterventionWrite
from app.concepts.vocabulary import InterventionKind
from app.fhir.values import Json, codeable_concept, drops_empty, reference
from app.fhir.wording import narrative


@drops_empty
def substance(intervention: InterventionWrite) -> Json:
    is_regimen = intervention.kind is InterventionKind.regimen
    return {
        "resourceType": "Substance",
        "id": intervention.id,
        "text": narrative(
            f"{intervention.name} ({intervention.kind.label.lower()}).",
            intervention.description,
            f"Also called {', '.join(intervention.synonyms)}." if intervention.synonyms else None,
        ),
        "instance": False,
        "status": "active",
        "category": [{"text": intervention.kind.label}],
        "code": {"concept": codeable_concept(intervention)},
        "description": intervention.description,
        "ingredient": [{"substanceReference": reference("Substance", intervention.parent)}]
        if is_regimen and intervention.parent
        else [],
    }
