"""What the path prefix changes in a request and in an answer, and what it leaves alone."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.http.bodies import BodyBounds
from app.http.conditional import conditional_response
from app.http.middleware import OperatorOptions, RequestContext
from app.http.prefix import PathPrefix, PrefixTaken
from app.http.rate_limits import RateLimits
from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import Engine

PREFIX = PathPrefix("/kb", {"v1", "fhir", "claims", "static", "openapi.json"})


def answered(body: bytes, media_type: str = "application/json", **headers: str) -> httpx2.Response:
    """The answer below the prefix of an application that gives this body."""

    async def endpoint(_request: Request) -> Response:
        return Response(body, headers=headers, media_type=media_type)

    return asked(Starlette(routes=[Route("/v1/x", endpoint)]))


def asked(app: Any, path: str = "/kb/v1/x", **headers: str) -> httpx2.Response:
    return client_of(app).get(path, headers={"Accept-Encoding": "identity", **headers})


def client_of(app: Any, **options: Any) -> TestClient:
    bounds = BodyBounds(100, below={"/fhir": BodyBounds(1000)})
    context = RequestContext(
        app, max_body_bytes=bounds, deadline_seconds=5, options=OperatorOptions(prefix=PREFIX, **options)
    )
    return TestClient(context, follow_redirects=False)


LINKS = {
    "self": "/v1/claims/x",
    "next": "/v1/claims?cursor=x&q=\"a b\"",
    "permalink": "/v1/claims/x?serial=1",
    "start": "/",
    "newly_named": "/claims/x#y",
    "no_link": None,
    "doi": "https://doi.org/10.1/v1/x",
}  # fmt: skip


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_addresses_in_json_get_the_prefix(separators: tuple[str, str]) -> None:
    value = {
        "next": "/v1/claims?cursor=x",
        "links": LINKS,
        "items": [{"links": LINKS, "@id": "/v1/documents/y", "successor_url": "/v1/claims/z"}],
        "reportedIn": ["/v1/documents/a", "/v1/documents/b"],
        "how_to_cite": "Zelvane Evidence [data set]. Available from: /v1/meta",
    }
    answer = answered(json.dumps(value, separators=separators).encode()).json()
    for links in (answer["links"], answer["items"][0]["links"]):
        assert links == {
            name: f"/kb{address}" if address and address.startswith("/") else address for name, address in LINKS.items()
        }
    assert (answer["next"], answer["items"][0]["@id"]) == ("/kb/v1/claims?cursor=x", "/kb/v1/documents/y")
    assert answer["items"][0]["successor_url"] == "/kb/v1/claims/z"
    assert answer["how_to_cite"].endswith(" /kb/v1/meta")
    assert answer["reportedIn"] == ["/kb/v1/documents/a", "/kb/v1/documents/b"]


TEXTS = (
    "/v1/claims/x",
    "/v1/claims is an address",
    '"self":"/v1/claims/x"',
    '\\"self\\":\\"/v1/claims/x\\"',
    '","next":"/v1/x',
    '{"links":{"self":"/v1/x"}}',
    '<a href="/v1/claims">',
    " href=\"/v1/x\" src='/v1/y'",
    "[x](/v1/claims) </v1/x>",
    "Available from: /v1/meta",
    "\\",
    "ends with a backslash and a quotation mark \\\"",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts_in_json_stay_whatever_they_say(text: str) -> None:
    names = ("statement", "title", "quote", "finding", "answer", "text", "caveat", "name", "label", "detail")
    value = {"items": [dict.fromkeys(names, text) | {"list": [text, text], "links": {"self": "/v1/x"}}], "q": [text]}
    answer = answered(json.dumps(value, separators=(",", ":")).encode()).json()
    value["items"][0]["links"] = {"self": "/kb/v1/x"}  # type: ignore[index]
    assert answer == value


def test_what_is_no_address_of_ours_stays() -> None:
    links = {"self": "//v1/x", "url": "/elsewhere/x", "html": "/v1x/y", "href": "v1/x", "uri": "https://a.b/v1/x"}
    assert answered(json.dumps({"links": links}).encode()).json() == {"links": links}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'<a href="/v1/x?a=1&amp;b=2">/v1/x</a>', b'<a href="/kb/v1/x?a=1&amp;b=2">/v1/x</a>'),
        (b"<a class=b href='/claims/x'>", b"<a class=b href='/kb/claims/x'>"),
        (b'<a href="/">', b'<a href="/kb/">'),
        (b'<a href="/?q=x">', b'<a href="/kb/?q=x">'),
        (b'<script src="/static/a.js"></script>', b'<script src="/kb/static/a.js"></script>'),
        (b'<form action="/v1/search">', b'<form action="/kb/v1/search">'),
        (b'<div data-src="/v1/x" data-title="/v1/x">', b'<div data-src="/kb/v1/x" data-title="/v1/x">'),
        (
            b'<img srcset="/static/a.png 1x, /static/b.png 2x">',
            b'<img srcset="/kb/static/a.png 1x, /kb/static/b.png 2x">',
        ),
        (b'<meta property="og:url" content="/claims/x">', b'<meta property="og:url" content="/kb/claims/x">'),
        (b'<meta http-equiv=refresh content="5; url=/v1/x">', b'<meta http-equiv=refresh content="5; url=/kb/v1/x">'),
        (
            b'<script type="application/ld+json">{"@id":"/v1/x","name":"/v1/x"}</script>',
            b'<script type="application/ld+json">{"@id":"/kb/v1/x","name":"/v1/x"}</script>',
        ),
        (b'<svg><a href="/claims/x" aria-label="a"><text>', b'<svg><a href="/kb/claims/x" aria-label="a"><text>'),
        (b'<meta name="description" content="/v1/x is">', b'<meta name="description" content="/v1/x is">'),
        (b'<a href="//v1/x" title="/v1/x">', b'<a href="//v1/x" title="/v1/x">'),
        (b'<a href="v1/x"><a href="#v1"><a href="https://a.b/v1/x">',) * 2,
        (b'<p> href="/v1/x" is how a link is written</p>',) * 2,
        (b'<p title=" href=&#34;/v1/x&#34;">href=&#34;/v1/x&#34;</p>',) * 2,
    ],
)  # fmt: skip
def test_attributes_in_html(before: bytes, after: bytes) -> None:
    assert answered(before, "text/html").content == after
    assert answered(before, "image/svg+xml").content == after


def test_links_in_xml_and_in_markdown() -> None:
    feed = b'<feed><id>/v1/x</id><link href="/v1/x"/><title>see href="/v1/x" and /v1/x</title></feed>'
    expected = b'<feed><id>/kb/v1/x</id><link href="/kb/v1/x"/><title>see href="/v1/x" and /v1/x</title></feed>'
    assert answered(feed, "application/atom+xml").content == expected
    text = b"[a](/v1/a) <https://a.b/v1/x> \\[a\\](/v1/b) `](/x` /v1/c\n[r]: /v1/d\n"
    expected = b"[a](/kb/v1/a) <https://a.b/v1/x> \\[a\\](/v1/b) `](/x` /v1/c\n[r]: /kb/v1/d\n"
    assert answered(text, "text/markdown").content == expected


def test_other_media_types_and_compressed_files_stay() -> None:
    body = b'{"self":"/v1/x"} <a href="/v1/x">'
    for media_type in ("text/plain", "text/css", "text/javascript", "application/x-bibtex"):
        assert answered(body, media_type).content == body
    coded = answered(body, **{"Content-Encoding": "x-unknown"})
    assert coded.content == body


def test_headers_get_the_prefix() -> None:
    link = '</v1/x>; rel="next", <https://a.b/v1/x>; rel="license", </v1/y?z=%3C>; rel="last"'
    answer = answered(b"", Link=link, Location="/v1/z", **{"Content-Location": "//v1/z"})
    assert answer.headers["link"] == link.replace("</", "</kb/")
    assert (answer.headers["location"], answer.headers["content-location"]) == ("/kb/v1/z", "//v1/z")


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson", "text/html", "text/markdown"])
def test_an_answer_in_pieces_is_that_of_the_whole(media_type: str, size: int) -> None:
    body = {
        "application/json": json.dumps({"items": [{"links": {"self": f"/v1/{n}"}} for n in range(99)]}).encode(),
        "application/x-ndjson": b"".join(b'{"links":{"self":"/v1/%d"}}\n' % n for n in range(99)),
        "text/html": b"".join(b'<p>\n<a class="x"\n href="/v1/%d">/v1/x</a></p>' % n for n in range(99)),
        "text/markdown": b"".join(b"- [x](/v1/%d)\n" % n for n in range(99)),
    }[media_type]

    async def endpoint(_request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), size):
                yield body[start : start + size]

        return StreamingResponse(pieces(), media_type=media_type)

    answer = asked(Starlette(routes=[Route("/v1/x", endpoint)]))
    assert answer.content == body.replace(b"/v1/", b"/kb/v1/").replace(b">/kb/v1/x<", b">/v1/x<")


@pytest.mark.parametrize("tag", ['"abc"', '"abc-12"', 'W/"abc"', 'W/"12"'])
def test_tags_are_told_apart_from_those_of_other_deployments(tag: str) -> None:
    async def endpoint(request: Request) -> Response:
        return conditional_response(request, tag, b"[]" * 1000)

    app = Starlette(routes=[Route("/v1/x", endpoint)])
    for coding in ("identity", "gzip", "br"):
        shown = asked(app, **{"Accept-Encoding": coding}).headers["etag"]
        assert (shown == tag) == (tag == 'W/"12"'), "a version of FHIR stays, nothing else"
        for sent in (shown, f'"other", {shown}', "*"):
            answer = asked(app, **{"If-None-Match": sent, "Accept-Encoding": coding})
            assert (answer.status_code, answer.content) == (304, b"")
            assert sent == "*" or answer.headers["etag"] == shown
        other = shown.replace("-p", "-q") if "-p" in shown else '"other"'
        for sent in (other, '"other"', '"abc-gzip"', '"abc"'):
            assert asked(app, **{"If-None-Match": sent, "Accept-Encoding": coding}).status_code == 200, sent


def test_errors_from_around_the_application_name_the_prefix_too() -> None:
    async def endpoint(request: Request) -> Response:
        return Response(str(len(await request.body())))

    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["POST", "GET"])])
    sent = {"headers": {"Content-Type": "application/json"}}
    for start in ("", "/kb"):
        client = client_of(app, rate_limits=RateLimits("3/hour"))
        too_large = client.post(f"{start}/v1/x", json="x" * 200)
        assert (too_large.status_code, too_large.json()["type"]) == (413, "/kb/errors/payload_too_large")
        assert client.post(f"{start}/fhir/x", json="x" * 200).text == "202", "bounds below a path hold"
        limited = client.get(f"{start}/v1/claims", **sent)  # type: ignore[arg-type]
        assert (limited.status_code, limited.json()["type"]) == (429, "/kb/errors/rate_limited")


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/kb/v1/x", "/v1/x"),
        ("/kb/", "/"),
        ("/kb//v1", "//v1"),
        ("/kb/kb/v1", "/kb/v1"),
        ("/kb/v1/a%2Fb", "/v1/a/b"),
        ("/kbx/v1", "/kbx/v1"),
        ("/v1/kb/", "/v1/kb/"),
        ("/%6bb/v1", "/kb/v1"),
    ],
)
def test_what_the_application_sees(path: str, inside: str) -> None:
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await Response(scope["path"])(scope, receive, send)

    assert asked(endpoint, path).text == inside


@pytest.mark.parametrize("path", ["/v1", "/claims/kb", "/errors"])
def test_a_prefix_that_is_an_address_of_the_server_is_refused(path: str) -> None:
    with pytest.raises(PrefixTaken, match="PUBLIC_URL may not begin with"):
        PathPrefix(path, {"v1", "claims"})


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("", ""),
        ("https://example.org", ""),
        ("https://example.org/", ""),
        ("https://example.org/kb", "/kb"),
        ("https://example.org:8443/a/b-c_1.d~/", "/a/b-c_1.d~"),
    ],
)
def test_the_prefix_is_the_path_of_the_public_address(url: str, prefix: str) -> None:
    settings = Settings(public_url=url)
    assert (settings.path_prefix, settings.public_url) == (prefix, url.rstrip("/"))


@pytest.mark.parametrize(
    "url",
    ["https://a.b//", "https://a.b/kb//x", "https://a.b/../x", "https://a.b/k%20b", "https://a.b/kb?x", "/kb", "a.b"],
)
def test_an_address_that_cannot_be_a_prefix_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(public_url=url)


def test_without_a_prefix_nothing_stands_around_the_application(engine: Engine) -> None:
    settings = Settings(database_url=engine.original, public_url="https://example.org")
    app = create_app(settings)
    assert in_context(app, settings).options.prefix is None
    app.state.reads.close()


def test_log_lines_metrics_and_costs_know_routes_without_the_prefix(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(
        database_url=engine.original, public_url="https://example.org/kb", metrics_address="127.0.0.1:0",
        rate_limit="1000/hour",
    )  # fmt: skip
    app = create_app(settings)
    tag = '"x"'
    expected = {"/v1/claims": 2, "/v1/claims/{id}": 1, "/v1/search": 5}
    with TestClient(in_context(app, settings)) as client:
        left = 1000
        for path in ("/v1/claims?limit=1", "/v1/claims/ldz-nausea", "/v1/search?q=pain"):
            for start in ("", "/kb"):
                answer = client.get(f"{start}{path}", headers={"If-None-Match": tag})
                remaining = int(answer.headers["ratelimit"].split(";")[1].removeprefix("r="))
                left -= next(cost for route, cost in reversed(expected.items()) if _is_of(path, route))
                assert remaining == left, (start, path)
        requests = dict(app.state.metrics._requests)
    assert requests == {(route, 200): 2 for route in expected}
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if '"app.access"' in line]
    assert [line["route"] for line in lines] == [route for route in expected for _ in range(2)]
    app.state.reads.close()


def _is_of(path: str, route: str) -> bool:
    return path.partition("?")[0].count("/") == route.count("/") and path.startswith(route.partition("{")[0])


def test_pages_of_other_origins_are_allowed_below_the_prefix(engine: Engine) -> None:
    settings = Settings(database_url=engine.original, public_url="https://example.org/kb")
    app = create_app(settings)
    client: Callable[..., Any] = TestClient(in_context(app, settings, with_cache=False)).request
    origin = {"Origin": "https://a.b"}
    preflight = client("OPTIONS", "/kb/v1/claims", headers=origin | {"Access-Control-Request-Method": "GET"})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert client("GET", "/kb/v1/meta", headers=origin).headers["access-control-allow-origin"] == "*"
    form = client("POST", "/kb/fhir/r5/Evidence/_search", data={"_count": "1"})
    assert form.json()["link"][0]["url"].startswith("https://example.org/kb/fhir/r5/Evidence?")
    refused = client("POST", "/kb/fhir/r5/Evidence/_search", json={})
    assert (refused.status_code, refused.json()["resourceType"]) == (415, "OperationOutcome")
    app.state.reads.close()
