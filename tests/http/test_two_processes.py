"""The command line publishes beside a running server on one SQLite file, as the documentation says it may."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path

from app.settings import ROOT
from tests.conftest import Engines
from tests.postgres import free_port

PATHS = ("/v1/claims/ldz-murmuria-pain", "/v1/search?q=pain", "/v1/claims?limit=7", "/v1/documents?limit=9")
PUBLICATIONS = 1
_ITEM = {"card": "x", "outcome": "accepted", "acceptedSuggestions": [{"id": "x"}]}
FEEDBACK = (
    "/cds-services/zelvane-order-sign/feedback",
    json.dumps({"feedback": [_ITEM | {"outcomeTimestamp": "2026-12-11T10:05:31Z"}]}),
)


def test_publishing_beside_a_server_neither_kills_it_nor_loses_anything(engines: Engines) -> None:
    file = Path(engines("sqlite").copy("beside").removeprefix("sqlite:///"))
    _publish_beside_a_server(file, lambda number: number < PUBLICATIONS)


def test_a_minute_of_publishing_beside_a_server(engines: Engines) -> None:
    """The server died within seconds where it opened and closed files that SQLite had open."""
    file = Path(engines("sqlite").copy("minute").removeprefix("sqlite:///"))
    until = time.monotonic() + 60
    _publish_beside_a_server(file, lambda _: time.monotonic() < until)


def _publish_beside_a_server(file: Path, goes_on: Callable[[int], bool]) -> None:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}", "PORT": str(free_port())}
    published = 0
    with _serving(environment) as server, _busy(int(environment["PORT"])) as statuses:
        while goes_on(published):
            _override(environment, ("high", "low")[published % 2])
            published += 1
            assert server.poll() is None, f"the server died of {signal.Signals(-server.returncode).name}"
    # A write gives up after two seconds where publishing takes longer than that.
    assert set(statuses[None]) == {200}
    assert set(statuses[FEEDBACK[1]]) <= {200, 503}
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT max(serial) FROM publications").fetchone() == (1 + published,)
        (counted,) = connection.execute("SELECT sum(count) FROM feedback_counts").fetchone()
    assert counted == statuses[FEEDBACK[1]].count(200)


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "app.cli", "serve"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait(int(environment["PORT"]))
        yield server
    finally:
        server.terminate()
        server.wait()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            if _status(port, "/readyz") == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def _status(port: int, path: str, body: str | None = None) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=15)) as connection:
        connection.request("POST" if body else "GET", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status


@contextmanager
def _busy(port: int) -> Iterator[dict[str | None, list[int]]]:
    """Reads and writes through the server all the while; their statuses, by what was sent."""
    statuses: dict[str | None, list[int]] = {None: [], FEEDBACK[1]: []}
    done = threading.Event()

    def ask(requests: Iterable[tuple[str, str | None]]) -> None:
        for path, body in cycle(requests):
            if done.is_set():
                return
            statuses[body].append(_status(port, path, body))

    threads = [
        threading.Thread(target=ask, args=([(path, None) for path in PATHS],)),
        threading.Thread(target=ask, args=([FEEDBACK],)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _override(environment: dict[str, str], value: str) -> None:
    arguments = ["--field", "certainty", "--value", value, "--reason", "r", "--author", "seed"]
    command = ["-m", "app.cli", "override", "ldz-murmuria-pain", *arguments, "--expires-on", "2099-06-01"]
    subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True, capture_output=True)
