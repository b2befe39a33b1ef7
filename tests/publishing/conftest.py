import pytest

from app.storage.database import Database
from tests.factories import fill, small_data_set


@pytest.fixture
def small(blank: Database) -> Database:
    """A database with the small world of tests/factories.py in it."""
    fill(blank, small_data_set())
    return blank
