"""In which format an answer goes out: what `format=` names, else what the Accept header likes best."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import mimeparse
from fastapi import Request, Response

from app.bibliography import FORMATS
from app.bibliography.styles import Style
from app.core.errors import Fault, InvalidInput, NotAcceptable
from app.http import conditional as caching

if TYPE_CHECKING:
    ReferenceFormat = str
    DocumentFormat = str
else:  # the registry decides, so that a new format needs no second list
    from typing import Literal

    ReferenceFormat = Literal["json", *FORMATS]
    DocumentFormat = Literal["json", *FORMATS, "jsonld"]

MAX_LENGTH_ACCEPT = 2000
"""Bytes of an Accept header that are worth reading; browsers send a tenth of it."""
JSON = "application/json"


class Offer(NamedTuple):
    """A format that an address can answer in."""

    media_type: str
    aliases: tuple[str, ...] = ()
    extension: str | None = None
    """Of the file that it is downloaded as; null for what is read in place."""
    has_styles: bool = False


REFERENCE_OFFERS: dict[str, Offer] = {
    "json": Offer(JSON),
    **{
        name: Offer(known.media_type, known.aliases, known.extension, known.has_styles)
        for name, known in FORMATS.items()
    },
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
    accept = request.headers.get("accept", "").strip()
    if not accept:
        return Choice("json", offers["json"], None)
    by_type = {media: name for name, offer in offers.items() for media in (offer.media_type, *offer.aliases)}
    offered = [offer.media_type for offer in offers.values()]
    ranges = _ranges(accept, offered)
    # In a tie mimeparse takes the last, and JSON is what we would rather give.
    best = mimeparse.best_match(list(reversed(by_type)), accept)
    if not best:
        raise NotAcceptable(offered)
    offer = offers[by_type[best]]
    asked = [parameters for media, parameters in ranges if media == best]
    return Choice(by_type[best], offer, _style(offer, style, asked[0] if asked else {}))


def _ranges(accept: str, offered: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
    """The media types of the header with their parameters, best first."""
    try:
        if len(accept) > MAX_LENGTH_ACCEPT:
            raise mimeparse.MimeTypeParseException("too long")
        parsed = [mimeparse.parse_media_range(part) for part in accept.split(",") if part.strip()]
    except mimeparse.MimeTypeParseException as error:
        raise NotAcceptable(offered) from error
    parsed.sort(key=lambda found: -float(found[2]["q"]))
    return [(f"{main}/{sub}", parameters) for main, sub, parameters in parsed]


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


def answer(
    request: Request,
    choice: Choice,
    body: bytes,
    tag: str,
    *,
    file_name: str,
    headers: Mapping[str, str],
    cache_control: str = caching.REVALIDATE,
) -> Response:
    """The body in the chosen format, under a file name where it is one to keep; 304 where the client has it."""
    sent = {**headers, "Vary": VARY}
    if choice.offer.extension is not None:
        sent["Content-Disposition"] = f'attachment; filename="{file_name}.{choice.offer.extension}"'
    response = caching.json_response(request, body, tag, cache_control=cache_control, headers=sent)
    if response.status_code == 200 and choice.format != "json":
        response.headers["Content-Type"] = choice.content_type
    return response


def documented(offers: Mapping[str, Offer], description: str) -> dict[int | str, dict[str, Any]]:
    """The 200 of a route with all its media types, for OpenAPI."""
    others = {
        offer.media_type: {"schema": {"type": "string" if offer.media_type.startswith("text/") else _kind(offer)}}
        for name, offer in offers.items()
        if name != "json"
    }
    return {200: {"description": description, "content": others}}


def _kind(offer: Offer) -> str:
    if offer.media_type == FORMATS["csl-json"].media_type:
        return "array"
    return "object" if offer.media_type.endswith("json") else "string"
