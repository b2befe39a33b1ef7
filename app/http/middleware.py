"""Middleware between the server and the application. Plain ASGI: `BaseHTTPMiddleware` would break streaming."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import AppError, Fault, InvalidInput, MalformedRequest, PayloadTooLarge, Unavailable
from app.core.logging import AccessLog, describe
from app.core.text import is_readable
from app.http.compression import compress
from app.http.conditional import separate_codings
from app.http.dataset import API_VERSION, Dataset
from app.http.problems import internal_error, problem, request_id
from app.http.response_cache import CachedResponse, CacheRequest, RawHeaders, Recording, ResponseCache, cache_request
from app.http.server import connection_of

EXPOSED_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "Content-Location",
    "Retry-After",
    "X-Request-ID",
    "Dataset-Release",
    "Dataset-Serial",
    "API-Version",
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

MAX_DISCARDED_BYTES = 16_000_000
"""Of a body that is refused for its size; what is longer loses its connection."""

ErrorRenderer = Callable[[AppError], Response]
"""Renders an error as a response."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestContext:
    """The outermost layer: names, bounds, caches, completes and logs every request, and lets no exception out.

    An answer that the cache holds is sent before anything else is made for the request. A 500 that reaches uvicorn as
    an exception costs the client its connection; here it becomes a problem. With `origins` the browsers of those sites
    (`*`: of all) may read answers, errors among them. `error_renderers` render errors below a path, such as `/fhir/`;
    elsewhere they are problems.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int | BodyBounds,
        deadline_seconds: float,
        cache: ResponseCache | None = None,
        origins: Collection[str] = (),
        error_renderers: Mapping[str, ErrorRenderer] | None = None,
    ) -> None:
        def bounded(app: ASGIApp) -> ASGIApp:
            bounds = max_body_bytes if isinstance(max_body_bytes, BodyBounds) else BodyBounds(max_body_bytes)
            return RequestLimits(app, bounds, deadline_seconds, error_renderers or {})

        self.app = app
        self.plain = bounded(app)
        """For requests from no page of another origin that take no compressed answer."""
        compressing = bounded(compress(app))
        self.for_browsers = add_cors(compressing, origins) if origins else compressing
        self._vary = (b"Origin",) if origins else ()
        self.cache = cache
        self.log = AccessLog()
        self._ids = itertools.count(1)
        self._prefix = os.urandom(6).hex()
        self._newest: Dataset | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            self.close()
            return
        started_at = time.perf_counter()
        connection = connection_of(scope)
        if connection is not None:
            connection.begin_request(has_body=_has_body(scope))
        cached = cache_request(scope) if self.cache is not None else None
        if self.cache is None or cached is None:
            await self._run(scope, receive, send, started_at)
        elif (response := self.cache.find(cached)) is not None:
            await self._send_cached(response, cached, scope, send, started_at)
        else:
            await self._make(self.cache, cached, scope, receive, send)
        if connection is not None:
            connection.end_request()

    def close(self) -> None:
        """Write what is left of the log, and let go of what watches the data set."""
        self.log.flush()
        if self.cache is not None:
            self.cache.freshness.close()

    async def _send_cached(
        self, response: CachedResponse, cached: CacheRequest, scope: Scope, send: Send, started_at: float
    ) -> None:
        identifier = self._request_id(scope)
        status = await response.send(send, cached, identifier)
        self.log(scope["method"], response.route, status, time.perf_counter() - started_at, identifier.decode())

    async def _make(
        self, cache: ResponseCache, cached: CacheRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Make an answer once, however many ask for it meanwhile, and keep it where it may be kept."""
        started_at = time.perf_counter()
        if await cache.wait_for_maker(cached):
            if (response := cache.find(cached)) is not None:
                await self._send_cached(response, cached, scope, send, started_at)
            else:
                await self._run(scope, receive, send, started_at)
            return
        serial, recording = cache.current_serial(), Recording()

        async def recorded(message: Message) -> None:
            recording.add(message)
            await send(message)

        try:
            await self._run(scope, receive, recorded, started_at)
            if scope["method"] == "GET":  # a HEAD has no body to keep
                cache.keep(cached, recording, serial, scope["state"]["route"])
        finally:
            cache.finish(cached)

    async def _run(self, scope: Scope, receive: Receive, send: Send, started_at: float) -> None:
        """Let the application answer."""
        identifier = self._request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = identifier.decode()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=state["request_id"])
        is_head = scope["method"] == "HEAD"
        # A copy: the server must go on knowing that this is a HEAD, or it waits for the body it was promised.
        inner = {**scope, "method": "GET"} if is_head else scope
        status = 0

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._complete(message.get("headers", ()), identifier, state)}
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        is_plain = not any(
            name == b"origin" or (name == b"accept-encoding" and value != b"identity")
            for name, value in scope["headers"]
        )
        try:
            await (self.plain if is_plain else self.for_browsers)(inner, receive, outgoing)
        finally:
            state["route"] = route = _route_template(inner)
            self.log(scope["method"], route, status, time.perf_counter() - started_at, state["request_id"])

    def _complete(
        self, headers: Iterable[tuple[bytes, bytes]], identifier: bytes, state: Mapping[str, Any]
    ) -> RawHeaders:
        """The headers of an answer with those that all answers have."""
        raw = [(name.lower(), value) for name, value in headers]
        present = {name for name, _ in raw}
        dataset = self._newest = state.get("dataset", self._newest)  # of the view that this request had
        raw += [header for header in _constant_headers(dataset) if header[0] not in present]
        if b"content-encoding" in present:
            separate_codings(MutableHeaders(raw=raw))
        # Several layers name what they looked at; each name once will do.
        varies = [part.strip() for name, value in raw if name == b"vary" for part in value.split(b",")]
        if names := dict.fromkeys([*varies, *self._vary]):
            raw = [header for header in raw if header[0] != b"vary"]
            raw.append((b"vary", b", ".join(names)))
        raw.append((b"x-request-id", identifier))
        return raw

    def _request_id(self, scope: Scope) -> bytes:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                return bytes(value)
        return f"{self._prefix}-{next(self._ids):x}".encode()


