"""The text of a claim as resources show it: the answer first, then what is claimed, its caveat and both sides."""

from collections.abc import Iterable
from html import escape

from app.claims import rendering
from app.core.english import join_sentences
from app.fhir.values import Json
from app.grading.wording import claimed_text, count_text, labelled_answer
from app.storage.resource import RecordReader

NOTE = "http://hl7.org/fhir/StructureDefinition/note"
"""HL7's extension for notes on resources without a `note` element."""


def qualifiers(records: RecordReader, claim_id: str) -> list[str]:
    """What must be read with a claim's statement: the answer, who found what, the caveat, both sides' counts."""
    summary = rendering.summary(records, claim_id)
    lines = (
        labelled_answer(summary.verdict, summary.answer),
        summary.counts_text,
        f"Caveat: {summary.caveat or 'none recorded.'}",
        f"Supporting: {count_text(summary.supports)}. Disputing: {count_text(summary.disputes)}.",
    )
    return [line for line in lines if line]


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
    """A claim as XHTML: the answer with its qualifiers, what is claimed, then the details as one paragraph."""
    summary = rendering.summary(records, claim_id)
    answer, *others = qualifiers(records, claim_id)
    return narrative(answer, claimed_text(summary.answer, summary.statement), *others, join_sentences(*details))
