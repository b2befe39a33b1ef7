"""The browser of the other tests, and a server of the data set."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import browser, collect_ignore_glob, seen
from tests.browser.live import live_server

__all__ = ["browser", "collect_ignore_glob", "seen"]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a seeded server."""
    with live_server(tmp_path_factory.mktemp("server")) as url:
        yield url
