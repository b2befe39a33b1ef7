"""Searches: questions put to the literature, and those that nobody has put yet."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.claims.responses import SearchRead
from app.http.problems import responses
from app.http.queries import query_of

router = APIRouter(tags=["searches"])


@router.get(
    "/v1/searches",
    operation_id="listSearches",
    summary="Questions that were searched, and that were not",
    response_model=ListOf[SearchRead],
    responses=responses(422, 503),
)
async def list_searches(
    request: Request, query: Annotated[queries.LiteratureSearchQuery, query_of(queries.LiteratureSearchQuery)]
) -> Response:
    """`searched_none_found` and `not_searched` are not evidence of no effect, nor of safety."""
    return await answer_list(request, "search", query, queries.searches, queries.SEARCH_SORTS)


add_item_routes(router, "search")
