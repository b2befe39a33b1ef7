"""The pages in a real browser: `/docs` draws the whole OpenAPI document, and nothing leaves the machine."""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

PAGES = ["/docs"]


class Visit:
    """One page with all that the browser asked for and complained about while it was open."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}{path}", wait_until="networkidle")
        return self.page

    def foreign_requests(self) -> list[str]:
        return [
            url
            for url in self.requested
            if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != urlsplit(self.url).netloc
        ]


@pytest.fixture
def visit(browser: Browser, url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visit]:
    """Holds for every test here: no request to another host, no complaint; and a screenshot is left to look at."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    visit = Visit(page, url)
    yield visit
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(character if character.isalnum() else "-" for character in request.node.name)
    page.screenshot(path=folder / f"{name}.png")
    page.close()
    assert (visit.foreign_requests(), visit.complaints) == ([], [])


@pytest.fixture(scope="module")
def operations(url: str) -> dict[tuple[str, str], str]:
    """The summary of every operation in the OpenAPI document, by method and path."""
    with urllib.request.urlopen(f"{url}/openapi.json") as response:  # noqa: S310 - our own server
        paths = json.load(response)["paths"]
    return {
        (method.upper(), path): operation["summary"]
        for path, item in paths.items()
        for method, operation in item.items()
        if method in ("get", "put", "post", "delete", "patch")
    }


def test_explorer_draws_every_operation(visit: Visit, operations: dict[tuple[str, str], str]) -> None:
    page = visit.open("/docs")

    expect(page.locator(".opblock")).to_have_count(len(operations))
    drawn = {
        (
            block.locator(".opblock-summary-method").inner_text(),
            block.locator(".opblock-summary-path").get_attribute("data-path"),
        )
        for block in page.locator(".opblock").all()
    }
    assert drawn == set(operations)


def test_explorer_makes_a_call(visit: Visit) -> None:
    page = visit.open("/docs")
    operation = page.locator(".opblock", has=page.locator("[data-path='/v1/meta']"))

    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_to_each_other(visit: Visit, path: str) -> None:
    page = visit.open(path)

    page.locator(".bar").get_by_role("link", name="Reference", exact=True).click()
    page.wait_for_url("**/docs")
    page.wait_for_load_state("networkidle")
