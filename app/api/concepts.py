"""Interventions, conditions, mechanisms, side effects and outcomes: what claims are about."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, add_item_routes, answer_list
from app.claims import queries
from app.http.problems import responses
from app.http.queries import query_of
from app.registry import BY_TYPE
from app.storage.read_view import ReadView
from app.storage.selection import Selection


def _router(
    record_type: str,
    plural_name: str,
    tells: str,
    query_model: type[queries.ConceptQuery] = queries.ConceptQuery,
    select: Callable[[ReadView, Any], Selection] | None = None,
) -> APIRouter:
    """The routes of one type of concept; the types differ in their shape, and interventions in what they list."""
    resource = BY_TYPE[record_type]
    router = APIRouter(tags=[resource.plural])
    select = select or partial(queries.concepts, record_type)

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
        request: Request,
        query: Annotated[query_model, query_of(query_model)],  # type: ignore[valid-type]
    ) -> Response:
        return await answer_list(request, record_type, query, select, queries.CONCEPT_SORTS)

    add_item_routes(router, record_type)
    return router


interventions = _router(
    "intervention",
    "Drugs, drug classes and dose regimens",
    "What is taken. Drugs without claims, which are only recognized by their names and codes, are listed with `all`.",
    queries.InterventionQuery,
    queries.interventions,
)
conditions = _router("condition", "Conditions", "Diseases, syndromes and states.")
mechanisms = _router("mechanism", "Mechanisms", "How a treatment or a disease process may work.")
side_effects = _router("side_effect", "Side effects", "Unwanted effects; their onset, course and frequency are claims.")
outcomes = _router("outcome", "Outcomes", "What is measured to see whether a treatment helps or harms.")
