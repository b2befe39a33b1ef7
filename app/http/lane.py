"""The fast lane: answers in front of everything else, from memory or straight from the stored documents.

Pure ASGI. An answer is kept exactly as the guarded application gave it, for as long as the data set stays at its
serial. One that was never given is put together from the stored documents and the headers of an answer of its kind;
what the lane is not sure of falls through. So all ways answer alike, apart from the request id.
"""

import itertools
import os
import re
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.cache import ByteBoundedCache
from app.core.errors import Unavailable
from app.core.logging import AccessLog
from app.http import conditional as caching
from app.http import direct
from app.http.compression import coded
from app.http.database_limiter import Line
from app.http.direct import Direct
from app.http.freshness import Freshness
from app.http.ready import Headers, Ready, head
from app.storage.paging import canonical

LARGEST = 2_000_000
"""Longer answers are not kept."""
MAX_FORMS = 1000
"""Pages of so many sites, at most, are answered from the documents at first asking."""
_PATHS = re.compile(rb"/v1/[a-z-]+(?:/[a-z0-9-]+(?:/(?:citations|versions|evidence))?)?")
_PLAIN = frozenset({b"*/*", b"application/json"})
_ONE_TAG = re.compile(rb'"[\x21\x23-\x7e]*"')
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class CachedAnswer:
    """An answer as it was given, without its request id; and what 304 was answered to its ETag, once asked for."""

    def __init__(self, ready: Ready, route: str) -> None:
        self.ready = ready
        self.route = route
        self.not_modified: Ready | None = None

    @cached_property
    def etag(self) -> bytes:
        return dict(self.ready.headers())[b"etag"]

    @property
    def size(self) -> int:
        """In memory, roughly."""
        return len(self.ready.head) + len(self.ready.body) + 500


@dataclass(frozen=True)
class Form:
    """What all answers of a kind have alike: the headers that say nothing of the record, and the route's name."""

    head: bytes
    route: str


