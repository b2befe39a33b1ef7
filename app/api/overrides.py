"""Overrides: grades that a person has set aside."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy import literal, select

from app.api.common import ListOf, page_body
from app.claims.models import Override
from app.core.content import ResponseModel
from app.core.text import Slug
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.storage.paging import ListQuery, statement_page
from app.storage.read_view import ReadView

router = APIRouter(tags=["overrides"])


class OverrideEntry(ResponseModel):
    """A derived value that a person has set aside."""

    claim_id: Slug
    field: Literal["consensus", "certainty"]
    value: str
    reason: str
    author: Annotated[str, Field(validation_alias="author_id")]
    created_at: str
    expires_on: str
    """The first day on which it holds no more."""
    is_active: bool


class OverridesQuery(ListQuery):
    is_active: bool | None = None


@router.get(
    "/v1/overrides",
    operation_id="listOverrides",
    summary="Grades that a person has set aside",
    response_model=ListOf[OverrideEntry],
    responses=responses(422, 503),
)
async def list_overrides(request: Request, query: Annotated[OverridesQuery, query_of(OverridesQuery)]) -> Response:
    """Every override with its author, reason and end, newest first. Normally there is none."""
    return await reads_of(request).run(request, _list_overrides, request, query)


def _list_overrides(view: ReadView, request: Request, query: OverridesQuery) -> Response:
    statement = select(Override)
    if query.is_active is not None:
        statement = statement.where(Override.is_active.is_(query.is_active))
    key = (Override.pk, literal(""))
    rows, page = statement_page(view.session, statement, key, query.page_request(), descending=True)
    items = [OverrideEntry.model_validate(row[0], from_attributes=True).model_dump_json().encode() for row in rows]
    content = page_body(request, page, items)
    return conditional_response(request, conditional.etag(content.body), lambda: content)
