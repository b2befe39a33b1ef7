from collections.abc import Iterator

import pytest

from app.storage.database import Database
from tests.cluster.cluster import Cluster, running_cluster
from tests.conftest import opened
from tests.factories import fill, small_data_set


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of the module's own, with the small world in it."""
    with running_cluster() as cluster, opened(cluster.pooler.url("evidence")) as database:
        fill(database, small_data_set())
        yield cluster


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database]:
    """The primary, through the pooler."""
    with opened(cluster.pooler.url("evidence")) as database:
        yield database
