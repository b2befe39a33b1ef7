"""A stream for logs that never makes its writer wait: a thread writes, and what it cannot keep up with is dropped."""

from __future__ import annotations

import atexit
import io
import json
import os
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TextIO, cast

MAX_PENDING_BYTES = 1_000_000
CLOSE_SECONDS = 2.0


def standard_error() -> TextIO:
    """A stream to standard error whose last lines are written when the program ends."""
    stream = DroppingStream(sys.stderr.fileno())
    atexit.register(stream.close)
    return cast("TextIO", stream)


class DroppingStream(io.TextIOBase):
    """Writes to a descriptor. When its reader has stopped reading, whole writes are dropped and their lines counted;
    when it reads again, one line says how many there were.

    Not through `sys.stderr`, whose lock a blocked write would hold. `close` waits until all is written,
    two seconds at most, and leaves the descriptor open.
    """

    def __init__(self, descriptor: int, *, max_pending_bytes: int = MAX_PENDING_BYTES) -> None:
        self._descriptor = descriptor
        self._max_pending_bytes = max_pending_bytes
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        """With what is being written."""
        self._dropped = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        line = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._pending_bytes and self._pending_bytes + len(line) > self._max_pending_bytes:
                self._dropped += line.count(b"\n")
            else:
                self._pending.append(line)
                self._pending_bytes += len(line)
                self._changed.notify_all()
        return len(text)

    def close(self) -> None:
        until = time.monotonic() + CLOSE_SECONDS
        with self._changed:
            while (self._pending_bytes or self._dropped) and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._pending and not self._dropped:
                    self._changed.wait()
                dropped = self._dropped
                data = _report(dropped) if dropped else b"".join(self._pending)
                if not dropped:
                    self._pending.clear()
            is_written = self._write_all(data)
            with self._changed:
                if dropped:
                    self._dropped -= dropped if is_written else 0
                else:
                    self._pending_bytes -= len(data)
                    self._dropped += 0 if is_written else data.count(b"\n")
                self._changed.notify_all()
            if not is_written:
                time.sleep(1)  # nobody is there to read

    def _write_all(self, data: bytes) -> bool:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody has made the descriptor non-blocking
                time.sleep(0.05)
            except OSError:
                return False
        return True


def _report(dropped: int) -> bytes:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    line = {"event": "log lines dropped", "dropped": dropped, "time": at, "level": "warning", "logger": "app.log"}
    return json.dumps(line).encode() + b"\n"