@lru_cache(maxsize=8)
def _constant_headers(dataset: Dataset | None) -> tuple[tuple[bytes, bytes], ...]:
    headers = {**SECURITY_HEADERS, "API-Version": API_VERSION, **(dataset.headers if dataset else {})}
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


@dataclass(frozen=True)
class BodyBounds:
    """How many bytes a body may have."""

    default: int
    below: Mapping[str, int] = field(default_factory=dict)
    """Other bounds, by the path below which they hold."""

    def max_bytes(self, path: str) -> int:
        return next((bound for prefix, bound in self.below.items() if path.startswith(prefix)), self.default)


class RequestLimits:
    """Refuses what the application should never see, and answers for it when it fails or takes too long."""

    def __init__(
        self,
        app: ASGIApp,
        bounds: BodyBounds,
        deadline_seconds: float,
        error_renderers: Mapping[str, ErrorRenderer],
    ) -> None:
        self.app = app
        self.bounds = bounds
        self.deadline_seconds = deadline_seconds
        self.error_renderers = error_renderers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        render = self._renderer(scope)
        refusal = self._refusal(scope)
        if refusal:
            answer = _answer_too_large if isinstance(refusal, PayloadTooLarge) else _answer_at_once
            await answer(render(refusal), scope, receive, send)
            return
        deadline = RequestDeadline(scope, receive, send, self, render)
        try:
            await self.app(scope, deadline.receive, deadline.send)
        except Exception as exc:
            await deadline.fail(exc)
        finally:
            await deadline.close()

    def _renderer(self, scope: Scope) -> ErrorRenderer:
        for path, renderer in self.error_renderers.items():
            if scope["path"].startswith(path):
                return renderer
        return lambda error: problem(error, request_id(scope))

    def _refusal(self, scope: Scope) -> AppError | None:
        hosts, length = 0, b"0"
        for name, value in scope["headers"]:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                length = value
        if hosts != 1:
            return MalformedRequest("Send exactly one Host header.")
        max_bytes = self.bounds.max_bytes(scope["path"])
        if not length.isdigit() or int(length[:20]) > max_bytes:
            return PayloadTooLarge(max_bytes)
        fault = _encoding_fault(scope)
        return InvalidInput("The address cannot be read; `errors` says where.", errors=[fault]) if fault else None


