"""Logs: one JSON object per line, and never a value that somebody sent or stored.

The text of an exception may hold bound values, a path or what the client typed, so a log record carries the
exception's class and the places it passed through, and nothing else of it.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

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


def configure(json: bool, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to one stream (standard error unless told).

    `json=False` is for people at a terminal.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_exception_text,
    ]
    # JSON in ASCII: escapes control characters and the separators (U+2028, U+0085) some readers take for a line's end.
    renderer: Processor = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(stream or sys.stderr)
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
