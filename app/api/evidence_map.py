"""The evidence map: conditions by outcomes, for a chart, in one call."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.claims.queries import Names
from app.concepts.queries import keys_named
from app.core.text import Named
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.questions.evidence_map import MAX_CELLS, MAX_CLAIMS, EvidenceMapRead, evidence_map
from app.questions.relevance import key_named

router = APIRouter(tags=["evidence-map"])


class EvidenceMapQuery(BaseModel):
    """Ids or codes, such as `icd10cm:M79.7`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    intervention: Annotated[Named, Field(examples=["low-dose-naltrexone"])]
    """Drug or regimen. A regimen also brings the interactions and warnings of its drug."""
    condition: Names = ()
    """Rows; all conditions that anything is recorded on, unless given."""
    outcome: Names = ()
    """Columns; all outcomes that the claims name, unless given."""


@router.get(
    "/v1/evidence-map",
    operation_id="getEvidenceMap",
    summary="Conditions by outcomes, a cell for every pair",
    description="How much is known of each condition and outcome, which way it points, how certain it is, which trials "
    "are pending, and where nobody has looked. Cells stand row by row. An empty cell is not evidence of no effect or "
    f"of safety. At most {MAX_CELLS} cells and {MAX_CLAIMS} claims: a larger map is refused with 422 and has to be "
    "narrowed by `condition` or `outcome`.",
    response_model=EvidenceMapRead,
    responses=responses(422, 503),
)
def get_evidence_map(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[EvidenceMapQuery, Query()]
) -> Response:
    tag = caching.etag(b"", str(dataset.serial), request.url.path, request.url.query)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    shown = evidence_map(
        session,
        intervention_pk=key_named(session, "intervention", query.intervention, "intervention"),
        condition_pks=keys_named(session, "condition", query.condition, "condition"),
        outcome_pks=keys_named(session, "outcome", query.outcome, "outcome"),
    )
    return caching.json_response(request, shown.model_dump_json().encode(), tag, headers=dataset.headers)
