"""A PostgreSQL that is frozen, or killed: every request is answered, no thread stays, and the same process goes on."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import psycopg
import pytest
from sqlalchemy import text

from app.main import create_app, in_context
from app.settings import Settings
from app.storage.database import Database
from app.storage.faults import DATABASE_ERRORS, database_fault
from tests.conftest import Engines, fill_neutral
from tests.http.test_two_processes import FEEDBACK
from tests.postgres import create_database, libpq_url, own_postgres
from tests.serving import eventually, served

pytestmark = pytest.mark.postgres

SECONDS = 4.0
"""Within which everything is answered; 3 s on a machine that has nothing else to do."""
REQUESTS: tuple[tuple[str, str | None, dict[str, str]], ...] = (
    ("/v1/outcomes/pain", None, {}),
    ("/v1/claims?limit=3", None, {"Min-Dataset-Serial": "1"}),
    ("/v1/search?q=pain", None, {}),
    ("/readyz", None, {}),
    (*FEEDBACK, {}),
    ("/v1/interaction-checks", '{"drugs": [{"text": "oxilort"}, {"text": "tralort"}]}', {}),
)


def ask(port: int, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, float]:
    """Status of the answer, and the seconds that it took."""
    began = time.monotonic()
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        content_type = {"Content-Type": "application/json"} if body else {}
        connection.request("POST" if body else "GET", path, body, headers | content_type)
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - began


def ask_all(port: int, count: int) -> list[tuple[int, float]]:
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(lambda number: ask(port, *REQUESTS[number % len(REQUESTS)]), range(count)))


@contextlib.contextmanager
def service(url: str, read_url: str | None = None) -> Iterator[int]:
    given = Settings(database_url=url, database_read_url=read_url, cache_bytes=0)
    with served(in_context(create_app(given), given)) as port:
        assert ask(port, "/readyz", None, {})[0] == 200
        yield port


def family(pid: int) -> list[int]:
    """A process and its children."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *map(int, listed.stdout.split())]


@contextlib.contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_frozen_connection_does_not_hold_its_user(engines: Engines) -> None:
    """The quick form: the server lives, the processes behind the connections are stopped."""
    url = engines("postgresql").small("frozen")
    database = Database(url, statement_timeout_ms=500)
    with database.write() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    began = time.monotonic()
    with frozen([pid]):
        for use in (database.read, database.write):
            with pytest.raises(DATABASE_ERRORS) as caught, use() as session:
                session.execute(text("SELECT 1"))
            assert database_fault(caught.value).code == "database_silent"
    assert time.monotonic() - began < SECONDS
    eventually("the database is used again", lambda: works(database))
    database.dispose()


def works(database: Database) -> bool:
    try:
        with database.read() as session:
            return bool(session.scalar(text("SELECT 1")))
    except DATABASE_ERRORS:
        return False


def test_a_command_bears_a_long_statement_and_not_a_frozen_server(engines: Engines) -> None:
    url = engines("postgresql").small("patient")
    database = Database(url, statement_timeout_ms=0)
    with database.write() as session:
        connection = session.connection().connection.driver_connection
        connection.silence_seconds = 0.2  # type: ignore[union-attr]
        session.execute(text("SELECT pg_sleep(1)"))
    database.dispose()


# --- left to make test-all ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[int, str]]:
    """Process and URL of a server of our own, with the neutral data set in a database of its own."""
    with own_postgres() as server:
        url = create_database(server.url, "neutral")
        fill_neutral(url)
        yield server.process.pid, url


def test_everybody_is_answered_while_the_server_is_frozen(cluster: tuple[int, str]) -> None:
    pid, url = cluster
    with service(url) as port:
        threads_before = threading.active_count()
        ask_all(port, 30)
        with frozen(family(pid)):
            answers = ask_all(port, 30) + ask_all(port, 30)
            assert {status for status, _ in answers} == {503}
            assert max(seconds for _, seconds in answers) < SECONDS
        began = time.monotonic()
        eventually("ready", lambda: ask(port, "/readyz", None, {})[0] == 200)
        assert time.monotonic() - began < 5
        assert {status for status, _ in ask_all(port, len(REQUESTS))} == {200}
        eventually("no thread stays", lambda: threading.active_count() <= threads_before + 60)


def test_a_writer_is_answered_that_freezes_while_it_commits(cluster: tuple[int, str]) -> None:
    pid, url = cluster
    database = Database(url)
    began = 0.0

    def write() -> None:
        nonlocal began
        with database.write() as session:
            session.execute(text("UPDATE publications SET note = 'Changed.'"))
            began = time.monotonic()
            for child in family(pid):
                os.kill(child, signal.SIGSTOP)

    try:
        with pytest.raises(DATABASE_ERRORS) as caught:
            write()
        assert database_fault(caught.value).code == "database_silent"
        assert time.monotonic() - began < SECONDS
    finally:
        for child in family(pid):
            os.kill(child, signal.SIGCONT)
    eventually("the database is used again", lambda: works(database))
    database.dispose()


def test_a_frozen_replica_holds_nobody(cluster: tuple[int, str], engines: Engines) -> None:
    pid, url = cluster
    with service(engines("postgresql").copy("primary"), url) as port, frozen(family(pid)):
        answers = [ask(port, *request) for request in REQUESTS]
        assert max(seconds for _, seconds in answers) < SECONDS
        assert ask(port, *FEEDBACK, {})[0] == 200  # the primary works


def test_a_killed_server_that_starts_again_is_used_again(cluster: tuple[int, str]) -> None:
    """A backend that is killed takes all connections with it: the server starts anew."""
    url = cluster[1]
    with service(url) as port:
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            listed = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            backends = {row[0] for row in listed} - {connection.info.backend_pid}
        os.kill(backends.pop(), signal.SIGKILL)
        answers = ask_all(port, 12)
        assert {status for status, _ in answers} <= {200, 503}
        assert max(seconds for _, seconds in answers) < SECONDS
        eventually("ready", lambda: ask(port, "/readyz", None, {})[0] == 200)
