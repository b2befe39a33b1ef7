"""Intervention → Substance: a drug, a class of drugs, or a dose regimen as a substance that consists of its drug."""

from app.concepts.schemas import InterventionWrite
from app.concepts.vocabulary import InterventionLevel
from app.fhir.values import Json, built, codeable, reference
from app.fhir.wording import narrative
from app.storage.resource import RecordReader


def substance(_world: RecordReader, intervention: InterventionWrite) -> Json:
    regimen = intervention.level is InterventionLevel.regimen
    return built(
        {
            "resourceType": "Substance",
            "id": intervention.id,
            "text": narrative(
                f"{intervention.name} ({intervention.level.label.lower()}).",
                intervention.description,
                f"Also called {', '.join(intervention.synonyms)}." if intervention.synonyms else None,
            ),
            "instance": False,
            "status": "active",
            "category": [{"text": intervention.level.label}],
            "code": {"concept": codeable(intervention)},
            "description": intervention.description,
            "ingredient": [{"substanceReference": reference("Substance", intervention.parent)}]
            if regimen and intervention.parent
            else [],
        }
    )
