"""How new an answer is where reads go to a replica: never older than asked for, and never passed off as newer."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from app.http import freshness, reads
from app.main import create_app, in_context
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import Engine, opened
from tests.factories import amended, content, put

PATH = "/v1/outcomes/pain"


@dataclass(frozen=True)
class Pair:
    """A primary, a replica that follows when it is told to, and the whole service over both."""

    primary: Database
    replica: Database
    client: TestClient

    def ask(self, least: int | None = None) -> tuple[int, int, str]:
        """Status, serial and words of the answer."""
        answer = self.client.get(PATH, headers={} if least is None else {"Min-Dataset-Serial": str(least)})
        return answer.status_code, int(answer.headers["dataset-serial"]), answer.json().get("description", "")


@pytest.fixture
def pair(engine: Engine, scratch: Database, request: pytest.FixtureRequest) -> Iterator[Pair]:
    copy = engine.copy(f"r{abs(hash(request.node.nodeid)):x}")
    given = Settings(database_url=scratch.url.render_as_string(hide_password=False), database_read_url=copy)
    app = create_app(given)
    with opened(copy) as replica, TestClient(in_context(app, given), headers={}) as client:
        yield Pair(scratch, replica, client)


def edit(database: Database, words: str) -> int:
    serial = put(database, amended(content(database, "outcome", "pain"), description=words)).serial
    assert serial is not None
    return serial


def test_a_replica_that_lags_names_what_it_shows_and_is_never_kept_as_newer(pair: Pair) -> None:
    _, before, old = pair.ask()
    after = edit(pair.primary, "New.")
    for _ in range(3):
        assert pair.ask() == (200, before, old)
        assert pair.ask(before) == (200, before, old)
    assert edit(pair.replica, "New.") == after
    until = time.monotonic() + 20
    while pair.ask() != (200, after, "New.") and time.monotonic() < until:
        time.sleep(0.01)
    assert pair.ask() == (200, after, "New.")


def test_the_primary_answers_for_a_replica_that_stays_behind(pair: Pair) -> None:
    _, before, old = pair.ask()
    after = edit(pair.primary, "New.")
    assert pair.ask(after) == (200, after, "New.")
    assert pair.ask() == (200, before, old)


def test_a_replica_that_arrives_in_time_answers_itself(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "WAIT_SECONDS", 60)
    after = edit(pair.primary, "From the primary.")
    following = threading.Timer(0.2, edit, (pair.replica, "From the replica."))
    following.start()
    answer = pair.ask(after)
    following.join()
    assert answer == (200, after, "From the replica.")


def test_a_serial_that_nobody_has_is_503(pair: Pair) -> None:
    _, newest, _ = pair.ask()
    answer = pair.client.get(PATH, headers={"Min-Dataset-Serial": str(newest + 1)})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert pair.ask(newest)[0] == 200


def test_a_search_and_a_list_are_as_new_as_asked_for(pair: Pair) -> None:
    after = edit(pair.primary, "Xylophones.")
    for path, found in (("/v1/search?q=xylophones", 1), ("/v1/outcomes?outcome=pain", 1)):
        answer = pair.client.get(path, headers={"Min-Dataset-Serial": str(after)})
        assert (answer.status_code, int(answer.headers["dataset-serial"])) == (200, after)
        assert len(answer.json()["items"]) == found


@pytest.mark.parametrize("engine", [pytest.param(("sqlite", False))], indirect=True)
def test_a_request_received_after_a_publication_sees_it(scratch: Database) -> None:
    """The file is asked once for requests that came together, and again for whoever comes later."""
    watcher = freshness.of(scratch, None)

    async def ask() -> int:
        serial = watcher.state().serial
        assert serial is not None
        return serial

    async def requests() -> list[int]:
        first, together = asyncio.create_task(ask()), asyncio.create_task(ask())
        found = [await first, await together]
        edit(scratch, "New.")
        return [*found, await asyncio.create_task(ask())]

    before = watcher.state().serial
    assert before is not None
    assert asyncio.run(requests()) == [before, before, before + 1]
    assert edit(scratch, "Newer.") == before + 2
    assert watcher.state().serial == before + 2  # outside of an event loop
    assert asyncio.run(ask()) == before + 2
    watcher.close()
