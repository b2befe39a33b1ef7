"""Search across all types of record, and typeahead."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app.api.records import ListOf, list_tag, next_address
from app.catalog import BY_TYPE
from app.core.content import Shape
from app.core.lists import ListQuery, decode, encode
from app.core.resource import Key
from app.core.text import Slug, Words, printable
from app.curation.world import Now
from app.evidence import render
from app.evidence.reads import ClaimSummary
from app.evidence.vocabulary import Certainty, Consensus, Kind, Stance
from app.http import caching
from app.http.deps import CurrentDataset, ReadSession
from app.http.problems import declared_parameters_only, responses
from app.search import service, suggest
from app.sources.vocabulary import Design

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
_FEW = Field(max_length=20)


class SearchQuery(ListQuery):
    """A question in plain words; `"words in a row"` stay together, and the last word may be unfinished."""

    q: Annotated[Words, Field(examples=["ldn fibromyalgia pain"])]
    type: Annotated[list[RecordType], _FEW] = []
    kind: Annotated[list[Kind], _FEW] = []
    condition: Annotated[list[Slug], _FEW] = []
    stance: Annotated[list[Stance], _FEW] = []
    consensus: Annotated[list[Consensus], _FEW] = []
    certainty: Annotated[list[Certainty], _FEW] = []
    design: Annotated[list[Design], _FEW] = []
    year: Annotated[list[Annotated[int, Field(ge=1000, le=9999)]], _FEW] = []

    def narrowed(self) -> dict[str, list[str]]:
        return {name: [str(v) for v in getattr(self, name)] for name in NARROWING}


NARROWING = ("type", "kind", "condition", "stance", "consensus", "certainty", "design", "year")


class Part(Shape):
    """A part of a text; the parts joined give the text."""

    text: str
    hit: bool


class FoundLinks(Shape):
    self: str


class FoundRecord(Shape):
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


class FacetValue(Shape):
    value: str
    count: int


class FoundList(ListOf[FoundRecord]):
    """One page of results, best first. At most 200 can be paged through; narrow the question beyond that."""

    facets: dict[str, list[FacetValue]]
    """Counts of all that matches, for narrowing: pass a value as the parameter of the same name."""
    matched: Literal["all", "any"]
    """Whether everything asked for occurs in each result, or only a part of it."""
    did_you_mean: str | None
    """The question with words that no record has replaced by the nearest that some have; the results answer it."""


class SearchBody(SearchQuery):
    """The same question in a body, for words that should stand in no address."""

    def fingerprint(self) -> str:
        # Cursors are good for both ways to ask.
        return SearchQuery(**self.model_dump()).fingerprint()


@router.get(
    "/v1/search",
    operation_id="search",
    summary="Search across all types of record",
    response_model=FoundList,
    responses=responses(422, 503),
)
def search(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[SearchQuery, Query()]
) -> Response:
    """Ranked results with facets. Synonyms, codes and identifiers find what they name (`CFS`, `M79.7`, a DOI, a PMID);
    accents and case do not matter."""
    tag = list_tag(request, dataset)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    answer = _answer(request, session, query)
    headers = dataset.headers | ({"Link": f'<{answer.next}>; rel="next"'} if answer.next else {})
    return caching.json_response(request, answer.model_dump_json().encode(), tag, headers=headers)


@router.post(
    "/v1/search",
    operation_id="searchByBody",
    summary="Search, with the question in the body",
    response_model=FoundList,
    responses=responses(400, 413, 422, 503),
    dependencies=[Depends(declared_parameters_only)],
)
def search_by_body(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    body: Annotated[SearchBody, Body(openapi_examples={"a question": {"value": {"q": "naltrexone with tramadol"}}})],
) -> Response:
    """As `GET /v1/search`, for questions that should not stand in an address or a log."""
    answer = _answer(request, session, body).model_copy(update={"next": None})
    return Response(
        answer.model_dump_json(),
        media_type="application/json",
        headers={**dataset.headers, "Cache-Control": "no-store"},
    )


def _answer(request: Request, session: Session, query: SearchQuery) -> FoundList:
    results = service.search(session, query.q, query.narrowed())
    start = int(decode(query.cursor, query.fingerprint())[0]) if query.cursor is not None else 0
    shown = results.hits[start : start + query.limit]
    end = start + len(shown)
    cursor = encode(query.fingerprint(), [end, ""]) if end < len(results.hits) else None
    world = Now(session)
    return FoundList(
        items=[_found(world, hit, results) for hit in shown],
        next=next_address(request, cursor),
        next_cursor=cursor,
        total=results.total,
        total_is="exact" if results.is_exact else "at_least",
        facets={
            name: [FacetValue(value=value, count=count) for value, count in values.items()]
            for name, values in results.facets.items()
        },
        matched="all" if results.every else "any",
        did_you_mean=results.did_you_mean,
    )


def _found(world: Now, hit: service.Hit, results: service.Results) -> FoundRecord:
    title = _title(world, hit.key)
    return FoundRecord(
        type=hit.type,
        id=hit.id,
        title=title,
        parts=tuple(Part(text=text, hit=is_hit) for text, is_hit in service.parts(title, results.terms)),
        claim=render.summary(world, hit.id) if hit.type == "claim" else None,
        score=round(hit.score, 4),
        links=FoundLinks(self=f"{BY_TYPE[hit.type].path}/{hit.id}"),
    )


def _title(world: Now, key: Key) -> str:
    content = world.content(key)
    for name in ("statement", "question", "name", "title", "label", "dose_text"):
        found = getattr(content, name, None)
        if found:
            return str(found)
    return key.id


class SuggestQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    q: Annotated[str, Field(min_length=1, max_length=100, examples=["fibro"]), AfterValidator(printable)]
    """What has been typed so far."""
    type: Annotated[list[RecordType], _FEW] = []
    limit: Annotated[int, Field(ge=1, le=20)] = 8


class SuggestedRecord(Shape):
    type: RecordType
    id: Slug
    name: str
    matched: str
    """The name, synonym, code or title that goes on from what was typed."""
    matched_on: Literal["name", "synonym", "code", "identifier", "title"]
    parts: tuple[Part, ...]
    """`matched` in parts, told apart by whether they were typed."""
    links: FoundLinks


class SuggestedList(Shape):
    items: list[SuggestedRecord]


@router.get(
    "/v1/suggest",
    operation_id="suggest",
    summary="Typeahead over names, synonyms, codes and titles",
    response_model=SuggestedList,
    responses=responses(422, 503),
)
def suggest_records(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[SuggestQuery, Query()]
) -> Response:
    """Records of which a name goes on from what was typed; one slip is forgiven where nothing else is found."""
    tag = list_tag(request, dataset)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    world = Now(session)
    items = [
        SuggestedRecord(
            type=found.type,
            id=found.id,
            name=_name(world, Key(found.type, found.id)),
            matched=found.matched,
            matched_on=found.matched_on,
            parts=tuple(Part(text=text, hit=hit) for text, hit in suggest.typed_parts(found.matched, found.start)),
            links=FoundLinks(self=f"{BY_TYPE[found.type].path}/{found.id}"),
        )
        for found in suggest.suggest(session, query.q, query.limit, query.type)
    ]
    body = SuggestedList(items=items).model_dump_json().encode()
    return caching.json_response(request, body, tag, headers=dataset.headers)


def _name(world: Now, key: Key) -> str:
    content = world.content(key)
    return str(getattr(content, "label", None) or getattr(content, "name", None) or _title(world, key))
