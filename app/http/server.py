"""The server under the app: uvicorn with answers at once and a deadline for receiving a request, which it lacks.

Relies on the inside of uvicorn's httptools protocol; `tests/http/test_server.py` notices when that moves.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.http.ready import Ready


class PortInUse(RuntimeError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken; set PORT=...")


class Protocol(HttpToolsProtocol):
    """Sends what the application has at hand straight away: no task, no messages, no check of headers that were checked
    before. An application may have an `at_once` for that: it takes the scope, and gives the whole answer to a request
    without a body (`Ready`), or null where it has to be run.

    And closes connections that take too long to send a request, or send too much before its body.

    The clock starts when the connection opens or a request begins, and stops when the request is complete; a slow
    trickle does not extend it. Waiting idle between two requests is left to uvicorn's keep-alive timeout. All
    connections of a server are looked at together some times in that span: a timer for each request would cost more
    than many an answer.
    """

    receive_seconds: ClassVar[float] = 10.0
    head_bytes: ClassVar[int] = 32 * 1024
    _looks_again: ClassVar[asyncio.TimerHandle | None] = None

    _since: float | None = None
    """When the request that is being received began."""
    # Bytes since the parser last handed over a piece of a body or a whole request.
    _pending = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        if self._looks_again is None:
            self._look_again(self.loop, self.connections)

    def data_received(self, data: bytes) -> None:
        if self._since is None and (self.cycle is None or self.cycle.response_complete):  # type: ignore[redundant-expr]  # None at first
            self._since = self.loop.time()
        most = self.head_bytes - self._pending
        if len(data) > most:
            self._much_received(data, most)
            return
        self._pending += len(data)
        HttpToolsProtocol.data_received(self, data)

    def _much_received(self, data: bytes, most: int) -> None:
        """More than a head may be: as much as it may, and the rest only if the parser made something of that."""
        self._pending = self.head_bytes
        HttpToolsProtocol.data_received(self, data[:most])
        if self._pending == self.head_bytes:
            self.transport.abort()
        elif not self.transport.is_closing():
            self.data_received(data[most:])

    def on_body(self, body: bytes) -> None:
        self._pending = 0
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        self._pending = 0
        self._since = None
        HttpToolsProtocol.on_message_complete(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Who waits in line is served in order, and by tasks: answers must not nest.
        in_order = not self.pipeline and not self.flow.write_paused
        ready = self._at_once(cycle.scope) if in_order and app is self.app else None
        if ready is None:
            HttpToolsProtocol._start_asgi_task(self, cycle, app)
            return
        lines = [STATUS_LINE[ready.status]]
        for name, value in cycle.default_headers:
            lines += (name, b": ", value, b"\r\n")
        lines.append(ready.head)
        lines.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        self.transport.write(b"".join(lines))
        self.transport.write(ready.body)
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _at_once(self, scope: Any) -> Ready | None:
        ask = getattr(self.app, "at_once", None)
        try:
            return ask(scope) if ask is not None else None
        except Exception:  # it will be met again where the application runs, and answered there
            return None

    @classmethod
    def _look_again(cls, loop: asyncio.AbstractEventLoop, connections: Collection[Any]) -> None:
        cls._looks_again = loop.call_later(cls.receive_seconds / 10, cls._look, loop, connections)

    @classmethod
    def _look(cls, loop: asyncio.AbstractEventLoop, connections: Collection[Any]) -> None:
        """Close what is late, and look again while there are connections."""
        too_early = loop.time() - cls.receive_seconds
        cls._looks_again = None
        for connection in list(connections):
            if connection._since is not None and connection._since < too_early:
                connection.transport.abort()
        if connections:
            cls._look_again(loop, connections)


_M_ARENA_MAX = -8
"""Of glibc's `mallopt`."""


def _few_arenas() -> None:
    """Let threads share memory that was given back: glibc keeps pools apart for more threads than Python's lock lets
    run at a time, and what lay idle in them came to 14 MB of 212."""
    with contextlib.suppress(OSError, AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        structlog.get_logger("app.server").info("listening", url=f"http://{address}:{port}")


@dataclass(frozen=True)
class Timeouts:
    """Seconds to receive a whole request, to wait for the next one, and for running requests to finish at the end."""

    receive: float = Protocol.receive_seconds
    keep_alive: int = 5
    shutdown: int = 15


def run(
    app: ASGIApp | str,
    host: str,
    port: int,
    *,
    timeouts: Timeouts = Timeouts(),
) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests finish.

    `app` may be an import string: the port is taken before it is imported, so that a taken one (`PortInUse`) is
    reported at once.
    """
    _few_arenas()
    with listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        server(app, timeouts).run([listener])


def server(app: ASGIApp | str, timeouts: Timeouts = Timeouts()) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=type("TimedProtocol", (Protocol,), {"receive_seconds": timeouts.receive}),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=timeouts.keep_alive,
        timeout_graceful_shutdown=timeouts.shutdown,
        proxy_headers=False,  # nothing here depends on who asks, or by which scheme
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
