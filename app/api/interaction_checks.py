"""Interaction checks: a list of drugs in, one status for every pair out."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import declared_parameters_only, responses
from app.questions.interaction_responses import InteractionCheck, InteractionCheckRead
from app.questions.interactions import check

router = APIRouter(tags=["interaction-checks"], dependencies=[Depends(declared_parameters_only)])

_EXAMPLE = {"drugs": [{"code": "rxnorm:7243", "dose": "4.5 mg"}, {"id": "methadone"}, {"text": "tramadol"}]}


@router.post(
    "/v1/interaction-checks",
    operation_id="checkInteractions",
    summary="What is recorded of every pair of drugs",
    response_model=InteractionCheckRead,
    responses=responses(400, 413, 422, 503),
)
def check_interactions(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    asked: Annotated[InteractionCheck, Body(openapi_examples={"naltrexone": {"value": _EXAMPLE}})],
) -> Response:
    """Two to thirty drugs, each by id, code, or name; one status for **every** pair, with the claims behind it.

    A drug that is not known here makes its pairs `unrecognized`, never absent. Warnings of a drug hold for its dose
    regimens and those of a class for its members, whatever the dose. A pair without a recorded interaction has not been
    cleared. Nothing of the request is stored.
    """
    body = check(session, asked).model_dump_json().encode()
    return caching.json_response(request, body, caching.etag(body), cache_control="no-store", headers=dataset.headers)
