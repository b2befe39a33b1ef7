"""One claim, in JSON and in the forms that other systems reason with."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from app.api.negotiation import CLAIM_OFFERS, answer, choose, documented
from app.api.records import RecordId, item_at
from app.claims.responses import ClaimRead
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.linked_data import schema_org as linked_data
from app.linked_data import va_spec
from app.storage.resource import Key

router = APIRouter(tags=["claims"])


class ClaimItemQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    serial: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """Read the record as it was at this serial of the data set."""
    format: Literal["json", "jsonld", "va-spec"] | None = None
    """Goes before the `Accept` header."""


@router.get(
    "/v1/claims/{id}",
    operation_id="getClaim",
    summary="One claim",
    response_model=ClaimRead,
    responses=documented(CLAIM_OFFERS, "The claim, as JSON, JSON-LD or a VA-Spec Statement.")
    | responses(404, 406, 410, 422, 503),
)
def get_claim(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    id: RecordId,
    query: Annotated[ClaimItemQuery, Query()],
) -> Response:
    """The claim with this id, now or, with `serial`, as it was. A retired one answers 410 with its successor, and 200
    at the serials at which it was published.

    By `Accept` or `format` also as JSON-LD (schema.org, CiTO, Web Annotation) or as a GA4GH VA-Spec Statement.
    """
    choice = choose(request, CLAIM_OFFERS, query.format)
    body, tag, world = item_at(session, dataset, "claim", id, query.serial)
    if choice.format != "json":
        read = ClaimRead.model_validate_json(body)
        if choice.format == "jsonld":
            dose = read.dosing_range
            body = to_json(linked_data.claim(read, world.content(Key("dosing_range", dose.id)) if dose else None))
        else:
            body = to_json(va_spec.statement(read))
        tag = caching.etag(body)
    return answer(
        request,
        choice,
        body,
        tag,
        file_name=id,
        headers=dataset.headers,
        cache_control=caching.IMMUTABLE if query.serial else caching.REVALIDATE,
    )
