"""Coverage: what is known of a question, and what an empty answer does not mean."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import Fault, InvalidInput
from app.core.text import Named
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.questions.coverage import CoverageRead, coverage
from app.questions.relevance import key_named

router = APIRouter(tags=["coverage"])

_OTHERS = {
    "condition": "condition",
    "mechanism": "mechanism",
    "side_effect": "side_effect",
    "interactant": "intervention",
}
"""Parameter → type of record."""


class CoverageQuery(BaseModel):
    """Ids or codes, such as `icd10cm:M79.7`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    intervention: Annotated[Named, Field(examples=["low-dose-naltrexone"])]
    """Drug or regimen. A regimen also brings the interactions and warnings of its drug."""
    condition: Named | None = None
    mechanism: Named | None = None
    side_effect: Named | None = None
    interactant: Named | None = None
    """The other drug, or class of drugs; what is recorded of its class counts."""


@router.get(
    "/v1/coverage",
    operation_id="getCoverage",
    summary="Whether a question was answered, searched, or neither",
    response_model=CoverageRead,
    responses=responses(422, 503),
)
def get_coverage(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[CoverageQuery, Query()]
) -> Response:
    """An intervention and at least one condition, mechanism, side effect or other drug.

    Always 200 for records that exist: `found`, `searched_none_found` or `not_searched`, with a plain sentence, what was
    searched, and a summary for a card. Nothing found is not evidence of no effect or of safety.
    """
    tag = caching.etag(b"", str(dataset.serial), request.url.path, request.url.query)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    named: dict[str, str] = {name: value for name in _OTHERS if (value := getattr(query, name)) is not None}
    if not named:
        message = "Name at least one of the parameters in `allowed` beside the intervention."
        fault = Fault("query", "condition", "missing", message, tuple(_OTHERS))
        raise InvalidInput("The question is only half asked.", errors=[fault])
    intervention = key_named(session, "intervention", query.intervention, "intervention")
    keys = {f"{name}_pk": key_named(session, _OTHERS[name], value, name) for name, value in named.items()}
    body = coverage(session, intervention_pk=intervention, **keys).model_dump_json().encode()
    return caching.json_response(request, body, tag, headers=dataset.headers)
