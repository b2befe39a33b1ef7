"""Middleware between the server and the application. Plain ASGI: `BaseHTTPMiddleware` would break streaming."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import AccessLog
from app.http.compression import compress
from app.http.conditional import separate_codings
from app.http.dataset import API_VERSION, Dataset
from app.http.request_limits import BodyBounds, ErrorRenderer, RequestLimits
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
        # What is expensive is made once for all content codings, and each coding once for all who take it.
        inner = app if cache is None else SingleFlight(app, cache, _plain_request, self._completed, deadline_seconds)
        self.plain = bounded(inner)
        """For requests from no page of another origin that take no compressed answer."""
        browsing = bounded(compress(inner))
        browsing = add_cors(browsing, origins) if origins else browsing
        self.for_browsers = browsing if cache is None else SingleFlight(browsing, cache, _own_request, self._completed)
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
        status = await response.send(send, cached, (REQUEST_ID, identifier))
        self.log(scope["method"], response.route, status, time.perf_counter() - started_at, identifier.decode())

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
            route = route_template(inner)
            self.log(scope["method"], route, status, time.perf_counter() - started_at, state["request_id"])

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


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


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
