"""Searches: questions put to the literature, and those that nobody has put yet."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.records import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.claims.responses import SearchRead
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses

router = APIRouter(tags=["searches"])


@router.get(
    "/v1/searches",
    operation_id="listSearches",
    summary="Questions that were searched, and that were not",
    response_model=ListOf[SearchRead],
    responses=responses(422, 503),
)
def list_searches(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    query: Annotated[queries.LiteratureSearchQuery, Query()],
) -> Response:
    """`searched_none_found` and `not_searched` are not evidence of no effect, nor of safety."""
    return answer_list(
        request, session, dataset, "search", query, lambda _kept: queries.searches(session, query), queries.SEARCH_SORTS
    )


add_item_routes(router, "search")
