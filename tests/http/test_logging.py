"""One JSON object per line, whoever logs, whatever they log."""

import logging
from collections.abc import Callable
from typing import Any

import structlog

from app.core.logging import describe

Logs = Callable[[], list[dict[str, Any]]]
NASTY = "a\nb\x1b[31m\u2028\x9b\x85"


def test_control_characters_stay_on_their_line(logs: Logs) -> None:
    structlog.get_logger("ours").info(NASTY, value=NASTY)
    logging.getLogger("theirs").warning("%s!", NASTY)

    assert [(record["event"], record["level"], record["logger"]) for record in logs()] == [
        (NASTY, "info", "ours"),
        (f"{NASTY}!", "warning", "theirs"),
    ]


def test_the_text_of_an_exception_is_left_out(logs: Logs) -> None:
    try:
        try:
            raise KeyError("inner secret")
        except KeyError as error:
            raise ValueError("outer secret") from error
    except ValueError:
        logging.getLogger("theirs").exception("failed")
        structlog.get_logger("ours").exception("failed")

    for record in logs():
        assert (record["exception"], record["caused_by"]) == ("builtins.ValueError", ["builtins.KeyError"])
        assert "test_the_text_of_an_exception_is_left_out" in record["at"][-1]
        assert "secret" not in str(record)
    assert len(logs()) == 2


def test_an_exception_that_causes_itself_is_described() -> None:
    error = ValueError()
    error.__cause__ = error

    assert describe(error)["exception"] == "builtins.ValueError"


def test_chatty_libraries_are_quiet(logs: Logs) -> None:
    for name in ("sqlalchemy.engine.Engine", "uvicorn.access", "uvicorn.error", "httpx2"):
        logging.getLogger(name).info("noise")

    assert logs() == []
