"""The scaling laws, without a clock: the steps that SQLite takes for an answer do not grow with the data."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from app.main import create_app, in_context
from app.publishing import indexes as projections
from app.settings import Settings
from app.storage.database import Database
from benchmarks.synthetic.fill import synth

SMALL, LARGE = 200, 2_000
GRAIN = 50
"""Steps between two counts."""


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Database]]:
    made = {}
    for claims in (SMALL, LARGE):
        database = Database(f"sqlite:///{tmp_path_factory.mktemp('scale') / 'made.db'}")
        projections.migrate(database)
        synth(database, claims, 1, processes=1)
        made[claims] = database
    yield made
    for database in made.values():
        database.dispose()


def steps(database: Database, path: str, query: str) -> int:
    """How many times `GRAIN` steps of SQLite's machine an answer takes, asked for the second time."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    def watch(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_progress_handler(count, GRAIN)

    given = Settings(database_url=database.url.render_as_string(), cache_bytes=0)
    app = create_app(given)
    event.listen(app.state.reads.database.engine.pool, "connect", watch)
    with TestClient(in_context(app, given)) as client:
        assert client.get(f"{path}?{query}").status_code == 200
        counted = 0
        assert client.get(f"{path}?{query}").status_code == 200
    return counted


PLACES: dict[str, Callable[[str], tuple[str, str]]] = {
    "one claim": lambda _condition: ("/v1/claims/synthetic-claim-0000007", ""),
    "claims of a kind": lambda _condition: ("/v1/claims", "kind=efficacy&limit=20"),
    "claims of a condition and a kind": lambda condition: ("/v1/claims", f"condition={condition}&kind=efficacy"),
    "claims backwards": lambda _condition: ("/v1/claims", "limit=20&sort=-id"),
    "studies": lambda _condition: ("/v1/studies", "limit=20"),
}


@pytest.mark.parametrize("what", PLACES)
def test_an_answer_takes_no_more_steps_from_ten_times_the_data(databases: dict[int, Database], what: str) -> None:
    taken = {claims: steps(database, *PLACES[what](most_frequent(database))) for claims, database in databases.items()}
    # A page of 20 from a few hundred records may be read and sorted instead of walked: both are a few hundred steps.
    assert taken[LARGE] <= 1.5 * taken[SMALL] + 20, taken


def most_frequent(database: Database) -> str:
    with sqlite3.connect(Path(str(database.url.database))) as connection:
        (name,) = connection.execute(
            "SELECT k.id FROM claim_concepts c JOIN concepts k ON k.pk = c.concept_pk WHERE c.role = 'condition' "
            "GROUP BY k.id ORDER BY count(*) DESC, k.id LIMIT 1"
        ).fetchone()
    return str(name)


def test_steps_are_counted(databases: dict[int, Database]) -> None:
    """The control: what reads every row takes more steps from more data."""
    taken = []
    for database in databases.values():
        count = 0

        def counting() -> int:
            nonlocal count
            count += 1
            return 0

        with sqlite3.connect(Path(str(database.url.database))) as connection:
            connection.set_progress_handler(counting, GRAIN)
            connection.execute("SELECT count(*) FROM claims WHERE caveat = 'none'").fetchone()
        taken.append(count)
    assert taken[1] > 4 * taken[0] > 0
