"""What the documentation gives to copy works in a page of another site."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.live import Answer, other_site
from tests.examples import SERVER, code_blocks, code_file

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 900, "height": 900}) as context:
        yield context.new_page()


def test_the_plain_page_shows_all_that_must_be_shown(page: Page, url: str) -> None:
    address = f"{url}/v1/claims?condition=fibromyalgia&kind=efficacy&limit=3"
    with urllib.request.urlopen(address) as response:  # noqa: S310 - our own server
        claims = json.load(response)["items"]
    html = code_file("build-on-it.md", "claim.html").replace(SERVER, url)

    with other_site({"/claim.html": Answer(html, {})}) as port:
        page.goto(f"http://127.0.0.1:{port}/claim.html", wait_until="networkidle")
        for claim in claims:
            evidence = claim["evidence"]
            card = page.locator("article", has=page.get_by_role("heading", name=evidence["answer"], exact=True))
            for words in (evidence["verdict"]["label"], evidence["counts_text"], claim["caveat"], claim["statement"]):
                expect(card).to_contain_text(words or "")
            assert card.locator("li").count() == len(claim["citations"])
        assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []


def test_the_embedded_claims_of_the_documentation_are_shown(page: Page, url: str) -> None:
    first, with_iframe = code_blocks("interop/embed.md", "html")
    (style,) = code_blocks("interop/embed.md", "css")
    html = f"<!doctype html><style>{style}</style>{first}{with_iframe}".replace(SERVER, url)

    with other_site({"/page": Answer(html, {})}) as port:
        page.goto(f"http://127.0.0.1:{port}/page", wait_until="networkidle")

        expect(page.locator("evidence-claim .answer")).to_have_count(2)
        expect(page.locator("evidence-claim .card").first).to_have_css("background-color", "rgb(255, 253, 248)")
