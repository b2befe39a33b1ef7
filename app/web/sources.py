"""Sources: `/documents`, one document with what it found, what it states in its order, `/studies`, and one study."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.common import get_current, next_address
from app.api.documents import StatementQuery, statements_page
from app.bibliography import FORMATS, formatted
from app.bibliography.from_documents import plain_title
from app.bibliography.styles import Style, format_reference
from app.claims import catalogue_queries as catalogue
from app.claims.catalogue_responses import DocumentWithEvidence, StudyWithEvidence
from app.concepts.manifest import current_manifest
from app.core.english import join_sentences, quantity
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data import schema_org
from app.registry import BY_TYPE
from app.sources.queries import retracted_studies
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.web.pages import page_response
from app.web.records import (
    NO_PARAMETERS,
    Listing,
    RecordId,
    RecordList,
    answer_listing,
    api_address,
    cited_sections,
    read_record,
    shortened,
)

router = APIRouter(include_in_schema=False)

DOCUMENTS = Listing(
    "document",
    catalogue.DocumentQuery,
    catalogue.documents,
    catalogue.DOCUMENT_SORTS,
    "Sources",
    "Publications, web pages and labels behind the claims, with how far each still stands.",
    "web/documents.html",
)
STUDIES = Listing(
    "study",
    catalogue.StudyQuery,
    catalogue.studies,
    catalogue.STUDY_SORTS,
    "Studies",
    "Trials, other studies and reviews, each counted once however many documents report it.",
    "web/studies.html",
)


@router.get("/documents")
async def documents(
    request: Request, query: Annotated[catalogue.DocumentQuery, query_of(catalogue.DocumentQuery)]
) -> Response:
    return await answer_listing(request, DOCUMENTS, query)


@router.get("/studies")
async def studies(request: Request, query: Annotated[catalogue.StudyQuery, query_of(catalogue.StudyQuery)]) -> Response:
    def more(view: ReadView, studies: Sequence[StudyWithEvidence]) -> dict[str, Any]:
        return {"retracted": retracted_studies(view.session, [study.id for study in studies])}

    return await answer_listing(request, STUDIES, query, more)


@router.get("/documents/{id}", dependencies=NO_PARAMETERS)
async def document(request: Request, id: RecordId) -> Response:
    return await reads_of(request).run(request, _document, request, id)


def _document(view: ReadView, request: Request, document_id: str) -> Response:
    read: DocumentWithEvidence = read_record(view, "document", document_id)
    content = CurrentRecords(view.session).content(Key("document", document_id))
    name = plain_title(read.title, read.label, read.standing)
    _, _, statements = statements_page(view, document_id, StatementQuery(limit=1))
    return page_response(
        request,
        view,
        "web/document.html",
        title=name,
        description=shortened(
            join_sentences(f"{name}.", f"{read.kind.label}, {read.standing.label.lower()}.", _citation_count(read))
        ),
        json_address=read.links.self,
        document=read,
        notice=content.current_standing.notice,
        sections=cited_sections(view, {"document": document_id}),
        statement_count=statements.total,
        references=[
            (style, format_reference(formatted.references(view.session, [content], style)[0], style)) for style in Style
        ],
        downloads=[(known.label, f"{read.links.self}.{known.ending}") for known in FORMATS.values()],
        linked=schema_org.document(read),
    )


def _citation_count(read: DocumentWithEvidence | StudyWithEvidence) -> str:
    return f"Cited for {quantity(read.evidence.claims, 'claim', 'claims')}."


@router.get("/documents/{id}/statements")
async def statements(
    request: Request, id: RecordId, query: Annotated[StatementQuery, query_of(StatementQuery)]
) -> Response:
    return await reads_of(request).run(request, _statements, request, id, query)


def _statements(view: ReadView, request: Request, document_id: str, query: StatementQuery) -> Response:
    get_current(view, BY_TYPE["document"], document_id)
    content, items, page = statements_page(view, document_id, query)
    return page_response(
        request,
        view,
        "web/statements.html",
        title=f"What {content.label} states, and what the evidence says",
        description=shortened(
            f"The statements of {content.label} in their order, each with the evidence for and against it."
        ),
        json_address=api_address(request),
        document=content,
        standing=content.current_standing,
        records=RecordList(items, page.total, page.is_exact, next_address(request, page.next_cursor)),
    )


@router.get("/studies/{id}", dependencies=NO_PARAMETERS)
async def study(request: Request, id: RecordId) -> Response:
    return await reads_of(request).run(request, _study, request, id)


def _study(view: ReadView, request: Request, study_id: str) -> Response:
    read: StudyWithEvidence = read_record(view, "study", study_id)
    included = [study.id for study in read.includes.studies] if read.includes else []
    design = current_manifest(view.session).study_designs.design(read.design)
    return page_response(
        request,
        view,
        "web/study.html",
        title=read.name,
        description=shortened(join_sentences(f"{read.name}.", f"{design.label}.", _citation_count(read))),
        json_address=read.links.self,
        study=read,
        design=design,
        retracted=retracted_studies(view.session, [study_id, *included]),
        sections=cited_sections(view, {"study": study_id}),
    )
