"""Claims as GA4GH VA-Spec 1.0 Statements: EvidenceLines by citation, Documents, and the Method behind the grade.

VA-Spec describes variants, but its generic Proposition takes any subject, predicate and object. Fields that it lacks
(caveat, counts, directness, verification) are extensions.
"""

from collections.abc import Iterable
from typing import Any

from app.claims.responses import CitationBody, ClaimRead
from app.claims.vocabulary import Leaning, Stance
from app.core.vocabulary import Term
from app.sources.schemas import DocumentEmbed

Node = dict[str, Any]

_DIRECTIONS = {Leaning.supports: "supports", Leaning.disputes: "disputes"}
_EVIDENCE = {Stance.supports: "supports", Stance.disputes: "disputes"}
_SYSTEM = "/v1/vocabularies"


def statement(read: ClaimRead) -> Node:
    """The claim. Its direction is the leaning of the evidence, its strength the certainty."""
    evidence = read.evidence
    proposition = _proposition(read)
    node: Node = {
        "id": read.links.self,
        "type": "Statement",
        "description": read.statement,
        "proposition": proposition,
        "direction": _DIRECTIONS.get(evidence.leaning, "neutral"),
        "strength": _term("certainty", evidence.certainty),
        "classification": _term("verdict_code", evidence.verdict.code),
        "specifiedBy": {
            "id": f"{read.links.self}/evidence",
            "type": "Method",
            "name": evidence.method,
            "methodType": "Grading of certainty and consensus",
            "extensions": _extensions({"consensus_method": evidence.consensus_method}),
        },
        "hasEvidenceLines": [_line(citation) for citation in read.citations],
        "extensions": _extensions(
            {
                "answer": evidence.answer,
                "counts_text": evidence.counts_text,
                "tone": evidence.verdict.tone.value,
                "consensus": evidence.consensus.value,
                "version": read.version,
                "permalink": read.links.permalink,
                "kind": read.kind.value,
                "form": read.form.value,
                "caveat": read.caveat,
                "caveat_required": read.caveat_required,
                "supports": evidence.by_stance.supports.model_dump(),
                "disputes": evidence.by_stance.disputes.model_dump(),
            }
        ),
    }
    if read.origins:
        documents = dict.fromkeys(origin.document.id for origin in read.origins)
        node["reportedIn"] = [f"/v1/documents/{document}" for document in documents]
    return node


def _proposition(read: ClaimRead) -> Node:
    """Subject and object are the first two concepts of the claim; the others qualify it."""
    concepts = list(_concepts(read))
    placeholder = {"conceptType": "kind", "name": read.kind.label}
    return {
        "id": f"{read.links.self}#proposition",
        "type": "Proposition",
        "subject": concepts[0] if concepts else placeholder,
        "predicate": read.effect.value,
        "object": concepts[1] if len(concepts) > 1 else placeholder,
        "extensions": _extensions(
            {
                "qualifiers": concepts[2:],
                "comparator": read.comparator,
                "population": read.population,
                "subgroup": read.subgroup.model_dump(mode="json") if read.subgroup else None,
                "timepoint": read.timepoint,
            }
        ),
    }


def _concepts(read: ClaimRead) -> Iterable[Node]:
    for plural, kind, concepts in (
        ("interventions", "intervention", (read.intervention,)),
        ("outcomes", "outcome", (read.outcome,)),
        ("side-effects", "side effect", read.side_effects),
        ("mechanisms", "mechanism", read.mechanisms),
        ("interventions", "interactant", read.interactants),
        ("conditions", "condition", read.conditions),
    ):
        for concept in concepts:
            if concept is not None:
                yield {"id": f"/v1/{plural}/{concept.id}", "conceptType": kind, "name": concept.name}


def _line(citation: CitationBody) -> Node:
    node: Node = {
        "id": f"/v1/citations/{citation.id}",
        "type": "EvidenceLine",
        "directionOfEvidenceProvided": _EVIDENCE.get(citation.stance, "neutral"),
        "evidenceOutcome": _term("stance", citation.stance),
        "reportedIn": [_document(citation.document)],
        "extensions": _extensions(
            {
                "directness": citation.directness.value,
                "indirect_because": [reason.value for reason in citation.indirect_because],
                "stance_reason": citation.stance_reason.value if citation.stance_reason else None,
                "role": citation.role.value,
                "analysed_n": citation.analysed_n,
                "extent": citation.extent.value if citation.extent else None,
                "extent_note": citation.extent_note,
                "quotes": [quote.text for quote in citation.quotes] or None,
                "verification": citation.verification.model_dump(mode="json"),
            }
        ),
    }
    if citation.strength:
        node["strengthOfEvidenceProvided"] = {
            "conceptType": citation.strength.scale,
            "name": citation.strength.value,
        }
    if citation.finding:
        node["description"] = citation.finding
    if citation.study:
        node["hasEvidenceItems"] = [f"/v1/studies/{citation.study.id}"]
    return node


def _document(embed: DocumentEmbed) -> Node:
    urls = [embed.links.doi] if embed.links.doi else None
    optional = {"title": embed.title, "doi": embed.doi, "pmid": embed.pmid, "urls": urls}
    return {
        "id": embed.links.self,
        "type": "Document",
        "name": embed.label,
        **{name: value for name, value in optional.items() if value},
        "extensions": _extensions(
            {"standing": embed.standing.value, "notice": embed.notice.model_dump() if embed.notice else None}
        ),
    }


def _term(vocabulary: str, term: Term) -> Node:
    return {
        "conceptType": vocabulary,
        "name": term.label,
        "primaryCoding": {"system": f"{_SYSTEM}#{vocabulary}", "code": term.value},
    }


def _extensions(values: Node) -> list[Node]:
    """Fields that VA-Spec lacks. Null values are left out."""
    return [{"name": name, "value": value} for name, value in values.items() if value is not None]
