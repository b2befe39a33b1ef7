"""Interventions, conditions, mechanisms, side effects and outcomes: what claims are about."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.http.problems import responses
from app.http.queries import query_of
from app.registry import BY_TYPE


def _router(record_type: str, plural_name: str, tells: str) -> APIRouter:
    """The routes of one type of concept; the types differ in their shape alone."""
    resource = BY_TYPE[record_type]
    router = APIRouter(tags=[resource.plural])
    select = partial(queries.concepts, record_type)

    @router.get(
        resource.path,
        operation_id="list" + "".join(word.capitalize() for word in resource.plural.split("-")),
        summary=plural_name,
        description=f"{tells} Without evidence filters all of them; with such filters, those that a matching claim "
        "names. Each shows how much evidence touches it, and what claims assert of it with their caveats.",
        response_model=ListOf[resource.read],  # type: ignore[name-defined]
        responses=responses(422, 503),
    )
    async def list_concepts(
        request: Request, query: Annotated[queries.ConceptQuery, query_of(queries.ConceptQuery)]
    ) -> Response:
        return await answer_list(request, record_type, query, select, queries.CONCEPT_SORTS)

    add_item_routes(router, record_type)
    return router


interventions = _router("intervention", "Drugs, drug classes and dose regimens", "What is taken.")
conditions = _router("condition", "Conditions", "Diseases, syndromes and states.")
mechanisms = _router("mechanism", "Mechanisms", "How a treatment or a disease process may work.")
side_effects = _router("side_effect", "Side effects", "Unwanted effects; their onset, course and frequency are claims.")
outcomes = _router("outcome", "Outcomes", "What is measured to see whether a treatment helps or harms.")
