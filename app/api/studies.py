"""Studies: research, whatever was published about it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.claims.responses import StudyWithEvidence
from app.http.problems import responses
from app.http.queries import query_of

router = APIRouter(tags=["studies"])


@router.get(
    "/v1/studies",
    operation_id="listStudies",
    summary="Studies, registered trials and reviews",
    response_model=ListOf[StudyWithEvidence],
    responses=responses(422, 503),
)
async def list_studies(
    request: Request, query: Annotated[queries.StudyQuery, query_of(queries.StudyQuery)]
) -> Response:
    """Pieces of research, whatever was published about them. A trial without results is a study too; a review is a
    study of its own kind (`is_review`)."""
    return await answer_list(request, "study", query, queries.studies, queries.STUDY_SORTS)


add_item_routes(router, "study")
