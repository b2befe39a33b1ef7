"""`/readyz` says no where an acknowledged write might not survive."""

from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import opened, serving
from tests.factories import fill, small_data_set
from tests.postgres import create_database, free_port, libpq_url, own_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def lax() -> Iterator[str]:
    """The small world on a server that was started without fsync."""
    with own_postgres(fsync="off") as server:
        url = create_database(server.url, "lax")
        with opened(url) as database:
            fill(database, small_data_set())
        yield url


def test_settings_that_are_off_are_named_and_nothing_else(lax: str) -> None:
    assert refusal(lax) == "The database may lose what it acknowledges. Switch on: fsync"
    with psycopg.connect(libpq_url(lax), autocommit=True) as connection:
        connection.execute("ALTER DATABASE lax SET synchronous_commit = off")
    assert refusal(lax) == "The database may lose what it acknowledges. Switch on: fsync, synchronous_commit"


def refusal(url: str) -> str:
    with serving(url) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.get("/v1/outcomes/pain").status_code == client.get("/healthz").status_code == 200
    detail: str = answer.json()["detail"]
    return detail


def test_a_process_that_reads_elsewhere_asks_the_primary(lax: str, postgres: str) -> None:
    durable = create_database(postgres, "durable")
    with opened(durable) as database:
        fill(database, small_data_set())
    for primary, status in ((lax, 503), (durable, 200)):
        assert ready(primary, durable) == status
    assert ready(durable, lax) == 200


def test_reads_from_a_replica_go_on_while_the_primary_is_away(lax: str) -> None:
    assert ready(f"postgresql://postgres@127.0.0.1:{free_port()}/away", lax) == 200


def ready(primary: str, replica: str) -> int:
    given = Settings(database_url=primary, database_read_url=replica)
    app = create_app(given)
    with TestClient(in_context(app, given, with_cache=False)) as client:
        return client.get("/readyz").status_code
