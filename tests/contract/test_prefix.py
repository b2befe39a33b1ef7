"""Below a path prefix every address in an answer begins with it, once, and answers; nothing else is different."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.bibliography import FORMATS
from app.fhir.types import TYPES
from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import Engine
from tests.contract.support import Item
from tests.contract.test_openapi import TRIED, Everything, ours
from tests.contract.test_openapi import addresses as documented

PREFIX = "/kb"
HOST = "https://example.org"
FHIR_BASE = f"{HOST}{PREFIX}/fhir/r5"
MAX_OF_A_SHAPE = 3
PAGES = ("/", "/docs", "/claims/zelvane-lort-free-interval")
BRIEF = "/v1/briefs/low-dose-zelvane/murmuria"
INFOBUTTON = "/infobutton?mainSearchCriteria.v.dn=zelvane&knowledgeResponseType="
OTHERS = (
    *(f"{BRIEF}?format={name}" for name in ("json", "markdown", "html")),
    *(f"/v1/documents?format={name}&limit=2" for name in FORMATS),
    *(f"/v1/claims/ldz-murmuria-pain.{ending}" for ending in ("bib", "ris", "txt", "csl.json", "html")),
    *(f"/fhir/r5/{fhir_type.name}?_count=2" for fhir_type in TYPES),
    "/fhir/r5/metadata", "/fhir/r5/Library", "/fhir/r5/Library/zelvane-evidence", "/cds-services", "/openapi.json",
    *(f"{INFOBUTTON}{kind}" for kind in ("application/json", "text/html", "application/atom%2Bxml")),
)  # fmt: skip
LINKED = tuple(
    (f"/v1/{path}", accept)
    for path in ("claims/ldz-murmuria-pain", "documents/alder-2013", "meta")
    for accept in ("application/ld+json", "application/vnd.ga4gh.va-spec+json")
    if "va-spec" not in accept or "claims" in path
)
ASKED_FOR = [*((path, "*/*") for path in (*PAGES, *OTHERS)), *LINKED]
FAULTY = (
    "/v1/claims?kind=eficacy", "/v1/claims/nothing", "/v1/nothing", "/fhir/r5/Patient", "/static/nothing", "/nothing",
    "/v1/claims?q=%ff", "/infobutton",
)  # fmt: skip


@contextmanager
def deployed(url: str, public_url: str) -> Iterator[TestClient]:
    settings = Settings(database_url=url, public_url=public_url)
    app = create_app(settings)
    with TestClient(in_context(app, settings), base_url=HOST, follow_redirects=False) as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client
    app.state.reads.close()


@pytest.fixture(scope="module")
def plain(engine: Engine) -> Iterator[TestClient]:
    with deployed(engine.original, HOST) as client:
        yield client


@pytest.fixture(scope="module")
def below(engine: Engine) -> Iterator[TestClient]:
    with deployed(engine.original, f"{HOST}{PREFIX}/") as client:
        yield client


class _Attributes(HTMLParser):
    NAMES = frozenset({"href", "src", "action", "formaction", "poster", "data", "cite"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in self.NAMES and value]


def strings(value: Any) -> Iterator[str]:
    """Every string of a JSON value that stands in a property."""
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def own_addresses(answer: httpx2.Response, own: re.Pattern[str]) -> set[str]:
    """Every address of ours in an answer: in headers, in values of JSON, in attributes, in links of Markdown."""
    found = {answer.headers[name] for name in ("location", "content-location") if name in answer.headers}
    found |= set(re.findall(r"<([^>]*)>", answer.headers.get("link", "")))
    kind = answer.headers.get("content-type", "")
    if "json" in kind and "/openapi.json" not in str(answer.url):
        found |= set(strings(answer.json()))
        found |= {match[1] for text in set(found) if (match := re.search(r"Available from: (\S+)$", text))}
    elif "html" in kind or "xml" in kind:
        page = str(answer.url)
        found |= {
            urljoin(page, link) if not link.startswith(("/", "#")) else link for link in _Attributes(answer.text).found
        }
    elif "markdown" in kind:
        found |= set(re.findall(r"\]\((/[^)]*)\)", answer.text))
    return {address for address in found if own.match(address)}


def routes() -> list[str]:
    """The paths of all routes, as they are declared."""
    app = create_app(Settings())
    return [path for route in iter_route_contexts(app.routes) if (path := getattr(route, "path", "")).startswith("/")]


@pytest.fixture(scope="module")
def own() -> re.Pattern[str]:
    """What begins like an address of ours, with or without the prefix."""
    first = {path.split("/")[1] for path in routes()} - {""}
    return re.compile(rf"{HOST}|{PREFIX}/|/(?:errors|{'|'.join(map(re.escape, sorted(first)))})(?![\w-])")


@pytest.fixture(scope="module")
def addresses(below: TestClient, own: re.Pattern[str], everything: Everything, openapi: Item) -> dict[str, set[str]]:
    """The addresses in all answers, by the request that they were found in."""
    found = {}
    operations = [(path, operation) for method, path, operation in ours(openapi) if method == "get"]
    asked_for = [(address, "*/*") for asked in operations for address in documented(*asked, everything, TRIED)]
    for path, accept in (*asked_for, *ASKED_FOR):
        answer = below.get(f"{PREFIX}{path}", headers={"Accept": accept})
        assert answer.status_code == 200, path
        found[f"{path} {accept}"] = own_addresses(answer, own)
    for path in FAULTY:
        answer = below.get(f"{PREFIX}{path}")
        assert answer.status_code in (404, 422, 400), path
        found[path] = own_addresses(answer, own)
    for path in {path for path in routes() if "{" not in path}:  # whatever comes to be beside those above
        found[path] = own_addresses(below.get(f"{PREFIX}{path}"), own)
    return found


def test_every_address_begins_with_the_prefix_once(addresses: dict[str, set[str]]) -> None:
    for request, found in addresses.items():
        paths = [urlsplit(address).path for address in found]
        assert [
            path for path in paths if not path.startswith(f"{PREFIX}/") or path.startswith(f"{PREFIX}{PREFIX}")
        ] == [], request
    assert sum(map(len, addresses.values())) > 1000


def some_of_each_shape(addresses: set[str]) -> set[str]:
    """A few addresses of each route with each set of parameters: a thousand would say no more."""
    shapes: dict[tuple[object, ...], list[str]] = {}
    for address in sorted(addresses):
        parts = urlsplit(address)
        segments = parts.path.split("/")
        names = re.findall(r"(?:^|&)([^=]*)", parts.query)
        shapes.setdefault((parts.netloc, *segments[:4], *segments[5:], *names), []).append(address)
    return {address for alike in shapes.values() for address in alike[:: -(-len(alike) // MAX_OF_A_SHAPE)]}


def test_every_address_answers_and_its_pages_have_the_prefix(
    below: TestClient, addresses: dict[str, set[str]], own: re.Pattern[str]
) -> None:
    """But names of errors, and the base of FHIR."""
    # llms.txt names calls without the parameters that some of them need.
    walked = [found for path, found in addresses.items() if path != "/llms.txt"]
    everything = {address.partition("#")[0] for found in walked for address in found}
    asked = {address for address in everything if not address.startswith(f"{PREFIX}/errors/")} - {FHIR_BASE}
    answers = {address: below.get(address) for address in some_of_each_shape(asked)}
    assert len(answers) > 50
    assert {address: answer.status_code for address, answer in answers.items() if answer.status_code != 200} == {}
    for address, answer in answers.items():
        links = own_addresses(answer, own) if "html" in answer.headers["content-type"] else ()
        assert [link for link in links if not re.match(rf"({HOST})?{PREFIX}/(?!{PREFIX[1:]}/)", link)] == [], address
    assert any("cursor=" in address for address in answers)
    assert any("serial=" in address for address in answers)


def test_nothing_but_addresses_is_different(plain: TestClient, below: TestClient) -> None:
    requests = [*ASKED_FOR, *((path, "*/*") for path in FAULTY)]
    for path, accept in requests:
        expected = plain.get(path, headers={"Accept": accept})
        for request in (path, f"{PREFIX}{path}"):
            answer = below.get(request, headers={"Accept": accept})
            text = answer.text.replace(f"{HOST}{PREFIX}", HOST).replace(f'"{PREFIX}"', '"/"').replace(f"{PREFIX}/", "/")
            text = text.replace(answer.headers["x-request-id"], expected.headers["x-request-id"])
            assert (answer.status_code, text) == (expected.status_code, expected.text), (request, accept)
            assert int(answer.headers["content-length"]) == len(answer.content), request


def test_the_tag_holds_the_prefix_and_is_known_again(plain: TestClient, below: TestClient) -> None:
    for path, accept in ASKED_FOR:
        for coding in ("identity", "gzip"):
            headers = {"Accept": accept, "Accept-Encoding": coding}
            other, answer = plain.get(path, headers=headers), below.get(f"{PREFIX}{path}", headers=headers)
            tag = answer.headers.get("etag")
            assert (tag is None) == ("etag" not in other.headers), path
            if tag is None:
                continue
            for request in (path, f"{PREFIX}{path}"):
                unchanged = below.get(request, headers=headers | {"If-None-Match": tag})
                assert (unchanged.status_code, unchanged.headers["etag"], unchanged.content) == (304, tag, b""), path
            if re.fullmatch(r'W/"\d+"', tag):  # FHIR: the version of the resource
                continue
            assert tag != other.headers["etag"], path
            stale = below.get(path, headers=headers | {"If-None-Match": other.headers["etag"]})
            assert stale.status_code == 200, path


def test_the_document_names_the_prefix_as_its_server(plain: TestClient, below: TestClient) -> None:
    servers = [client.get("/openapi.json").json()["servers"][0]["url"] for client in (plain, below)]
    assert servers == ["/", PREFIX]


def test_headers_of_proxies_change_nothing(plain: TestClient, below: TestClient) -> None:
    forwarded = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example", "X-Forwarded-Path": "/evil/v1"}
    forwarded |= {"X-Script-Name": "/evil", "Forwarded": "host=evil.example", "X-Original-URI": "/evil/v1"}
    for client in (plain, below):
        for path in ("/v1/claims?limit=2", "/", "/fhir/r5/Evidence?_count=1", "/v1/nothing", "/claims/ldz-nausea"):
            expected, answer = client.get(path), client.get(path, headers=forwarded)
            both = [a.text.replace(a.headers["x-request-id"], "") for a in (expected, answer)]
            assert both[0] == both[1], path
            assert answer.headers.get("etag") == expected.headers.get("etag")
            assert "evil" not in f"{answer.text}{answer.headers}"


def test_the_prefix_is_taken_off_once_and_as_a_whole_segment(below: TestClient, plain: TestClient) -> None:
    for path in ("/kbx/v1/meta", "/kbx", f"{PREFIX}{PREFIX}/v1/meta", "/KB/v1/meta", f"/x{PREFIX}/v1/meta"):
        assert below.get(path).status_code == 404, path
    for path in ("/readyz", "/healthz", "/v1/meta"):
        assert [below.get(f"{start}{path}").status_code for start in ("", PREFIX)] == [200, 200], path
    assert plain.get(f"{PREFIX}/v1/meta").status_code == 404


def test_the_prefix_alone_leads_to_the_start_page_without_naming_a_host(below: TestClient) -> None:
    answer = below.get(PREFIX, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, f"{PREFIX}/")
    assert below.get(f"{PREFIX}/").text == below.get("/").text


def test_head_tells_the_length_of_the_answer(below: TestClient) -> None:
    for path in ("/v1/claims?limit=3", "/v1/claims/nothing", "/"):
        whole, head = below.get(path), below.head(f"{PREFIX}{path}")
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert head.headers["content-length"] == str(len(whole.content)), path


def test_pages_of_a_list_lead_to_one_another(below: TestClient, plain: TestClient) -> None:
    def ids(client: TestClient, address: str | None) -> list[str]:
        found: list[str] = []
        while address is not None:
            page = client.get(address).json()
            found += [item["id"] for item in page["items"]]
            address = page["next"]
        return found

    path = "/v1/conditions?limit=7"
    assert ids(below, f"{PREFIX}{path}") == ids(below, path) == ids(plain, path)
