"""The load: a few kept-alive connections that ask again as soon as they are answered; and what a server uses for it."""

import asyncio
import json
import os
import select
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import cast

CONNECTIONS = 8
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class UnexpectedAnswer(RuntimeError):
    """A server closed the connection, or answered with another status."""


class _Client(asyncio.Protocol):
    """One connection; `answered`, a list of one number, is shared by all connections."""

    def __init__(self, requests: Iterator[bytes], until: float, answered: list[int], status: bytes) -> None:
        self._requests = requests
        self._until = until
        self._answered = answered
        self._status = status
        self._buffer = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not is_complete(self._buffer):
            return
        if self._buffer[9:12] != self._status:
            self.done.set_exception(UnexpectedAnswer(bytes(self._buffer[:300]).decode("latin-1")))
            self._transport.close()
            return
        self._buffer.clear()
        self._answered[0] += 1
        if time.perf_counter() < self._until:
            self._transport.write(next(self._requests))
        else:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(UnexpectedAnswer("the server closed the connection"))


def is_complete(buffer: bytearray) -> bool:
    """Whether a whole HTTP/1.1 response has arrived."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(buffer[:end]).lower()
    if head[9:12] == b"304":
        return True
    if b"transfer-encoding: chunked" in head:
        return buffer.endswith(b"0\r\n\r\n")
    start = head.index(b"content-length:") + 15
    return len(buffer) >= end + 4 + int(head[start:].split(b"\r\n", 1)[0])


def request(path: str, port: int, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send(port: int, requests: Sequence[bytes], seconds: float, status: int = 200) -> int:
    """Repeat the requests for so long over all connections; how many were answered, each with this status."""

    async def run() -> int:
        answered = [0]
        loop = asyncio.get_running_loop()
        source, until = cycle(requests), time.perf_counter() + seconds

        def client() -> _Client:
            return _Client(source, until, answered, str(status).encode())

        clients = [(await loop.create_connection(client, "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
        await asyncio.gather(*(client.done for client in clients))
        return answered[0]

    return asyncio.run(run())


def open_slow_sockets(port: int, count: int = 500, seconds: float = 12) -> int:
    """Send one byte of a request each second over many sockets; how many the server has left open in the end."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    end, remaining = time.monotonic() + seconds, sockets
    for byte in request("/v1/meta", port)[: round(seconds)]:
        remaining = [connection for connection in remaining if _send_byte(connection, byte)]
        time.sleep(max(0, min(1, end - time.monotonic())))
    still_open = sum(_is_open(connection) for connection in remaining)
    for connection in sockets:
        connection.close()
    return still_open


def _send_byte(connection: socket.socket, byte: int) -> bool:
    try:
        connection.send(bytes([byte]))
    except OSError:
        return False
    return _is_open(connection)


def _is_open(connection: socket.socket) -> bool:
    """Whether the server has not closed it; an answer that waits to be read is thrown away."""
    try:
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(4096):
                return False
    except OSError:
        return False
    return True


# --- costs --------------------------------------------------------------------------------------------------------


def calibration_seconds() -> float:
    """CPU time of a fixed piece of plain Python: the unit in which costs on different machines are compared.

    It works on little data at a time, because what fills the caches of a shared CPU varies by half; the median of nine.
    """
    return median(_calibrate() for _ in range(9))


def _calibrate() -> float:
    start = time.process_time()
    for _ in range(100):
        names = {f"row-{number}": number * 7919 % 10_007 for number in range(200)}
        groups: dict[str, list[str]] = {}
        for name in sorted(names, key=names.__getitem__):
            groups.setdefault(f"group-{names[name] % 13}", []).append(name)
        json.loads(json.dumps(groups))
    return time.process_time() - start


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that these processes and their descendants have used so far, user and system."""
    total = 0.0
    for pid in family(pids):
        fields = _stat(pid)
        if fields:
            total += (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
    return total


def megabytes(pids: Iterable[int]) -> float:
    """Memory that these processes and their descendants hold, shared pages counted once each."""
    kilobytes = 0
    for pid in family(pids):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def family(pids: Iterable[int]) -> set[int]:
    """The processes and their descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    members = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on; null where the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
