"""The scaling laws, without a clock: the steps that SQLite takes for an answer do not grow with the data."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from app.main import create_app
from app.publishing import indexes as projections
from app.settings import Settings
from app.storage.database import Database
from benchmarks.synthetic.fill import fill

SMALL, LARGE = 200, 2_000
STEPS_PER_COUNT = 50


class StepCounter:
    """Counts, in units of `STEPS_PER_COUNT`, the steps that SQLite's machine takes over some connections."""

    def __init__(self) -> None:
        self.count = 0

    def watch(self, connection: sqlite3.Connection, _record: object = None) -> None:
        connection.set_progress_handler(self._increment, STEPS_PER_COUNT)

    def _increment(self) -> int:
        self.count += 1
        return 0


@dataclass(frozen=True)
class Server:
    """The application over a synthetic database, without memory for answers."""

    path: Path
    client: TestClient
    counter: StepCounter

    def steps(self, address: str) -> int:
        """What an answer takes when it is asked for the second time."""
        assert self.client.get(address).status_code == 200
        self.counter.count = 0
        assert self.client.get(address).status_code == 200
        return self.counter.count


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """A small one and a large one."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving(tmp_path_factory.mktemp("scale") / "synthetic.db", claims))
            for claims in (SMALL, LARGE)
        ]


@contextmanager
def serving(path: Path, claims: int) -> Iterator[Server]:
    app = create_app(Settings(database_url=f"sqlite:///{path}", cache_bytes=0))
    database: Database = app.state.reads.database
    projections.migrate(database)
    fill(database, claims, 1, processes=1)
    database.dispose()
    counter = StepCounter()
    event.listen(database.engine, "connect", counter.watch)
    with TestClient(app) as client:
        yield Server(path, client, counter)
    database.dispose()


def most_frequent_condition(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (name,) = connection.execute(
            "SELECT k.id FROM claim_concepts c JOIN concepts k ON k.pk = c.concept_pk WHERE c.role = 'condition' "
            "GROUP BY k.id ORDER BY count(*) DESC, k.id LIMIT 1"
        ).fetchone()
    return str(name)


@pytest.mark.parametrize(
    "address",
    [
        "/v1/claims/synthetic-claim-0000007",
        "/v1/claims?kind=efficacy&limit=20",
        "/v1/claims?condition={condition}&kind=efficacy",
        "/v1/claims?limit=20&sort=-id",
        "/v1/studies?limit=20",
    ],
)
def test_an_answer_takes_no_more_steps_from_ten_times_the_data(servers: list[Server], address: str) -> None:
    small, large = (server.steps(address.format(condition=most_frequent_condition(server.path))) for server in servers)
    # A page of 20 from a few hundred records may be read and sorted instead of walked: both are a few hundred steps.
    assert 0 < large <= 1.5 * small + 20


def test_reading_every_row_takes_more_steps_from_more_data(servers: list[Server]) -> None:
    """The control: growth is seen where there is growth."""
    counts = []
    for server in servers:
        counter = StepCounter()
        with closing(sqlite3.connect(server.path)) as connection:
            counter.watch(connection)
            connection.execute("SELECT count(*) FROM claims WHERE caveat = 'none'").fetchone()
        counts.append(counter.count)
    assert counts[1] > 4 * counts[0] > 0
