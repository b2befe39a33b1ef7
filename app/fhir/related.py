"""Citations as related artifacts: the document, its stance and the place in it.

The stance is a code of CiTO, because FHIR has no word for disputing.
"""

from collections.abc import Iterable

from app.bibliography.from_documents import WARNINGS
from app.claims.derived import ClaimDerived
from app.claims.schemas import CitationWrite, ClaimWrite, Locator
from app.claims.vocabulary import Stance
from app.core.english import join_sentences
from app.fhir.values import CITO, Json, reference
from app.sources.schemas import DocumentWrite
from app.storage.resource import Key, RecordReader

EXTENSION = "http://hl7.org/fhir/StructureDefinition/artifact-relatedArtifact"
"""HL7's extension for resources that have no element for citations."""

CITO_TERMS = {
    Stance.supports: "supports",
    Stance.disputes: "disputes",
    Stance.mixed: "qualifies",
    Stance.inconclusive: "discusses",
    Stance.background: "givesBackgroundTo",
    Stance.not_assessed: "isCitedBy",
}
"""Read from the document to the claim: the document `supports` the claim."""


def classifier(stance: Stance) -> Json:
    return {"coding": [{"system": CITO, "code": CITO_TERMS[stance]}], "text": stance.label}


def artifact(records: RecordReader, citation: CitationWrite, *, claim_id: str | None = None) -> Json:
    """The citation; `claim_id` is shown where the resource is about several claims."""
    document: DocumentWrite = records.content(Key("document", citation.document))
    standing = document.current_standing.standing
    extent = f"({citation.extent.label.lower()})" if citation.extent else None
    mark = f"({standing.label.upper()})" if standing in WARNINGS else None
    return {
        "type": "citation",
        "classifier": [classifier(citation.stance)],
        "label": place(citation.locator),
        "display": join_sentences(document.label, mark, extent, f"on claim {claim_id}" if claim_id else None),
        "resourceReference": reference("Citation", document.id),
    }


def extensions(artifacts: Iterable[Json]) -> list[Json]:
    return [{"url": EXTENSION, "valueRelatedArtifact": artifact} for artifact in artifacts]


def artifacts(records: RecordReader, claim_id: str) -> list[Json]:
    return [artifact(records, citation) for citation in ordered_citations(records, claim_id)]


def ordered_citations(records: RecordReader, claim_id: str) -> list[CitationWrite]:
    """The claim's citations in the order that every interface shows."""
    key = Key("claim", claim_id)
    claim: ClaimWrite = records.content(key)
    derived: ClaimDerived = records.derived(key)
    by_id = {citation.id: citation for citation in claim.citations}
    return [by_id[citation_id] for citation_id in derived.order]


def place(locator: Locator) -> str | None:
    """Where in the document the finding stands: `Abstract, Results, page 533`."""
    page = f"page {locator.page}" if locator.page else None
    return ", ".join(filter(None, (locator.section, page, locator.figure))) or None
