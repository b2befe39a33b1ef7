"""Compressed answers."""

from starlette.types import ASGIApp
from starlette_compress import CompressMiddleware, add_compress_type

MIN_BYTES = 1000
"""Bodies from this size on are compressed."""
_TYPES = (
    "application/ld+json",
    "application/vnd.citationstyles.csl+json",
    "application/vnd.ga4gh.va-spec+json",
    "application/x-bibtex",
    "application/x-research-info-systems",
    "text/csv",
    "text/x-bibliography",
)
"""Media types of text that the library does not know."""


def compress(app: ASGIApp) -> ASGIApp:
    """The application, with its answers in the coding that the client takes."""
    for media_type in _TYPES:
        add_compress_type(media_type)
    return CompressMiddleware(app, minimum_size=MIN_BYTES)
