"""Logs go to a pipe that somebody may have stopped reading."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.log_stream import DroppingStream
from tests.serving import eventually

LINES = '{"event": "request"}\n' * 100
"""2,100 bytes; a pipe holds some 65,000."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def read(reading: int) -> bytes:
    """What is in the pipe now."""
    received = b""
    try:
        while piece := os.read(reading, 1_000_000):
            received += piece
    except BlockingIOError:
        pass
    return received


def test_every_line_is_written_by_the_time_it_is_closed(pipe: tuple[int, int]) -> None:
    stream = DroppingStream(pipe[1])
    for _ in range(20):
        stream.write(LINES)
    stream.close()

    assert read(pipe[0]).decode() == LINES * 20


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_the_loss_is_told(pipe: tuple[int, int]) -> None:
    stream = DroppingStream(pipe[1], max_pending_bytes=100_000)
    for _ in range(1000):
        stream.write(LINES)  # would wait for ever if it wrote by itself

    received = bytearray()

    def is_told() -> bool:
        received.extend(read(pipe[0]))
        return b'"log lines dropped"' in received

    eventually("a line about the loss", is_told)
    stream.write(LINES)
    stream.close()
    received.extend(read(pipe[0]))
    lines: list[dict[str, Any]] = [json.loads(line) for line in received.splitlines()]
    dropped = sum(line.get("dropped", 0) for line in lines)
    assert dropped > 90_000
    assert sum(line["event"] == "request" for line in lines) == 1001 * 100 - dropped
