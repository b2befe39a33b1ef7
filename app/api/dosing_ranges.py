"""Dosing ranges: doses that were studied, recommended or reported; never advice."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.claims.responses import DosingRangeRead
from app.http.problems import responses
from app.http.queries import query_of

router = APIRouter(tags=["dosing-ranges"])


@router.get(
    "/v1/dosing-ranges",
    operation_id="listDosingRanges",
    summary="Doses, with the bands that they touch",
    response_model=ListOf[DosingRangeRead],
    responses=responses(422, 503),
)
async def list_dosing_ranges(
    request: Request, query: Annotated[queries.DosingRangeQuery, query_of(queries.DosingRangeQuery)]
) -> Response:
    """Doses as their sources word them, beside an exact daily total in picograms where it can be known."""
    return await answer_list(request, "dosing_range", query, queries.dosing_ranges, queries.DOSING_RANGE_SORTS)


add_item_routes(router, "dosing_range")
