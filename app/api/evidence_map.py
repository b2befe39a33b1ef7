"""The evidence map: conditions by outcomes, for a chart, in one call."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import list_response
from app.claims.queries import Names
from app.concepts.queries import concept_keys
from app.core.content import QueryModel
from app.core.text import IdOrCode
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.questions.evidence_map import MAX_CELLS, MAX_CLAIMS, EvidenceMapRead, evidence_map
from app.questions.relevance import concept_key
from app.storage.read_view import ReadView

router = APIRouter(tags=["evidence-map"])


class EvidenceMapQuery(QueryModel):
    """Ids or codes, such as `icd10cm:M79.7`."""

    intervention: IdOrCode
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
async def get_evidence_map(
    request: Request, query: Annotated[EvidenceMapQuery, query_of(EvidenceMapQuery)]
) -> Response:
    return await reads_of(request).run(request, _evidence_map, request, query)


def _evidence_map(view: ReadView, request: Request, query: EvidenceMapQuery) -> Response:
    def body() -> bytes:
        session = view.session
        answer = evidence_map(
            session,
            intervention_pk=concept_key(session, "intervention", query.intervention, "intervention"),
            condition_pks=concept_keys(session, "condition", query.condition, "condition"),
            outcome_pks=concept_keys(session, "outcome", query.outcome, "outcome"),
        )
        return answer.model_dump_json().encode()

    return list_response(request, view, body)
