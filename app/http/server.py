"""The server under the application: uvicorn, with limits on connections and request heads, which its settings lack."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import httptools
import structlog
import uvicorn
from starlette.types import ASGIApp, Scope

from app.core.errors import AppError, HeadTooLarge, MalformedRequest, Unavailable, UriTooLong

MAX_HEAD_BYTES = 32 * 1024
MAX_REQUEST_BYTES = 20_000_000
"""Of what a connection takes in for one request, however its body is framed; more loses the connection."""
LINGER_SECONDS = 1.0
"""For a client that still sends after its request was refused, so that it sees the answer."""
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_PIECE_BYTES = 4096
"""Given to the parser at a time: by so much a head may be larger that begins in the midst of what was received."""
_FREE_BYTES_OF_A_CHUNK = 16
"""Of a chunk's framing, as Go's server allows."""
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

MakeProtocol = Callable[["ConnectionLimits", AppError | None], asyncio.Protocol]
"""Makes the server's protocol for a connection; with an error for an application that is to answer with this."""


class PortInUse(RuntimeError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken; set PORT=...")


class ConnectionLimits(asyncio.Protocol):
    """Refuses a request whose head is too large or cannot be read, and closes a connection that sends too slowly.

    Wraps the server's own protocol and sees bytes only, in which a parser finds where heads and bodies end. The
    application tells how far its answers are: `begin_request` when it takes a request up, `end_request` when the answer
    is sent. A slow trickle of bytes does not extend the time. Waiting idle between two requests is left to uvicorn's
    keep-alive timeout.
    """

    def __init__(self, make_inner: MakeProtocol, open_connections: OpenConnections) -> None:
        self.receiving_since: float | None = None
        """When the request that is being received began; null while none is."""
        self.refusal: AppError | None = None
        """Why nothing more is read from this connection."""
        self._make_inner = make_inner
        self._inner = make_inner(self, None)
        self.open_connections = open_connections
        self._loop = asyncio.get_running_loop()
        self._received = Received()
        self._parser = httptools.HttpRequestParser(self._received)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self._answered_requests = 0
        self._is_head_complete = False
        self._received_bytes = 0
        """After the first bytes of the request."""
        self._is_refusal_sent = False

    @property
    def _is_owing(self) -> bool:
        """Whether a request that was received whole is not answered yet."""
        return self._received.requests > self._answered_requests

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return not self._is_head_complete and self.refusal is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.receiving_since = self._loop.time()
        self._write = self.transport.write
        self._server_transport = ServerTransport(self.transport, self)
        self._inner.connection_made(self._server_transport)  # type: ignore[arg-type]  # has what the server uses
        if not self.open_connections.add(self):
            self._refuse(Unavailable("Too many connections are open.", retry_after=1))

    def data_received(self, data: bytes) -> None:
        if self._is_head_complete or self.refusal is not None:
            self._received_bytes += len(data)
            if self._received_bytes > MAX_REQUEST_BYTES:
                self.abort()
            if self.refusal is not None:
                return
        elif self.receiving_since is None and not self._is_owing:
            self.receiving_since = self._loop.time()
        transport = self._server_transport
        transport.write = self._hold_back
        start = 0
        if self._received.is_between_requests and _is_one_request_without_body(data):
            # As nearly all are: parsing it here as well would cost a tenth of an answer from memory.
            self._inner.data_received(data)
            start = len(data)
            if self.refusal is None:  # the server could read it
                self._received.on_message_complete()
                self.receiving_since = None
        while start < len(data) and self.refusal is None:
            room = MAX_HEAD_BYTES - self._received.framing_bytes
            if room <= 0:
                self._refuse(self._received.excess())
                break
            piece = data[start : start + min(room, _PIECE_BYTES)]
            self._measure(piece)
            self._inner.data_received(piece)
            start += len(piece)
        transport.write = self._write

    def _measure(self, piece: bytes) -> None:
        requests = self._received.requests
        self._received.framing_bytes += len(piece)
        with contextlib.suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):  # the server sees them too
            self._parser.feed_data(piece)
        if self._received.requests != requests:
            self.receiving_since = None

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_connections.discard(self)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def begin_request(self) -> None:
        """The answer to a request begins."""
        self._is_head_complete = True

    def end_request(self) -> None:
        """The answer is sent: what comes now is the next request."""
        self._is_head_complete = False
        self._answered_requests += 1
        self._received_bytes = 0
        self.receiving_since = None
        self.open_connections.move_to_end(self)
        if self.refusal is not None:
            self._refuse(self.refusal)

    def abort(self) -> None:
        self.transport.abort()

    def _hold_back(self, _data: bytes) -> None:
        """The server's protocol writes nothing while it parses, but for its answer to what cannot be parsed."""
        self._refuse(MalformedRequest("This is not a request in HTTP/1.1."))

    def _refuse(self, error: AppError) -> None:
        self.refusal = error
        if not self._is_owing:
            self.receiving_since = self.receiving_since or self._loop.time()
        # Later, because the bytes before may have begun requests, which are answered first.
        self._loop.call_soon(self._send_refusal)

    def _send_refusal(self) -> None:
        """Let the application answer a request in place of the one that cannot be used: named, complete and logged."""
        if self._is_owing or self._is_refusal_sent or self.transport.is_closing():
            return
        self._is_refusal_sent = True
        self._server_transport.detach()
        self._inner.connection_lost(None)
        self._server_transport = ServerTransport(self.transport, self)
        self._inner = self._make_inner(self, self.refusal)
        self._inner.connection_made(self._server_transport)  # type: ignore[arg-type]  # as above
        method = self._parser.get_method() if self._received.address_bytes else b"GET"
        method = method if method in _METHODS else b"GET"
        self._inner.data_received(b"%b / HTTP/1.0\r\n\r\n" % method)

    def close(self) -> None:
        """Close; after a refusal only when the client has stopped sending, or had time to see the answer."""
        if self._is_refusal_sent and not self.transport.is_closing():
            self.transport.write_eof()
            self._loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()


