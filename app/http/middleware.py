"""Middleware between the server and the application. Plain ASGI: `BaseHTTPMiddleware` would break streaming."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import MalformedRequest
from app.core.logging import AccessLine, AccessLog
from app.http.bodies import BodyBounds
from app.http.client_address import IPNetwork, client_address
from app.http.compression import compress
from app.http.conditional import separate_codings
from app.http.dataset import API_VERSION, Dataset
from app.http.prefix import PathPrefix
from app.http.request_limits import ErrorRenderer, RequestLimits
from app.http.response_cache import (
    REQUEST_ID,
    CachedResponse,
    CacheRequest,
    RawHeaders,
    ResponseCache,
    SingleFlight,
    cache_request,
    route_template,
)
from app.http.server import ConnectionLimits, connection_of
from app.http.tracing import record_span

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from app.http.metrics import Metrics  # imported where they are switched on: their libraries take long to load
    from app.http.rate_limits import RateLimits

EXPOSED_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "Content-Location",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
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

_REQUEST_ID = re.compile(
    rb"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}"  # UUID, trace id, nginx's
    rb"|[0-7][0-9A-HJKMNP-TV-Z]{25}"  # ULID
    rb"|[0-9a-f]{12}-[0-9a-f]{1,16}"  # ours
)
"""Ids of a caller that are taken over: forms that software makes. In free text a name or a number of a patient could
reach the log."""


@dataclass(frozen=True)
class OperatorOptions:
    """What an operator switches on around the service; by default nothing."""

    origins: Collection[str] = ()
    """Sites whose pages may read answers; `*` for all."""
    trusted_proxies: Collection[IPNetwork] = ()
    """Whose `X-Forwarded-For` counts."""
    logs_client_addresses: bool = False
    rate_limits: RateLimits | None = None
    metrics: Metrics | None = None
    tracer: Tracer | None = None
    prefix: PathPrefix | None = None
    """The path below which the service is reached."""


class RequestContext:
    """The outermost layer: names, bounds, caches, completes and logs every request, and lets no exception out.

    An answer that the cache holds is sent before anything else is made for the request. A 500 that reaches uvicorn as
    an exception costs the client its connection; here it becomes a problem. `error_renderers` render errors below a
    path, such as `/fhir/`; elsewhere they are problems. All layers know a request without the prefix of the
    deployment, and its answer leaves with it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int | BodyBounds,
        deadline_seconds: float,
        cache: ResponseCache | None = None,
        error_renderers: Mapping[str, ErrorRenderer] | None = None,
        options: OperatorOptions = OperatorOptions(),
    ) -> None:
        def bounded(app: ASGIApp) -> ASGIApp:
            bounds = max_body_bytes if isinstance(max_body_bytes, BodyBounds) else BodyBounds(max_body_bytes)
            adapt = None if prefix is None else prefix.of_response
            return RequestLimits(app, bounds, deadline_seconds, error_renderers or {}, adapt)

        prefix = options.prefix
        self._cache_request = cache_request
        if prefix is not None:  # inside of all that keeps and compresses answers, so that it is added once
            app = prefix.around(app)
            self._cache_request = partial(cache_request, prefix=prefix.raw)
        self.app = app
        # What is expensive is made once for all content codings, and each coding once for all who take it.
        inner = app if cache is None else SingleFlight(app, cache, _plain_request, self._completed, deadline_seconds)
        self.plain = bounded(inner)
        """For requests from no page of another origin that take no compressed answer."""
        browsing = bounded(compress(inner))
        browsing = add_cors(browsing, options.origins) if options.origins else browsing
        self.for_browsers = browsing if cache is None else SingleFlight(browsing, cache, _own_request, self._completed)
        self._vary = (b"Origin",) if options.origins else ()
        self.cache = cache
        self.log = AccessLog()
        self.options = options
        self._ids = itertools.count(1)
        self._prefix = os.urandom(6).hex()
        self._newest: Dataset | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            self.close()
            if self.options.rate_limits is not None:
                await self.options.rate_limits.close()
            return
        started_at = time.perf_counter()
        if self.options.prefix is not None:
            scope = self.options.prefix.of_request(scope)
        connection = connection_of(scope)
        send = _begin_request(connection, send)
        is_refused = scope.get("http_version", "1.1") in ("0.9", "2.0")
        if is_refused:  # HTTP/2 itself would not be in such a line
            scope.setdefault("state", {})["refusal"] = MalformedRequest("This is not a request in HTTP/1.1.")
        elif self.options.rate_limits is not None and (charge := await self.options.rate_limits.charge(scope)):
            send = charge.sending(send)
            if (refusal := charge.refusal) is not None:
                is_refused = True
                scope.setdefault("state", {})["refusal"] = refusal
        cached = self._cache_request(scope) if self.cache is not None and not is_refused else None
        if self.cache is None or cached is None:
            await self._run(scope, receive, send, started_at)
        elif (response := self.cache.find(cached)) is not None:
            await self._send_cached(response, cached, scope, send, started_at)
        else:
            if self.options.metrics is not None:
                self.options.metrics.cache_misses += 1
            scope.setdefault("state", {})["cache_request"] = cached
            await self._run(scope, receive, send, started_at)
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
        status, size = await response.send(send, cached, (REQUEST_ID, identifier))
        if self.options.metrics is not None:
            self.options.metrics.cache_hits += 1
        self._record(
            scope,
            AccessLine(
                scope["method"],
                response.route,
                status,
                time.perf_counter() - started_at,
                identifier.decode(),
                size,
                response.serial,
                self._client(scope) if self.options.logs_client_addresses else None,
            ),
        )

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
        status = sent_bytes = 0

        async def outgoing(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._complete(message.get("headers", ()), identifier, state)}
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            elif message["type"] == "http.response.body":
                sent_bytes += len(message.get("body", b""))
            await send(message)

        is_plain = not any(
            name == b"origin" or (name == b"accept-encoding" and value != b"identity")
            for name, value in scope["headers"]
        )
        try:
            await (self.plain if is_plain else self.for_browsers)(inner, receive, outgoing)
        finally:
            state["route"] = route_template(inner)
            self._record(
                scope,
                AccessLine(
                    scope["method"],
                    state["route"],
                    status,
                    time.perf_counter() - started_at,
                    state["request_id"],
                    sent_bytes,
                    state["dataset"].serial if "dataset" in state else None,
                    self._client(scope) if self.options.logs_client_addresses else None,
                    state.get("issuer"),
                    state.get("service"),
                    state.get("rules", ()),
                ),
            )
            if self.options.metrics is not None:
                self.options.metrics.count_state(state)

    def _record(self, scope: Scope, line: AccessLine) -> None:
        self.log(line)
        if self.options.metrics is not None:
            self.options.metrics.count(line)
        if self.options.tracer is not None:
            record_span(self.options.tracer, scope, line)

    def _client(self, scope: Scope) -> str | None:
        address = client_address(scope, self.options.trusted_proxies)
        return None if address is None else str(address)

    def _completed(self, scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
        return self._complete(headers, b"", scope["state"])

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


def _plain_request(scope: Scope) -> CacheRequest | None:
    request = _own_request(scope)
    return request.plain if request is not None else None


def _own_request(scope: Scope) -> CacheRequest | None:
    request: CacheRequest | None = scope.get("state", {}).get("cache_request")
    return request


def _begin_request(connection: ConnectionLimits | None, send: Send) -> Send:
    """Tell the connection that its request is answered now; what sends the answer."""
    if connection is None:
        return send
    connection.begin_request()
    return _closing(send) if connection.open_connections.is_draining else send


def _closing(send: Send) -> Send:
    """Sends answers after which the connection is closed."""

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return closing


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
        allow_headers=(
            "Authorization",
            "If-None-Match",
            "MCP-Protocol-Version",
            "Mcp-Method",
            "Mcp-Name",
            "Min-Dataset-Serial",
            "Prefer",
            "X-Request-ID",
        ),
        expose_headers=EXPOSED_HEADERS,
        max_age=86400,
    )
