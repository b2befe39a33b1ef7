"""Claims: statements with the citations that support and dispute them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.records import (
    ListOf,
    RecordId,
    add_item_routes,
    answer_list,
    living,
)
from app.catalog import BY_TYPE
from app.evidence import queries
from app.evidence.queries import CLAIM_SORTS, CitationQuery, ClaimQuery
from app.evidence.reads import CitationRead, ClaimRead
from app.http.deps import CurrentDataset, ReadSession
from app.http.problems import responses

router = APIRouter(tags=["claims"])


@router.get(
    "/v1/claims",
    operation_id="listClaims",
    summary="Claims with their citations, for and against",
    response_model=ListOf[ClaimRead],
    responses=responses(422, 503),
)
def list_claims(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[ClaimQuery, Query()]
) -> Response:
    """Published claims that meet every filter, each with **all** its citations.

    Filters choose claims; they never trim a claim's citations, so both sides are always on the page. A repeated
    parameter means OR, different parameters mean AND, and filters about citations must hold on one and the same
    citation. A code such as `icd10cm:M79.7` may stand wherever an id may.
    """
    return answer_list(request, session, dataset, "claim", query, lambda: queries.claims(session, query), CLAIM_SORTS)


add_item_routes(router, "claim")


@router.get(
    "/v1/claims/{id}/citations",
    operation_id="listClaimCitations",
    summary="The citations of one claim",
    response_model=ListOf[CitationRead],
    responses=responses(404, 410, 422, 503),
)
def list_claim_citations(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    id: RecordId,
    query: Annotated[CitationQuery, Query()],
) -> Response:
    """The claim's citations as records of their own, page by page; the same filters as on `/v1/citations`."""
    living(session, BY_TYPE["claim"], id)
    narrowed = query.model_copy(update={"claim": [id]})
    return answer_list(
        request,
        session,
        dataset,
        "citation",
        narrowed,
        lambda: queries.citations(session, narrowed),
        queries.CITATION_SORTS,
    )