async def _answer_at_once(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    await response(scope, receive, send)


async def _answer_too_large(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer before the body has come, and end the answer only when the client has sent what it had to send, within
    bounds: one that is cut off while it sends may never see the answer."""

    async def unfinished(message: Message) -> None:
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    await response(scope, receive, unfinished)
    discarded = 0
    while discarded <= MAX_DISCARDED_BYTES:
        message = await receive()
        discarded += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class RequestDeadline:
    """Counts the body of one request as it comes in, and watches the clock until its answer starts.

    The clock stands still while the body is on its way; the server's own limit bounds that. When it runs out, 503
    is sent and whatever the application says later is dropped. The application is not cancelled: work in a thread
    cannot be, and its database connection must stay open under it.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: RequestLimits, render: ErrorRenderer
    ) -> None:
        self._scope = scope
        self._render = render
        self._receive = receive
        self._send = send
        self._limits = limits
        self._received_bytes = 0
        self._is_body_complete = False
        self._has_started = False
        self._is_answered = False
        """Whether this class has answered in the application's place."""
        self._late_answer: asyncio.Task[None] | None = None
        self._max_bytes = limits.bounds.max_bytes(scope["path"])
        self._timer: asyncio.TimerHandle
        self._start_clock()

    async def receive(self) -> Message:
        if self._is_body_complete:
            return await self._receive()
        self._timer.cancel()
        message = await self._receive()
        self._received_bytes += len(message.get("body", b""))
        self._is_body_complete = not message.get("more_body", False)
        if self._is_body_complete and (connection := connection_of(self._scope)) is not None:
            connection.body_received()
        if self._received_bytes > self._max_bytes:
            await self._answer(PayloadTooLarge(self._max_bytes))
            return {"type": "http.disconnect"}
        self._start_clock()
        return message

    async def send(self, message: Message) -> None:
        if self._is_answered:
            return
        self._has_started = True
        self._timer.cancel()
        await self._send(message)

    async def fail(self, exc: Exception) -> None:
        """Answer 500, unless the application's failure only followed from our answer or its own has begun.

        An answer that has begun stays incomplete, and the server closes the connection.
        """
        if self._is_answered and not self._late_answer:
            return
        structlog.get_logger("app.errors").error("unhandled", **describe(exc))
        await self._answer(internal_error())

    async def close(self) -> None:
        self._timer.cancel()
        if self._late_answer:
            await self._late_answer

    def _start_clock(self) -> None:
        if not self._has_started:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.deadline_seconds, self._expire)

    def _expire(self) -> None:
        error = Unavailable("The answer took too long. Try again, or ask for less.")
        self._late_answer = asyncio.ensure_future(self._answer(error))

    async def _answer(self, error: AppError) -> None:
        if self._has_started or self._is_answered:
            return
        self._is_answered = True
        is_cut_off = isinstance(error, PayloadTooLarge) and not self._is_body_complete
        answer = _answer_too_large if is_cut_off else _answer_at_once
        await answer(self._render(error), self._scope, self._receive, self._send)


class _Cors(CORSMiddleware):
    def preflight_response(self, request_headers: Headers) -> Response:
        """204 either way: a browser reads the permission from the headers, and only from them."""
        headers = super().preflight_response(request_headers).headers
        of_no_body = {name: value for name, value in headers.items() if not name.startswith("content-")}
        return Response(status_code=204, headers=of_no_body)


def add_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Let pages of these origins read the answers. Without credentials, so that `*` is safe for public data."""
    return _Cors(
        app,
        allow_origins=origins,
        allow_methods=("GET", "HEAD", "OPTIONS", "POST"),
        allow_headers=("Authorization", "If-None-Match", "Min-Dataset-Serial", "Prefer", "X-Request-ID"),
        expose_headers=EXPOSED_HEADERS,
        max_age=86400,
    )


def _encoding_fault(scope: Scope) -> Fault | None:
    """The first part of the address that is not text without NUL once its percent-encoding is undone."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    if not is_readable(raw_path):
        return Fault("path", "path", "invalid_encoding", "Must be UTF-8, percent-encoded, without NUL.")
    query: bytes = scope["query_string"]
    for pair in query.split(b"&") if query else ():
        if not (pair.isascii() and is_readable(pair)):
            name = unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "replace")
            return Fault("query", name, "invalid_encoding", "Must be UTF-8, percent-encoded, without NUL.")
    return None


def _route_template(scope: Scope) -> str:
    """The path as declared, `/v1/claims/{id}`: what stands in it may be private.

    FastAPI keeps included routers apart, so a route alone does not know its prefix; the context it was reached by does.
    """
    context: Any = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    template = getattr(context, "path_format", None) or getattr(context, "path", None)
    return template if isinstance(template, str) else "-"
