"""Conditional reads (RFC 9110, section 13) and how long an answer may be kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

REVALIDATE = "no-cache"
"""A browser asks every time, and mostly hears 304."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For reads of a named serial or release."""

SHARED = "public, s-maxage=60, stale-while-revalidate=60"
"""For caches in front of us that know `CDN-Cache-Control` (RFC 9213); a publish may purge them."""

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_CODED = re.compile(r'-(?:gzip|br|zstd|deflate)"$')


def etag(body: bytes, *parts: str) -> str:
    """A strong ETag of the bytes and of what else tells representations apart: the build, the media type."""
    digest = hashlib.blake2b(body, digest_size=12)
    for part in parts:
        digest.update(b"\0" + part.encode())
    return f'"{digest.hexdigest()}"'


def record_tag(digest: str, serial: int) -> str:
    """Of a record as it is now: changes only when its bytes do, and needs none of them."""
    return f'"{digest[:24]}-{serial}"'


def list_tag(serial: int, path: str, query: str) -> str:
    """Of whatever follows from the data set and the address alone; the query is in canonical form."""
    return etag(b"", str(serial), path, query)


def if_none_match(header: str | None, etag: str) -> bool:
    """Whether the client already has this representation, by weak comparison."""
    return header is not None and (header.strip() == "*" or _matching_tag(header, etag) is not None)


def is_same(sent: bytes, tag: str) -> bool:
    """Whether a client names this one tag, or that of a coding of it, and nothing else."""
    return sent == tag.encode() or _CODED.sub('"', sent.decode("latin-1")) == tag


def json_response(
    request: Request,
    body: bytes,
    etag: str,
    *,
    cache_control: str = REVALIDATE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body, or 304 with the same headers if the client has it. `Vary: Origin` is added where CORS is."""
    sent = {"ETag": etag, "Cache-Control": cache_control, "Vary": "Accept-Encoding", **(headers or {})}
    if cache_control == REVALIDATE:
        sent["CDN-Cache-Control"] = SHARED
    known = request.headers.get("if-none-match")
    if request.method in ("GET", "HEAD") and if_none_match(known, etag):
        # The client may hold a compressed representation: name the one it holds.
        sent["ETag"] = _matching_tag(known or "", etag) or etag
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type="application/json")


def tell_codings_apart(headers: MutableHeaders) -> None:
    """Give a compressed representation an ETag of its own: a strong one promises equal bytes."""
    coding, tag = headers.get("content-encoding"), headers.get("etag")
    if coding and tag and tag.startswith('"') and not _CODED.search(tag):
        headers["etag"] = f'{tag[:-1]}-{coding}"'


def _matching_tag(header: str, etag: str) -> str | None:
    wanted = etag.removeprefix("W/")
    return next((tag for tag in _TAG.findall(header) if _CODED.sub('"', tag) == wanted), None)
