"""Content negotiation (RFC 9110, section 12.5.1): the only place that reads an Accept header."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import NamedTuple

import mimeparse

from app.core.errors import NotAcceptable

MAX_ACCEPT_BYTES = 2000
"""Longer headers are refused; browsers send a tenth of it."""


class Negotiated(NamedTuple):
    """The media type that the client likes best, and the parameters that it gave with exactly this type."""

    media_type: str
    parameters: Mapping[str, str]


def negotiate(accept: str | None, offers: Sequence[str], *, shown: Sequence[str] | None = None) -> Negotiated:
    """The best of the offers, the first of which is preferred where the client takes several equally well.

    Without a header it is the first. Raises NotAcceptable, which lists `shown` or else the offers.
    """
    if accept is None or not accept.strip():
        return Negotiated(offers[0], {})
    accept = accept.lower()  # types, and the names of parameters and their values here, are the same in any case
    try:
        if len(accept) > MAX_ACCEPT_BYTES:
            raise mimeparse.MimeTypeParseException("too long")
        ranges = [_media_range(part) for part in accept.split(",") if part.strip()]
        # In a tie mimeparse takes the last.
        best = mimeparse.best_match(list(reversed(offers)), accept)
    except mimeparse.MimeTypeParseException as error:
        raise NotAcceptable(shown or offers) from error
    if not best:
        raise NotAcceptable(shown or offers)
    ranges.sort(key=lambda found: -float(found[2]["q"]))
    named = (parameters for main, sub, parameters in ranges if f"{main}/{sub}" == best)
    return Negotiated(best, next(named, {}))


def _media_range(text: str) -> tuple[str, str, dict[str, str]]:
    """Type, subtype and parameters; mimeparse itself would take a quality that is no number for 1."""
    try:
        if isnan(float(mimeparse.parse_mime_type(text)[2].get("q", "1"))):
            raise ValueError("nan")
    except ValueError as error:
        raise mimeparse.MimeTypeParseException("the quality is no number") from error
    main, sub, parameters = mimeparse.parse_media_range(text)
    return main, sub, parameters
