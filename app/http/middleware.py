"""What stands between the server and the app. Plain ASGI: `BaseHTTPMiddleware` would break streaming and contexts."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import AppError, Fault, InvalidInput, MalformedRequest, PayloadTooLarge, Unavailable
from app.core.logging import describe
from app.core.text import readable
from app.http.conditional import tell_codings_apart
from app.http.dataset import Dataset
from app.http.problems import internal_error, problem, request_id

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

ConstantHeaders = Mapping[str, str] | Callable[[], Mapping[str, str]]
Told = Callable[[AppError], Response]
"""How an error is written."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Guard:
    """The outermost layer: names, checks, bounds and logs every request, and lets no exception out.

    A 500 that reaches uvicorn as an exception costs the client its connection; here it becomes a problem.
    `headers` are set on every response that does not set them itself; a function is asked for each response.
    With `origins` the browsers of those sites (`*`: of all) may read answers, errors among them.
    `faces` tell errors in their own way below a path, such as `/fhir/`; elsewhere they are problems.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        deadline_seconds: float,
        headers: ConstantHeaders | None = None,
        origins: Collection[str] = (),
        faces: Mapping[str, Told] | None = None,
    ) -> None:
        inner: ASGIApp = _Bounds(app, max_body_bytes, deadline_seconds, faces or {})
        self.app = add_cors(inner, origins) if origins else inner
        self.headers = headers or {}
        self.log = structlog.get_logger("app.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started_at = time.perf_counter()
        identifier = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=identifier)
        scope.setdefault("state", {})["request_id"] = identifier
        head = scope["method"] == "HEAD"
        # A copy: the server must go on knowing that this is a HEAD, or it waits for the body it was promised.
        inner = {**scope, "method": "GET"} if head else scope
        status: int | None = None

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete_headers(message, identifier, scope["state"].get("dataset"))
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(inner, receive, outgoing)
        finally:
            scope["state"]["route"] = route = _route_template(inner)
            self.log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                ms=round((time.perf_counter() - started_at) * 1000, 1),
            )

    def _complete_headers(self, message: Message, identifier: str, seen: Dataset | None) -> None:
        message.setdefault("headers", [])
        headers = MutableHeaders(scope=message)
        headers["X-Request-ID"] = identifier
        constant = self.headers() if callable(self.headers) else self.headers
        own = seen.headers if seen is not None else {}  # of the view that this request had, whatever others saw since
        for name, value in (*SECURITY_HEADERS.items(), *own.items(), *constant.items()):
            headers.setdefault(name, value)
        tell_codings_apart(headers)
        if "vary" in headers:
            # Several layers name what they looked at; each name once will do.
            headers["vary"] = ", ".join(dict.fromkeys(name.strip() for name in headers["vary"].split(",")))


class _Bounds:
    """Refuses what the app should never see, and answers for it when it fails or takes too long."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, deadline_seconds: float, faces: Mapping[str, Told]) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.deadline_seconds = deadline_seconds
        self.faces = faces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = self._told(scope)
        refusal = self._refusal(scope)
        if refusal:
            await told(refusal)(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self.max_body_bytes, self.deadline_seconds, told)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception as exc:
            await exchange.fail(exc)
        finally:
            await exchange.close()

    def _told(self, scope: Scope) -> Told:
        face = next((told for path, told in self.faces.items() if scope["path"].startswith(path)), None)
        return face or (lambda error: problem(error, request_id(scope)))

    def _refusal(self, scope: Scope) -> AppError | None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1:
            return MalformedRequest("Send exactly one Host header.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self.max_body_bytes:
            return PayloadTooLarge(self.max_body_bytes)
        fault = _unreadable(scope)
        return InvalidInput("The address cannot be read; `errors` says where.", errors=[fault]) if fault else None


class _Exchange:
    """One request and its answer: counts the body as it comes in and watches the clock until the answer starts.

    The clock stands still while the body is on its way; the server's own deadline bounds that. When it runs out, 503
    is sent and whatever the app says later is dropped. The app is not cancelled: work in a thread cannot be, and its
    database session must stay open under it.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int, deadline_seconds: float, told: Told
    ) -> None:
        self._scope = scope
        self._told = told
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._deadline_seconds = deadline_seconds
        self._received = 0
        self._body_complete = False
        self._started = False
        # Set once we have answered in the app's place.
        self._answered = False
        self._late_answer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle
        self._start_clock()

    async def receive(self) -> Message:
        if self._body_complete:
            return await self._receive()
        self._timer.cancel()
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self._body_complete = not message.get("more_body", False)
        if self._received > self._max_body_bytes:
            await self._answer(PayloadTooLarge(self._max_body_bytes))
            return {"type": "http.disconnect"}
        self._start_clock()
        return message

    async def send(self, message: Message) -> None:
        if self._answered:
            return
        self._started = True
        self._timer.cancel()
        await self._send(message)

    async def fail(self, exc: Exception) -> None:
        """Answer 500, unless the app's failure only followed from our answer or its own has begun.

        An answer that has begun stays incomplete, and the server closes the connection.
        """
        if self._answered and not self._late_answer:
            return
        structlog.get_logger("app.errors").error("unhandled", **describe(exc))
        await self._answer(internal_error())

    async def close(self) -> None:
        self._timer.cancel()
        if self._late_answer:
            await self._late_answer

    def _start_clock(self) -> None:
        if not self._started:
            self._timer = asyncio.get_running_loop().call_later(self._deadline_seconds, self._expire)

    def _expire(self) -> None:
        self._late_answer = asyncio.ensure_future(
            self._answer(Unavailable("The answer took too long. Try again, or ask for less."))
        )

    async def _answer(self, error: AppError) -> None:
        if self._started or self._answered:
            return
        self._answered = True
        await self._told(error)(self._scope, self._receive, self._send)


class _Cors(CORSMiddleware):
    def preflight_response(self, request_headers: Headers) -> Response:
        """204 either way: a browser reads the permission from the headers, and only from them."""
        headers = super().preflight_response(request_headers).headers
        kept = {name: value for name, value in headers.items() if not name.startswith("content-")}
        return Response(status_code=204, headers=kept)


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


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get("x-request-id", "")
    return sent if _REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())


def _unreadable(scope: Scope) -> Fault | None:
    """The first part of the address that is not text without NUL once its percent-encoding is undone."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    if not readable(raw_path):
        return Fault("path", "path", "invalid_encoding", "Must be UTF-8, percent-encoded, without NUL.")
    query: bytes = scope["query_string"]
    for pair in query.split(b"&"):
        if not (pair.isascii() and readable(pair)):
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
