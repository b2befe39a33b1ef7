"""The faces on a small application of their own, so that a public address can be given."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import fhir
from app.fhir.validation import pages
from app.http import problems
from app.http.bodies import FORM, BodyBounds
from app.http.database_limiter import DatabaseLimiter
from app.http.middleware import RequestContext
from app.http.reads import Reads
from app.http.server import Timeouts, listen
from app.infobutton import routes as infobutton
from app.storage.database import Database
from tests.conftest import Engine, Engines, opened
from tests.serving import served

BASE = "https://kb.example.org"

Json = dict[str, Any]


def application(database: Database, base: str) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.reads = Reads(database, DatabaseLimiter(10), 10)
    problems.install(app)
    fhir.install(app, base)
    app.include_router(infobutton.router(base))
    return app


def guard(app: FastAPI) -> RequestContext:
    bounds = BodyBounds(1000, media_types=(FORM,))
    return RequestContext(app, max_body_bytes=bounds, deadline_seconds=30, error_renderers=fhir.ERROR_RENDERERS)


@contextmanager
def fhir_client(database: Database, base: str = BASE) -> Iterator[TestClient]:
    with TestClient(guard(application(database, base)), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def facade(engine: Engine) -> Iterator[TestClient]:
    """Reads the seeded original of each engine."""
    with opened(engine.original) as database, fhir_client(database) as client:
        yield client


@pytest.fixture
def scratch_facade(scratch: Database) -> Iterator[TestClient]:
    with fhir_client(scratch) as client:
        yield client


@pytest.fixture(scope="session")
def seeded(engines: Engines) -> Iterator[Database]:
    with opened(engines("sqlite").original) as database:
        yield database


@pytest.fixture(scope="session")
def resources(seeded: Database) -> dict[str, list[Json]]:
    """Every resource of the data set by type."""
    found: dict[str, list[Json]] = {}
    with seeded.read() as session:
        for name, bodies in pages(session, BASE):
            found.setdefault(name, []).extend(json.loads(body) for body in bodies)
    return found


@cache
def model(name: str) -> Any:
    """The class of HL7's definition; loading it takes a second or two."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fhir.resources import get_fhir_model_class

        return get_fhir_model_class(name)


@pytest.fixture(scope="session")
def url(seeded: Database) -> Iterator[str]:
    """Address of the facade on a running server."""
    listener = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(guard(application(seeded, base)), Timeouts(receive=5, shutdown=2), listener):
        yield f"{base}/fhir/r5"
