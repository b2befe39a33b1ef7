"""Claims: statements with the citations that support and dispute them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict
from pydantic_core import from_json, to_json

from app.api import common
from app.api.bibliography import ReferencesQuery, answer_bibliography, bibliography_response
from app.api.formats import (
    CLAIM_OFFERS,
    Choice,
    FormatAddresses,
    add_format_addresses,
    answer_formatted,
    choose,
    documented,
)
from app.api.presentation import SelectedClaims, presentation, selecting
from app.api.tables import add_table_route
from app.claims import dose_query, queries, views
from app.claims.responses import CitationRead, ClaimRead
from app.claims.views import DoseCount
from app.concepts.lineage import inheritances, intervention_tree
from app.concepts.manifest import current_units
from app.concepts.queries import concept_keys, refuse_unknown_terms
from app.concepts.schemas import Inheritance
from app.core.content import QueryModel
from app.core.text import Serial
from app.grading.method import current_method
from app.grading.trace import EvidenceTrace, WhatIf, trace
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data import schema_org, va_spec
from app.questions.coverage import CoverageOfPairs, CoverageRead, coverage_of_empty_list
from app.registry import BY_TYPE
from app.sources.models import Document
from app.storage.paging import Page
from app.storage.read_view import ReadView
from app.storage.resource import Key, RecordReader
from app.storage.selection import Selection

router = APIRouter(tags=["claims"])


class ClaimList(common.ListOf[ClaimRead]):
    """One page of claims."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    facets: dict[str, list[common.FacetCount]] | None
    """Where `facets=true` asked for them: how many of all matching claims each value of a filter would keep, the most
    frequent first, at most 50 of each. Exact where `total` is; claims that carry several values count under each."""
    facet_totals: dict[str, int] | None
    """How many values each facet has; those beyond the 50 most frequent are not listed."""
    dose: DoseCount | None
    """Where a dose was asked for: how the citations on this page stand to it. None was left out."""
    coverage: list[CoverageRead]
    """Where an intervention and a condition were asked for and nothing was found: what is known of the question. An
    empty list of claims is not evidence of no effect, nor of safety."""
    coverage_truncated: bool
    """Whether more pairs were asked for than the ten whose coverage is given; ask for fewer at a time."""


class ClaimListQuery(queries.CountedClaimQuery, SelectedClaims):
    """Claims, and what to show of each."""


@router.get(
    "/v1/claims",
    operation_id="listClaims",
    summary="Claims with their citations, for and against",
    response_model=ClaimList,
    responses=responses(422, 503),
)
async def list_claims(request: Request, query: Annotated[ClaimListQuery, query_of(ClaimListQuery)]) -> Response:
    """Published claims that meet every filter, each with **all** its citations.

    Filters choose claims; they never trim a claim's citations, so both sides are always on the page. A repeated
    parameter means OR, different parameters mean AND, and filters about citations must hold on one and the same
    citation. A code such as `icd10cm:M79.7` may stand wherever an id may.

    With `id` the page holds all claims asked for, in that order; `missing` names ids that are unknown or retired.
    """
    return await common.answer_list(request, _CLAIMS, query)


def _shown_claims(view: ReadView, query: ClaimListQuery, page: Page, bodies: list[bytes]) -> tuple[list[bytes], bytes]:
    """The claims with their doses marked, and the fields that only lists of claims have."""
    presented = presentation("claim", query)
    bodies = views.with_inheritance(bodies, inheritances_of_list(view, query))
    presented = presented and presented.with_terms(view.session)
    dose_count = None
    if query.dose is not None:
        claims = [views.with_citations(from_json(body), query.citations) for body in bodies]
        dose_count = views.mark_doses(view.session, claims, dose_query.parse(query.dose, current_units(view.session)))
        bodies = [to_json(presented.shown(claim) if presented else claim) for claim in claims]
    elif presented is not None:
        bodies = presented.of_bodies(bodies)
    coverage: CoverageOfPairs = CoverageOfPairs((), False)
    if page.total == 0 and query.intervention and query.condition:
        coverage = coverage_of_empty_list(view.session, query.intervention, query.condition)
    facets = None
    if query.facets:
        assert page.keys is not None  # noqa: S101 - every page of a selection has them
        facets = queries.claim_facets(view, query, page.keys)
    return bodies, common.facet_fields(facets) + views.claim_list_fields(dose_count, *coverage)


def inheritances_of_list(view: ReadView, query: queries.ClaimQuery) -> Mapping[str, Inheritance]:
    """The interventions whose harms those that the list is for inherit."""
    if not query.intervention:
        return {}
    session, names = view.session, query.intervention
    if query.descendants or any(":" in name for name in names):
        return inheritances(
            session, concept_keys(session, "intervention", names, "intervention", descendants=query.descendants)
        )
    keys = intervention_tree(session).keys
    return inheritances(session, [keys[name] for name in names if name in keys])


_CLAIMS: common.StoredList[ClaimListQuery] = common.StoredList(
    "claim", queries.claims, queries.CLAIM_SORTS, show=_shown_claims
)


class ClaimTableQuery(queries.ClaimQuery):
    """The filters of claims; a table has no place for facets."""


