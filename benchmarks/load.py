"""The load: a few kept-alive connections that ask again as soon as they are answered, and the CPU time this costs."""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import cast

CONNECTIONS = 8
_TICK = os.sysconf("SC_CLK_TCK")


class Failed(RuntimeError):
    """A server answered something else than was asked for."""


class _Asking(asyncio.Protocol):
    """One connection; `left` is shared by all of them."""

    def __init__(self, requests: Iterator[bytes], until: float, answered: list[int], expected: bytes) -> None:
        self._requests = requests
        self._until = until
        self._answered = answered
        self._expected = expected
        self._buffer = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not is_whole(self._buffer):
            return
        if self._buffer[9:12] != self._expected:
            self.done.set_exception(Failed(bytes(self._buffer[:300]).decode("latin-1")))
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
            self.done.set_exception(Failed("the server closed the connection"))


def is_whole(buffer: bytearray) -> bool:
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


def ask(port: int, requests: list[bytes], seconds: float, expected: int = 200) -> int:
    """Ask for so long, and say how many were answered."""

    async def run() -> int:
        answered = [0]
        loop = asyncio.get_running_loop()
        turn, until = cycle(requests), time.perf_counter() + seconds
        made = [
            (
                await loop.create_connection(
                    lambda: _Asking(turn, until, answered, str(expected).encode()), "127.0.0.1", port
                )
            )[1]
            for _ in range(CONNECTIONS)
        ]
        await asyncio.gather(*(protocol.done for protocol in made))
        return answered[0]

    return asyncio.run(run())


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that these processes and everything below them have used so far, user and system."""
    total = 0.0
    for pid in family(pids):
        fields = _stat(pid)
        if fields:
            total += (int(fields[11]) + int(fields[12])) / _TICK
    return total


def megabytes(pids: Iterable[int]) -> float:
    """Memory that these processes and everything below them hold, shared pages counted once each."""
    kilobytes = 0
    for pid in family(pids):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


def family(pids: Iterable[int]) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on; null where the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
