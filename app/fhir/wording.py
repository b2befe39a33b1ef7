"""The text of a claim as resources show it: never without its caveat, its verdict and the counts of both sides."""

from collections.abc import Iterable
from html import escape

from app.claims import rendering as render
from app.claims.derived import ClaimDerived
from app.claims.responses import ClaimSummary, StanceCount
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Consensus
from app.fhir.values import Json, joined
from app.grading.wording import certainty_text
from app.storage.resource import Key, RecordReader

NOTE = "http://hl7.org/fhir/StructureDefinition/note"
"""HL7's extension for notes on resources that have no element for them."""


def count(told: StanceCount) -> str:
    """`5 citations (4 studies, 1 review, 90 people)`."""
    numbers = (
        (told.studies, "study", "studies"),
        (told.reviews, "review", "reviews"),
        (told.participants, "person", "people"),
    )
    inside = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in numbers if n)
    citations = f"{told.citations} citation{'' if told.citations == 1 else 's'}"
    return f"{citations} ({inside})" if inside else citations


def verdict(summary: ClaimSummary) -> str:
    """`Consensus: conflicting, leaning: disputes.`"""
    votes = summary.consensus not in (Consensus.not_applicable, Consensus.uncited)
    leaning = f", leaning: {summary.leaning.label.lower()}" if votes else ""
    return f"Consensus: {summary.consensus.label.lower()}{leaning}."


def lines(summary: ClaimSummary, certainty: str) -> list[str]:
    """What travels with a claim's text, a sentence or two in each line."""
    return [
        f"Caveat: {summary.caveat or 'none recorded.'}",
        verdict(summary),
        f"Certainty: {certainty}",
        f"Supporting: {count(summary.supports)}. Disputing: {count(summary.disputes)}.",
    ]


def travelling(records: RecordReader, claim_id: str) -> list[str]:
    key = Key("claim", claim_id)
    claim: ClaimWrite = records.content(key)
    derived: ClaimDerived = records.derived(key)
    certainty = certainty_text(records, claim, derived.evidence)
    return lines(render.summary(records, claim_id), certainty)


def note(records: RecordReader, claim_id: str) -> Json:
    """What travels with a claim's text, for elements of type Annotation."""
    return {"text": "\n\n".join(travelling(records, claim_id))}


def note_extension(told: Json) -> Json:
    return {"url": NOTE, "valueAnnotation": told}


def narrative(*paragraphs: str | None, listed: Iterable[str] = ()) -> Json:
    """The resource for people."""
    told = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    items = "".join(f"<li>{escape(text)}</li>" for text in listed)
    body = told + (f"<ul>{items}</ul>" if items else "")
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}


def claim_narrative(records: RecordReader, claim_id: str, *further: str | None, listed: Iterable[str] = ()) -> Json:
    """A claim for people: the statement, then at once what travels with it."""
    claim: ClaimWrite = records.content(Key("claim", claim_id))
    return narrative(claim.statement, *travelling(records, claim_id), joined(further), listed=listed)
