"""Whole answers kept in memory for as long as the data set stays at its serial."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.cache import ByteBoundedCache
from app.http import conditional
from app.http.freshness import UNKNOWN, Freshness, NewestState

MAX_BYTES_OF_ONE = 2_000_000
"""Longer answers are not kept."""
KEY_HEADERS = (b"accept", b"accept-encoding", b"origin", b"prefer")
"""Every header that an answer's `Vary` may name; a contract test compares them with what is served."""
_PASSED_BY = frozenset({b"authorization", b"range", b"min-dataset-serial", b"content-length", b"transfer-encoding"})

RawHeaders = list[tuple[bytes, bytes]]
Key = tuple[bytes, str, bytes, bytes, bytes, bytes]
"""Path with the deployment's prefix, query in canonical form, and the values of `KEY_HEADERS`."""


class CacheRequest(NamedTuple):
    """A request that may be answered from memory, and whose answer may be kept."""

    key: Key
    if_none_match: bytes | None

    @property
    def plain(self) -> CacheRequest:
        """The same for a client that takes no compressed answer and is no page of another origin."""
        path, query, accept, _, _, prefer = self.key
        return CacheRequest((path, query, accept, b"", b"", prefer), self.if_none_match)


class CachedResponse:
    """An answer without its request id, and its 304."""

    def __init__(self, headers: RawHeaders, body: bytes, route: str) -> None:
        self.headers = headers
        self.body = body
        self.route = route
        self.etag = next(value for name, value in headers if name == b"etag")
        self.serial = next((int(value) for name, value in headers if name == b"dataset-serial"), None)
        self.headers_of_304 = [header for header in headers if header[0] not in conditional.NOT_OF_A_304]

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return len(self.body) + sum(len(name) + len(value) + 150 for name, value in self.headers)

    def answer_to(self, request: CacheRequest) -> tuple[int, RawHeaders, bytes]:
        """Status, headers and body: 304 for a client that has it."""
        tag = self._tag_held(request.if_none_match)
        if tag is None:
            return 200, self.headers, self.body
        headers = self.headers_of_304
        if tag != self.etag:
            headers = [(name, tag if name == b"etag" else value) for name, value in headers]
        return 304, headers, b""

    async def send(self, send: Send, request: CacheRequest, *more: tuple[bytes, bytes]) -> tuple[int, int]:
        """Send the answer with more headers; the status, and the bytes of the body."""
        status, headers, body = self.answer_to(request)
        await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})
        await send({"type": "http.response.body", "body": body})
        return status, len(body)

    def _tag_held(self, sent: bytes | None) -> bytes | None:
        if sent is None or sent == self.etag:
            return sent
        held = conditional.matching_tag(sent.decode("latin-1"), self.etag.decode("latin-1"))
        return held.encode("latin-1") if held is not None else None


REQUEST_ID = b"x-request-id"


class ResponseCache:
    """Keeps 200 answers to GET that carry an ETag and `Cache-Control: no-cache`, whatever interface gave them.

    All are dropped when the data set moves. An answer is kept only if that was the same before and after it was
    made. Bounded in bytes. An answer is made once, however many ask for it at a time (`SingleFlight`).
    """

    def __init__(self, freshness: Freshness, max_bytes: int) -> None:
        self.freshness = freshness
        self._responses: ByteBoundedCache[Key, CachedResponse] = ByteBoundedCache(max_bytes)
        self._state = UNKNOWN
        self._makers: dict[Key, Making] = {}

    def __len__(self) -> int:
        return len(self._responses)

    @property
    def bytes(self) -> int:
        return self._responses.bytes

    def find(self, request: CacheRequest) -> CachedResponse | None:
        """The answer as of now, if it is kept."""
        return self._responses.get(request.key) if self.current_state().serial is not None else None

    def current_state(self) -> NewestState:
        """What a read would see now. Forgets answers that were made of anything else."""
        state = self.freshness.state()
        if state != self._state:
            self._responses.clear()
            self._state = state
        return state

    def maker_of(self, request: CacheRequest) -> Making | None:
        """The request that makes this answer just now."""
        return self._makers.get(request.key)

    def start_making(self, request: CacheRequest) -> Making:
        """Whoever asks for this answer from here on waits, until `finish`."""
        making = self._makers[request.key] = Making(self.current_state())
        return making

    def finish(self, request: CacheRequest, making: Making) -> None:
        """The answer is made, or will not be made; may be called twice."""
        if self._makers.get(request.key) is making:
            del self._makers[request.key]
        making.is_over.set()

    def keep(self, request: CacheRequest, recording: Recording, making: Making, route: str) -> None:
        """Keep a whole answer that stays right until the data set moves."""
        made_at = recording.header(b"dataset-serial")
        making.is_worth_waiting_for = recording.is_meant_to_be_kept or recording.status in (304, 500, 503)
        if made_at is None:
            return
        self.freshness.saw(int(made_at))
        state = self.current_state()
        if state.serial != int(made_at) or state != making.state or not recording.is_keepable:
            return
        headers = [header for header in recording.headers if header[0] != REQUEST_ID]
        kept = CachedResponse(headers, b"".join(recording.chunks), route)
        making.response = kept
        self._responses.put(request.key, kept, kept.size)


