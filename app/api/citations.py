"""Citations: the links from claims to documents, at their own addresses."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.claims.responses import CitationRead
from app.http.problems import responses
from app.http.queries import query_of

router = APIRouter(tags=["citations"])


@router.get(
    "/v1/citations",
    operation_id="listCitations",
    summary="Citations, each with the claim it bears on",
    response_model=ListOf[CitationRead],
    responses=responses(422, 503),
)
async def list_citations(
    request: Request, query: Annotated[queries.CitationQuery, query_of(queries.CitationQuery)]
) -> Response:
    """Citations of published claims. Stance lives here: one paper can support one claim and dispute another."""
    return await answer_list(request, "citation", query, queries.citations, queries.CITATION_SORTS)


add_item_routes(router, "citation")
