"""`/infobutton`: HL7's context-aware knowledge retrieval by URL. A code from a record system leads to claims.

Parameters about the patient, the user and the place are accepted, never read and never stored.
"""

from fastapi import APIRouter, Request, Response

from app.http.queries import refuse_repeated
from app.http.reads import reads_of
from app.infobutton.answers import EFFICACY_FIRST, HARMS_FIRST, build_answer
from app.infobutton.criteria import InfobuttonFormat, matching_concepts, parse_criteria, response_format
from app.infobutton.page import ATOM, CONTENT_SECURITY_POLICY, atom, page
from app.storage.history import Publication
from app.storage.read_view import ReadView

MAX_PARAMETER_LENGTH = 200
CRITERIA = "mainsearchcriteria."
"""What is looked for, so that two values of one name would be a guess."""
_PROBLEM_LIST = ("PROBLISTREV", "PROBLISTE")


def router(base: str) -> APIRouter:
    """`base` is the prefix of path-absolute links, so that they work in a saved page too."""
    router = APIRouter()

    # Not in the OpenAPI document, because record systems add parameters of their own, which must be accepted.
    @router.get("/infobutton", include_in_schema=False)
    async def answer_infobutton(request: Request) -> Response:
        return await reads_of(request).run(request, _answer, request, base)

    return router


def _answer(view: ReadView, request: Request, base: str) -> Response:
    parameters = {name.lower(): text[:MAX_PARAMETER_LENGTH] for name, text in request.query_params.items()}
    refuse_repeated(
        {
            name
            for name, text in request.query_params.multi_items()
            if name.lower().startswith(CRITERIA) and text[:MAX_PARAMETER_LENGTH] != parameters[name.lower()]
        }
    )
    media_type = response_format(parameters.get("knowledgeresponsetype"), request.headers.get("accept", ""))
    concepts = matching_concepts(view.session, parse_criteria(parameters))
    is_problem_list = parameters.get("taskcontext.c.c", "").upper() in _PROBLEM_LIST
    order = EFFICACY_FIRST if is_problem_list else HARMS_FIRST
    updated_at = view.session.get_one(Publication, view.serial).at if view.serial else "1970-01-01T00:00:00Z"
    answer = build_answer(view.session, concepts, order, updated_at, base)
    # The address may name a patient, so no cache may store it.
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if media_type is InfobuttonFormat.html:
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return Response(page(answer), headers=headers, media_type="text/html")
    if media_type is InfobuttonFormat.atom:
        return Response(atom(answer), headers=headers, media_type=f"{ATOM}; charset=utf-8")
    return Response(answer.model_dump_json(), headers=headers, media_type="application/json")