class ServerTransport:
    """The transport as the server's protocol has it: what this writes and closes can be held back."""

    def __init__(self, transport: Any, connection: ConnectionLimits) -> None:
        self._transport = transport
        self._connection = connection
        self.is_closing = transport.is_closing
        self.write: Callable[[bytes], object] = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        if self.write == self._transport.write:
            self._connection.close()

    def detach(self) -> None:
        """From now on the protocol reaches nobody."""
        self.write = lambda _data: None


class Received:
    """How far a parser has come that calls this."""

    def __init__(self) -> None:
        self.requests = 0
        """How many are complete."""
        self.address_bytes = 0
        """Of the request that is not complete."""
        self.framing_bytes = 0
        """Given to the parser of a head that is not complete, or around a body beyond what its pieces are allowed."""
        self._is_in_body = False

    @property
    def is_between_requests(self) -> bool:
        return not self.framing_bytes and not self._is_in_body

    def excess(self) -> AppError:
        """What is wrong when the framing has become too large."""
        if self._is_in_body:
            return MalformedRequest(f"Trailers and extensions of chunks may have at most {MAX_HEAD_BYTES} bytes.")
        is_mostly_address = 2 * self.address_bytes > MAX_HEAD_BYTES
        return UriTooLong(MAX_HEAD_BYTES) if is_mostly_address else HeadTooLarge(MAX_HEAD_BYTES)

    def on_message_begin(self) -> None:
        self.address_bytes = 0

    def on_url(self, url: bytes) -> None:
        self.address_bytes += len(url)

    def on_headers_complete(self) -> None:
        self.framing_bytes = 0
        self._is_in_body = True

    def on_body(self, body: bytes) -> None:
        """A piece of a body: may have some framing, and more where it is larger."""
        self.framing_bytes = max(0, self.framing_bytes - _FREE_BYTES_OF_A_CHUNK - 3 * len(body))

    def on_message_complete(self) -> None:
        self.framing_bytes = 0
        self._is_in_body = False
        self.requests += 1


def _is_one_request_without_body(data: bytes) -> bool:
    """Whether these bytes are a whole GET or HEAD within the bounds, and nothing else."""
    if len(data) > MAX_HEAD_BYTES or not data.startswith((b"GET ", b"HEAD ")):
        return False
    if data.find(b"\r\n\r\n") != len(data) - 4:
        return False
    lowered = data.lower()
    return b"content-length" not in lowered and b"transfer-encoding" not in lowered and b"upgrade" not in lowered