def _marked(view: ReadView, query: ClaimTableQuery, bodies: list[bytes]) -> list[bytes]:
    return views.with_inheritance(bodies, inheritances_of_list(view, query))


add_table_route(router, "claim", ClaimTableQuery, queries.claims, queries.CLAIM_SORTS, mark=_marked)
common.add_item_routes(router, "claim", has_formats=True)


ClaimCitationsQuery = selecting(queries.CitationFilters)
CitationListQuery = selecting(queries.CitationQuery)


@router.get(
    "/v1/claims/{id}/citations",
    operation_id="listClaimCitations",
    summary="The citations of one claim",
    response_model=common.ListOf[CitationRead],
    responses=responses(404, 410, 422, 503),
)
async def list_claim_citations(
    request: Request, id: common.RecordId, query: Annotated[queries.CitationFilters, query_of(ClaimCitationsQuery)]
) -> Response:
    """The claim's citations as records of their own, page by page; the same filters as on `/v1/citations`."""
    narrowed = CitationListQuery(**query.model_dump(exclude_unset=True), claim=[id])

    def select(view: ReadView, query: queries.CitationQuery) -> Selection:
        common.get_current(view, BY_TYPE["claim"], id)
        return queries.citations(view, query)

    return await common.answer_list(request, common.StoredList("citation", select, queries.CITATION_SORTS), narrowed)


# --- what claims cite ---------------------------------------------------------------------------------------------


class ClaimReferencesQuery(QueryModel):
    """The references of one claim, whole."""


async def answer_claim_references(request: Request, id: str, _query: QueryModel, choice: Choice) -> Response:
    def references(view: ReadView) -> Response:
        common.get_current(view, BY_TYPE["claim"], id)  # raises where there is no such claim
        return bibliography_response(view, request, ReferencesQuery(id=[id]), choice)

    return await reads_of(request).run(request, references)


add_format_addresses(
    router,
    FormatAddresses(
        "/v1/claims",
        "listClaimReferences",
        "What any choice of claims cites",
        "Every document that the claims cite that meet the filters, once; the same as `/v1/bibliography`.",
        (422, 503),
    ),
    ReferencesQuery,
    answer_bibliography,
)
add_format_addresses(
    router,
    FormatAddresses(
        "/v1/claims/{id}",
        "getClaimReferences",
        "What one claim cites",
        "Every document that the claim with this id cites, once, for and against.",
        (404, 410, 422, 503),
    ),
    ClaimReferencesQuery,
    answer_claim_references,
)


# --- one claim ----------------------------------------------------------------------------------------------------


class ClaimItemQuery(common.ItemQuery, SelectedClaims):
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
async def get_claim(
    request: Request, id: common.RecordId, query: Annotated[ClaimItemQuery, query_of(ClaimItemQuery)]
) -> Response:
    """The claim with this id, now or, with `serial`, as it was. A retired one answers 410 with its successor, and 200
    at the serials at which it was published.

    By `Accept` or `format` also as JSON-LD (schema.org, CiTO, Web Annotation) or as a GA4GH VA-Spec Statement.
    """
    choice = choose(request, CLAIM_OFFERS, query.format)
    return await answer_formatted(request, Key("claim", id), query, choice, _reasoned_form)


def _reasoned_form(body: bytes, records: RecordReader, choice: Choice) -> bytes:
    """The claim in a form that other systems reason with."""
    claim = ClaimRead.model_validate_json(body)
    if choice.format == "va-spec":
        return to_json(va_spec.statement(claim))
    dose = claim.dosing_range
    return to_json(schema_org.claim(claim, records.content(Key("dosing_range", dose.id)) if dose else None))


# --- why its grades are what they are -----------------------------------------------------------------------------


class TraceQuery(WhatIf):
    serial: Serial | None = None
    """Read the evidence as it was at this serial, graded by the method that the data set stated then. What it did not
    state is as in today's software."""


@router.get(
    "/v1/claims/{id}/evidence",
    operation_id="getClaimEvidence",
    summary="How the grades of one claim came to be",
    response_model=EvidenceTrace,
    responses=responses(404, 410, 422, 503),
)
async def get_claim_evidence(
    request: Request, id: common.RecordId, query: Annotated[TraceQuery, query_of(TraceQuery)]
) -> Response:
    """Every rule in order with its inputs and result, the units with their weights, and the figures of every citation
    as a forest plot needs them.

    With any what-if parameter the same method runs on less evidence; such an answer is computed for you alone, and is
    neither kept nor cached.
    """
    return await reads_of(request).run(request, _claim_evidence, request, id, query)


def _claim_evidence(view: ReadView, request: Request, id: str, query: TraceQuery) -> Response:
    if query.as_if_retracted:
        queries.keys_of_ids(view.session, Document, query.as_if_retracted, "as_if_retracted")
    refuse_unknown_terms(view, query)
    what_if = WhatIf(**query.model_dump(exclude={"serial"}))
    records = common.records_of_claim(view, id, query.serial)
    method = current_method(view.session, query.serial)
    body = trace(records, id, what_if, method).model_dump_json().encode()
    kept = conditional.NO_STORE if what_if.is_set else common.cache_control(query.serial)
    return conditional_response(request, conditional.etag(body), body, cache_control=kept)
