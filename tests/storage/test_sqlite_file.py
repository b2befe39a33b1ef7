"""A file of SQLite that is removed or replaced under the server: 503, nothing acknowledged, and the new file served."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.http import freshness
from app.main import create_app, in_context
from app.settings import Settings
from app.storage.database import Database
from app.storage.faults import DatabaseUnavailable
from app.storage.history import current_serial
from app.storage.sqlite_file import LOOK_SECONDS, known_wal_fault
from tests.conftest import Engines, opened
from tests.factories import amended, content, put
from tests.http.test_two_processes import FEEDBACK

PATH = "/v1/outcomes/pain"
QUERY = "/v1/outcomes?outcome=pain"
SECONDS = 1.5
"""Within which answers follow what happens to the file."""


@pytest.fixture
def file(engines: Engines, request: pytest.FixtureRequest) -> Path:
    name = f"f{abs(hash(request.node.nodeid)):x}"
    return Path(engines("sqlite").copy(name).removeprefix("sqlite:///"))


@pytest.fixture
def client(file: Path) -> Iterator[TestClient]:
    """The whole service over the file, with its memory of answers."""
    given = Settings(database_url=f"sqlite:///{file}")
    with TestClient(
        in_context(create_app(given), given), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)
    ) as client:
        assert client.get(PATH).status_code == client.get(PATH).status_code == 200  # the second one from memory
        yield client


def becomes(client: TestClient, path: str, status: int, code: str | None = None) -> float:
    """Wait for the status; the seconds that it took."""
    began = time.monotonic()
    while time.monotonic() < began + 20:
        answer = client.get(path)
        if answer.status_code == status and (code is None or answer.json()["code"] == code):
            return time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError(f"{path}: {answer.status_code} {answer.text}")


def feedback(client: TestClient) -> int:
    address, body = FEEDBACK
    return client.post(address, content=body, headers={"Content-Type": "application/json"}).status_code


def counted(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT coalesce(sum(count), 0) FROM feedback_counts").fetchone()[0])


def publish(file: Path, words: str) -> int:
    with opened(f"sqlite:///{file}") as database:
        serial = put(database, amended(content(database, "outcome", "pain"), description=words)).serial
    assert serial is not None
    return serial


def test_without_its_file_the_service_is_not_ready_and_acknowledges_nothing(client: TestClient, file: Path) -> None:
    away = file.with_suffix(".away")
    file.rename(away)
    assert becomes(client, "/readyz", 503, "database_missing") < SECONDS
    assert becomes(client, PATH, 503, "database_missing") < SECONDS
    assert client.get("/fhir/r5/Evidence").status_code == 503
    assert feedback(client) == 503
    assert not file.exists()
    away.rename(file)
    assert becomes(client, "/readyz", 200) < SECONDS
    assert feedback(client) == 200
    assert counted(file) == 1


def test_a_file_in_the_place_of_another_is_served_and_neither_is_harmed(
    client: TestClient, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of the former file still holds what was written last, and keeps its name."""
    monkeypatch.setattr(freshness, "REST_SECONDS", 0.0)
    other, former = file.with_suffix(".other"), file.with_suffix(".former")
    shutil.copyfile(file, other)
    assert publish(file, "The first.") == publish(other, "The second.")
    assert feedback(client) == 200
    assert client.get(QUERY).json()["items"][0]["description"] == "The first."
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0
    file.rename(former)
    other.rename(file)
    began = time.monotonic()
    while client.get(QUERY).json().get("items", [{}])[0].get("description") != "The second.":
        assert time.monotonic() < began + 20
        time.sleep(0.02)
    assert client.get(PATH).json()["description"] == "The second."
    assert feedback(client) == 200
    assert (counted(file), counted(former)) == (1, 1)


def test_a_write_whose_file_is_removed_meanwhile_is_not_acknowledged(file: Path) -> None:
    away = file.with_suffix(".away")

    def write(database: Database) -> None:
        with database.write() as session:
            session.connection().exec_driver_sql("UPDATE publications SET note = 'Changed.'")
            file.rename(away)

    with opened(f"sqlite:///{file}") as database:
        with pytest.raises(DatabaseUnavailable) as refused:
            write(database)
        assert refused.value.code == "database_missing"
    with closing(sqlite3.connect(away)) as connection:
        assert connection.execute("SELECT count(*) FROM publications WHERE note = 'Changed.'").fetchone() == (0,)


