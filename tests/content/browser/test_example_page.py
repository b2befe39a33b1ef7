"""The example page in a browser, built for a server of another origin: what it asks for, and what a reader gets."""

import mimetypes
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.live import Answer, other_site
from tests.content.node.example_page import MAX_BYTES, MAX_CALLS, installed, run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm, which builds the page, is not installed"),
]


@pytest.fixture(scope="module")
def site(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the built page."""
    project = installed(tmp_path_factory.mktemp("example"))
    run(project, "npm", "run", "build", VITE_EVIDENCE_SERVER=f"{url}/")
    dist = project / "dist"
    answers = {f"/{file.relative_to(dist)}": answer(file) for file in dist.rglob("*") if file.is_file()}
    with other_site({**answers, "/": answers["/index.html"]}) as port:
        yield f"http://127.0.0.1:{port}/"


def answer(file: Path) -> Answer:
    """Under a policy that lets nothing run that is not a file of the page."""
    kind = mimetypes.guess_type(file)[0] or "text/plain"
    policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *; img-src data:"
    return Answer(file.read_text(), {"Content-Type": f"{kind}; charset=utf-8", "Content-Security-Policy": policy})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 400, "height": 900}) as context:
        yield context.new_page()


def test_page_is_drawn_from_few_calls_and_bytes(site: str, url: str, page: Page) -> None:
    responses: list[Response] = []
    faults: list[str] = []
    page.on("response", lambda response: responses.append(response) if response.url.startswith(url) else None)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    page.goto(site, wait_until="networkidle")

    expect(page.get_by_role("heading", level=1)).to_have_text("Low-dose naltrexone in Fibromyalgia")
    expect(page.get_by_text("not medical advice")).to_be_visible()
    assert faults == []
    assert len(responses) <= MAX_CALLS
    assert sum(len(response.body()) for response in responses) <= MAX_BYTES


def test_everybody_can_use_it(site: str, page: Page) -> None:
    page.goto(site, wait_until="networkidle")
    expect(page.get_by_role("heading", name="Side effects")).to_be_visible()

    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_footnote_leads_to_its_source(site: str, page: Page) -> None:
    page.goto(site, wait_until="networkidle")
    page.get_by_role("link", name="Source 1", exact=True).first.click()

    expect(page.locator("#source-1")).to_be_in_viewport()
    expect(page.locator("#source-1").get_by_role("link", name="DOI")).to_be_visible()


def test_refusal_is_told_in_words(site: str, page: Page) -> None:
    page.goto(f"{site}?condition=no-such-condition", wait_until="networkidle")

    expect(page.get_by_role("alert")).to_contain_text("The evidence could not be loaded. ")
