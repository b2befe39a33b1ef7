"""A server as a process of its own: what stops it, and what it does without descriptors and without a log."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.settings import ROOT
from tests.http.conftest import Connection
from tests.serving import eventually

PROGRAM = """
import asyncio, sys
from app.core import logging
from app.http.middleware import RequestContext
from app.http.server import Timeouts, run

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await asyncio.sleep({"/slow": 1, "/slower": 3}.get(scope["path"], 0))
        await send({"type": "http.response.body", "body": b"ok"})

logging.configure(json=True)
context = RequestContext(app, max_body_bytes=1000, deadline_seconds=5)
run(context, "127.0.0.1", int(sys.argv[1]), timeouts=Timeouts(shutdown_delay=float(sys.argv[2]), keep_alive=60))
"""


class ServerProcess:
    def __init__(self, process: subprocess.Popen[bytes], port: int, log: int, connections: list[Connection]) -> None:
        self.process = process
        self.port = port
        self.log = log
        """The end of its log to read from."""
        self.connections = connections

    def connect(self) -> Connection:
        self.connections.append(Connection(self.port))
        return self.connections[-1]

    def rest_of_log(self) -> list[dict[str, Any]]:
        with os.fdopen(os.dup(self.log), "rb") as file:
            return [json.loads(line) for line in file]


@contextmanager
def process(*, shutdown_delay: float = 0, descriptors: int | None = None) -> Iterator[ServerProcess]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log, writing = os.pipe()
    connections: list[Connection] = []

    def limit() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port), str(shutdown_delay)], cwd=ROOT, stderr=writing, preexec_fn=limit
    )
    os.close(writing)
    try:
        head = b""
        while b'"listening"' not in head:
            piece = os.read(log, 1000)
            assert piece, head
            head += piece
        yield ServerProcess(started, port, log, connections)
    finally:
        for connection in connections:
            connection.file.close()
            connection.socket.close()
        started.kill()
        started.wait()
        os.close(log)


def test_sigterm_lets_everybody_have_an_answer() -> None:
    """In flight, on an open connection while it drains, sent just before; and it exits as who did what it was told."""
    with process(shutdown_delay=0.7) as server:
        in_flight, idle = server.connect(), server.connect()
        in_flight.send(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
        assert idle.get("/")[1].get("connection") is None
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)

        status, headers, _ = idle.get("/")
        assert (status, headers["connection"]) == (200, "close")
        assert server.connect().get("/")[0] == 200
        late = server.connect()
        late.send(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
        assert in_flight.answer()[0] == 200
        assert late.answer()[0] == 200
        assert server.process.wait(10) == 0
        lines = server.rest_of_log()
        assert sum(line["event"] == "request" for line in lines) == 5
        assert any(line["event"] == "stopping" for line in lines)


def test_who_waits_to_be_accepted_when_the_signal_comes_is_answered() -> None:
    with process() as server:
        server.process.send_signal(signal.SIGSTOP)
        waiting = [server.connect() for _ in range(50)]
        for connection in waiting:
            connection.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGCONT)

        assert [connection.answer()[0] for connection in waiting] == [200] * 50
        assert server.process.wait(10) == 0


def test_more_connections_than_descriptors() -> None:
    """Who has been idle longest makes room; where all are in use a new one is refused; a line a second says so."""
    with process(descriptors=64) as server:
        idle = [server.connect() for _ in range(100)]
        idle[-1].send(b"GET / HTTP/1.1\r\nHost: t")
        assert [server.connect().get("/")[0] for _ in range(30)] == [200] * 30

        busy = [server.connect() for _ in range(16)]
        for connection in busy:
            connection.send(b"GET /slower HTTP/1.1\r\nHost: test\r\n\r\n")
        assert {connection.file.readline() for connection in busy} == {b"HTTP/1.1 200 OK\r\n"}  # begun
        status, headers, _ = server.connect().answer()
        assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")

        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        told = [line for line in server.rest_of_log() if line["event"] == "too many connections"]
        assert 1 <= len(told) <= 5
        assert sum(line.get("closed", 0) for line in told) >= 100
        assert sum(line.get("refused", 0) for line in told) == 1


def test_a_log_that_nobody_reads_stops_nobody() -> None:
    with process() as server:
        connection = server.connect()
        for _ in range(40):
            connection.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n" * 200)
            assert all(connection.answer()[0] == 200 for _ in range(200))
        lines: list[dict[str, Any]] = []
        reader = threading.Thread(target=lambda: lines.extend(server.rest_of_log()))
        reader.start()
        eventually("told", lambda: connection.get("/")[0] == 200)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        reader.join()

        dropped = sum(line.get("dropped", 0) for line in lines)
        assert dropped > 0
        assert sum(line["event"] == "request" for line in lines) + dropped == 8_001
