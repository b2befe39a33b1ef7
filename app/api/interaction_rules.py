"""Interaction rules: which drugs are warned of together, and on which claims the warning rests."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.api.common import ListOf, StoredList, add_item_routes, answer_list
from app.api.presentation import Selected
from app.claims import catalogue_queries as catalogue
from app.claims.catalogue_responses import InteractionRuleRead
from app.http.problems import responses
from app.http.queries import query_of

router = APIRouter(tags=["interaction-rules"])


class InteractionRuleListQuery(catalogue.InteractionRuleQuery, Selected):
    """Interaction rules, and what to show of each."""


_RULES = StoredList("interaction_rule", catalogue.interaction_rules, catalogue.INTERACTION_RULE_SORTS)


@router.get(
    "/v1/interaction-rules",
    operation_id="listInteractionRules",
    summary="Which drugs are warned of together",
    response_model=ListOf[InteractionRuleRead],
    responses=responses(422, 503),
)
async def list_interaction_rules(
    request: Request, query: Annotated[InteractionRuleListQuery, query_of(InteractionRuleListQuery)]
) -> Response:
    """The rules behind interaction checks and the cards of CDS Hooks. A pair without a rule has not been cleared."""
    return await answer_list(request, _RULES, query)


add_item_routes(router, "interaction_rule")
