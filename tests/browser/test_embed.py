"""A claim inside a page of another site: under a strict policy, without JavaScript, and with the server away."""

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from app.storage.database import Database
from tests.browser.live import Answer, free_port, live_server, other_site
from tests.browser.test_pages import LISTEN
from tests.factories import amended, content, put

pytestmark = pytest.mark.browser

CLAIM = "ldz-murmuria-pain"
WITHDRAWN, SUCCESSOR = "ldz-gripes-remission", "ldz-murmuria-fatigue"
MESSAGE = "The evidence could not be loaded"


@dataclass
class Clinic:
    """A site that shows claims of our server, and may read it as 127.0.0.1, but not as localhost."""

    port: int
    server: str
    answers: dict[str, Answer]
    closed: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    """The address of a server that is down."""

    def show(self, page: Page, body: str, *, script: str = "", policy: str = "", host: str = "127.0.0.1") -> None:
        """Open a page with this body whose policy allows our server's script and answers, and no style at all."""
        script = script or f"{self.server}/embed.js"
        policy = policy or (
            f"default-src 'none'; script-src {self.server}; connect-src {self.server} {self.closed}; "
            f"style-src 'none'; frame-src {self.server}"
        )
        html = "<!doctype html><html lang=en><head><meta charset=utf-8><title>A clinic</title>"
        html += f'<script src="{script}" async></script></head><body><main><h1>A clinic</h1>{body}</main></body></html>'
        self.answers["/page"] = Answer(html, {"Content-Security-Policy": policy})
        page.goto(f"http://{host}:{self.port}/page", wait_until="networkidle")


