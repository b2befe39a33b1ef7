"""Studies and documents: what claims rest on."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.records import ListOf, add_item_routes, answer_list
from app.evidence import queries
from app.evidence.reads import DocumentWithEvidence, StudyWithEvidence
from app.http.deps import CurrentDataset, ReadSession
from app.http.problems import responses

studies = APIRouter(tags=["studies"])
documents = APIRouter(tags=["documents"])


@studies.get(
    "/v1/studies",
    operation_id="listStudies",
    summary="Studies, registered trials and reviews",
    response_model=ListOf[StudyWithEvidence],
    responses=responses(422, 503),
)
def list_studies(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[queries.StudyQuery, Query()]
) -> Response:
    """Pieces of research, whatever was published about them. A trial without results is a study too; a review is a
    study of its own kind (`is_review`)."""
    return answer_list(
        request, session, dataset, "study", query, lambda: queries.studies(session, query), queries.STUDY_SORTS
    )


@documents.get(
    "/v1/documents",
    operation_id="listDocuments",
    summary="Publications, web pages and labels",
    response_model=ListOf[DocumentWithEvidence],
    responses=responses(422, 503),
)
def list_documents(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[queries.DocumentQuery, Query()]
) -> Response:
    """Documents with their identifiers and standing. A well-formed DOI or PMID that is not recorded finds nothing."""
    return answer_list(
        request, session, dataset, "document", query, lambda: queries.documents(session, query), queries.DOCUMENT_SORTS
    )


add_item_routes(studies, "study")
add_item_routes(documents, "document")
