"""The shorter way to items and lists answers as the application does."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.core.errors import NotFound
from app.http.shortcut import RouteShortcut
from app.main import create_app
from app.settings import Settings
from tests.conftest import Engine

ADDRESSES = [
    "/v1/claims?limit=3",
    "/v1/claims?condition=murmuria&facets=true&limit=2",
    "/v1/claims?condition=murmuria&limit=2&limit=1",
    "/v1/claims?nosuch=1",
    "/v1/claims?limit=0",
    "/v1/claims?condition=nosuch",
    "/v1/claims?cursor=nosuch",
    "/v1/claims/ldz-murmuria-pain",
    "/v1/claims/ldz-murmuria-pain?serial=1",
    "/v1/claims/ldz-murmuria-pain?serial=99",
    "/v1/claims/ldz-murmuria-pain?nosuch=1",
    "/v1/claims/nosuch",
    "/v1/claims/Not%20an%20id",
    "/v1/claims/",
    "/v1/claims//",
    "/v1/claims/ldz-murmuria-pain/citations",
    "/v1/claims/ldz-murmuria-pain/",
    "/v1/claims/compare",
    "/v1/conditions",
    "/v1/studies/final",
    "/v1/documents/alder-2013?format=ris",
    "/v1/search?q=pain",
    "/v1/meta",
    "/v1/nosuch",
]


@pytest.fixture(scope="module")
def app(engine: Engine) -> Iterator[FastAPI]:
    app = create_app(Settings(database_url=engine.original))
    yield app
    app.state.reads.close()


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_answer_is_that_of_the_application(app: FastAPI, address: str) -> None:
    direct = TestClient(app).get(address)
    short = TestClient(RouteShortcut(app)).get(address)

    assert (short.status_code, short.headers, short.content) == (direct.status_code, direct.headers, direct.content)


def test_it_serves_items_and_lists_without_the_router(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: Any) -> None:
        raise AssertionError("the application was asked")

    monkeypatch.setattr(app.router, "middleware_stack", unreachable)
    client = TestClient(RouteShortcut(app))

    for path in ("/v1/claims", "/v1/claims/ldz-murmuria-pain", "/v1/studies"):
        assert client.get(path).status_code == 200
    with pytest.raises(AssertionError, match="was asked"):
        client.get("/v1/claims?nosuch=1")


def test_an_error_without_a_handler_reaches_whoever_answers_500(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one with a handler is answered once: the endpoint is not run again by the application."""
    calls = []

    def fail(error: Exception) -> Any:
        async def endpoint(*_: Any, **__: Any) -> Any:
            calls.append(error)
            raise error

        return endpoint

    shortcut = RouteShortcut(app)
    target = shortcut._targets["/v1/claims"]
    monkeypatch.setitem(shortcut._targets, "/v1/claims", target._replace(endpoint=fail(RuntimeError("no"))))
    with pytest.raises(RuntimeError, match="no"):
        TestClient(shortcut).get("/v1/claims")
    monkeypatch.setitem(shortcut._targets, "/v1/claims", target._replace(endpoint=fail(NotFound("None here."))))

    assert TestClient(shortcut).get("/v1/claims").status_code == 404
    assert len(calls) == 2
