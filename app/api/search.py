"""Search across all types of record, and typeahead."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json
from sqlalchemy.orm import Session

from app.api.records import ListOf, list_tag, next_address
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import Certainty, Consensus, Kind, Stance
from app.core.content import ResponseModel
from app.core.text import Slug, Words, printable
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.direct import Answer
from app.http.problems import declared_parameters_only, responses
from app.registry import BY_TYPE
from app.search import service
from app.search import suggestions as suggest
from app.search.highlight import Highlighter
from app.search.ranking import Hit
from app.sources.vocabulary import Design
from app.storage import paging as lists
from app.storage.paging import ListQuery, Page, decode, encode

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


class FacetValue(ResponseModel):
    value: str
    count: int


class FoundList(ListOf[FoundRecord]):
    """One page of results, best first. At most 120 can be paged through; narrow the question beyond that."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    facets: dict[str, list[FacetValue]]
    """Counts of all that matches, for narrowing: pass a value as the parameter of the same name."""
    matched: Literal["all", "any"]
    """Whether everything asked for occurs in each result, or only a part of it."""
    did_you_mean: str | None
    """The question with words that no record has replaced by the nearest that some have; the results answer it."""


class SearchBody(SearchQuery):
    """The same question in a body, for words that should stand in no address."""

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
def search(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[SearchQuery, Query()]
) -> Response:
    """Ranked results with facets. Synonyms, codes and identifiers find what they name (`CFS`, `M79.7`, a DOI, a PMID);
    accents and case do not matter."""
    tag = list_tag(request, dataset)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    found, following = answer(session, query, lambda cursor: next_address(request, cursor))
    headers = dataset.headers | ({"Link": f'<{following}>; rel="next"'} if following else {})
    return caching.json_response(request, found, tag, headers=headers)


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
    return Response(
        answer(session, body, lambda _cursor: None)[0],
        media_type="application/json",
        headers={**dataset.headers, "Cache-Control": "no-store"},
    )


def straight(session: Session, path: str, query: str, serial: int) -> Answer | None:
    """The answer to a search in front of the application; null where that has to say what is wrong with it."""
    given: dict[str, Any] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        return None
    for name, value in pairs:
        if name in NARROWING:
            given.setdefault(name, []).append(value)
        elif name in given:
            return None
        else:
            given[name] = value
    try:
        asked = SearchQuery.model_validate(given)
    except ValidationError:
        return None
    body, following = answer(session, asked, lambda cursor: lists.next_address(path, query, cursor))
    return Answer(caching.list_tag(serial, path, query), body, following)


def answer(
    session: Session, query: SearchQuery, address_of: Callable[[str | None], str | None]
) -> tuple[bytes, str | None]:
    """A `FoundList` as JSON, and the address of its next page: what is shown was rendered when it was published."""
    results = service.search(session, query.q, query.narrowed())
    start = int(decode(query.cursor, query.fingerprint())[0]) if query.cursor is not None else 0
    hits = results.hits[start : start + query.limit]
    end = start + len(hits)
    cursor = encode(query.fingerprint(), [end, ""]) if end < len(results.hits) else None
    highlighter = Highlighter(results.terms)
    shown = service.shown(session, hits)
    following = address_of(cursor)
    items = [_found(hit, of_hit, highlighter) for hit, of_hit in zip(hits, shown, strict=True)]
    page = Page((), cursor, results.total, results.is_exact)
    facets = {
        name: [{"value": value, "count": count} for value, count in values.items()]
        for name, values in results.facets.items()
    }
    told = b',"facets":%b,"matched":"%b","did_you_mean":%b' % (
        to_json(facets),
        b"all" if results.every else b"any",
        to_json(results.did_you_mean),
    )
    return lists.envelope(items, following, page, told), following


def _found(hit: Hit, shown: service.Shown, highlighter: Highlighter) -> bytes:
    """A `FoundRecord` as JSON."""
    return b'{"type":"%b","id":"%b","title":%b,"parts":%b,"claim":%b,"score":%b,"links":{"self":"%b"}}' % (
        hit.type.encode(),
        hit.id.encode(),
        to_json(shown.heading),
        to_json(_parts(highlighter.parts(shown.heading))),
        shown.summary.encode() if shown.summary else b"null",
        to_json(round(hit.score, 4)),
        f"{BY_TYPE[hit.type].path}/{hit.id}".encode(),
    )


def _parts(parts: Iterable[tuple[str, bool]]) -> list[dict[str, Any]]:
    return [{"text": text, "hit": hit} for text, hit in parts]


class SuggestQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    q: Annotated[str, Field(min_length=1, max_length=100, examples=["fibro"]), AfterValidator(printable)]
    """What has been typed so far."""
    type: Annotated[list[RecordType], _FEW] = []
    limit: Annotated[int, Field(ge=1, le=20)] = 8


class SuggestedRecord(ResponseModel):
    type: RecordType
    id: Slug
    name: str
    matched: str
    """The name, synonym, code or title that goes on from what was typed."""
    matched_on: Literal["name", "synonym", "code", "identifier", "title"]
    parts: tuple[Part, ...]
    """`matched` in parts, told apart by whether they were typed."""
    links: FoundLinks


class SuggestedList(ResponseModel):
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
    items = [
        {
            "type": found.type,
            "id": found.id,
            "name": found.label,
            "matched": found.matched,
            "matched_on": found.matched_on,
            "parts": _parts(suggest.typed_parts(found.matched, found.start)),
            "links": {"self": f"{BY_TYPE[found.type].path}/{found.id}"},
        }
        for found in suggest.suggest(session, query.q, query.limit, query.type)
    ]
    return caching.json_response(request, to_json({"items": items}), tag, headers=dataset.headers)
