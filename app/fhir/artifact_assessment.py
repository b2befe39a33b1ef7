"""Claim → ArtifactAssessment: what the citations of a claim add up to. The claim itself is the assessed artifact."""

from app.claims.derived import ClaimDerived
from app.claims.rendering import address
from app.claims.responses import StanceCount
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Certainty, Stance
from app.fhir import related, wording
from app.fhir.values import Json, drops_empty, fhir_code, term_text
from app.grading.definitions import definition_of
from app.grading.method import METHOD, Method
from app.grading.wording import count_text
from app.storage.resource import Key, RecordReader

_RATINGS = {
    Certainty.high: ("high", "High quality"),
    Certainty.moderate: ("moderate", "Moderate quality"),
    Certainty.low: ("low", "Low quality"),
    Certainty.very_low: ("very-low", "Very low quality"),
}


@drops_empty
def artifact_assessment(
    records: RecordReader, claim: ClaimWrite, base: str, updated_at: str, method: Method = METHOD
) -> Json:
    derived: ClaimDerived = records.derived(Key("claim", claim.id))
    evidence = derived.evidence
    return {
        "resourceType": "ArtifactAssessment",
        "id": claim.id,
        "text": wording.claim_narrative(records, claim.id),
        "extension": [wording.note_extension(wording.note(records, claim.id))],
        "title": claim.statement,
        "date": updated_at,
        "lastReviewDate": claim.reviewed_on if claim.reviewed_on and len(claim.reviewed_on) == 10 else None,
        "artifactUri": f"{base}{address('claims', claim.id)}",
        "content": [
            {
                "informationType": "rating",
                "summary": evidence.answer,
                "type": fhir_code("certainty-type", "Overall", "Overall certainty"),
                "classifier": [_rating(evidence.certainty)],
            },
            {
                "informationType": "classifier",
                "summary": evidence.counts_text,
                "type": {"text": "Verdict"},
                "classifier": [{"text": evidence.verdict.label}],
            },
            {
                "informationType": "classifier",
                "summary": f"{evidence.consensus.label}: {definition_of(evidence.consensus, method)}",
                "type": {"text": f"Consensus ({evidence.consensus_method})"},
                "classifier": [term_text(evidence.consensus)],
            },
            {
                "informationType": "classifier",
                "type": {"text": "Leaning"},
                "classifier": [term_text(evidence.leaning)],
            },
            {"informationType": "comment", "type": {"text": "Caveat"}, "summary": claim.caveat}
            if claim.caveat
            else None,
            {
                "informationType": "container",
                "type": {"text": "Citations by stance"},
                "relatedArtifact": related.artifacts(records, claim.id),
                "component": [_side(stance, getattr(evidence.by_stance, stance.value)) for stance in Stance],
            },
        ],
    }


def _rating(certainty: Certainty) -> Json:
    code = _RATINGS.get(certainty)
    return (fhir_code("certainty-rating", *code) if code else {}) | {"text": certainty.label}


def _side(stance: Stance, count: StanceCount) -> Json:
    return {
        "informationType": "rating",
        "summary": f"{stance.label}: {count_text(count)}.",
        "classifier": [related.classifier(stance)],
        "quantity": {"value": count.citations, "unit": "citations"},
    }