@pytest.fixture(scope="module")
def clinic(seed_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    answers: dict[str, Answer] = {}
    folder = tmp_path_factory.mktemp("clinic")
    with (
        other_site(answers) as port,
        live_server(folder, SEED_DIR=str(seed_files), CORS_ORIGINS=f'["http://127.0.0.1:{port}"]') as server,
    ):
        withdraw(folder)
        yield Clinic(port, server, answers)


def withdraw(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'evidence.db'}")
    try:
        put(database, amended(content(database, "claim", WITHDRAWN), status="retired", successor=SUCCESSOR))
    finally:
        database.dispose()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 900, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(LISTEN)
        yield page


@pytest.fixture
def claim(clinic: Clinic) -> dict[str, Any]:
    with urllib.request.urlopen(f"{clinic.server}/v1/claims/{CLAIM}") as response:  # noqa: S310 - our own server
        answer: dict[str, Any] = json.load(response)
    return answer


def element(page: Page) -> Locator:
    return page.locator("evidence-claim")


def test_claim_is_shown_with_all_that_travels_with_it(clinic: Clinic, page: Page, claim: dict[str, Any]) -> None:
    clinic.show(page, f'<evidence-claim id="{CLAIM}"><a href="/nowhere">In short</a></evidence-claim>')
    evidence, stances = claim["evidence"], claim["evidence"]["by_stance"]
    card = element(page).get_by_role("article", name=evidence["answer"])

    expect(card).to_be_visible()
    for words in (
        f"{evidence['verdict']['label']} · {evidence['verdict']['tone']}",
        evidence["counts_text"],
        claim["caveat"],
        claim["statement"],
        f"for the claim: {stances['supports']['documents']}, against: {stances['disputes']['documents']}",
        "not medical advice",
    ):
        expect(card).to_contain_text(words)
    expect(page.get_by_text("In short")).not_to_be_visible()
    assert card.get_attribute("lang") == "en"
    assert page.evaluate("window.violations") == []


def test_style_holds_where_the_page_forbids_all_styles(clinic: Clinic, page: Page) -> None:
    clinic.show(page, f'<evidence-claim id="{CLAIM}" theme="dark"></evidence-claim>')
    card = element(page).locator(".card")

    expect(card).to_have_css("background-color", "rgb(28, 36, 36)")
    page.evaluate("document.querySelector('evidence-claim').style.setProperty('--evidence-paper', 'rgb(1, 2, 3)')")
    expect(card).to_have_css("background-color", "rgb(1, 2, 3)")
    page.evaluate("document.querySelector('evidence-claim').setAttribute('theme', 'light')")
    expect(card).to_have_class("card light")


def test_footnotes_open_by_keyboard_and_lead_to_what_is_cited(
    clinic: Clinic, page: Page, claim: dict[str, Any]
) -> None:
    clinic.show(page, f'<evidence-claim id="{CLAIM}"></evidence-claim>')
    expect(element(page).locator("summary")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(element(page).locator("li").first).to_be_visible()
    expect(element(page).locator("li")).to_have_count(len(claim["citations"]))
    hrefs = {link.get_attribute("href"): link.get_attribute("rel") for link in element(page).locator("li a").all()}
    dois = {cited["document"]["links"]["doi"] for cited in claim["citations"]} - {None}
    pmids = {cited["document"]["pmid"] for cited in claim["citations"]} - {None}
    assert dois | {f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" for pmid in pmids} <= hrefs.keys()
    assert set(hrefs.values()) == {"noopener"}


@pytest.mark.parametrize("attributes", ['footnotes="none"', 'footnotes="open"', 'theme="dark" footnotes="open"'])
def test_everybody_can_use_the_claim_and_no_attribute_hides_what_must_be_seen(
    clinic: Clinic, page: Page, claim: dict[str, Any], attributes: str
) -> None:
    clinic.show(page, f'<evidence-claim id="x" claim="{CLAIM}" {attributes}></evidence-claim>')
    card = element(page).get_by_role("article", name=claim["evidence"]["answer"])

    for words in (claim["evidence"]["verdict"]["label"], claim["evidence"]["counts_text"], claim["caveat"]):
        expect(card).to_contain_text(words)
    expect(card).to_contain_text("Sources for the claim: ")
    assert card.locator("li").count() == (0 if "none" in attributes else len(claim["citations"]))
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []


def test_the_page_for_iframes_shows_the_same(clinic: Clinic, page: Page) -> None:
    frame = f'<iframe src="{clinic.server}/embed/claims/{CLAIM}?footnotes=open" title="Evidence" width="800"></iframe>'
    clinic.show(page, f'{frame}<evidence-claim id="{CLAIM}" footnotes="open"></evidence-claim>')
    expect(element(page).locator("li").first).to_be_visible()

    framed = page.frame_locator("iframe").locator("main").inner_text()
    shown = element(page).locator(".card").inner_text()

    # Each ends with where the claim comes from, in its own way.
    ends = "A record of published evidence", "All evidence on this claim"
    assert without_spaces(framed.partition(ends[0])[0]) == without_spaces(shown.partition(ends[1])[0])


def without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    "fallback",
    ['<a href="{address}">The evidence</a>', '<iframe src="{address}" title="Evidence"></iframe>'],
    ids=["link", "iframe"],
)
def test_without_javascript_the_content_of_the_element_is_shown(
    clinic: Clinic, browser: Browser, claim: dict[str, Any], fallback: str
) -> None:
    address = f"{clinic.server}/embed/claims/{CLAIM}"
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        clinic.show(page, f'<evidence-claim id="{CLAIM}">{fallback.format(address=address)}</evidence-claim>')

        if "iframe" in fallback:
            expect(page.frame_locator("iframe").locator("h1")).to_have_text(claim["evidence"]["answer"])
        else:
            expect(page.get_by_role("link", name="The evidence")).to_be_visible()


def test_the_content_is_shown_where_the_script_cannot_be_loaded(clinic: Clinic, page: Page) -> None:
    body = f'<evidence-claim id="{CLAIM}"><a href="{clinic.server}">The evidence</a></evidence-claim>'
    clinic.show(page, body, script=f"{clinic.closed}/embed.js")

    expect(page.get_by_role("link", name="The evidence")).to_be_visible()


def test_the_content_is_shown_where_the_server_is_away(clinic: Clinic, page: Page) -> None:
    body = f'<evidence-claim id="{CLAIM}" server="{clinic.closed}"><a href="/here">The evidence</a></evidence-claim>'
    clinic.show(page, body)

    expect(element(page).get_by_role("status")).to_have_text(f"{MESSAGE}: {clinic.closed} cannot be reached.")
    expect(page.get_by_role("link", name="The evidence")).to_be_visible()


def test_a_site_that_may_not_read_is_told_what_to_ask_for(clinic: Clinic, page: Page) -> None:
    clinic.show(page, f'<evidence-claim id="{CLAIM}"></evidence-claim>', host="localhost")

    status = element(page).get_by_role("status")
    expect(status).to_contain_text(f"Its operator can add http://localhost:{clinic.port} to CORS_ORIGINS.")
    link = element(page).get_by_role("link", name="Read the claim at its source")
    assert link.get_attribute("href") == f"{clinic.server}/claims/{CLAIM}"


def test_a_page_whose_policy_forbids_reading_is_told_so(clinic: Clinic, page: Page) -> None:
    policy = f"default-src 'none'; script-src {clinic.server}"
    clinic.show(page, f'<evidence-claim id="{CLAIM}"></evidence-claim>', policy=policy)

    expect(element(page).get_by_role("status")).to_contain_text(f"add {clinic.server} to connect-src")


def test_a_withdrawn_claim_names_what_replaces_it_and_can_be_read_as_it_was(clinic: Clinic, page: Page) -> None:
    clinic.show(page, f'<evidence-claim id="{WITHDRAWN}"></evidence-claim>')

    expect(element(page).get_by_role("status")).to_contain_text("This claim was withdrawn.")
    link = element(page).get_by_role("link", name="the claim that replaces it")
    assert link.get_attribute("href") == f"{clinic.server}/claims/{SUCCESSOR}"
    page.evaluate("document.querySelector('evidence-claim').setAttribute('serial', '1')")
    expect(element(page)).to_contain_text("as of serial 1")


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ('id="nobody-said-this"', "no claim with this id"),
        ('id="Not An Id"', "could not be loaded. "),
        ('id="ldz-murmuria-pain" serial="999"', "serial: The newest serial is"),
        ("", "names no claim"),
    ],
)
def test_mistakes_are_told_in_words(clinic: Clinic, page: Page, attributes: str, words: str) -> None:
    clinic.show(page, f"<evidence-claim {attributes}></evidence-claim>")

    expect(element(page).get_by_role("status")).to_contain_text(words)


