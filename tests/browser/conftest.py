"""One browser and one server for all browser tests; a table of what was seen at the end."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.live import live_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Collecting a module imports it, even where its marker is left out: `make test` does without Playwright.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# The sandbox needs privileges that containers lack; the rest keeps Chromium from calling home by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SEEN = pytest.StashKey[dict[str, dict[str, str]]]()


@pytest.fixture(scope="session")
def url(seed_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the neutral data set."""
    with live_server(tmp_path_factory.mktemp("server"), SEED_DIR=str(seed_files)) as url:
        yield url


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    """Ends with its folder: of one process no two may run at once."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # the vendored readers take long to draw where the machine is busy
    assert CHROMIUM, "Chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def seen(pytestconfig: pytest.Config) -> dict[str, dict[str, str]]:
    """What the tests saw of each page, by its address and the name of the figure; printed at the end."""
    return pytestconfig.stash.setdefault(SEEN, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seen = config.stash.get(SEEN, {})
    if not seen:
        return
    names = list(dict.fromkeys(name for figures in seen.values() for name in figures))
    terminalreporter.section("pages")
    width = max(map(len, seen))
    terminalreporter.line(f"{'page':{width}}  {'  '.join(names)}")
    for address, figures in seen.items():
        cells = "  ".join(f"{figures.get(name, ''):>{len(name)}}" for name in names)
        terminalreporter.line(f"{address:{width}}  {cells}")
