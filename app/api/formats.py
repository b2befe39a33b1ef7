"""In which format an answer goes out: what `format=` names, else what the Accept header likes best."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.api.common import ItemQuery, RecordId, cache_control, item_at, read_item, records_at
from app.api.presentation import presentation, refuse_unless_json
from app.bibliography import ALL_FORMATS, FORMATS, PAGES, CitationFormat, csl_json
from app.bibliography.styles import Style
from app.core.content import QueryModel, derived_query
from app.core.errors import Fault, InvalidInput, NotAcceptable
from app.core.templates import content_security_policy
from app.core.text import camel_case
from app.http import conditional
from app.http.conditional import JSON, LinkedBody, conditional_response
from app.http.negotiation import negotiate
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.storage.read_view import ReadView
from app.storage.records import DatabaseRecords
from app.storage.resource import Key

if TYPE_CHECKING:
    ReferenceFormat = str
    DocumentFormat = str
else:  # the registry decides, so that a new format needs no second list
    from typing import Literal

    ReferenceFormat = Literal["json", *ALL_FORMATS]
    DocumentFormat = Literal["json", *ALL_FORMATS, "jsonld"]


class Offer(NamedTuple):
    """A format that an address can answer in."""

    media_type: str
    aliases: tuple[str, ...] = ()
    extension: str | None = None
    """Of the file that it is downloaded as; null for what is read in place."""
    has_styles: bool = False
    is_negotiated: bool = True
    """False for what is asked for by name alone."""


def _offer(known: CitationFormat, *, is_page: bool) -> Offer:
    extension = None if is_page else known.extension
    return Offer(known.media_type, known.aliases, extension, known.has_styles, not is_page)


REFERENCE_OFFERS: dict[str, Offer] = {
    "json": Offer(JSON),
    **{name: _offer(known, is_page=name in PAGES) for name, known in ALL_FORMATS.items()},
}
JSON_LD = Offer("application/ld+json", ("application/vnd.schemaorg.ld+json",))
DOCUMENT_OFFERS = REFERENCE_OFFERS | {"jsonld": JSON_LD}
CLAIM_OFFERS = {"json": Offer(JSON), "jsonld": JSON_LD, "va-spec": Offer("application/vnd.ga4gh.va-spec+json")}
VARY = "Accept, Accept-Encoding"


class Choice(NamedTuple):
    """What was chosen; `style` is null where the format knows none."""

    format: str
    offer: Offer
    style: Style | None

    @property
    def content_type(self) -> str:
        media_type = self.offer.media_type
        if media_type.endswith("json"):
            return media_type
        styled = f"; style={self.style}" if self.style else ""
        return f"{media_type}{styled}; charset=utf-8"


def choose(
    request: Request, offers: Mapping[str, Offer], named: str | None = None, style: Style | None = None
) -> Choice:
    """The format named by `format=`, else the best by Accept; NotAcceptable where there is none."""
    if named is not None:
        return Choice(named, offers[named], _style(offers[named], style, {}))
    negotiated = {name: offer for name, offer in offers.items() if offer.is_negotiated}
    by_type = {media: name for name, offer in negotiated.items() for media in (offer.media_type, *offer.aliases)}
    accept = request.headers.get("accept")
    try:
        best = negotiate(accept, list(by_type), shown=[offer.media_type for offer in negotiated.values()])
    except NotAcceptable as error:
        if "text/html" in (accept or "").lower() and "html" in offers:
            error.detail = f"{error.detail} As HTML it is at {request.url.path}.html."
        raise
    name = by_type[best.media_type]
    return Choice(name, offers[name], _style(offers[name], style, best.parameters))


def _style(offer: Offer, named: Style | None, parameters: Mapping[str, str]) -> Style | None:
    """The style by `style=`, else by the parameter of the media type, else AMA."""
    if not offer.has_styles:
        return None
    asked = parameters.get("style")
    if named is not None or asked is None:
        return named or Style.ama
    if asked not in list(Style):
        fault = Fault("header", "Accept", "unknown_style", "Ask for one of the styles in `allowed`.", tuple(Style))
        raise InvalidInput("This citation style is not offered here.", errors=[fault])
    return Style(asked)


async def answer_formatted(
    request: Request,
    key: Key,
    query: ItemQuery,
    choice: Choice,
    convert: Callable[[bytes, DatabaseRecords, Choice], bytes],
) -> Response:
    """The record as it is, or as it was at a serial, in the chosen format; `convert` makes it from the JSON."""
    serial, reads = query.serial, reads_of(request)
    if choice.format == "json":
        return await read_item(request, key, serial, presentation(key.type, query), {"Vary": VARY})
    refuse_unless_json(query)

    def answer(view: ReadView) -> Response:
        body, _ = item_at(view, key.type, key.id, serial)
        body = convert(body, records_at(view, serial), choice)
        tag = conditional.etag(body)
        return formatted_response(request, choice, tag, body, file_name=key.id, cache_control=cache_control(serial))

    return await reads.run(request, answer)


def formatted_response(
    request: Request,
    choice: Choice,
    tag: str,
    body: bytes | Callable[[], bytes | LinkedBody],
    *,
    file_name: str,
    cache_control: str = conditional.REVALIDATE,
) -> Response:
    """The body in the chosen format, under a file name where it is one to keep; 304 where the client has it."""
    headers = {"Vary": VARY}
    if choice.offer.extension is not None:
        headers["Content-Disposition"] = f'attachment; filename="{file_name}.{choice.offer.extension}"'
    if choice.offer.media_type == "text/html":
        headers["Content-Security-Policy"] = content_security_policy()
    return conditional_response(
        request, tag, body, media_type=choice.content_type, cache_control=cache_control, headers=headers
    )


def documented(offers: Mapping[str, Offer], description: str) -> dict[int | str, dict[str, Any]]:
    """The 200 of a route with its media types, for OpenAPI: beside JSON, formats that have addresses of their own are
    documented there alone, so that a generated client has one type of answer for each operation."""
    apart = {"json", *(ALL_FORMATS if "json" in offers else ())}
    others = {offer.media_type: {"schema": _schema(offer)} for name, offer in offers.items() if name not in apart}
    return {200: {"description": description, "content": others}}


def _schema(offer: Offer) -> dict[str, Any]:
    if offer.media_type == FORMATS["csl-json"].media_type:
        return csl_json.SCHEMA
    return {"type": "object" if offer.media_type.endswith("json") else "string"}


# --- an address for each format -----------------------------------------------------------------------------------


class FormatAddresses(NamedTuple):
    """The addresses of references that end in the format: `/v1/documents.ris`, or `/v1/documents/{id}.ris`."""

    path: str
    """Without the ending."""
    operation: str
    """Id of the operation, without the format."""
    summary: str
    description: str
    codes: tuple[int, ...]
    """Of the errors that they answer with."""


def add_format_addresses(
    router: APIRouter,
    addresses: FormatAddresses,
    query: type[QueryModel],
    answer: Callable[..., Awaitable[Response]],
) -> None:
    """An operation for each format of references, so that generated clients and links need no header.

    They take the parameters of `query`, and a style where the format has styles. `answer` gets the request, the id
    where the path has one, the query and what was chosen. To be added before the routes whose paths they match.
    """
    styled = derived_query(f"{query.__name__}WithStyle", query, style=(Style | None, None))
    for name, known in ALL_FORMATS.items():
        endpoint = _item_endpoint if "{id}" in addresses.path else _list_endpoint
        router.add_api_route(
            f"{addresses.path}.{known.ending}",
            endpoint(name, styled if known.has_styles else query, answer),
            operation_id=f"{addresses.operation}As{camel_case(name)}",
            summary=f"{addresses.summary}, as {known.label}",
            description=addresses.description,
            response_class=Response,
            responses=documented({name: REFERENCE_OFFERS[name]}, "The references.") | responses(*addresses.codes),
        )


def _list_endpoint(
    name: str, model: type[BaseModel], answer: Callable[..., Awaitable[Response]]
) -> Callable[..., Awaitable[Response]]:
    read_query = query_of(model)

    async def endpoint(request: Request, query: Any = read_query) -> Response:
        return await answer(request, query, _named(name, query))

    return endpoint


def _item_endpoint(
    name: str, model: type[BaseModel], answer: Callable[..., Awaitable[Response]]
) -> Callable[..., Awaitable[Response]]:
    read_query = query_of(model)

    async def endpoint(request: Request, id: RecordId, query: Any = read_query) -> Response:
        return await answer(request, id, query, _named(name, query))

    return endpoint


def _named(name: str, query: BaseModel) -> Choice:
    offer = REFERENCE_OFFERS[name]
    return Choice(name, offer, _style(offer, getattr(query, "style", None), {}))
