"""The cost of a search: `python benchmarks/relevance/cost.py sqlite:///path/to/file`.

Prints milliseconds of CPU time of this process for each search, over the benchmark's common words and over the judged
questions: of the search alone, and of the whole application without its response cache. A database server
does not count.
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

from app.main import create_app, in_context
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
    texts_by_name = {"common words": WORDS, "judged questions": [question.text for question in questions("tuned on")]}
    settings = Settings(database_url=url)
    app = create_app(settings)
    with closing(asyncio.new_event_loop()) as loop:
        for name, texts in texts_by_name.items():
            _report(f"search, {name}", texts, partial(_search, app.state.reads.database))
            _report(f"application, {name}", texts, partial(_request, loop, in_context(app, settings, with_cache=False)))
    app.state.reads.close()


def _search(database: Database, text: str) -> None:
    with database.read() as session:
        service.search(session, text, {"type": [KIND]})


def _request(loop: asyncio.AbstractEventLoop, app: ASGIApp, text: str) -> None:
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
    """Each text counts with its median, without the first round."""
    times: dict[str, list[float]] = {text: [] for text in texts}
    for _ in range(ROUNDS + 1):
        for text in texts:
            start = time.process_time()
            ask(text)
            times[text].append(1000 * (time.process_time() - start))
    medians = sorted(median(of_text[1:]) for of_text in times.values())
    high = medians[int(0.95 * (len(medians) - 1))]
    print(f"{name}: mean {fmean(medians):.2f} ms, median {median(medians):.2f}, 95 of 100 below {high:.2f}")


if __name__ == "__main__":
    main()
