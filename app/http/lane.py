"""The fast lane: answers in front of everything else, from memory or straight from the stored documents.

Pure ASGI. An answer is kept exactly as the guarded application gave it, for as long as the data set stays at its
serial. One that was never given is put together from the stored documents and the headers of an answer of its kind;
what the lane is not sure of falls through. So all ways answer alike, apart from the request id.
"""

import itertools
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.cache import ByteBoundedCache
from app.core.lists import canonical
from app.core.logging import AccessLog
from app.http import caching, direct
from app.http.direct import Direct
from app.http.freshness import Freshness

Headers = list[tuple[bytes, bytes]]

LARGEST = 2_000_000
"""Longer answers are not kept."""
MOST_FORMS = 1000
"""Pages of so many sites, at most, are answered from the documents at first asking."""
_PATHS = re.compile(rb"/v1/[a-z-]+(?:/[a-z0-9-]+(?:/(?:citations|versions|evidence))?)?")
_PLAIN = frozenset({b"*/*", b"application/json"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Kept:
    """An answer as it was given, without its request id; and what 304 was answered to its ETag, once asked for."""

    __slots__ = ("body", "etag", "headers", "not_modified", "route")

    def __init__(self, route: str, etag: bytes, headers: Headers, body: bytes) -> None:
        self.route = route
        self.etag = etag
        self.headers = headers
        self.body = body
        self.not_modified: Headers | None = None


@dataclass(frozen=True)
class Form:
    """What all answers of a kind have alike: the route's name and the headers that say nothing of the record."""

    route: str
    headers: Headers
    size: int
    """Of the headers in memory."""


Key = tuple[bytes, str, bytes, bytes]
"""Path, query in canonical form, accepted codings, Origin: all that an answer depends on."""
Kind = tuple[str, bytes, int]
"""What is asked for, Origin, status: all that the form of an answer depends on."""


class Lane:
    """Wraps the guarded application."""

    def __init__(
        self,
        app: ASGIApp,
        freshness: Freshness,
        *,
        cache_bytes: int,
        log: AccessLog,
        direct: Direct,
    ) -> None:
        self.app = app
        self.freshness = freshness
        self.cache: ByteBoundedCache[Key, Kept] = ByteBoundedCache(cache_bytes)
        self.log = log
        self.direct = direct
        self._forms: dict[Kind, Form] = {}
        self._serial: int | None = None
        self._ids = itertools.count(1)
        self._prefix = os.urandom(6).hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._aside(scope, receive, send)
            return
        started_at = time.perf_counter()
        asked = _asked(scope.get("raw_path") or b"", scope["query_string"], tuple(scope["headers"]))
        if asked is None:
            await self.app(scope, receive, send)
            return
        serial = self.freshness.serial()
        if serial != self._serial:
            self.cache.clear()
            self._forms.clear()
            self._serial = serial
        if serial is None:
            await self.app(scope, receive, send)
            return
        kept = self.cache.get(asked.key)
        known = asked.known
        if kept is not None and known is None:
            status, headers, body, route = 200, kept.headers, kept.body, kept.route
        elif kept is not None and known == kept.etag and kept.not_modified is not None:
            status, headers, body, route = 304, kept.not_modified, b"", kept.route
        elif kept is None and (found := await self._directly(asked, serial)) is not None:
            status, headers, body, route = found
        else:
            await self._fill(asked, kept, scope, receive, send)
            return
        request_id = asked.request_id or f"{self._prefix}-{next(self._ids):x}".encode()
        await send(
            {"type": "http.response.start", "status": status, "headers": [*headers, (b"x-request-id", request_id)]}
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        self.log(scope["method"], route, status, time.perf_counter() - started_at, request_id.decode())

    async def _aside(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Recorded(keeping=False)
        await self.app(scope, receive, answer.listen(send))
        self._learn(answer)
        if scope["type"] == "lifespan":
            self.log.flush()
            self.freshness.close()
            self.direct.close()

    def _learn(self, answer: "_Recorded") -> None:
        serial = answer.header(b"dataset-serial")
        if serial is not None:
            self.freshness.saw(int(serial))

    async def _directly(self, asked: "Asked", serial: int) -> tuple[int, Headers, bytes, str] | None:
        """The answer from the stored documents, in the form of one that the application gave."""
        wanted, direct = asked.directly, self.direct
        if wanted is None:
            return None
        if asked.known is not None:
            form = self._forms.get((wanted.kind, asked.origin, 304))
            tag = await _told(direct.tag, direct.waits_for_tag(wanted), wanted, serial) if form is not None else None
            if form is None or tag is None or not caching.is_same(asked.known, tag):
                return None
            return 304, [(b"etag", asked.known), *form.headers], b"", form.route
        form = self._forms.get((wanted.kind, asked.origin, 200)) if asked.is_uncoded else None
        answer = await _told(direct.answer, direct.waits(wanted), wanted, serial) if form is not None else None
        if form is None or answer is None:
            return None
        headers = [
            (b"etag", answer.etag.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            *form.headers,
        ]
        if answer.following is not None:
            headers.append((b"link", f'<{answer.following}>; rel="next"'.encode()))
        if serial == self._serial:  # else something was published meanwhile: the answer is good, but not for others
            kept = Kept(form.route, headers[0][1], headers, answer.body)
            self.cache.put(asked.key, kept, len(answer.body) + form.size)
        return 200, headers, answer.body, form.route

    async def _fill(self, asked: "Asked", kept: Kept | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and keep what it said where that may be kept. It also compares tags."""
        answer = _Recorded()
        await self.app(scope, receive, answer.listen(send))
        self._learn(answer)
        # A HEAD has no body to keep.
        if scope["method"] != "GET" or answer.size > LARGEST:
            return
        serial, etag = answer.header(b"dataset-serial"), answer.header(b"etag")
        if answer.header(b"cache-control") != b"no-cache" or etag is None or serial != str(self._serial).encode():
            return
        route = str(scope.get("state", {}).get("route", "-"))
        headers = answer.lasting_headers()
        is_alike = answer.status == 304 or (answer.status == 200 and asked.is_uncoded)
        if is_alike and asked.directly is not None and len(self._forms) < MOST_FORMS:
            alike = [header for header in headers if header[0].lower() not in _ITS_OWN]
            kind = (asked.directly.kind, asked.origin, answer.status)
            self._forms[kind] = Form(route, alike, _size(headers))
        if answer.status == 304 and kept is not None and asked.known == kept.etag:
            kept.not_modified = headers
        elif answer.status == 200:
            kept = Kept(route, etag, headers, b"".join(answer.chunks))
            self.cache.put(asked.key, kept, len(kept.body) + _size(headers))


_ITS_OWN = frozenset({b"etag", b"content-length", b"link"})
"""Headers in which answers of a kind differ."""


Result = TypeVar("Result")


async def _told(tell: Callable[[direct.Asked, int], Result], waits: bool, wanted: direct.Asked, serial: int) -> Result:
    """What is told at once, or in a thread."""
    return await run_in_threadpool(tell, wanted, serial) if waits else tell(wanted, serial)


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) for name, value in headers) + 500


class _Recorded:
    """What an application sends, while it is sent on."""

    def __init__(self, *, keeping: bool = True) -> None:
        self.keeping = keeping
        self.status = 0
        self.headers: Headers = []
        self.chunks: list[bytes] = []
        self.size = 0

    def listen(self, send: Send) -> Send:
        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], [(bytes(n), bytes(v)) for n, v in message["headers"]]
            elif message["type"] == "http.response.body":
                self.size += len(message.get("body", b""))
                if self.keeping and self.size <= LARGEST:
                    self.chunks.append(message.get("body", b""))
            await send(message)

        return heard

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def lasting_headers(self) -> Headers:
        return [(name, value) for name, value in self.headers if name.lower() != b"x-request-id"]


@dataclass(frozen=True)
class Asked:
    """What a request says, as far as the lane understands it."""

    key: Key
    known: bytes | None
    """Its If-None-Match."""
    request_id: bytes | None
    directly: direct.Asked | None
    """What it asks for, where the stored documents can tell."""

    @property
    def is_uncoded(self) -> bool:
        return self.key[2] in (b"", b"identity")

    @property
    def origin(self) -> bytes:
        return self.key[3]


@lru_cache(maxsize=1024)
def _asked(path: bytes, query: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> Asked | None:
    """What a request says; null where the lane should stand aside. Most requests say what others said before."""
    if not _PATHS.fullmatch(path) or not query.isascii():
        return None
    sent: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _TELLING:
            if name in sent:
                return None
            sent[name] = value
        elif name in _ASIDE:
            return None
    request_id = sent.get(b"x-request-id")
    if b"host" not in sent or sent.get(b"accept", b"*/*") not in _PLAIN:
        return None
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        return None
    words = canonical(query.decode())
    key = (path, words, sent.get(b"accept-encoding", b""), sent.get(b"origin", b""))
    return Asked(key, sent.get(b"if-none-match"), request_id, direct.asked(path.decode(), words))


_TELLING = frozenset({b"host", b"accept", b"accept-encoding", b"origin", b"if-none-match", b"x-request-id"})
"""Headers on which an answer depends; of one that stands twice the application makes what it will."""
_ASIDE = frozenset({b"min-dataset-serial", b"range", b"content-length", b"transfer-encoding", b"authorization"})
