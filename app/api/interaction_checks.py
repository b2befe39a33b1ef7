"""Interaction checks: a list of drugs in, one status for every pair out."""

from fastapi import APIRouter, Depends, Request, Response

from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import declared_parameters_only, responses
from app.http.reads import reads_of
from app.questions.interaction_responses import InteractionCheck, InteractionCheckRead
from app.questions.interactions import check
from app.storage.read_view import ReadView

router = APIRouter(tags=["interaction-checks"], dependencies=[Depends(declared_parameters_only)])


@router.post(
    "/v1/interaction-checks",
    operation_id="checkInteractions",
    summary="What is recorded of every pair of drugs",
    response_model=InteractionCheckRead,
    responses=responses(400, 413, 422, 503),
)
async def check_interactions(
    request: Request,
    asked: InteractionCheck,
) -> Response:
    """Two to thirty drugs, each by id, code, or name; one status for **every** pair, with the claims behind it.

    A drug that is not known here makes its pairs `unrecognized`, never absent. Warnings of a drug hold for its dose
    regimens and those of a class for its members, whatever the dose. A pair without a recorded interaction has not been
    cleared. Nothing of the request is stored.
    """
    return await reads_of(request).run(request, _check, request, asked)


def _check(view: ReadView, request: Request, asked: InteractionCheck) -> Response:
    body = check(view.session, asked).model_dump_json().encode()
    return conditional_response(request, conditional.etag(body), body, cache_control=conditional.NO_STORE)
