"""Callers of the face."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import cds_client
from tests.conftest import Engine


@pytest.fixture(scope="session")
def clinic(engine: Engine) -> Iterator[TestClient]:
    """A record system on this machine, with every service switched on; shared, so nothing may be written through it."""
    with cds_client(engine.original) as caller:
        yield caller
