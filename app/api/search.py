"""Search across all types of record, and typeahead."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import to_json

from app.api.common import FacetCount, ListOf, facet_fields, list_response, page_body
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import Certainty, Consensus, Kind, Stance
from app.concepts.queries import concept_ids, refuse_unknown_terms
from app.core.content import QueryModel, ResponseModel
from app.core.errors import InvalidInput
from app.core.text import JsonNumber, SearchText, Slug, printable
from app.http.conditional import NO_STORE, LinkedBody
from app.http.problems import declared_parameters_only, responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.search import service, suggestions
from app.search.highlight import Highlighter
from app.search.ranking import Hit
from app.sources.vocabulary import Design
from app.storage.paging import MAX_LIMIT, ListQuery, Page, encode_cursor, list_body
from app.storage.read_view import ReadView

router = APIRouter(tags=["search"])

RecordType = Literal[
    "intervention",
    "condition",
    "mechanism",
    "side_effect",
    "outcome",
    "study",
    "document",
    "dosing_range",
    "claim",
    "search",
]
_LIST = Field(max_length=20)


class SearchQuery(ListQuery):
    """A question in plain words; `"words in a row"` stay together, and the last word may be unfinished."""

    q: SearchText
    type: Annotated[list[RecordType], _LIST] = []
    kind: Annotated[list[Kind], _LIST] = []
    condition: Annotated[list[Slug], _LIST] = []
    stance: Annotated[list[Stance], _LIST] = []
    consensus: Annotated[list[Consensus], _LIST] = []
    certainty: Annotated[list[Certainty], _LIST] = []
    design: Annotated[list[Design], _LIST] = []
    year: Annotated[list[Annotated[int, Field(ge=1000, le=9999)]], _LIST] = []

    def narrowed(self) -> dict[str, list[str]]:
        return {name: [str(v) for v in getattr(self, name)] for name in NARROWING}


NARROWING = ("type", "kind", "condition", "stance", "consensus", "certainty", "design", "year")


class Part(ResponseModel):
    """A part of a text; the parts joined give the text."""

    text: str
    hit: bool


class FoundLinks(ResponseModel):
    self: str


class FoundRecord(ResponseModel):
    """A record that was found. Of claims, everything that must travel with the text comes along."""

    type: RecordType
    id: Slug
    title: str
    parts: tuple[Part, ...]
    """The title in parts, told apart by whether they are what was asked for; no markup."""
    claim: ClaimSummary | None
    score: float
    """Comparable within this answer only."""
    links: FoundLinks


class FoundList(ListOf[FoundRecord]):
    """One page of results, best first. At most 120 can be paged through; narrow the question beyond that (`capped`)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    facets: dict[str, list[FacetCount]]
    """Counts of all that matches, for narrowing: pass a value as the parameter of the same name. The most frequent
    first, at most 50 of each; lower bounds where `total` is one."""
    facet_totals: dict[str, int]
    """How many values each facet has; those beyond the 50 most frequent are not listed."""
    capped: bool
    """Whether there are more results than the 120 that can be paged through; then the best of them are given."""
    matched: Literal["all", "any"]
    """Whether everything asked for occurs in each result, or only a part of it."""
    left_out: list[str]
    """Words of the question that no record has, so that the results do not depend on them; in lower case, without
    accents."""
    did_you_mean: str | None
    """The question with words that no record has replaced by the nearest that some have; the results answer it."""