class OpenConnections:
    """All connections: closes late ones, keeps their number below what the process has descriptors for."""

    def __init__(self, receive_seconds: float) -> None:
        self.is_draining = False
        """Whether the server is about to stop."""
        self.max_connections = _max_connections()
        self._receive_seconds = receive_seconds
        self._connections: dict[ConnectionLimits, bool] = {}
        """A set, in order of when they were opened or last answered."""
        self._is_watching = False
        self._events: Counter[str] = Counter()

    def add(self, connection: ConnectionLimits) -> bool:
        """Take it in, if need be in place of the one that has been idle longest; False where all others are in use."""
        is_full = len(self._connections) >= self.max_connections
        idle = next((one for one in self._connections if one.is_idle), None) if is_full else None
        if idle is not None:
            self.discard(idle)
            idle.abort()
        if is_full:
            self.count("closed" if idle is not None else "refused")
        self._connections[connection] = True
        if not self._is_watching:
            self._is_watching = True
            asyncio.get_running_loop().call_later(self._receive_seconds / 10, self._close_late_ones)
        return idle is not None or not is_full

    def move_to_end(self, connection: ConnectionLimits) -> None:
        if self._connections.pop(connection, False):
            self._connections[connection] = True

    def discard(self, connection: ConnectionLimits) -> None:
        self._connections.pop(connection, None)

    def count(self, event: str) -> None:
        """Log that connections had to be closed, refused or left waiting, once a second at most."""
        if not self._events:
            asyncio.get_running_loop().call_later(1, self.log)
        self._events[event] += 1

    def log(self) -> None:
        """Log what was counted and not logged yet."""
        counts, self._events = self._events, Counter()
        if counts:
            structlog.get_logger("app.server").warning("too many connections", limit=self.max_connections, **counts)

    def _close_late_ones(self) -> None:
        """Look at all connections together, some times within the limit: a timer for each request would cost more."""
        loop = asyncio.get_running_loop()
        too_early = loop.time() - self._receive_seconds
        for connection in list(self._connections):
            if connection.receiving_since is not None and connection.receiving_since < too_early:
                connection.abort()
        self._is_watching = bool(self._connections)
        if self._is_watching:
            loop.call_later(self._receive_seconds / 10, self._close_late_ones)


def _max_connections() -> int:
    """What the limit on descriptors leaves, when the database and files have had theirs."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000_000 if limit == resource.RLIM_INFINITY else limit - min(256, limit * 3 // 4)


def connection_of(scope: Scope) -> ConnectionLimits | None:
    """The connection that a request came by; null under a server that is not ours, such as a test client."""
    connection: ConnectionLimits | None = scope.get("state", {}).get("connection")
    return connection


def refusal_of(scope: Scope) -> AppError | None:
    """What has to be answered because the real request could not be read."""
    refusal: AppError | None = scope.get("state", {}).get("refusal")
    return refusal


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration with `ConnectionLimits` around its HTTP protocol."""

    timeouts: Timeouts
    open_connections: OpenConnections

    def load(self) -> None:
        super().load()
        protocol_class: Any = self.http_protocol_class
        self.open_connections = OpenConnections(self.timeouts.receive)

        def limited(*, app_state: dict[str, Any], **arguments: Any) -> asyncio.Protocol:
            def make(connection: ConnectionLimits, refusal: AppError | None) -> asyncio.Protocol:
                # uvicorn copies this state into the scope of each request
                state = app_state | {"connection": connection} | ({"refusal": refusal} if refusal else {})
                protocol: asyncio.Protocol = protocol_class(app_state=state, **arguments)
                return protocol

            return ConnectionLimits(make, self.open_connections)

        self.http_protocol_class = limited  # type: ignore[assignment]  # called as the class would be


class _Server(uvicorn.Server):
    config: LimitedConfig

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        await super().startup(sockets)
        host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        structlog.get_logger("app.server").info("listening", url=f"http://{address}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go on answering for a while, no longer ready; then stop listening, answer what was sent, and close."""
        timeouts = self.config.timeouts
        self.config.open_connections.is_draining = True
        structlog.get_logger("app.server").info("stopping", delay_seconds=timeouts.shutdown_delay)
        loop = asyncio.get_running_loop()
        until = loop.time() + timeouts.shutdown_delay
        await asyncio.sleep(_MOMENT_SECONDS)  # whoever waits to be accepted is
        while loop.time() < until and not self.force_exit:  # noqa: ASYNC110 - uvicorn says it by a flag
            await asyncio.sleep(_MOMENT_SECONDS)
        for listener in self.servers:
            listener.close()
        await asyncio.sleep(_MOMENT_SECONDS)  # requests that have arrived are read
        await super().shutdown(sockets)
        self.config.open_connections.log()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio reports a failed accept up to once for each place in the queue, and tries again after a second."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _OUT_OF_RESOURCES:
            self.config.open_connections.count("not_accepted")
        else:
            loop.default_exception_handler(context)


_MOMENT_SECONDS = 0.05


@dataclass(frozen=True)
class Timeouts:
    """Seconds to receive a whole request, to wait for the next one, to go on answering after the signal to stop, and
    for running requests to finish then."""

    receive: float = 10.0
    keep_alive: int = 5
    shutdown_delay: float = 0.0
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
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _exit)  # uvicorn raises the signal again when it is done
        server(app, timeouts).run([listener])


def _exit(*_: object) -> None:
    """Being told to stop is no failure."""
    raise SystemExit(0)


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
    config.timeouts = timeouts
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
