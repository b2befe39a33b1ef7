"""Every page in a real browser: for everybody, at any width, by keyboard, on paper, with nothing from elsewhere."""

import re
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.addresses import READERS, addresses, ids, page_routes

pytestmark = pytest.mark.browser

MAX_PAGE_BYTES = 60_000
"""Of a compressed page."""
IS_LONG = re.compile(r"[?&]layer=everything\b")
"""Pages that are as long as what is known."""
WIDTHS = (320, 768, 1600)
MAX_TABS = 600
PATHS = sorted(page_routes())
OWN = [path for path in PATHS if path not in READERS]
TRIES_EVAL = "script-src refuses eval"
"""A vendored reader asks whether it may compile, and goes on without."""
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.effectiveDirective} refuses ${event.blockedURI || "inline"}`));
"""
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((element) => {
    if (element.getBoundingClientRect().right <= width + 1) return false;
    for (let outer = element.parentElement; outer; outer = outer.parentElement)
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(outer).overflowX)) return false;
    return true;
  });
  return [`${document.documentElement.scrollWidth} px`, ...wide.slice(0, 5).map((element) =>
    `<${element.localName} class="${element.getAttribute("class") || ""}">`)];
}
"""
INTERACTIVE = """
() => {
  const all = document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]");
  window.unreached = new Map();
  for (const element of all) {
    const isOneOfGroup = element.type === "radio" && !element.checked;
    if (isOneOfGroup || element.disabled || element.tabIndex < 0) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    window.unreached.set(element, `<${element.localName}> ${(element.innerText || element.name || "").slice(0, 40)}`);
  }
  return window.unreached.size;
}
"""
FOCUSED = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  window.unreached.delete(element);
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const isOnScreen = box.width > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
  return {
    name: `<${element.localName}> ${(element.innerText || element.name || "").slice(0, 40)}`,
    visible: isOnScreen && (isOutlined || style.boxShadow !== "none"),
    left: window.unreached.size,
  };
}
"""


class Outline(HTMLParser):
    """What a page says of itself, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.language = ""
        self.headings = 0
        self.title = ""
        self.links: set[str] = set()
        self._is_title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._is_title = tag == "title"
        if tag == "html":
            self.language = values.get("lang") or ""
        self.headings += tag == "h1"
        if tag in ("a", "link") and (target := values.get("href")):
            self.links.add(target)

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.title += data.strip()
            self._is_title = False


class PageVisit:
    """A page of the browser, with what it asked for and complained about."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.add_init_script(LISTEN)
        page.on("request", lambda request: self._note_request(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._note_console(message.type, message.text))

    def _note_request(self, address: str) -> None:
        if not address.startswith(("data:", "blob:")) and urlsplit(address).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"asks {address}")

    def _note_console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def open(self, address: str) -> Page:
        self.page.goto(f"{self.url}{address}", wait_until="networkidle" if address in READERS else "load")
        return self.page

    def faults(self) -> list[str]:
        """Complaints about the page that is open, and what its policy refused."""
        found = [*self.complaints, *self.page.evaluate("window.violations")]
        self.complaints.clear()
        return found


@pytest.fixture(params=["light", "dark"])
def themed(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[PageVisit]:
    with browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900}) as context:
        yield PageVisit(context.new_page(), url)


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[PageVisit]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield PageVisit(context.new_page(), url)


def answer(url: str) -> tuple[bytes, str]:
    """The compressed bytes and the text of a page."""
    import gzip

    asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})  # noqa: S310 - our own server
    with urllib.request.urlopen(asked) as response:  # noqa: S310
        sent = response.read()
        is_compressed = response.headers.get("Content-Encoding") == "gzip"
    return sent, (gzip.decompress(sent) if is_compressed else sent).decode()


@pytest.mark.parametrize("path", PATHS)
def test_page_is_small_and_says_what_it_is(url: str, path: str, seen: dict[str, dict[str, str]]) -> None:
    faults = []
    for address in addresses(url, path):
        sent, text = answer(f"{url}{address}")
        outline = Outline(text)
        seen.setdefault(address, {})["   kB"] = f"{len(sent) / 1000:.1f}"
        if len(sent) > MAX_PAGE_BYTES and not IS_LONG.search(address):
            faults.append(f"{address}: {len(sent)} bytes")
        if not outline.title or not outline.language:
            faults.append(f"{address}: title {outline.title!r}, lang {outline.language!r}")
        if path not in READERS and outline.headings != 1:
            faults.append(f"{address}: {outline.headings} headings of the first level")
    assert faults == []


@pytest.mark.parametrize("path", OWN)
def test_every_link_within_the_site_leads_somewhere(url: str, path: str) -> None:
    faults = set()
    for address in addresses(url, path):
        for link in sorted(Outline(answer(f"{url}{address}")[1]).links):
            target = urljoin(f"{url}{address}", link).partition("#")[0]
            if target.startswith(url) and (status := status_of(target)) != 200:
                faults.add(f"{address}: {link} answers {status}")
    assert sorted(faults) == []


STATUS: dict[str, int] = {}
"""Of addresses that were asked."""


def status_of(target: str) -> int:
    if target not in STATUS:
        try:
            with urllib.request.urlopen(target) as response:  # noqa: S310 - our own server
                STATUS[target] = response.status
        except urllib.error.HTTPError as error:
            with error:
                STATUS[target] = error.code
    return STATUS[target]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_comes_from_elsewhere_and_the_policy_refuses_nothing(visit: PageVisit, url: str, path: str) -> None:
    faults = {}
    for address in addresses(url, path):
        visit.open(address)
        if found := [fault for fault in visit.faults() if path not in READERS or fault != TRIES_EVAL]:
            faults[address] = found
    assert faults == {}


@pytest.mark.parametrize("path", OWN)
def test_everybody_can_use_the_page(
    themed: PageVisit, url: str, path: str, seen: dict[str, dict[str, str]], request: pytest.FixtureRequest
) -> None:
    faults = {}
    for address in addresses(url, path):
        page = themed.open(address)
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
        scheme = request.node.callspec.params["themed"]
        seen.setdefault(address, {})[f"axe {scheme}"] = str(len(violations))
        if violations:
            faults[address] = [
                f"{violation['id']}: {', '.join(str(node['target']) for node in violation['nodes'][:3])}"
                for violation in violations
            ]
    assert faults == {}


@pytest.mark.parametrize("path", OWN)
def test_page_fits_every_width(visit: PageVisit, url: str, path: str, seen: dict[str, dict[str, str]]) -> None:
    faults = {}
    for address in addresses(url, path):
        page = visit.open(address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if too_wide := page.evaluate(TOO_WIDE):
                faults[f"{address} at {width} px"] = too_wide
        seen.setdefault(address, {})["wide"] = str(sum(key.startswith(f"{address} at") for key in faults))
    assert faults == {}


@pytest.mark.parametrize("path", OWN)
def test_everything_is_reached_by_keyboard(
    visit: PageVisit, url: str, path: str, seen: dict[str, dict[str, str]]
) -> None:
    faults = {}
    for address in addresses(url, path)[:2]:
        page = visit.open(address)
        count = page.evaluate(INTERACTIVE)
        found = []
        for _ in range(min(count + 5, MAX_TABS)):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused is None:
                break
            if not focused["visible"]:
                found.append(f"the focus is not seen on {focused['name']}")
        if count <= MAX_TABS:
            found += [f"not reached: {name}" for name in page.evaluate("[...window.unreached.values()]")]
        seen.setdefault(address, {})["tabs"] = str(count)
        if found:
            faults[address] = found
    assert faults == {}


@pytest.mark.parametrize("path", OWN)
def test_the_first_key_leads_past_what_all_pages_share(visit: PageVisit, url: str, path: str) -> None:
    page = visit.open(addresses(url, path)[0])
    if not page.locator("body > header").count():
        pytest.skip("nothing stands before the content")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert urlsplit(page.url).fragment == page.locator("main").get_attribute("id")

    page.keyboard.press("Tab")

    assert page.evaluate(
        "!document.querySelector('body > header').contains(document.activeElement)"
        " && !document.activeElement.matches('.skip')"
    )


@pytest.mark.parametrize("path", OWN)
def test_suggestions_are_chosen_with_arrows(visit: PageVisit, url: str, path: str) -> None:
    """A combobox as ARIA describes it: arrows move through the list, Enter takes, Escape closes."""
    page = visit.open(addresses(url, path)[0])
    field = page.locator("[role=combobox]").first
    if not field.count():
        pytest.skip("no field with suggestions")

    field.press_sequentially("murmu")
    page.locator("[role=option]").first.wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    field.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    chosen = page.locator(f"[id='{active}']")
    assert chosen.get_attribute("role") == "option"
    assert chosen.get_attribute("aria-selected") == "true"
    field.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert visit.faults() == []


def test_a_condition_in_short_is_one_sheet_of_paper(
    visit: PageVisit, url: str, seen: dict[str, dict[str, str]]
) -> None:
    path = "/conditions/{id}"
    if path not in page_routes():
        pytest.skip("there are no pages of conditions")
    faults = {}
    for address in (f"/conditions/{condition}" for condition in ids(url, "/v1/conditions")):
        sheets = len(re.findall(rb"/Type\s*/Page\b", visit.open(address).pdf(format="A4")))
        seen.setdefault(address, {})["sheets"] = str(sheets)
        if sheets != 1:
            faults[address] = sheets
    assert faults == {}
