"""Citations: the links from claims to documents, at their own addresses."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.records import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.claims.responses import CitationRead
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses

router = APIRouter(tags=["citations"])


@router.get(
    "/v1/citations",
    operation_id="listCitations",
    summary="Citations, each with the claim it bears on",
    response_model=ListOf[CitationRead],
    responses=responses(422, 503),
)
def list_citations(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[queries.CitationQuery, Query()]
) -> Response:
    """Citations of published claims. Stance lives here: one paper can support one claim and dispute another."""
    return answer_list(
        request,
        session,
        dataset,
        "citation",
        query,
        lambda _kept: queries.citations(session, query),
        queries.CITATION_SORTS,
    )


add_item_routes(router, "citation")
