"""Coverage: what is known of a question, and what an empty answer does not mean."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import list_response
from app.core.content import QueryModel
from app.core.errors import Fault, InvalidInput
from app.core.text import IdOrCode
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.questions.coverage import CoverageRead, coverage
from app.questions.relevance import concept_key
from app.storage.read_view import ReadView

router = APIRouter(tags=["coverage"])

_OTHERS = {
    "condition": "condition",
    "mechanism": "mechanism",
    "side_effect": "side_effect",
    "interactant": "intervention",
}
"""Parameter → type of record."""


class CoverageQuery(QueryModel):
    """Ids or codes, such as `icd10cm:M79.7`."""

    intervention: IdOrCode
    """Drug or regimen. A regimen also brings the interactions and warnings of its drug."""
    condition: IdOrCode | None = None
    mechanism: IdOrCode | None = None
    side_effect: IdOrCode | None = None
    interactant: IdOrCode | None = None
    """The other drug, or class of drugs; what is recorded of its class counts."""


@router.get(
    "/v1/coverage",
    operation_id="getCoverage",
    summary="Whether a question was answered, searched, or neither",
    response_model=CoverageRead,
    responses=responses(422, 503),
)
async def get_coverage(request: Request, query: Annotated[CoverageQuery, query_of(CoverageQuery)]) -> Response:
    """An intervention and at least one condition, mechanism, side effect or other drug.

    Always 200 for records that exist: `found`, `searched_none_found` or `not_searched`, with a plain sentence, what was
    searched, and a summary for a card. Nothing found is not evidence of no effect or of safety.
    """
    return await reads_of(request).run(request, _coverage, request, query)


def _coverage(view: ReadView, request: Request, query: CoverageQuery) -> Response:
    others = {name: value for name in _OTHERS if (value := getattr(query, name)) is not None}
    if not others:
        message = "Add a condition, mechanism, side effect or interactant."
        fault = Fault("query", "condition", "missing", message, tuple(_OTHERS))
        raise InvalidInput("The question needs more than an intervention.", errors=[fault])

    def body() -> bytes:
        session = view.session
        intervention = concept_key(session, "intervention", query.intervention, "intervention")
        keys = {f"{name}_pk": concept_key(session, _OTHERS[name], value, name) for name, value in others.items()}
        answer = coverage(session, intervention_pk=intervention, **keys)
        return answer.model_dump_json().encode()

    return list_response(request, view, body)