@pytest.mark.parametrize("made_anew", [False, True])
def test_nothing_acknowledged_is_lost_with_a_removed_log(client: TestClient, file: Path, made_anew: bool) -> None:
    log = file.with_name(f"{file.name}-wal")
    assert feedback(client) == 200
    assert log.stat().st_size > 0
    log.unlink()
    if made_anew:
        log.touch()
    assert feedback(client) == 503
    assert becomes(client, "/readyz", 200) < SECONDS
    assert [feedback(client), feedback(client)] == [200, 200]
    survivor = file.with_name("survivor.db")  # what a crash would leave
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{file}{suffix}", f"{survivor}{suffix}")
    assert counted(survivor) == 3


def test_a_write_whose_log_is_removed_meanwhile_is_not_acknowledged(file: Path) -> None:
    def write(database: Database) -> None:
        with database.write() as session:
            session.connection().exec_driver_sql("UPDATE publications SET note = 'Changed.'")
            file.with_name(f"{file.name}-wal").unlink()

    with opened(f"sqlite:///{file}") as database:
        with pytest.raises(DatabaseUnavailable) as refused:
            write(database)
        assert refused.value.code == "database_log_missing"


def test_a_write_of_a_former_connection_is_not_acknowledged(file: Path) -> None:
    """Another thread saw the loss first, and opened connections anew before this one began."""
    log = file.with_name(f"{file.name}-wal")

    def write(database: Database) -> None:
        with database.write() as session:
            log.unlink()
            time.sleep(LOOK_SECONDS)
            with database.read() as other:
                current_serial(other)
            assert log.exists()
            session.connection().exec_driver_sql("UPDATE publications SET note = 'Changed.'")

    with opened(f"sqlite:///{file}") as database:
        with database.read() as one, database.read() as two:
            assert current_serial(one) == current_serial(two)
        with pytest.raises(DatabaseUnavailable) as refused:
            write(database)
        assert refused.value.code == "database_replaced"


def test_the_log_may_come_and_go_while_no_connection_is_open(file: Path) -> None:
    log = file.with_name(f"{file.name}-wal")
    with opened(f"sqlite:///{file}") as database:
        for _ in range(2):
            with database.write() as session:
                session.connection().exec_driver_sql("UPDATE publications SET note = 'Changed.'")
            with closing(sqlite3.connect(file)) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            assert log.exists()
            database.engine.dispose()
            assert not log.exists()
        assert database.file is not None
        assert database.file.generation == 0


@pytest.mark.parametrize("bytes_left", [0, 1_000_000])
def test_a_file_that_is_cut_off_is_not_written_to_until_another_takes_its_place(
    client: TestClient, file: Path, bytes_left: int
) -> None:
    other = file.with_suffix(".other")
    shutil.copyfile(file, other)
    assert feedback(client) == 200
    os.truncate(file, bytes_left)
    assert feedback(client) == 503
    assert becomes(client, "/readyz", 503, "database_corrupt") < SECONDS
    other.rename(file)
    assert becomes(client, "/readyz", 200) < SECONDS
    assert feedback(client) == 200
    assert counted(file) == 1


def test_a_file_may_become_shorter_by_vacuum(client: TestClient, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE much (x BLOB)")
        other.execute("INSERT INTO much VALUES (zeroblob(3000000))")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = file.stat().st_size
        assert feedback(client) == 200
        other.execute("DROP TABLE much")
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert file.stat().st_size < before - 2_000_000
    assert feedback(client) == 200
    assert becomes(client, "/readyz", 200) < SECONDS


def test_writers_take_turns_although_somebody_removes_their_lock(file: Path) -> None:
    lock = file.with_name(f"{file.name}.lock")
    with opened(f"sqlite:///{file}") as one, opened(f"sqlite:///{file}") as other:
        for database in (one, other):
            with database.write() as session:
                session.connection().exec_driver_sql("UPDATE publications SET note = 'Changed.'")
            lock.unlink()
        with one.exclusive():
            os.truncate(lock, 0)  # it is there again, and is the one that is locked
            other.wait_seconds = 0.05
            with pytest.raises(DatabaseUnavailable), other.exclusive():
                pass


@pytest.mark.parametrize(
    ("version", "is_at_fault"),
    [
        ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 45, 0), True), ((3, 50, 6), True),
        ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False), ((3, 53, 4), False),
    ],
)  # fmt: skip
def test_versions_of_sqlite_that_may_damage_a_database_are_known(
    version: tuple[int, int, int], is_at_fault: bool
) -> None:
    assert (known_wal_fault(version) is not None) == is_at_fault
