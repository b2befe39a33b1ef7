"""Citations, concepts, dosing ranges, searches and studies: types whose routes differ in names and filters alone."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, StoredList, add_item_routes, answer_list
from app.api.presentation import selecting
from app.api.tables import add_table_route
from app.claims import catalogue_queries as catalogue
from app.claims import queries
from app.core.text import camel_case
from app.http.problems import responses
from app.http.queries import query_of
from app.registry import BY_TYPE
from app.storage.paging import SortedQuery, Sorts
from app.storage.selection import Selection


def _router(
    record_type: str,
    query_model: type[SortedQuery],
    select: Callable[..., Selection],
    sorts: Sorts,
    summary: str,
    description: str,
) -> APIRouter:
    """The list of one type of record, its items and their versions."""
    resource = BY_TYPE[record_type]
    router = APIRouter(tags=[resource.plural])
    list_query = selecting(query_model)
    records = StoredList(record_type, select, sorts)

    @router.get(
        resource.path,
        operation_id=f"list{camel_case(resource.plural)}",
        summary=summary,
        description=description,
        response_model=ListOf[resource.read],  # type: ignore[name-defined]
        responses=responses(422, 503),
    )
    async def list_records(request: Request, query: Annotated[Any, query_of(list_query)]) -> Response:
        return await answer_list(request, records, query)

    add_table_route(router, record_type, query_model, select, sorts)
    add_item_routes(router, record_type)
    return router


def _concepts(
    record_type: str,
    summary: str,
    tells: str,
    query_model: type[catalogue.ConceptQuery] = catalogue.ConceptQuery,
    select: Callable[..., Selection] | None = None,
) -> APIRouter:
    description = (
        f"{tells} Without evidence filters all of them; with such filters, those that a matching claim names. Each "
        "shows how much evidence touches it, and what claims assert of it with their caveats."
    )
    select = select or partial(catalogue.concepts, record_type)
    return _router(record_type, query_model, select, catalogue.CONCEPT_SORTS, summary, description)


citations = _router(
    "citation",
    queries.CitationQuery,
    queries.citations,
    queries.CITATION_SORTS,
    "Citations, each with the claim it bears on",
    "Citations of published claims. Stance lives here: one paper can support one claim and dispute another.",
)
interventions = _concepts(
    "intervention",
    "Drugs, drug classes and dose regimens",
    "What is taken. Drugs without claims, which are only recognized by their names and codes, are listed with `all`.",
    catalogue.InterventionQuery,
    catalogue.interventions,
)
conditions = _concepts("condition", "Conditions", "Diseases, syndromes and states.")
mechanisms = _concepts("mechanism", "Mechanisms", "How a treatment or a disease process may work.")
side_effects = _concepts(
    "side_effect", "Side effects", "Unwanted effects; their onset, course and frequency are claims."
)
outcomes = _concepts("outcome", "Outcomes", "What is measured to see whether a treatment helps or harms.")
dosing_ranges = _router(
    "dosing_range",
    catalogue.DosingRangeQuery,
    catalogue.dosing_ranges,
    catalogue.DOSING_RANGE_SORTS,
    "Doses, with the bands that they touch",
    "Doses as their sources word them, beside an exact daily total in picograms where it can be known.",
)
studies = _router(
    "study",
    catalogue.StudyQuery,
    catalogue.studies,
    catalogue.STUDY_SORTS,
    "Studies, registered trials and reviews",
    "Pieces of research, whatever was published about them. A trial without results is a study too; a review is a\n"
    "study of its own kind (`is_review`).",
)
searches = _router(
    "search",
    catalogue.LiteratureSearchQuery,
    catalogue.searches,
    catalogue.SEARCH_SORTS,
    "Questions that were searched, and that were not",
    "`searched_none_found` and `not_searched` are not evidence of no effect, nor of safety.",
)
