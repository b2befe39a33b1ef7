"""Faults of a database are told apart by a code, whatever the engine, and logged once a second without their text."""

import io
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from sqlalchemy import event, text

from app.core.logging import configure
from app.storage.database import Database
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, database_fault
from tests.conftest import Engines, opened, serving
from tests.postgres import free_port


@pytest.fixture
def file(engines: Engines, request: pytest.FixtureRequest) -> Path:
    name = f"g{abs(hash(request.node.nodeid)):x}"
    return Path(engines("sqlite").copy(name).removeprefix("sqlite:///"))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure(json=True, stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.basicConfig(force=True)


def code_of(database: Database, statement: str) -> str:
    """The code of the fault that a statement meets."""
    with pytest.raises((DatabaseUnavailable, *DATABASE_ERRORS)) as caught, database.write() as session:
        session.execute(text(statement))
    return database_fault(caught.value).code


def limited(database: Database, pragma: str) -> None:
    """Set a limit on all connections of a database, as its disk would."""
    event.listen(database.engine, "checkout", lambda connection, *_: connection.execute(f"PRAGMA {pragma}"))


GROW = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
    "INSERT INTO replay_guards SELECT hex(randomblob(2000)), i, '2099-01-01T00:00:00Z' FROM n"
)


def test_a_full_disk_stops_writes_alone_and_is_over_once_there_is_space(file: Path, log: io.StringIO) -> None:
    with serving(f"sqlite:///{file}") as client:
        database: Database = client.app.app.app.state.reads.database  # type: ignore[attr-defined]
        with closing(sqlite3.connect(file)) as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute("DELETE FROM feedback_counts")
        limit = [pages]
        event.listen(
            database.engine, "checkout", lambda raw, *_: raw.execute(f"PRAGMA max_page_count={limit[0]}").fetchall()
        )
        assert code_of(database, GROW) == "database_full"
        assert client.get("/v1/outcomes/pain").status_code == 200
        assert client.get("/readyz").json()["write_fault"] == "database_full"
        limit[0] = pages + 10_000
        with database.write() as session:
            session.execute(text(GROW))
        assert client.get("/readyz").json()["write_fault"] is None


def test_what_cannot_be_written_to(file: Path) -> None:
    with opened(f"sqlite:///{file}") as database:
        limited(database, "query_only=ON")
        assert code_of(database, "UPDATE publications SET note = ''") == "database_read_only"


def test_another_program_that_writes(file: Path) -> None:
    database = Database(f"sqlite:///{file}", statement_timeout_ms=50)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert code_of(database, "UPDATE publications SET note = ''") == "database_locked"
    database.dispose()


def test_a_damaged_file(file: Path, log: io.StringIO) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with serving(f"sqlite:///{file}") as client:
        for _ in range(3):
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_corrupt")
            assert "restore a backup" in answer.json()["detail"]
        assert client.get("/v1/outcomes/pain").json()["code"] == "database_corrupt"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    causes = [line for line in lines if line["event"] == "database_corrupt"]
    assert [(line["sqlite"], line["exception"]) for line in causes] == [("SQLITE_CORRUPT", "sqlite3.DatabaseError")]
    assert "malformed" not in log.getvalue()


def test_a_file_that_is_no_database_or_has_no_tables(tmp_path: Path) -> None:
    for content, code in ((b"", "database_not_migrated"), (b"no database" * 1000, "database_corrupt")):
        path = tmp_path / code
        path.write_bytes(content)
        with serving(f"sqlite:///{path}") as client:
            assert client.get("/readyz").json()["code"] == code


def test_a_server_that_is_not_there(log: io.StringIO) -> None:
    with serving(f"postgresql://nobody@127.0.0.1:{free_port()}/none") as client:
        for path in ("/readyz", "/v1/outcomes/pain"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")
        assert client.get("/fhir/r5/Evidence").status_code == 503


@pytest.mark.postgres
def test_a_database_that_the_server_does_not_have_or_that_has_no_tables(engines: Engines) -> None:
    empty = engines("postgresql").empty("no_tables")
    for url, code in ((empty, "database_not_migrated"), (f"{empty}_missing", "database_refused")):
        with serving(url) as client:
            assert client.get("/readyz").json()["code"] == code


# --- turns of writers ---------------------------------------------------------------------------------------------


def test_a_command_waits_for_another_writer_and_says_so_and_a_request_gives_up(scratch: Database) -> None:
    url = scratch.url.render_as_string(hide_password=False)
    command, hasty = Database(url, statement_timeout_ms=0), Database(url, statement_timeout_ms=200)
    told: list[str] = []
    has_written = threading.Event()

    def tell(words: str) -> None:
        told.append(words)
        may_go_on.set()

    may_go_on = threading.Event()
    command.on_wait = tell

    def write() -> None:
        with command.write() as session:
            session.execute(text("UPDATE publications SET note = 'Changed.'"))
        has_written.set()

    thread = threading.Thread(target=write)
    with scratch.write():
        thread.start()
        assert code_of(hasty, "UPDATE publications SET note = ''") == "database_locked"
        assert may_go_on.wait(20)
        assert not has_written.is_set()
    thread.join(20)
    assert has_written.is_set()
    assert told == ["Waiting for another writer to finish."]
    for database in (command, hasty):
        database.dispose()
