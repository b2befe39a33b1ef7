"""The server under the app: uvicorn with a deadline for receiving a request, which it lacks.

Relies on the inside of uvicorn's httptools protocol; `tests/http/test_server.py` notices when that moves.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from dataclasses import dataclass
from typing import ClassVar

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PortInUse(RuntimeError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken; set PORT=...")


class HeadTooLarge(ValueError):
    """Raised into the parser, which then refuses the rest of the connection."""


class DeadlineProtocol(HttpToolsProtocol):
    """Closes connections that take too long to send a request, or send too much before its body.

    The clock starts when the connection opens or a request begins, and stops when the request is complete; a slow
    trickle does not extend it. Waiting idle between two requests is left to uvicorn's keep-alive timeout.
    """

    receive_seconds: ClassVar[float] = 10.0
    head_bytes: ClassVar[int] = 32 * 1024

    _timer: asyncio.TimerHandle | None = None
    _head = 0
    # Bytes since the parser last handed something over: a header it is still collecting.
    _pending = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # None at first
            self._arm()
        self._pending += len(data)
        super().data_received(data)
        if self._pending > self.head_bytes:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._arm()
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._pending = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._pending = 0
        self._disarm()
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._pending = 0
        self._head += size
        if self._head > self.head_bytes:
            raise HeadTooLarge

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.receive_seconds, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self.transport.abort()


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        structlog.get_logger("app.server").info("listening", url=f"http://{address}:{port}")


@dataclass(frozen=True)
class Timeouts:
    """Seconds to receive a whole request, to wait for the next one, and for running requests to finish at the end."""

    receive: float = DeadlineProtocol.receive_seconds
    keep_alive: int = 5
    shutdown: int = 15


def run(
    app: ASGIApp | str,
    host: str,
    port: int,
    *,
    timeouts: Timeouts = Timeouts(),
    forwarded_allow_ips: str | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests finish.

    `app` may be an import string: the port is taken before it is imported, so that a taken one (`PortInUse`) is
    reported at once.
    """
    with listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        server(app, timeouts, forwarded_allow_ips).run([listener])


def server(
    app: ASGIApp | str, timeouts: Timeouts = Timeouts(), forwarded_allow_ips: str | None = None
) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=type("Protocol", (DeadlineProtocol,), {"receive_seconds": timeouts.receive}),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=timeouts.keep_alive,
        timeout_graceful_shutdown=timeouts.shutdown,
        forwarded_allow_ips=forwarded_allow_ips,
    )
    return _Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise
