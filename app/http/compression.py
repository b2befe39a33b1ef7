"""Compressed answers."""

from starlette.types import ASGIApp
from starlette_compress import CompressMiddleware

MIN_BYTES = 1000
"""Bodies from this size on are compressed."""


def compress(app: ASGIApp) -> ASGIApp:
    """The application, with its answers in the coding that the client takes."""
    return CompressMiddleware(app, minimum_size=MIN_BYTES)
