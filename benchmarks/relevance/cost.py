"""What a search costs: `python benchmarks/relevance/cost.py sqlite:///path/to/file`.

Prints milliseconds of CPU time (all threads of this process; the database's own process does not count) for each
search, over the benchmark's common words and over the judged questions: the search alone, and the whole application
without its memory for answers.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from statistics import fmean, median
from urllib.parse import urlencode

import structlog
from starlette.types import ASGIApp, Message

from app.main import create_app, guarded
from app.search import service
from app.settings import Settings
from app.storage.database import Database
from benchmarks.data import WORDS
from benchmarks.relevance.run import questions

ROUNDS = 5
KIND = "claim"


def main() -> None:
    url = sys.argv[1]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asked = {"common words": WORDS, "judged questions": [question.text for question in questions()]}
    given = Settings(database_url=url)
    app = create_app(given)
    with closing(asyncio.new_event_loop()) as loop:
        for name, texts in asked.items():
            _report(f"search, {name}", texts, partial(_search, app.state.database))
            _report(f"application, {name}", texts, partial(_through, loop, guarded(app, given)))
    app.state.database.dispose()


def _search(database: Database, text: str) -> None:
    with database.read() as session:
        service.search(session, text, {"type": [KIND]})


def _through(loop: asyncio.AbstractEventLoop, app: ASGIApp, text: str) -> None:
    loop.run_until_complete(_ask(app, text))


async def _ask(app: ASGIApp, text: str) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"{text}: {message}")

    query = urlencode({"q": text, "type": KIND, "limit": 20}).encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/v1/search", "raw_path": b"/v1/search", "root_path": "", "query_string": query,
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)


def _report(name: str, texts: Sequence[str], ask: Callable[[str], None]) -> None:
    """The first round warms up; of the others each text's median counts."""
    spent: dict[str, list[float]] = {text: [] for text in texts}
    for _ in range(ROUNDS + 1):
        for text in texts:
            begun = time.process_time()
            ask(text)
            spent[text].append(1000 * (time.process_time() - begun))
    medians = sorted(median(times[1:]) for times in spent.values())
    most = medians[int(0.95 * (len(medians) - 1))]
    print(f"{name}: mean {fmean(medians):.2f} ms, median {median(medians):.2f}, 95 of 100 below {most:.2f}")


if __name__ == "__main__":
    main()
