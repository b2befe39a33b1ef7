"""The text of a claim as resources show it: always with its caveat, its verdict and the counts of both sides."""

from collections.abc import Iterable
from html import escape

from app.claims import rendering
from app.claims.derived import ClaimDerived
from app.claims.schemas import ClaimWrite
from app.core.english import join_sentences
from app.fhir.values import Json
from app.grading.wording import certainty_text, consensus_text, count_text
from app.storage.resource import Key, RecordReader

NOTE = "http://hl7.org/fhir/StructureDefinition/note"
"""HL7's extension for notes on resources without a `note` element."""


def qualifiers(records: RecordReader, claim_id: str) -> list[str]:
    """What must be read with a claim's statement, a sentence or two in each line."""
    key = Key("claim", claim_id)
    claim: ClaimWrite = records.content(key)
    derived: ClaimDerived = records.derived(key)
    summary = rendering.summary(records, claim_id)
    return [
        f"Caveat: {summary.caveat or 'none recorded.'}",
        consensus_text(summary),
        f"Certainty: {certainty_text(records, claim, derived.evidence)}",
        f"Supporting: {count_text(summary.supports)}. Disputing: {count_text(summary.disputes)}.",
    ]


def note(records: RecordReader, claim_id: str) -> Json:
    """The qualifiers of a claim as an Annotation."""
    return {"text": "\n\n".join(qualifiers(records, claim_id))}


def note_extension(annotation: Json) -> Json:
    return {"url": NOTE, "valueAnnotation": annotation}


def narrative(*paragraphs: str | None, items: Iterable[str] = ()) -> Json:
    """A resource as XHTML for people."""
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    listed = "".join(f"<li>{escape(text)}</li>" for text in items)
    body += f"<ul>{listed}</ul>" if listed else ""
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}


def claim_narrative(records: RecordReader, claim_id: str, *details: str | None) -> Json:
    """A claim as XHTML: the statement, its qualifiers, then the details as one paragraph."""
    claim: ClaimWrite = records.content(Key("claim", claim_id))
    return narrative(claim.statement, *qualifiers(records, claim_id), join_sentences(*details))
