"""What no request may exceed: its body, the time until its answer, and an address that can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import deadline
from app.core.errors import AppError, Fault, InvalidInput, MalformedRequest, PayloadTooLarge
from app.core.logging import describe
from app.core.text import is_readable
from app.http.bodies import BodyBounds, body_fault
from app.http.problems import internal_error, problem, request_id
from app.http.server import refusal_of

MAX_DISCARDED_BYTES = 16_000_000
"""Of a body that is refused for its size; what is longer loses its connection."""

_LISTS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"forwarded",
        b"if-match",
        b"if-none-match",
        b"prefer",
        b"x-forwarded-for",
    }
)
"""Headers whose value is a list."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

ErrorRenderer = Callable[[AppError], Response]
"""Renders an error as a response."""


class RequestLimits:
    """Refuses what the application should never see, and answers for it when it fails or takes too long."""

    def __init__(
        self,
        app: ASGIApp,
        bounds: BodyBounds,
        deadline_seconds: float,
        error_renderers: Mapping[str, ErrorRenderer],
        adapt: Callable[[Response], Response] | None = None,
    ) -> None:
        """`adapt` changes what the error renderers give, as the application's own answers are changed."""
        self.app = app
        self.adapt = adapt
        self.bounds = bounds
        self.deadline_seconds = deadline_seconds
        self.error_renderers = error_renderers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = _with_joined_headers(scope)
        render = self._adapting(self._renderer(scope))
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

    def _adapting(self, render: ErrorRenderer) -> ErrorRenderer:
        adapt = self.adapt
        return render if adapt is None else lambda error: adapt(render(error))

    def _refusal(self, scope: Scope) -> AppError | None:
        if (refusal := refusal_of(scope)) is not None:
            return refusal
        hosts, length = 0, b"0"
        for name, value in scope["headers"]:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                length = value
        if hosts != 1 and (hosts or scope.get("http_version") != "1.0"):
            return MalformedRequest("Send exactly one Host header.")
        max_bytes = self.bounds.at(scope["path"]).max_bytes
        if not length.isdigit() or int(length[:20]) > max_bytes:
            return PayloadTooLarge(max_bytes)
        fault = _encoding_fault(scope)
        return InvalidInput("The address cannot be read; `errors` says where.", errors=[fault]) if fault else None


def _with_joined_headers(scope: Scope) -> Scope:
    """Lists that were sent in several headers of one name as one header each (RFC 9110, section 5.3)."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len({name for name, _ in headers}) == len(headers):
        return scope
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    joined: list[tuple[bytes, bytes]] = []
    for name, parts in values.items():
        joined += [(name, b", ".join(parts))] if name in _LISTS else [(name, part) for part in parts]
    return {**scope, "headers": joined}


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
    cannot be, and its database connection must stay open under it. It stops by itself at its next `deadline.check()`.
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
        self._bounds = limits.bounds.at(scope["path"])
        self._chunks: list[bytes] | None = [] if scope["method"] in _WITH_BODY else None
        self._timer: asyncio.TimerHandle
        self._deadline = deadline.begin()
        self._start_clock()

    async def receive(self) -> Message:
        if self._is_body_complete:
            return await self._receive()
        self._stop_clock()
        message = await self._receive()
        self._received_bytes += len(message.get("body", b""))
        self._is_body_complete = not message.get("more_body", False)
        error = self._body_error(message)
        if error is not None:
            await self._answer(error)
            return {"type": "http.disconnect"}
        self._start_clock()
        return message

    def _body_error(self, message: Message) -> AppError | None:
        """Why the application may not have the body, of which this is the newest part."""
        if self._received_bytes > self._bounds.max_bytes:
            return PayloadTooLarge(self._bounds.max_bytes)
        if self._chunks is None or message["type"] != "http.request":
            return None
        self._chunks.append(message.get("body", b""))
        if not self._is_body_complete:
            return None
        body, self._chunks = b"".join(self._chunks), None
        return body_fault(body, self._bounds, Headers(scope=self._scope).get("content-type", ""))

    async def send(self, message: Message) -> None:
        if self._is_answered:
            return
        self._has_started = True
        self._stop_clock()
        await self._send(message)

    async def fail(self, exc: Exception) -> None:
        """Answer 500, unless the failure only followed from our answer or the client's leaving, or an answer has begun.

        An answer that has begun stays incomplete, and the server closes the connection.
        """
        if (self._is_answered and not self._late_answer) or isinstance(exc, ClientDisconnect):
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
            self._deadline.start(self._limits.deadline_seconds)

    def _stop_clock(self) -> None:
        self._timer.cancel()
        self._deadline.stop()

    def _expire(self) -> None:
        self._scope.setdefault("state", {})["is_past_deadline"] = True
        self._late_answer = asyncio.ensure_future(self._answer(deadline.DeadlinePassed()))

    async def _answer(self, error: AppError) -> None:
        if self._has_started or self._is_answered:
            return
        self._is_answered = True
        is_cut_off = isinstance(error, PayloadTooLarge) and not self._is_body_complete
        answer = _answer_too_large if is_cut_off else _answer_at_once
        await answer(self._render(error), self._scope, self._receive, self._send)


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
