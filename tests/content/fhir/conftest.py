"""FHIR and the Infobutton over the shipped data set, under the address that the documentation names."""

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.fhir.validation import pages
from app.storage.database import Database
from tests.conftest import Engine, Engines, opened
from tests.fhir.conftest import Json, fhir_client

BASE = "https://ldn.example.org"


@pytest.fixture(scope="session")
def facade(engine: Engine) -> Iterator[TestClient]:
    with opened(engine.original) as database, fhir_client(database, BASE) as client:
        yield client


@pytest.fixture(scope="session")
def shipped(engines: Engines) -> Iterator[Database]:
    with opened(engines("sqlite", "shipped").original) as database:
        yield database


@pytest.fixture(scope="session")
def resources(shipped: Database) -> dict[str, list[Json]]:
    """Every resource of the data set by type."""
    found: dict[str, list[Json]] = {}
    with shipped.read() as session:
        for name, bodies in pages(session, BASE):
            found.setdefault(name, []).extend(json.loads(body) for body in bodies)
    return found
