"""Short transactions beside a publication: used tokens and counts of feedback."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Account
from app.storage.database import Database
from app.storage.faults import DatabaseUnavailable
from app.storage.replay import FeedbackCount, ReplayGuard, count_feedback, use_once

ISSUER = "https://ehr.example.org"
NEVER = "2999-01-01T00:00:00Z"


def use(database: Database, token: str, until: str = NEVER) -> None:
    with database.write(in_turn=False) as session:
        use_once(session, ISSUER, token, until)


def test_a_publication_that_goes_on_delays_nobody(small: Database) -> None:
    """SQLite has one writer: there it is told within its limit that the database is locked."""
    with small.write() as session:
        session.execute(update(Account).values(name=Account.name))
        started_at = time.monotonic()
        if small.is_sqlite:
            as_served = Database(small.url.render_as_string(hide_password=False))  # a test's own waits for longer
            with pytest.raises(DatabaseUnavailable):
                use(as_served, "a")
            as_served.dispose()
        else:
            use(small, "a")
            with small.write(in_turn=False) as other:
                count_feedback(other, "service", "accepted", "")
        assert time.monotonic() - started_at < 4
        session.rollback()

    use(small, "b")


def test_a_token_is_used_once(small: Database) -> None:
    use(small, "a")
    with pytest.raises(IntegrityError):
        use(small, "a")


def test_expired_tokens_are_deleted_and_nobody_waits_for_it(small: Database) -> None:
    use(small, "old", "2020-01-01T00:00:00Z")
    if small.is_sqlite:  # which has one writer
        use(small, "one")
    else:
        with small.write(in_turn=False) as session:
            use_once(session, ISSUER, "one", NEVER)
            use(small, "two")

    with small.read() as session:
        tokens = set(session.scalars(select(ReplayGuard.token_id)))
    assert tokens == ({"one"} if small.is_sqlite else {"one", "two"})


def test_no_count_is_lost(small: Database) -> None:
    def count(_: int) -> None:
        with small.write(in_turn=False) as session:
            count_feedback(session, "service", "accepted", "")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(20)))

    with small.read() as session:
        assert session.scalar(select(FeedbackCount.count)) == 20