class Making:
    """An answer that one request makes for all who ask for it meanwhile."""

    def __init__(self, state: NewestState) -> None:
        self.state = state
        """Of the data set when it was begun."""
        self.response: CachedResponse | None = None
        """For those who wait, whether or not the cache had room for it."""
        self.is_worth_waiting_for = True
        """Whether whoever waited in vain does so again for the next, rather than that all make it at once."""
        self.is_over = asyncio.Event()


class Recording:
    """An answer while it is sent on, as far as it may be kept."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: RawHeaders = []
        self.chunks: list[bytes] = []
        self.is_whole = False
        self._bytes = 0

    def add(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            self._bytes += len(body)
            if self._bytes <= MAX_BYTES_OF_ONE:
                self.chunks.append(body)
            self.is_whole = not message.get("more_body", False)

    @property
    def is_meant_to_be_kept(self) -> bool:
        """Whether it is of the kind that is kept, be it too long or not."""
        return self.status == 200 and self.header(b"cache-control") == b"no-cache" and self.header(b"etag") is not None

    @property
    def is_keepable(self) -> bool:
        return self.is_meant_to_be_kept and self._bytes <= MAX_BYTES_OF_ONE

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)


Complete = Callable[[Scope, Iterable[tuple[bytes, bytes]]], RawHeaders]
"""The headers of an answer with those that all answers have."""


class SingleFlight:
    """Around an application: lets one request make an answer, and gives it to all who ask for it meanwhile.

    `key_of` tells what an answer is kept under; with null a request goes its own way. If nothing comes of an answer
    that others may have (its maker failed, the data set moved, it is too long), the next of those who wait makes it
    alone; with `patience_seconds` null, and for answers of a kind that is never kept, all make it at once. Whoever has
    waited for longer than that makes nothing any more: the deadline of requests has answered in its place.
    """

    def __init__(
        self,
        app: ASGIApp,
        cache: ResponseCache,
        key_of: Callable[[Scope], CacheRequest | None],
        complete: Complete,
        patience_seconds: float | None = None,
    ) -> None:
        self.app = app
        self._cache = cache
        self._key_of = key_of
        self._complete = complete
        self._patience_seconds = patience_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._key_of(scope) if scope["type"] == "http" else None
        if request is None:
            await self.app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        state, began = self._cache.current_state(), loop.time()
        response = self._cache.find(request)
        while response is None and (making := self._cache.maker_of(request)) is not None:
            await making.is_over.wait()
            if making.response is not None and making.state == state:
                response = making.response
            elif self._patience_seconds is None or not making.is_worth_waiting_for:
                await self.app(scope, receive, send)
                return
            elif loop.time() - began > self._patience_seconds:
                return
            else:
                response = self._cache.find(request)
        if response is None:
            await self._make(request, scope, receive, send)
        else:
            scope["state"]["route"] = response.route
            await response.send(send, request)

    async def _make(self, request: CacheRequest, scope: Scope, receive: Receive, send: Send) -> None:
        making, recording = self._cache.start_making(request), Recording()

        async def recorded(message: Message) -> None:
            recording.add(message)
            if recording.is_whole:  # before it is sent: nobody waits for a client that reads slowly
                recording.headers = self._complete(scope, recording.headers)
                self._cache.keep(request, recording, making, route_template(scope))
                self._cache.finish(request, making)
            await send(message)

        try:
            await self.app(scope, receive, recorded)
        finally:
            self._cache.finish(request, making)


def route_template(scope: Scope) -> str:
    """The path as declared, `/v1/claims/{id}`: what stands in it may be private.

    FastAPI keeps included routers apart, so a route alone does not know its prefix; the context it was reached by does.
    """
    if (route := scope["state"].get("route")) is not None:
        return str(route)
    context: Any = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    template = getattr(context, "path_format", None) or getattr(context, "path", None)
    return template if isinstance(template, str) else "-"


def cache_request(scope: Scope, prefix: bytes = b"") -> CacheRequest | None:
    """What of a request the cache goes by; null where it stands aside. `prefix` stands before the path in the key."""
    if scope["method"] not in ("GET", "HEAD"):
        return None
    return _read(
        prefix + (scope.get("raw_path") or scope["path"].encode()), scope["query_string"], tuple(scope["headers"])
    )


@lru_cache(maxsize=2048)
def _read(path: bytes, query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> CacheRequest | None:
    """Most requests are like earlier ones, so that this is mostly remembered."""
    values: dict[bytes, bytes] = {}
    hosts = 0
    for name, value in headers:
        if name in _PASSED_BY:
            return None
        if name == b"host":
            hosts += 1
        if name in values:
            values[name] += b", " + value
        else:
            values[name] = value
    if hosts != 1 or not query.isascii() or b"%00" in query:
        return None
    accept, encoding, origin, prefer = (values.get(name, b"") for name in KEY_HEADERS)
    if encoding == b"identity":
        encoding = b""
    key = (path, conditional.canonical(query.decode()), accept, encoding, origin, prefer)
    return CacheRequest(key, values.get(b"if-none-match"))
