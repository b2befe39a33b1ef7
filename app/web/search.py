"""`/search`: what was found, with answers and verdicts, and what was left out of the question."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field
from pydantic_core import from_json

from app.api.search import RecordType, SearchQuery, results_page
from app.claims.responses import ClaimSummary
from app.concepts.manifest import current_manifest
from app.core.content import QueryModel
from app.core.text import Cursor, printable
from app.http.queries import query_of
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.storage.read_view import ReadView
from app.web.pages import page_address, page_response

router = APIRouter(include_in_schema=False)


class SearchPageQuery(QueryModel):
    q: Annotated[str, Field(max_length=200), AfterValidator(printable)] = ""
    type: Annotated[list[RecordType], Field(max_length=20)] = []
    cursor: Cursor | None = None


@router.get("/search")
async def search_page(request: Request, query: Annotated[SearchPageQuery, query_of(SearchPageQuery)]) -> Response:
    return await reads_of(request).run(request, _page, request, query)


def _page(view: ReadView, request: Request, query: SearchPageQuery) -> Response:
    words = query.q.strip()
    found = _search_results(view, query, words) if words else None
    manifest = current_manifest(view.session)
    return page_response(
        request,
        view,
        "web/search.html",
        title=f"Search: {words}" if words else "Search",
        description=manifest.description,
        words=words,
        found=found,
        types=query.type,
        labels=_LABELS,
    )


_LABELS = {name: resource.label for name, resource in BY_TYPE.items()}
"""Type → its name for people."""


def _search_results(view: ReadView, query: SearchPageQuery, words: str) -> dict[str, Any]:
    given = SearchQuery(q=words, type=query.type, cursor=query.cursor)
    page, items, extra = results_page(view, given)
    return {
        "records": [_with_page(from_json(item)) for item in items],
        "total": page.total,
        "is_exact": page.is_exact,
        "cursor": page.next_cursor,
        **from_json(b"{" + extra.removeprefix(b",") + b"}"),
    }


def _with_page(item: dict[str, Any]) -> dict[str, Any]:
    """With the address of the record's page, and of a claim its summary."""
    claim = ClaimSummary.model_validate(item["claim"]) if item["claim"] else None
    return item | {"href": page_address(item["links"]["self"]), "claim": claim}
