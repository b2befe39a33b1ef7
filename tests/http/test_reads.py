"""Reads expect the state of the data set that was seen last: one exchange less, and never an old answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.storage.database import Database
from app.storage.read_view import DatasetChanged
from tests.conftest import serving
from tests.factories import put, record

LIST = "/v1/claims?kind=efficacy&limit=5"


@pytest.fixture
def counted(engine: object, small: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, list[str]]]:
    """A server without response cache, and a note for each exchange of its connections with PostgreSQL."""
    from app.storage.postgres import BoundedConnection

    exchanges: list[str] = []
    wait = BoundedConnection.wait

    def noted(connection: BoundedConnection, *args: Any, **options: Any) -> Any:
        exchanges.append("one")
        return wait(connection, *args, **options)

    with serving(small.url.render_as_string(hide_password=False)) as client:
        client.get(LIST)
        monkeypatch.setattr(BoundedConnection, "wait", noted)
        yield client, exchanges


@pytest.mark.parametrize("engine", [pytest.param(("postgresql", False), marks=pytest.mark.postgres)], indirect=True)
def test_a_list_takes_one_exchange_beside_the_end_of_its_transaction(counted: tuple[TestClient, list[str]]) -> None:
    client, exchanges = counted

    assert client.get(LIST).status_code == 200

    assert len(exchanges) == 2


def test_what_was_published_meanwhile_is_read_next(small: Database) -> None:
    with serving(small.url.render_as_string(hide_password=False)) as client:
        before = client.get(LIST)
        put(small, record("claim", "another", intervention="drug"))

        after = client.get(LIST, headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert after.json()["total"] == before.json()["total"] + 1
    assert int(after.headers["dataset-serial"]) == int(before.headers["dataset-serial"]) + 1


def test_an_unchanged_list_is_still_asked_for(small: Database) -> None:
    with serving(small.url.render_as_string(hide_password=False)) as client:
        tag = client.get(LIST).headers["etag"]

        answer = client.get(LIST, headers={"If-None-Match": tag})

    assert answer.status_code == 304
    assert answer.headers["dataset-serial"]


@pytest.mark.parametrize("engine", [pytest.param(("postgresql", False), marks=pytest.mark.postgres)], indirect=True)
def test_a_view_of_another_state_than_expected_says_so_only_if_that_was_used(small: Database) -> None:
    with small.view() as view:
        expected = view.state
    put(small, record("condition", "another"))

    with small.view(expected=expected) as view:
        assert view.serial == expected.serial + 1
        assert view.state.serial == view.serial
    with small.view(expected=expected) as view:
        assert view.state == expected
        with pytest.raises(DatasetChanged):
            view.rows("SELECT 1")
