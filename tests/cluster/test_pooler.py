"""Behind a pooler in transaction mode, and on a standby that lags."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.storage.database import Database
from tests.cluster.cluster import Answer, Cluster
from tests.conftest import opened
from tests.factories import amended, content, put
from tests.serving import eventually

pytestmark = pytest.mark.cluster

PATH = "/v1/outcomes/pain"


def edit(database: Database, words: str) -> int:
    serial = put(database, amended(content(database, "outcome", "pain"), description=words)).serial
    assert serial is not None
    return serial


def test_no_statement_outlasts_its_limit_and_no_limit_outlasts_its_transaction(cluster: Cluster) -> None:
    hasty, patient = Database(cluster.pooler.url("evidence"), statement_timeout_ms=100), cluster.pooler.url("evidence")
    for _ in range(20):
        with pytest.raises(DBAPIError, match="statement timeout"), hasty.read() as session:
            session.execute(text("SELECT pg_sleep(60)"))
        with opened(patient) as other, other.read() as session:
            assert session.scalar(text("SHOW statement_timeout")) == "30s"
    hasty.dispose()
    with opened(patient) as other, other.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        connection.rollback()
        assert driver.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_every_process_is_ready_and_shows_an_edit_at_once_to_who_asks_for_it(
    cluster: Cluster, database: Database
) -> None:
    for number in range(20):
        serial = edit(database, f"Words {number}.")
        for api in cluster.apis:
            answer = api.get(PATH, serial)
            assert (answer.status, answer.body["description"]) == (200, f"Words {number}.")
            assert answer.serial >= serial
    for api in cluster.apis:
        assert api.get("/readyz").status == 200


def test_a_lagging_standby_names_what_it_shows_and_the_primary_steps_in(cluster: Cluster, database: Database) -> None:
    direct, through_standby = cluster.apis
    before = edit(database, "Before.")
    eventually("the standby shows it", lambda: through_standby.get(PATH).serial == before)
    cluster.ask(cluster.standby, "SELECT pg_wal_replay_pause()")
    paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
    eventually("replay stands still", lambda: bool(cluster.ask(cluster.standby, paused)))
    try:
        after = edit(database, "After.")
        eventually("the other process shows it", lambda: direct.get(PATH).serial == after)
        for _ in range(3):
            assert said(through_standby.get(PATH)) == (200, before, "Before.")
            assert said(through_standby.get(PATH, after)) == (200, after, "After.")
        assert through_standby.get(PATH, after + 1).status == 503
        assert through_standby.get("/readyz").status == 200
    finally:
        cluster.ask(cluster.standby, "SELECT pg_wal_replay_resume()")
    eventually("the standby catches up", lambda: said(through_standby.get(PATH)) == (200, after, "After."))


def said(answer: Answer) -> tuple[int, int, str]:
    return answer.status, answer.serial, answer.body["description"]
