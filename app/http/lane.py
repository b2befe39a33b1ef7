"""The fast lane: answers that were given before, from memory, in front of everything else.

Pure ASGI. An answer is kept exactly as the guarded application gave it, for as long as the data set stays at its
serial; what the lane does not know falls through. So both ways answer alike, apart from the request id.
"""

import itertools
import os
import re
import time
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import AccessLog
from app.http.cache import ByteBoundedCache
from app.http.freshness import Freshness

Headers = list[tuple[bytes, bytes]]

LARGEST = 2_000_000
"""Longer answers are not kept."""
_PATHS = re.compile(rb"/v1/[a-z-]+(?:/[a-z0-9-]+(?:/(?:citations|versions|evidence))?)?")
_PLAIN = frozenset({b"*/*", b"application/json"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Kept:
    """An answer as it was given, without its request id; and what 304 was answered to its ETag, once asked for."""

    serial: int
    route: str
    etag: bytes
    headers: Headers
    body: bytes
    not_modified: list[Headers] = field(default_factory=list)


Key = tuple[bytes, bytes, bytes, bytes]
"""Path, query, accepted codings, Origin: all that an answer depends on."""


class Lane:
    """Wraps the guarded application."""

    def __init__(self, app: ASGIApp, freshness: Freshness, *, cache_bytes: int, log: AccessLog) -> None:
        self.app = app
        self.freshness = freshness
        self.cache: ByteBoundedCache[Key, Kept] = ByteBoundedCache(cache_bytes)
        self.log = log
        self._serial: int | None = None
        self._ids = itertools.count(1)
        self._prefix = os.urandom(6).hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            answer = _Recorded(keeping=False)
            await self.app(scope, receive, answer.listen(send))
            self._learn(answer)
            if scope["type"] == "lifespan":
                self.log.flush()
                self.freshness.close()
            return
        started_at = time.perf_counter()
        asked = _asked(scope)
        serial = self.freshness.serial() if asked is not None else None
        if asked is None or serial is None:
            await self.app(scope, receive, send)
            return
        if serial != self._serial:
            self.cache.clear()
            self._serial = serial
        key, known, request_id = asked
        kept = self.cache.get(key)
        if kept is None:
            await self._fill(key, scope, receive, send)
            return
        headers, body, status = kept.headers, kept.body, 200
        if known is not None:
            if known != kept.etag or not kept.not_modified:
                await self._not_modified(kept, known, scope, receive, send)
                return
            headers, body, status = kept.not_modified[0], b"", 304
        request_id = request_id or f"{self._prefix}-{next(self._ids):x}".encode()
        await send(
            {"type": "http.response.start", "status": status, "headers": [*headers, (b"x-request-id", request_id)]}
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        self.log(scope["method"], kept.route, status, time.perf_counter() - started_at, request_id.decode())

    def _learn(self, answer: "_Recorded") -> None:
        serial = answer.header(b"dataset-serial")
        if serial is not None:
            self.freshness.saw(int(serial))

    async def _fill(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and keep what it said where that may be kept."""
        answer = _Recorded()
        await self.app(scope, receive, answer.listen(send))
        self._learn(answer)
        # A HEAD has no body to keep, and a 304 is only half an answer.
        if scope["method"] != "GET" or answer.status != 200 or answer.size > LARGEST:
            return
        serial, etag = answer.header(b"dataset-serial"), answer.header(b"etag")
        if answer.header(b"cache-control") != b"no-cache" or etag is None or serial is None:
            return
        if int(serial) != self._serial:
            return
        body = b"".join(answer.chunks)
        route = str(scope.get("state", {}).get("route", "-"))
        kept = Kept(int(serial), route, etag, answer.lasting_headers(), body)
        self.cache.put(key, kept, len(body) + sum(len(n) + len(v) for n, v in kept.headers) + 500)

    async def _not_modified(self, kept: Kept, known: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application compare the tags; its 304 to the plain tag is kept with the answer."""
        answer = _Recorded()
        await self.app(scope, receive, answer.listen(send))
        if answer.status == 304 and known == kept.etag and scope["method"] == "GET":
            kept.not_modified.append(answer.lasting_headers())


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


def _asked(scope: Scope) -> tuple[Key, bytes | None, bytes | None] | None:
    """The key of a request, its If-None-Match and its own id; null where the lane should stand aside."""
    path: bytes = scope.get("raw_path") or b""
    if not _PATHS.fullmatch(path):
        return None
    sent: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
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
    key = (path, scope["query_string"], sent.get(b"accept-encoding", b""), sent.get(b"origin", b""))
    return key, sent.get(b"if-none-match"), request_id


_TELLING = frozenset({b"host", b"accept", b"accept-encoding", b"origin", b"if-none-match", b"x-request-id"})
"""Headers on which an answer depends; of one that stands twice the application makes what it will."""
_ASIDE = frozenset({b"min-dataset-serial", b"range", b"content-length", b"transfer-encoding", b"authorization"})