Key = tuple[bytes, str, bytes, bytes]
"""Path, query in canonical form, accepted codings, Origin: all that an answer depends on."""
Kind = tuple[str, bytes, int]
"""What is asked for, Origin, status: all that the form of an answer depends on."""
FoundAnswer = tuple[Ready, str]
"""An answer without its request id, and the route's name."""


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
        reading: Line,
    ) -> None:
        self.app = app
        self.freshness = freshness
        self.cache: ByteBoundedCache[Key, CachedAnswer] = ByteBoundedCache(cache_bytes)
        self.log = log
        self.direct = direct
        self.reading = reading
        self._forms: dict[Kind, Form] = {}
        self._serial: int | None = None
        self._ids = itertools.count(1)
        self._prefix = os.urandom(6).hex()

    def at_once(self, scope: Scope) -> Ready | None:
        """The answer, where nothing has to be waited for: a server that asks here first needs no task for it."""
        started_at = time.perf_counter()
        asked = _asked_in(scope)
        serial = self._now() if asked is not None else None
        if asked is None or serial is None:
            return None
        found = self._remembered(asked)
        if found is None:
            found = self._directly(asked, serial, waiting=False)
            self._keep(asked, serial, found)
        return self._named(found, asked, scope, started_at) if found is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ready = self.at_once(scope) or await self._in_time(scope)
        if ready is None:
            await self._ask(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": ready.status, "headers": ready.headers()})
        await send({"type": "http.response.body", "body": ready.body})

    async def _in_time(self, scope: Scope) -> Ready | None:
        """The answer without the application, where it takes a thread or has to be compressed."""
        started_at = time.perf_counter()
        asked, serial = _asked_in(scope), self._serial
        if asked is None or asked.directly is None or serial is None:
            return None
        if self.direct.waits(asked.directly):
            found = await self._in_turn(asked, serial, scope)
        else:
            found = None if asked.is_uncoded else self._directly(asked, serial, waiting=True)
        if found is None:
            return None
        if not asked.is_uncoded and found[0].body:
            found = await coded(found[0], scope), found[1]
        self._keep(asked, serial, found)
        return self._named(found, asked, scope, started_at)

    async def _in_turn(self, asked: "CacheRequest", serial: int, scope: Scope) -> FoundAnswer | None:
        try:
            async with self.reading.turn():
                return await run_in_threadpool(self._directly, asked, serial, waiting=True)
        except Unavailable:
            scope.setdefault("state", {})["has_waited"] = True  # the application tells it, without waiting again
            return None

    def _now(self) -> int | None:
        """The serial that a read would see; what was remembered of another one is forgotten."""
        serial = self.freshness.serial()
        if serial != self._serial:
            self.cache.clear()
            self._forms.clear()
            self._serial = serial
        return serial

    def _remembered(self, asked: "CacheRequest") -> FoundAnswer | None:
        stored_answer = self.cache.get(asked.key)
        if stored_answer is None:
            return None
        if asked.known is None:
            return stored_answer.ready, stored_answer.route
        if asked.known == stored_answer.etag and stored_answer.not_modified is not None:
            return stored_answer.not_modified, stored_answer.route
        return None

    def _directly(self, asked: "CacheRequest", serial: int, *, waiting: bool) -> FoundAnswer | None:
        """The answer from the stored documents, uncompressed, in the form of one that the application gave.

        Unless `waiting`, only what takes microseconds.
        """
        wanted, direct = asked.directly, self.direct
        if wanted is None:
            return None
        if asked.known is not None:
            form = self._forms.get((wanted.kind, asked.origin, 304))
            if form is None or (direct.waits_for_tag(wanted) and not waiting):
                return None
            tag = direct.tag(wanted, serial)
            if tag is None or caching.is_same(asked.known, tag):
                return (Ready(304, b"etag: %b\r\n%b" % (asked.known, form.head), b""), form.route) if tag else None
        form = self._forms.get((wanted.kind, asked.origin, 200))
        if form is None or not (waiting or (asked.is_uncoded and not direct.waits(wanted))):
            return None
        answer = direct.answer(wanted, serial)
        if answer is None:
            return None
        own: Headers = [(b"etag", answer.etag.encode()), (b"content-length", b"%d" % len(answer.body))]
        if answer.following is not None:
            own.append((b"link", f'<{answer.following}>; rel="next"'.encode()))
        return Ready(200, head(own) + form.head, answer.body), form.route

    def _keep(self, asked: "CacheRequest", serial: int, found: FoundAnswer | None) -> None:
        """Unless something was published meanwhile: then it is good for who asked, but not for others."""
        if found is None or serial != self._serial:
            return
        ready, route = found
        if ready.status == 200:
            stored_answer = CachedAnswer(ready, route)
            self.cache.put(asked.key, stored_answer, stored_answer.size)
        elif (known := self.cache.get(asked.key)) is not None and asked.known == known.etag:
            known.not_modified = ready

    def _named(self, found: FoundAnswer, asked: "CacheRequest", scope: Scope, started_at: float) -> Ready:
        """The answer to this one request, which is logged."""
        (status, lines, body), route = found
        request_id = asked.request_id or f"{self._prefix}-{next(self._ids):x}".encode()
        method = scope["method"]
        self.log(method, route, status, time.perf_counter() - started_at, request_id.decode())
        return Ready(status, b"%bx-request-id: %b\r\n" % (lines, request_id), b"" if method == "HEAD" else body)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and keep what it said where that may be kept. It also compares tags."""
        asked = _asked_in(scope)
        answer = _Recorded(keeping=asked is not None)
        await self.app(scope, receive, answer.listen(send))
        told = answer.header(b"dataset-serial")
        if told is not None:
            self.freshness.saw(int(told))
            is_lasting = answer.header(b"cache-control") == b"no-cache" and answer.header(b"etag") is not None
            if asked is not None and is_lasting and scope["method"] == "GET":  # a HEAD has no body to keep
                self._learn(asked, int(told), answer, str(scope.get("state", {}).get("route", "-")))
        if scope["type"] == "lifespan":
            self.log.flush()
            self.freshness.close()
            self.direct.close()

    def _learn(self, asked: "CacheRequest", serial: int, answer: "_Recorded", route: str) -> None:
        """From an answer that is good as long as the data set stays at its serial."""
        if serial != self._serial or answer.status not in (200, 304) or answer.size > LARGEST:
            return
        if asked.directly is not None and len(self._forms) < MAX_FORMS:
            alike = [header for header in answer.headers if header[0].lower() not in _ITS_OWN]
            self._forms[asked.directly.kind, asked.origin, answer.status] = Form(head(alike), route)
        lasting = head([header for header in answer.headers if header[0].lower() != b"x-request-id"])
        self._keep(asked, serial, (Ready(answer.status, lasting, b"".join(answer.chunks)), route))


_ITS_OWN = frozenset({b"content-encoding", b"content-length", b"etag", b"link", b"x-request-id"})
"""Headers in which answers of a kind differ."""


class _Recorded:
    """What an application sends, while it is sent on."""

    def __init__(self, *, keeping: bool) -> None:
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


@dataclass(frozen=True)
class CacheRequest:
    """What a request says, as far as the lane understands it."""

    key: Key
    known: bytes | None
    """The one tag in its If-None-Match."""
    request_id: bytes | None
    directly: direct.Asked | None
    """What it asks for, where the stored documents can tell."""

    @property
    def is_uncoded(self) -> bool:
        return self.key[2] in (b"", b"identity")

    @property
    def origin(self) -> bytes:
        return self.key[3]


def _asked_in(scope: Scope) -> CacheRequest | None:
    """What a request says; null where the lane should stand aside."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    return _asked(scope.get("raw_path") or b"", scope["query_string"], tuple(scope["headers"]))


@lru_cache(maxsize=1024)
def _asked(path: bytes, query: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> CacheRequest | None:
    """Most requests say what others said before."""
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
    request_id, known = sent.get(b"x-request-id"), sent.get(b"if-none-match")
    if known is not None and not _ONE_TAG.fullmatch(known):
        return None
    if b"host" not in sent or sent.get(b"accept", b"*/*") not in _PLAIN:
        return None
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        return None
    words = canonical(query.decode())
    key = (path, words, sent.get(b"accept-encoding", b""), sent.get(b"origin", b""))
    return CacheRequest(key, known, request_id, direct.asked(path.decode(), words))


_TELLING = frozenset({b"host", b"accept", b"accept-encoding", b"origin", b"if-none-match", b"x-request-id"})
"""Headers on which an answer depends; of one that stands twice the application makes what it will."""
_ASIDE = frozenset({b"min-dataset-serial", b"range", b"content-length", b"transfer-encoding", b"authorization"})
