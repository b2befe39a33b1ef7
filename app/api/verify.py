"""Verification of citations: a source and a claim in, what is recorded of them out."""

from fastapi import APIRouter, Depends, Request, Response

from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import declared_parameters_only, responses
from app.http.reads import reads_of
from app.storage.read_view import ReadView
from app.verification.schemas import VerificationAnswer, VerificationRequest
from app.verification.verify import verify

router = APIRouter(tags=["verify"], dependencies=[Depends(declared_parameters_only)])


@router.post(
    "/v1/verify",
    operation_id="verifyCitations",
    summary="Whether sources say what they are cited for",
    response_model=VerificationAnswer,
    responses=responses(400, 413, 422, 503),
)
async def verify_citations(request: Request, asked: VerificationRequest) -> Response:
    """One to fifty citations, each a source with the claim or sentence that it is cited for; one `result` for each, in
    the order of the request, with what to make of it.

    Looked up are the source behind the identifier, whether the title is its title, how far it still stands, and what it
    is recorded to say on the claim. The text of no source is held here: a quotation is never confirmed, and what is not
    recorded is not thereby false. A citation that cannot be verified has `errors` of its own and leaves the others
    alone. Nothing of the request is stored.
    """
    return await reads_of(request).run(request, _verify, request, asked)


def _verify(view: ReadView, request: Request, asked: VerificationRequest) -> Response:
    body = verify(view, asked).model_dump_json().encode()
    return conditional_response(request, conditional.etag(body), body, cache_control=conditional.NO_STORE)
