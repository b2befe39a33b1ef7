"""The most expensive requests of every route, of the shipped data set: they are long ones."""

from collections.abc import Iterator

import pytest

from tests.conftest import Engines
from tests.contract.test_expensive_requests import HOT, Service, check_bounds, listened_to


@pytest.fixture(scope="module")
def service(engines: Engines) -> Iterator[Service]:
    with listened_to(engines("sqlite", "shipped").original) as service:
        yield service


def test_what_is_hot_in_the_shipped_data_is_bounded(service: Service) -> None:
    check_bounds(service, [asked for asked in service.requests if asked.path.startswith(HOT)])


def test_every_expensive_request_is_bounded(service: Service) -> None:
    check_bounds(service, service.requests)
