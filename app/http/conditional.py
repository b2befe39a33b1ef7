"""Conditional reads (RFC 9110, section 13) and how long an answer may be kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from app.storage.read_view import DatasetState

REVALIDATE = "no-cache"
"""A browser asks every time, and mostly gets 304."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For reads of a named serial or release."""

NO_STORE = "no-store"

SHARED = "public, s-maxage=60, stale-while-revalidate=60"
"""For caches in front of us that know `CDN-Cache-Control` (RFC 9213); a publication may purge them."""

JSON = "application/json"
NOT_OF_A_304 = frozenset({b"content-type", b"content-length", b"content-encoding", b"link"})
"""Headers that come with the body, which a 304 does not have."""

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_CODED = re.compile(r'-(?:gzip|br|zstd|deflate)"$')


def etag(body: bytes, *parts: str) -> str:
    """A strong ETag of the bytes and of what else distinguishes representations, such as the media type."""
    digest = hashlib.blake2b(body, digest_size=12)
    for part in parts:
        digest.update(b"\0" + part.encode())
    return f'"{digest.hexdigest()}"'


def record_etag(digest: str, serial: int) -> str:
    """Of a record as it is now: changes only when its bytes do. `digest` is the stored one of its body."""
    return f'"{digest[:24]}-{serial}"'


def query_etag(request: Request, state: DatasetState, *parts: str) -> str:
    """Of an answer that follows from the data set and the address alone: the same for any order of the parameters."""
    return etag(
        b"", state.name, request.scope["path"], canonical(request.scope["query_string"].decode("latin-1")), *parts
    )


def canonical(query: str) -> str:
    """The query with its parameters sorted by name; values of one name keep their order."""
    return "&".join(sorted((part for part in query.split("&") if part), key=lambda part: part.partition("=")[0]))


class LinkedBody(NamedTuple):
    """A body, and headers that come with it but not with a 304."""

    body: bytes
    headers: Mapping[str, str]


def matching_tag(header: str | None, tag: str) -> str | None:
    """The tag in an If-None-Match header that names this representation in whatever content coding; null if none does.

    The comparison is weak (RFC 9110, section 8.8.3.2). `*` stands for the representation that is not compressed, and a
    weak tag for itself.
    """
    if header is None:
        return None
    expected = without_coding(tag.removeprefix("W/"))
    if header.strip() == "*":
        return without_coding(tag)
    sent = next((sent for sent in _TAG.findall(header) if without_coding(sent) == expected), None)
    return tag if sent is not None and tag.startswith("W/") else sent


def without_coding(tag: str) -> str:
    """The tag of the representation that is not compressed."""
    return _CODED.sub('"', tag)


def conditional_response(
    request: Request,
    tag: str | Callable[[], str],
    body: bytes | Callable[[], bytes | LinkedBody],
    *,
    media_type: str = JSON,
    cache_control: str = REVALIDATE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body with its ETag, or 304 with the same headers if the client has it.

    A body that is expensive is passed as a function and made only when it is sent. A tag that follows from the serial
    may be one as well: unless the client sent a tag, it is made after the body, which has read the serial by then.
    `Vary: Origin` is added where CORS is handled.
    """
    sent = {"ETag": "", "Cache-Control": cache_control, "Vary": "Accept-Encoding", **(headers or {})}
    if cache_control == REVALIDATE:
        sent["CDN-Cache-Control"] = SHARED
    known = request.headers.get("if-none-match") if request.method in ("GET", "HEAD") else None
    if known is not None:
        tag = tag if isinstance(tag, str) else tag()
        if (held := matching_tag(known, tag)) is not None:
            return Response(status_code=304, headers=sent | {"ETag": held})
    content = body if isinstance(body, bytes) else body()
    sent["ETag"] = tag if isinstance(tag, str) else tag()
    if isinstance(content, LinkedBody):
        sent |= content.headers
        content = content.body
    return Response(content, headers=sent, media_type=media_type)


def separate_codings(headers: MutableHeaders) -> None:
    """Give a compressed representation an ETag of its own: a strong one promises equal bytes."""
    coding, tag = headers.get("content-encoding"), headers.get("etag")
    if coding and tag and tag.startswith('"') and not _CODED.search(tag):
        headers["etag"] = f'{tag[:-1]}-{coding}"'
