"""A caller of the services of the shipped data set."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import cds_client
from tests.conftest import Engine
from tests.content.cds_hooks.support import SERVICES


@pytest.fixture(scope="session")
def clinic(engine: Engine) -> Iterator[TestClient]:
    """A record system on this machine, with every service of orders and charts switched on."""
    with cds_client(engine.original, SERVICES) as caller:
        yield caller
