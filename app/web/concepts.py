"""Interventions, mechanisms, outcomes, searches and interaction rules: lists, and one page for each record."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.claims import catalogue_queries as catalogue
from app.core.english import quantity
from app.http.queries import query_of
from app.http.reads import reads_of
from app.storage.read_view import ReadView
from app.web.pages import page_response
from app.web.records import NO_PARAMETERS, Listing, RecordId, answer_listing, claim_sections, read_record, shortened

router = APIRouter(include_in_schema=False)


def concept_listing(record_type: str, title: str, lead: str) -> Listing:
    select = partial(catalogue.concepts, record_type)
    return Listing(
        record_type,
        catalogue.ConceptQuery,
        select,
        catalogue.CONCEPT_SORTS,
        title,
        lead,
        "web/concepts.html",
    )


LISTINGS = (
    Listing(
        "intervention",
        catalogue.InterventionQuery,
        catalogue.interventions,
        catalogue.CONCEPT_SORTS,
        "Treatments",
        "Drugs, classes of drugs and dose regimens that claims are about.",
        "web/concepts.html",
    ),
    concept_listing("mechanism", "Mechanisms", "How a treatment or a disease process may work."),
    concept_listing("outcome", "Outcomes", "What is measured to see whether a treatment helps or harms."),
    Listing(
        "search",
        catalogue.LiteratureSearchQuery,
        catalogue.searches,
        catalogue.SEARCH_SORTS,
        "Searches",
        "Questions put to the literature, and questions that nobody has put yet. Not searched is not the same as safe.",
        "web/searches.html",
    ),
    Listing(
        "interaction_rule",
        catalogue.InteractionRuleQuery,
        catalogue.interaction_rules,
        catalogue.INTERACTION_RULE_SORTS,
        "Interaction warnings",
        "Which drugs are warned of together. A pair without a rule has not been cleared.",
        "web/rules.html",
    ),
)
ITEM_TEMPLATES = {"search": "web/search_record.html", "interaction_rule": "web/rule.html"}


def _add_pages(listing: Listing) -> None:
    record_type = listing.record_type

    @router.get(listing.path)
    async def records(request: Request, query: Annotated[Any, query_of(listing.query)]) -> Response:
        return await answer_listing(request, listing, query)

    @router.get(f"{listing.path}/{{id}}", dependencies=NO_PARAMETERS)
    async def record(request: Request, id: RecordId) -> Response:
        return await reads_of(request).run(request, _record, request, record_type, id)


def _record(view: ReadView, request: Request, record_type: str, record_id: str) -> Response:
    read = read_record(view, record_type, record_id)
    is_concept = record_type not in ITEM_TEMPLATES
    return page_response(
        request,
        view,
        ITEM_TEMPLATES.get(record_type, "web/concept.html"),
        title=_title(read),
        description=shortened(_description(read)),
        json_address=read.links.self,
        record=read,
        sections=claim_sections(view, {record_type: record_id}) if is_concept else [],
    )


def _title(read: Any) -> str:
    title: str = read.question if read.type == "search" else read.name
    return title


def _description(read: Any) -> str:
    if read.type == "search":
        return f"{read.question} {read.coverage.definition}"
    if read.type == "interaction_rule":
        return f"{read.name}: {read.severity.label}."
    return f"{read.description} {quantity(read.evidence.claims, 'claim', 'claims')} on it."


for listing in LISTINGS:
    _add_pages(listing)
