"""The server under the application: uvicorn, with limits on receiving a request, which its settings lack."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from dataclasses import dataclass
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp, Scope

MAX_HEAD_BYTES = 32 * 1024


class PortInUse(RuntimeError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken; set PORT=...")


class ConnectionLimits(asyncio.Protocol):
    """Closes a connection that takes too long to send a request, or sends too much before its head is complete.

    Wraps the server's own protocol and sees bytes only. The application tells how far a request has come:
    `begin_request` when its head is complete, `end_request` when its body is. A slow trickle of bytes does not extend
    the time. Waiting idle between two requests is left to uvicorn's keep-alive timeout.
    """

    def __init__(self, inner: asyncio.Protocol, open_connections: set[ConnectionLimits]) -> None:
        self.inner = inner
        self.receiving_since: float | None = None
        """When the request that is being received began; null while none is."""
        self._open_connections = open_connections
        self._loop = asyncio.get_running_loop()
        self._head_bytes = 0
        self._is_head_complete = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.receiving_since = self._loop.time()
        self._open_connections.add(self)
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self._is_head_complete:
            if self.receiving_since is None:
                self.receiving_since = self._loop.time()
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and b"\r\n\r\n" not in data[:MAX_HEAD_BYTES]:
                # The application may be started by these very bytes: it runs before this check does.
                self._loop.call_soon(self._refuse_long_head)
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.discard(self)
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def begin_request(self, *, has_body: bool) -> None:
        """The head of a request is complete."""
        self._is_head_complete = True
        if not has_body:
            self.receiving_since = None

    def body_received(self) -> None:
        """The body of the request is complete."""
        self.receiving_since = None

    def end_request(self) -> None:
        """The answer is sent: what comes now is the next request."""
        self._is_head_complete = False
        self._head_bytes = 0
        self.receiving_since = None

    def _refuse_long_head(self) -> None:
        if not self._is_head_complete:
            self.abort()

    def abort(self) -> None:
        self.transport.abort()  # type: ignore[attr-defined]  # of an asyncio.Transport


def connection_of(scope: Scope) -> ConnectionLimits | None:
    """The connection that a request came by; null under a server that is not ours, such as a test client."""
    connection: ConnectionLimits | None = scope.get("state", {}).get("connection")
    return connection


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration with `ConnectionLimits` around its HTTP protocol."""

    receive_seconds = 10.0
    _is_watching = False

    def load(self) -> None:
        super().load()
        protocol_class: Any = self.http_protocol_class
        open_connections: set[ConnectionLimits] = set()

        def limited(*, app_state: dict[str, Any], **arguments: Any) -> asyncio.Protocol:
            state = dict(app_state)
            limits = ConnectionLimits(protocol_class(app_state=state, **arguments), open_connections)
            state["connection"] = limits  # uvicorn copies this state into the scope of each request
            if not self._is_watching:
                self._is_watching = True
                self._close_late_ones_later(open_connections)
            return limits

        self.http_protocol_class = limited  # type: ignore[assignment]  # called as the class would be

    def _close_late_ones_later(self, open_connections: set[ConnectionLimits]) -> None:
        """Look at all connections together, some times within the limit: a timer for each request would cost more."""
        loop = asyncio.get_running_loop()

        def close_late_ones() -> None:
            too_early = loop.time() - self.receive_seconds
            for connection in list(open_connections):
                if connection.receiving_since is not None and connection.receiving_since < too_early:
                    connection.abort()
            self._is_watching = bool(open_connections)
            if self._is_watching:
                loop.call_later(self.receive_seconds / 10, close_late_ones)

        loop.call_later(self.receive_seconds / 10, close_late_ones)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        structlog.get_logger("app.server").info("listening", url=f"http://{address}:{port}")


@dataclass(frozen=True)
class Timeouts:
    """Seconds to receive a whole request, to wait for the next one, and for running requests to finish at the end."""

    receive: float = LimitedConfig.receive_seconds
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
    with listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        server(app, timeouts).run([listener])


def server(app: ASGIApp | str, timeouts: Timeouts = Timeouts()) -> uvicorn.Server:
    config = LimitedConfig(
        app,
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=timeouts.keep_alive,
        timeout_graceful_shutdown=timeouts.shutdown,
        proxy_headers=False,  # nothing here depends on who asks, or by which scheme
    )
    config.receive_seconds = timeouts.receive
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
