"""Document → Citation: what was published, by whom, and whether it was retracted. A stance belongs to a claim."""

from app.bibliography.from_documents import plain_title, reference_of
from app.bibliography.pages import page_ranges
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_reference
from app.core.english import join_sentences
from app.fhir.values import Json, drops_empty, fhir_code
from app.fhir.wording import narrative
from app.sources.rendering import author_name, identifier
from app.sources.schemas import Author, DocumentWrite
from app.sources.vocabulary import DocumentKind, IdentifierScheme, Interest, Standing

IDENTIFIER_SYSTEMS = {
    IdentifierScheme.doi: "https://doi.org",
    IdentifierScheme.pmid: "https://pubmed.ncbi.nlm.nih.gov",
    IdentifierScheme.pmcid: "https://www.ncbi.nlm.nih.gov/pmc/",
    IdentifierScheme.nct: "http://clinicaltrials.gov",
}
"""As in HL7's own examples of citations."""

_CLASSIFIERS = {
    DocumentKind.article_journal: ("D016428", "Journal Article"),
    DocumentKind.webpage: ("webpage", "Webpage"),
    DocumentKind.dataset: ("D064886", "Dataset"),
}
_PREPRINT = ("D000076942", "Preprint")


@drops_empty
def citation(document: DocumentWrite) -> Json:
    notes = _notes(document)
    reference = reference_of(document)
    contained = [_person(author, f"author-{n}") for n, author in enumerate(document.authors, 1)]
    return {
        "resourceType": "Citation",
        "id": document.id,
        "text": narrative(format_reference(reference, Style.ama), *notes),
        "contained": contained,
        "status": "active",
        "note": [{"text": text} for text in notes],
        "citedArtifact": {
            "identifier": [
                {"system": IDENTIFIER_SYSTEMS.get(read.scheme), "value": identifier(read).normal}
                for read in document.identifiers
            ],
            "dateAccessed": document.accessed,
            "currentState": [fhir_code("cited-artifact-status-type", "retracted", "Retracted")]
            if document.current_standing.standing is Standing.retracted
            else [],
            "title": [{"text": plain_title(document.title, document.label, document.current_standing.standing)}],
            "publicationForm": [_publication(document, reference)],
            "webLocation": [{"url": document.url}],
            "classification": [_classification(document, is_preprint=reference.is_preprint)],
            "contributorship": _contributors(document, contained),
        },
    }


def _publication(document: DocumentWrite, reference: Reference) -> Json:
    """A preprint is in no periodical, and FHIR has no code for the server that it is on."""
    pages = page_ranges(reference.page) if reference.page else []
    first, last = (pages[0].first, pages[0].last) if len(pages) == 1 else (None, None)
    is_article = document.kind is DocumentKind.article_journal and not reference.is_preprint
    is_periodical = is_article and reference.container_title is not None
    return {
        "publishedIn": {
            "type": fhir_code("published-in-type", "D020492", "Periodical") if is_periodical else None,
            "title": reference.server or reference.container_title or reference.publisher,
        },
        "volume": reference.volume,
        "issue": reference.issue,
        "articleDate": document.issued,
        "firstPage": first if last else None,
        "lastPage": last,
        "pageString": None if last else reference.page,
    }


def _classification(document: DocumentWrite, *, is_preprint: bool) -> Json:
    code = _PREPRINT if is_preprint else _CLASSIFIERS.get(document.kind)
    classifier = fhir_code("citation-artifact-classifier", *code) if code else {"text": document.kind.label}
    kind = fhir_code("cited-artifact-classification-type", "knowledge-artifact-type", "Knowledge Artifact Type")
    return {"type": kind, "classifier": [classifier]}


def _contributors(document: DocumentWrite, contained: list[Json]) -> Json | None:
    if not document.authors:
        return None
    names = [author_name(author) for author in document.authors] + ([] if document.authors_complete else ["et al"])
    kind = fhir_code("contributor-summary-type", "author-string", "Author string")
    return {
        "complete": document.authors_complete,
        "entry": [
            {"contributor": {"reference": f"#{person['id']}"}, "rankingOrder": rank}
            for rank, person in enumerate(contained, 1)
        ],
        "summary": [{"type": kind, "value": ", ".join(names)}],
    }


def _person(author: Author, key: str) -> Json:
    if author.literal:
        return {"resourceType": "Organization", "id": key, "name": author.literal}
    name = {"family": author.family, "given": (author.given or "").split(), "text": author_name(author)}
    return {"resourceType": "Practitioner", "id": key, "name": [name]}


def _notes(document: DocumentWrite) -> list[str]:
    """The document's standing, its publisher's interest, and what was not verified."""
    entry = document.current_standing
    notes = [f"Standing: {entry.standing.label}. {entry.standing.definition}"]
    if entry.notice:
        notes.append(join_sentences("Notice:", entry.notice.text, entry.notice.doi, entry.notice.url))
    if document.interest is not Interest.none_known:
        notes.append(f"Interest of the publisher: {document.interest.label}. {document.interest.definition}")
    if document.unverified_fields:
        notes.append(f"Not verified: {', '.join(document.unverified_fields)}.")
    return notes