def test_nothing_that_a_server_sends_runs_or_becomes_markup(clinic: Clinic, page: Page, claim: dict[str, Any]) -> None:
    """Even a server that was taken over writes text alone into the page, and no address but of the web."""
    mark = "<img src=x onerror=alert(1)>"
    hostile = json.loads(json.dumps(claim).replace("murmuria", mark))
    hostile["links"]["html"] = "javascript:alert(1)"
    for cited in hostile["citations"]:
        cited["document"]["links"]["doi"] = "javascript:alert(1)"
    origin = f"http://127.0.0.1:{clinic.port}"
    clinic.answers[f"/v1/claims/{CLAIM}"] = Answer(json.dumps(hostile), {"Content-Type": "application/json"})
    policy = f"script-src {clinic.server} 'unsafe-inline'; connect-src {origin}"

    clinic.show(page, f'<evidence-claim id="{CLAIM}" server="{origin}"></evidence-claim>', policy=policy)

    expect(element(page)).to_contain_text(mark)
    assert element(page).locator("img").count() == 0
    assert element(page).locator("[href^='javascript']").count() == 0


def test_several_claims_and_late_ones_are_shown(clinic: Clinic, page: Page, claim: dict[str, Any]) -> None:
    clinic.show(page, f'<evidence-claim id="{SUCCESSOR}"></evidence-claim>')
    page.evaluate(
        "(id) => document.querySelector('main').append(Object.assign(document.createElement('evidence-claim'), {id}))",
        CLAIM,
    )

    expect(page.locator(f"#{CLAIM}")).to_contain_text(claim["evidence"]["answer"])
    expect(page.locator(f"#{SUCCESSOR} .answer")).to_be_visible()