class SearchBody(SearchQuery):
    """The same question in a body, for words that should stand in no address."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), JsonNumber] = 20
    """Records on a page, 1 to 200."""
    year: Annotated[list[Annotated[int, Field(ge=1000, le=9999), JsonNumber]], _LIST] = []

    def fingerprint(self, scope: str = "") -> str:
        # Cursors are good for both ways to ask.
        return SearchQuery(**self.model_dump()).fingerprint(scope)


@router.get(
    "/v1/search",
    operation_id="search",
    summary="Search across all types of record",
    response_model=FoundList,
    responses=responses(422, 503),
)
async def search(request: Request, query: Annotated[SearchQuery, query_of(SearchQuery)]) -> Response:
    """Ranked results with facets. Synonyms, codes and identifiers find what they name (`CFS`, `M79.7`, a DOI, a PMID);
    accents and case do not matter."""
    return await reads_of(request).run(request, _search, request, query)


def _search(view: ReadView, request: Request, query: SearchQuery) -> Response:
    def body() -> LinkedBody:
        page, items, extra = results_page(view, query)
        return page_body(request, page, items, extra)

    return list_response(request, view, body)


@router.post(
    "/v1/search",
    operation_id="searchByBody",
    summary="Search, with the question in the body",
    response_model=FoundList,
    responses=responses(400, 413, 422, 503),
    dependencies=[Depends(declared_parameters_only)],
)
async def search_by_body(
    request: Request,
    body: SearchBody,
) -> Response:
    """As `GET /v1/search`, for questions that should not stand in an address or a log."""
    answer = await reads_of(request).run(request, _search_by_body, body)
    return Response(answer, media_type="application/json", headers={"Cache-Control": NO_STORE})


def _search_by_body(view: ReadView, query: SearchQuery) -> bytes:
    try:
        page, items, extra = results_page(view, query)
    except InvalidInput as error:
        error.errors = tuple(replace(fault, where="body") for fault in error.errors)
        raise
    return list_body(items, None, page, extra)


def results_page(view: ReadView, query: SearchQuery) -> tuple[Page, list[bytes], bytes]:
    """A page of results, each rendered when its record was published; and the further fields of a `FoundList`."""
    concept_ids(view, "condition", query.condition, "condition")  # raises where one is unknown: nothing would be found
    refuse_unknown_terms(view, query)
    results = service.search(view.session, query.q, query.narrowed())
    request = query.page_request()
    start = request.position(service.MAX_RANKED)
    hits = results.hits[start : start + query.limit]
    end = start + len(hits)
    cursor = encode_cursor(request.fingerprint, [end, ""]) if end < len(results.hits) else None
    highlighter = Highlighter(results.terms)
    items = [
        _hit_json(hit, of_hit, highlighter)
        for hit, of_hit in zip(hits, service.hit_texts(view.session, hits), strict=True)
    ]
    facets = facet_fields({name: list(values.items()) for name, values in results.facets.items()})
    extra = b'%b,"capped":%b,"matched":"%b","left_out":%b,"did_you_mean":%b' % (
        facets,
        to_json(results.total > len(results.hits)),
        b"all" if results.has_all_terms else b"any",
        to_json(results.left_out),
        to_json(results.did_you_mean),
    )
    return Page((), cursor, results.total, results.is_exact), items, extra


def _hit_json(hit: Hit, text: service.HitText, highlighter: Highlighter) -> bytes:
    """A `FoundRecord` as JSON."""
    return b'{"type":"%b","id":"%b","title":%b,"parts":%b,"claim":%b,"score":%b,"links":{"self":"%b"}}' % (
        hit.type.encode(),
        hit.id.encode(),
        to_json(text.heading),
        to_json(_parts(highlighter.parts(text.heading))),
        text.summary.encode() if text.summary else b"null",
        to_json(round(hit.score, 4)),
        f"{BY_TYPE[hit.type].path}/{hit.id}".encode(),
    )


def _parts(parts: Iterable[tuple[str, bool]]) -> list[dict[str, Any]]:
    return [{"text": text, "hit": hit} for text, hit in parts]


class SuggestQuery(QueryModel):
    q: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(printable)]
    """What has been typed so far."""
    type: Annotated[list[RecordType], _LIST] = []
    limit: Annotated[int, Field(ge=1, le=20)] = 8
    all: bool = False
    """Whether drugs without claims, which are only recognized by their names and codes, are suggested too."""


class SuggestedRecord(ResponseModel):
    type: RecordType
    id: Slug
    name: str
    matched: str
    """The name, synonym, code, title or statement that goes on from what was typed."""
    matched_on: Literal["name", "synonym", "code", "identifier", "title", "statement"]
    parts: tuple[Part, ...]
    """`matched` in parts, told apart by whether they were typed."""
    claim: ClaimSummary | None
    """Of a claim, what must travel with its statement, such as how the evidence stands."""
    links: FoundLinks


class SuggestedList(ResponseModel):
    items: list[SuggestedRecord]
    capped: bool
    """Whether more records go on from what was typed than `limit` lets through."""


@router.get(
    "/v1/suggest",
    operation_id="suggest",
    summary="Typeahead over names, synonyms, codes, titles and statements",
    response_model=SuggestedList,
    responses=responses(422, 503),
)
async def suggest_records(request: Request, query: Annotated[SuggestQuery, query_of(SuggestQuery)]) -> Response:
    """Records of which a name goes on from what was typed; where there are none, records that have all words typed, the
    last of which may be unfinished. One slip is forgiven where nothing else is found."""
    return await reads_of(request).run(request, _suggest, request, query)


def _suggest(view: ReadView, request: Request, query: SuggestQuery) -> Response:
    def body() -> bytes:
        # One more than asked for tells whether there are more.
        more = suggestions.suggest(view.session, query.q, query.limit + 1, query.type, all_drugs=query.all)
        found = more[: query.limit]
        summaries = suggestions.claim_summaries(view.session, found)
        items = [
            {
                "type": suggestion.type,
                "id": suggestion.id,
                "name": suggestion.label,
                "matched": suggestion.matched,
                "matched_on": suggestion.matched_on,
                "parts": _parts(suggestions.typed_parts(suggestion.matched, suggestion.start)),
                "claim": summaries.get(suggestion.id) if suggestion.type == "claim" else None,
                "links": {"self": f"{BY_TYPE[suggestion.type].path}/{suggestion.id}"},
            }
            for suggestion in found
        ]
        return to_json({"items": items, "capped": len(more) > len(found)})

    return list_response(request, view, body)
