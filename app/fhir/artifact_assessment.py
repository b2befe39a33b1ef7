"""Claim → ArtifactAssessment: what the citations of a claim add up to. The claim itself is the assessed artifact."""

from app.claims.derived import ClaimDerived
from app.claims.rendering import address
from app.claims.responses import StanceCount
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Certainty, Stance
from app.fhir import related
from app.fhir import wording as words
from app.fhir.values import Json, built, hl7, termed
from app.grading.wording import certainty_text
from app.storage.resource import RecordReader

_RATINGS = {
    Certainty.high: ("high", "High quality"),
    Certainty.moderate: ("moderate", "Moderate quality"),
    Certainty.low: ("low", "Low quality"),
    Certainty.very_low: ("very-low", "Very low quality"),
}


def artifact_assessment(
    records: RecordReader, claim: ClaimWrite, derived: ClaimDerived, base: str, updated_at: str
) -> Json:
    evidence = derived.evidence
    certainty = certainty_text(records, claim, evidence)
    by_stance = [(stance, getattr(evidence.by_stance, stance.value)) for stance in Stance]
    return built(
        {
            "resourceType": "ArtifactAssessment",
            "id": claim.id,
            "text": words.claim_narrative(records, claim.id),
            "extension": [words.note_extension(words.note(records, claim.id))],
            "title": claim.statement,
            "date": updated_at,
            "lastReviewDate": claim.reviewed_on if claim.reviewed_on and len(claim.reviewed_on) == 10 else None,
            "artifactUri": f"{base}{address('claims', claim.id)}",
            "content": [
                {
                    "informationType": "rating",
                    "summary": certainty,
                    "type": hl7("certainty-type", "Overall", "Overall certainty"),
                    "classifier": [rating(evidence.certainty)],
                },
                {
                    "informationType": "classifier",
                    "summary": f"{evidence.consensus.label}: {evidence.consensus.definition}",
                    "type": {"text": f"Consensus ({evidence.consensus_method})"},
                    "classifier": [termed(evidence.consensus)],
                },
                {
                    "informationType": "classifier",
                    "type": {"text": "Leaning"},
                    "classifier": [termed(evidence.leaning)],
                },
                {"informationType": "comment", "type": {"text": "Caveat"}, "summary": claim.caveat}
                if claim.caveat
                else None,
                {
                    "informationType": "container",
                    "type": {"text": "Citations by stance"},
                    "relatedArtifact": related.cited(records, claim.id),
                    "component": [_side(stance, counted) for stance, counted in by_stance],
                },
            ],
        }
    )


def rating(certainty: Certainty) -> Json:
    code = _RATINGS.get(certainty)
    return hl7("certainty-rating", *code) | {"text": certainty.label} if code else {"text": certainty.label}


def _side(stance: Stance, counted: StanceCount) -> Json:
    return {
        "informationType": "rating",
        "summary": f"{stance.label}: {words.count(counted)}.",
        "classifier": [related.classifier(stance)],
        "quantity": {"value": counted.citations, "unit": "citations"},
    }
