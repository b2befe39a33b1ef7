"""The most expensive request of every route stays within bounds that do not depend on the machine.

CPU time and memory are printed by `python -m benchmarks.expensive`.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from app.briefs import builder
from app.main import create_app, in_context
from app.settings import Settings
from benchmarks.expensive_requests import ExpensiveRequest, expensive_requests
from tests.conftest import Engines

MAX_BYTES = 1_150_000
"""Of an answer with a limit of 20 at most."""
MAX_STATEMENTS = 60
"""SQL statements for one answer, whatever its size."""
MAX_STATEMENTS_OF_SEARCH = 200
"""A search looks up every word in several ways; the first facets read every value of a filter once for each serial."""
MAX_STATEMENTS_OF_A_SENTENCE = 20
"""Of each that is verified: claims near it are searched for."""
HOT = ("/v1/briefs/", "/v1/coverage", "/v1/claims/", "/fhir/r5/MedicationKnowledge?_count=20")
"""Asked by `make test`; the others by `make test-all`."""
BRIEF = "/v1/briefs/low-dose-zelvane/murmuria"


@dataclass
class Service:
    client: TestClient
    requests: list[ExpensiveRequest]
    routes: set[str]
    statements: list[str] = field(default_factory=list)
    """Sent to the database."""


@pytest.fixture(scope="module")
def service(engines: Engines) -> Iterator[Service]:
    with listened_to(engines("sqlite").original) as service:
        yield service


@contextmanager
def listened_to(url: str) -> Iterator[Service]:
    given = Settings(database_url=url)
    app = create_app(given)
    database = app.state.reads.database
    with database.view() as view:
        requests = expensive_requests(app, view)
    database.dispose()  # connections from here on are listened to
    with TestClient(
        in_context(app, given), base_url="http://127.0.0.1:8000", headers={}, client=("127.0.0.1", 50_000)
    ) as client:
        routes = {path for path, operations in app.openapi()["paths"].items() if "get" in operations}
        service = Service(client, requests, routes)

        def noted(statement: str) -> None:
            if not statement.startswith("--"):  # what the full-text index asks its own tables
                service.statements.append(statement)

        @event.listens_for(database.engine, "connect")
        def listen(connection: sqlite3.Connection, _record: Any) -> None:
            connection.set_trace_callback(noted)

        yield service


def test_every_route_has_an_expensive_request(service: Service) -> None:
    assert service.routes - {asked.route for asked in service.requests} == set()


def test_what_is_hot_is_bounded(service: Service) -> None:
    check_bounds(service, [asked for asked in service.requests if asked.path.startswith(HOT)])


def check_bounds(service: Service, requests: list[ExpensiveRequest]) -> None:
    assert requests
    refused, too_long, too_many = {}, {}, {}
    for asked in requests:
        service.statements.clear()
        method = "GET" if asked.body is None else "POST"
        answer = service.client.request(method, asked.path, json=asked.body)
        if answer.status_code != 200:
            refused[asked.path] = answer.status_code
        if asked.is_bounded and len(answer.content) > MAX_BYTES:
            too_long[asked.path] = len(answer.content)
        if len(service.statements) > _most_statements(asked):
            too_many[asked.path] = len(service.statements)
    assert (refused, too_long, too_many) == ({}, {}, {})


def _most_statements(asked: ExpensiveRequest) -> int:
    if asked.path == "/v1/verify":
        assert asked.body is not None
        return MAX_STATEMENTS_OF_A_SENTENCE * len(asked.body["items"])
    is_search = "facets=" in asked.path or "q=" in asked.path or asked.path == "/v1/search"
    return MAX_STATEMENTS_OF_SEARCH if is_search else MAX_STATEMENTS


def test_a_brief_is_built_once_however_many_ask_in_whatever_coding(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Settings(database_url=engines("sqlite").original, cors_origins=["*"])
    context, built = in_context(create_app(given), given), []

    def counted(*args: Any) -> Any:
        built.append(args)
        return build(*args)

    build = builder.build
    monkeypatch.setattr(builder, "build", counted)

    async def ask(headers: dict[str, str]) -> int:
        sent = [(b"host", b"test"), *((name.encode(), value.encode()) for name, value in headers.items())]
        scope = {
            "type": "http", "method": "GET", "scheme": "http", "path": BRIEF, "raw_path": BRIEF.encode(),
            "query_string": b"format=json", "root_path": "", "headers": sent,
        }  # fmt: skip
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        await context(scope, receive, send)
        return statuses[0]

    async def ask_all() -> list[int]:
        codings = ["identity", "gzip", "br", "zstd", "gzip, br"]
        origins = [{}, {"origin": "https://clinic.example"}]
        return await asyncio.gather(*(ask({"accept-encoding": c, **o}) for c in codings for o in origins))

    assert asyncio.run(ask_all()) == [200] * 10
    assert len(built) == 1
    context.close()
