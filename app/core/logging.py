"""Logs: one JSON object per line, and never a value that somebody sent or stored.

The text of an exception may hold bound values, a path or what the client typed, so a log record carries the
exception's class and the places it passed through, and nothing else of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from app.core.log_stream import standard_error

_FRAMES = 12


def describe(exc: BaseException) -> dict[str, object]:
    """An exception without its text: its class, the classes it was raised from, and the innermost frames."""
    classes: list[str] = []
    cause: BaseException | None = exc
    while cause is not None and len(classes) < _FRAMES:
        classes.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(exc.__traceback__)[-_FRAMES:]
    return {
        "exception": classes[0],
        "caused_by": classes[1:],
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _without_exception_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    exc = info[1] if isinstance(info, tuple) else info
    if isinstance(exc, BaseException):
        event.update(describe(exc))
    return event


class AccessLine(NamedTuple):
    """What is written of a request: nothing that it says of a patient, and of its address the route alone."""

    method: str
    route: str
    """The template, such as `/v1/claims/{id}`; `-` where no route fits."""
    status: int
    seconds: float
    request_id: str
    bytes: int
    """Of the body as it was sent."""
    serial: int | None = None
    """That the answer was made from; null where no data were read."""
    client: str | None = None
    """Null unless the operator wants addresses in the log."""
    issuer: str | None = None
    """The record system that called; null for all but signed calls."""
    service: str | None = None
    rules: Sequence[str] = ()
    """Of the cards that were shown."""


class AccessLog:
    """One line for each request, written some at a time: one write costs more than many an answer."""

    def __init__(self, *, wait_seconds: float = 0.25) -> None:
        self._wait_seconds = wait_seconds
        self._pending: list[tuple[float, AccessLine]] = []

    def __call__(self, line: AccessLine) -> None:
        if not self._pending:
            asyncio.get_running_loop().call_later(self._wait_seconds, self.flush)
        self._pending.append((time.time(), line))

    def flush(self) -> None:
        """Write what is pending."""
        pending, self._pending = self._pending, []
        render = _json_line if _output.is_json else _plain_line
        second, day = -1, ""
        text = []
        for at, line in pending:
            if int(at) != second:
                second = int(at)
                day = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            text.append(render(f"{day}.{int(at % 1 * 1000):03d}Z", line))
        (_output.stream or sys.stderr).write("".join(text))


def _json_line(at: str, line: AccessLine) -> str:
    """Only names that the operator chose need escaping: all other values are ours or were checked."""
    method, route, status, seconds, request_id, size, serial, client, issuer, service, rules = line
    return (
        f'{{"time": "{at}", "method": "{method}", "route": "{route}", "status": {status}, "ms": {seconds * 1000:.1f}, '
        f'"bytes": {size}, "serial": {"null" if serial is None else serial}, "client": {_quoted(client)}, '
        f'"issuer": {_quoted(issuer)}, "service": {_quoted(service)}, "rules": {json.dumps(rules) if rules else "[]"}, '
        f'"request_id": "{request_id}", "event": "request", "level": "info", "logger": "app.access"}}\n'
    )


def _quoted(text: str | None) -> str:
    return "null" if text is None else json.dumps(text)


def _plain_line(at: str, line: AccessLine) -> str:
    what = f"{line.method} {line.route} {line.status}"
    return f"{at} {what} {line.seconds * 1000:.1f} ms {line.bytes} B {line.request_id}\n"


@dataclass
class _Output:
    """Where `configure` sends logs, and how."""

    stream: TextIO | None = None
    """Null for standard error."""
    is_json: bool = True


_output = _Output()


def configure(json: bool, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to one stream; by default to standard error, without ever
    waiting for who reads it.

    `json=False` is for people at a terminal.
    """
    if stream is None:
        stream = standard_error()
    _output.stream, _output.is_json = stream, json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_exception_text,
    ]
    # JSON in ASCII: escapes control characters and the separators (U+2028, U+0085) some readers take for a line's end.
    renderer: Processor = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # httpx2 logs every address it asks, with its query; uvicorn warns of whatever a scanner sends.
    quiet = {"sqlalchemy": logging.WARNING, "alembic": logging.WARNING, "httpx2": logging.WARNING}
    quiet |= dict.fromkeys(("uvicorn", "uvicorn.error", "uvicorn.access"), logging.ERROR)
    for name, level in quiet.items():
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
