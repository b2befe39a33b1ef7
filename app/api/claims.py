"""Claims: statements with the citations that support and dispute them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict
from pyroaring import BitMap

from app.api.records import (
    ListOf,
    RecordId,
    add_versions_route,
    answer_list,
    get_current,
    list_response,
    list_tag,
    with_text,
)
from app.claims import dose_query, queries, views
from app.claims.queries import (
    CLAIM_FACETS,
    CLAIM_SORTS,
    MAX_FACET_VALUES,
    CitationFilters,
    CitationQuery,
    ClaimQuery,
)
from app.claims.responses import CitationRead, ClaimRead
from app.claims.views import DoseCount
from app.core.content import ResponseModel
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.questions.coverage import CoverageRead, coverage_of_empty_list
from app.registry import BY_TYPE
from app.storage.filter_index import FilterIndexView, kept
from app.storage.history import documents
from app.storage.paging import Page, paginate

router = APIRouter(tags=["claims"])


class FacetCount(ResponseModel):
    value: str
    count: int


class ClaimList(ListOf[ClaimRead]):
    """One page of claims."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    facets: dict[str, list[FacetCount]] | None
    """Where `facets=true` asked for them: how many of all matching claims each value of a filter would keep, the most
    frequent first, at most 50 of each. Exact where `total` is; claims that carry several values count under each."""

    dose: DoseCount | None
    """Where a dose was asked for: how the citations on this page stand to it. None was left out."""
    coverage: list[CoverageRead]
    """Where an intervention and a condition were asked for and nothing was found: what is known of the question. An
    empty list of claims is not evidence of no effect, nor of safety."""


@router.get(
    "/v1/claims",
    operation_id="listClaims",
    summary="Claims with their citations, for and against",
    response_model=ClaimList,
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
    tag = list_tag(request, dataset)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    reading = kept(session, dataset.serial)
    matching = with_text(session, queries.claims(session, reading, query), query)
    page = paginate(session, reading, matching, query, sort=query.sort, columns=CLAIM_SORTS)
    bodies = documents(reading.reader, "claim", page.ids)
    if query.citations == "top":
        bodies = [views.top(body) for body in bodies]
    counted = None
    if query.dose is not None:
        bodies, counted = views.mark_doses(session, page.ids, bodies, dose_query.parse(query.dose))
    known: tuple[CoverageRead, ...] = ()
    if page.total == 0 and query.intervention and query.condition:
        known = coverage_of_empty_list(session, query.intervention, query.condition)
    extra = views.beside(_facets(reading, page) if query.facets else None, counted, known)
    return list_response(request, dataset, tag, bodies, page, extra)


def _facets(reading: FilterIndexView, page: Page) -> dict[str, list[dict[str, str | int]]]:
    counted = reading.facets("claim", CLAIM_FACETS, page.found or BitMap(), MAX_FACET_VALUES)
    return {name: [{"value": value, "count": count} for value, count in values] for name, values in counted.items()}


add_versions_route(router, "claim")


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
    query: Annotated[CitationFilters, Query()],
) -> Response:
    """The claim's citations as records of their own, page by page; the same filters as on `/v1/citations`."""
    get_current(session, BY_TYPE["claim"], id)
    narrowed = CitationQuery(**query.model_dump(exclude_unset=True), claim=[id])
    return answer_list(
        request,
        session,
        dataset,
        "citation",
        narrowed,
        lambda _kept: queries.citations(session, narrowed),
        queries.CITATION_SORTS,
    )
