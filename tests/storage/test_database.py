"""Sessions: what they see, what bounds them, and to which server they go."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.storage.database import Database, UnusableUrl, lax_settings, usable
from app.storage.history import Publication, current_serial
from tests.conftest import Engine, Engines, opened
from tests.factories import amended, content, put


@pytest.fixture
def behind(engine: Engine, scratch: Database) -> Iterator[Database]:
    """`scratch` for writes, and for reads a replica that does not follow."""
    url = scratch.url.render_as_string(hide_password=False)
    database = Database(url, read_url=engine.original)
    yield database
    database.dispose()


@pytest.fixture(scope="module")
def postgresql(engines: Engines) -> Iterator[Database]:
    with opened(engines("postgresql").copy("sessions")) as database:
        yield database


def edit(database: Database) -> int:
    serial = put(database, amended(content(database, "outcome", "pain"), description="Edited.")).serial
    assert serial is not None
    return serial


def test_a_reader_sees_one_state_whatever_is_written_meanwhile(scratch: Database) -> None:
    with scratch.read() as session:
        before = current_serial(session)
        after = edit(scratch)
        assert current_serial(session) == before
    with scratch.read() as session:
        assert current_serial(session) == after == before + 1


def test_what_fails_before_its_end_leaves_nothing_behind(scratch: Database) -> None:
    def fail() -> None:
        with scratch.write() as session:
            session.execute(text("UPDATE publications SET note = 'Changed.'"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with scratch.read() as session:
        changed = select(func.count()).select_from(Publication).where(Publication.note == "Changed.")
        assert session.scalar(changed) == 0


def test_reads_go_to_the_replica_and_writes_to_the_primary(behind: Database) -> None:
    with behind.read() as session:
        before = current_serial(session)
    after = edit(behind)
    with behind.read() as session:
        assert current_serial(session) == before
    with behind.read(primary=True) as session:
        assert current_serial(session) == after


def test_a_replica_of_another_kind_is_refused(scratch: Database) -> None:
    other = "postgresql://u@h/d" if scratch.is_sqlite else "sqlite:///other.db"
    with pytest.raises(UnusableUrl):
        Database(scratch.url.render_as_string(hide_password=False), read_url=other)


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h1:1,h2:2/d", "postgresql://u:hunter2@h:port/d"])
def test_an_address_that_cannot_be_read_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UnusableUrl) as refused:
        usable(url)
    assert "hunter2" not in str(refused.value)


def test_a_database_keeps_what_it_acknowledges(scratch: Database) -> None:
    with scratch.read() as session:
        assert lax_settings(session) == []


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_statement_ends_at_its_limit_and_the_connection_serves_on(postgresql: Database) -> None:
    hasty = Database(postgresql.url.render_as_string(hide_password=False), pool_size=1, statement_timeout_ms=50)
    for _ in range(3):
        with pytest.raises(DBAPIError, match="statement timeout"), hasty.read() as session:
            session.execute(text("SELECT pg_sleep(60)"))
        with hasty.read() as session:
            assert session.scalar(text("SHOW statement_timeout")) == "50ms"
    hasty.dispose()


@pytest.mark.postgres
def test_nothing_is_left_on_a_connection_for_its_next_user(postgresql: Database) -> None:
    with postgresql.read() as session:
        session.execute(text("SELECT 1"))
    raw = postgresql.engine.raw_connection()
    assert raw.driver_connection is not None
    shown = [
        raw.driver_connection.execute(f"SHOW {name}").fetchone()[0] for name in ("statement_timeout", "lock_timeout")
    ]
    raw.close()
    assert shown == ["0", "0"]


@pytest.mark.postgres
def test_a_reader_cannot_write(postgresql: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), postgresql.read() as session:
        session.execute(text("UPDATE publications SET note = 'Changed.'"))


@pytest.mark.postgres
def test_connections_that_the_server_closed_are_replaced(postgresql: Database) -> None:
    with postgresql.read() as session:
        session.execute(text("SELECT 1"))
    other = Database(postgresql.url.render_as_string(hide_password=False))
    everybody_else = "datname = current_database() AND pid <> pg_backend_pid()"
    with other.write() as session:
        session.execute(text(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {everybody_else}"))  # noqa: S608
    other.dispose()
    with postgresql.read() as session:
        assert session.scalar(text("SELECT 1")) == 1
