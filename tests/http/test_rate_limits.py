"""A client may ask for so much in a time; who asks for more is refused, and others are not hurt."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.http.middleware import RequestContext
from app.http.rate_limits import BRIEF, ITEM, LIST, SEARCH, RateLimits, WindowCounters, client_key, cost_of
from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import Engine
from tests.serving import eventually, served

ITEM_PATH = "/v1/claims/ldz-murmuria-pain"
Logs = Callable[[], list[dict[str, Any]]]
PROXY = ip_network("127.0.0.2/32")


def service(engine: Engine, **given: Any) -> RequestContext:
    settings = Settings(database_url=engine.original, **given)
    return in_context(create_app(settings), settings)


def test_every_route_costs_what_its_kind_costs(engine: Engine) -> None:
    app = create_app(Settings(database_url=engine.original))
    routes: list[Any] = list(iter_route_contexts(app.routes))
    paths = {str(getattr(route, "path_format", None) or getattr(route, "path", "")) for route in routes}
    by_cost: dict[int, set[str]] = {}
    for path in paths:
        by_cost.setdefault(cost_of(path), set()).add(path)

    assert by_cost[0] == {"/healthz", "/readyz"}
    assert by_cost[BRIEF] == {
        "/v1/bibliography", *(f"/v1/bibliography.{ending}" for ending in ("bib", "csl.json", "html", "ris", "txt")),
        "/v1/briefs", "/v1/briefs/{intervention}/{condition}", "/v1/coverage",
        "/v1/documents/{id}/impact", "/v1/evidence-map", "/v1/verify", "/mcp",
        "/conditions", "/conditions/{id}", "/evidence-map",
    }  # fmt: skip
    assert by_cost[SEARCH] == {"/search", "/v1/search", "/v1/interaction-checks", "/infobutton", "/cds-services/{id}"}
    assert {"/v1/claims", "/v1/claims/{id}/citations", "/cds-services"} <= by_cost[LIST]
    assert {"/v1/claims/{id}", "/", "/claims/{id}", "/openapi.json"} <= by_cost[ITEM]
    assert all("/{id}" in path and path.count("/") == 3 for path in by_cost[ITEM] if path.startswith("/v1/"))
    of_fhir = {"/Evidence/a": ITEM, "/Evidence": LIST, "/Evidence/_search": LIST, "/Evidence/a/_history": LIST}
    assert {path: cost_of(f"/fhir/r5{path}") for path in of_fhir} == of_fhir


def test_at_once_exactly_the_quota_passes(engine: Engine) -> None:
    async def run(port: int) -> list[httpx2.Response]:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            return list(await asyncio.gather(*(client.get(ITEM_PATH) for _ in range(50))))

    with served(service(engine, rate_limit="30/minute")) as port:
        answers = asyncio.run(run(port))
        refused = [answer for answer in answers if answer.status_code == 429]
        health = httpx2.get(f"http://127.0.0.1:{port}/healthz")

    assert (len(refused), len([answer for answer in answers if answer.status_code == 200])) == (20, 30)
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"client";q=30;w=60'}
    for answer in refused:
        assert answer.json()["code"] == "rate_limited"
        assert answer.headers["content-type"] == "application/problem+json"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.headers["ratelimit"].startswith('"client";r=0;t=')
        assert answer.headers["cache-control"] == "no-store"
    assert (health.status_code, health.headers.get("ratelimit")) == (200, None)


@pytest.fixture
def limited(engine: Engine) -> Iterator[TestClient]:
    with TestClient(service(engine, rate_limit="20/minute"), client=("192.0.2.1", 1)) as client:
        yield client


def left(answer: httpx2.Response) -> int:
    return int(answer.headers["ratelimit"].split(";")[1].removeprefix("r="))


def test_the_headers_of_a_kept_answer_are_those_of_the_request(limited: TestClient) -> None:
    answers = [limited.get(ITEM_PATH) for _ in range(4)]

    assert [left(answer) for answer in answers] == [19, 18, 17, 16]
    assert all(len(answer.headers.get_list("ratelimit")) == 1 for answer in answers)


def test_an_answer_that_the_client_has_is_free(limited: TestClient) -> None:
    tag = limited.get(ITEM_PATH).headers["etag"]

    for path in (ITEM_PATH, f"{ITEM_PATH}?serial=1"):
        tag = limited.get(path).headers["etag"]
        before = left(limited.get(path))
        for _ in range(3):
            answer = limited.get(path, headers={"If-None-Match": tag})
            assert (answer.status_code, left(answer)) == (304, before)


def test_dearer_requests_cost_more_and_options_nothing(limited: TestClient) -> None:
    limited.options("/v1/claims", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})

    assert [left(limited.get(path)) for path in (ITEM_PATH, "/v1/claims", "/v1/search?q=pain")] == [19, 17, 12]
    assert limited.get("/v1/briefs?intervention=ldz&condition=murmuria").headers["ratelimit"].startswith('"client";r=2')
    assert limited.get("/v1/search?q=pain").status_code == 429


def test_a_refusal_speaks_the_language_of_its_interface_and_browsers_may_read_it(limited: TestClient) -> None:
    for _ in range(5):
        limited.get("/v1/search?q=pain")
    outcome = limited.get("/fhir/r5/Evidence")
    answer = limited.get("/v1/claims", headers={"Origin": "https://a.example"})
    posted = limited.post("/cds-services/zelvane-order-sign", content=b"{" * 100_000)

    assert (outcome.status_code, outcome.json()["issue"][0]["code"]) == (429, "throttled")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (429, "*")
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(
        answer.headers["access-control-expose-headers"].split(", ")
    )
    assert posted.status_code == 429


def test_a_client_is_counted_by_what_a_trusted_proxy_says_and_by_nothing_else(engine: Engine) -> None:
    context = service(engine, rate_limit="10/minute", trusted_proxies=[PROXY])

    def refused(peer: str, forwarded: str) -> int:
        with TestClient(context, client=(peer, 1)) as client:
            sent = [{"X-Forwarded-For": forwarded.format(n)} for n in range(12)]
            return [client.get(ITEM_PATH, headers=headers).status_code for headers in sent].count(429)

    spoofed, many = refused("192.0.2.1", "198.51.100.{}"), refused("127.0.0.2", "198.51.100.{}")
    one = refused("127.0.0.2", "203.0.113.{}, 198.51.100.99")

    assert (spoofed, many, one) == (2, 0, 2)


def test_a_network_of_ipv6_counts_as_one_client() -> None:
    keys = [client_key(ip_address(text)) for text in ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1", "192.0.2.1")]

    assert keys == ["2001:db8::/64", "2001:db8::/64", "2001:db8:0:1::/64", "192.0.2.1"]
    assert client_key(None) == "None"


def test_memory_is_bounded_and_windows_end() -> None:
    async def run() -> None:
        counters = WindowCounters(max_clients=100)
        for client in range(1000):
            assert await counters.incr(str(client), 60) == 1
        assert await counters.get("999") == 1
        assert await counters.get("0") == 0
        assert await counters.reset() == 100

        assert await counters.incr("a", 0, 5) == 5
        assert await counters.incr("a", 0, 5) == 5  # the window was over
        assert await counters.incr("a", 0, -5) == 0

    asyncio.run(run())


@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is missing: apt-get install redis-server")
def test_processes_count_together_in_redis_and_serve_without_it(tmp_path: Path, logs: Logs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    eventually("Redis listens", lambda: _listens(port))
    scope = {"type": "http", "method": "GET", "path": ITEM_PATH, "headers": [], "client": ("192.0.2.1", 1)}

    async def run() -> None:
        one, other = (RateLimits("10/minute", redis_url=f"redis://127.0.0.1:{port}") for _ in range(2))
        charges = [await limits.charge(scope) for limits in [one, other] * 6]
        assert [charge is not None and charge.refusal is not None for charge in charges] == [False] * 10 + [True] * 2
        last = charges[-1]
        assert last is not None
        await other.give_back(last)
        assert last.used == 11
        process.kill()
        process.wait()
        assert [await one.charge(scope) for _ in range(20)] == [None] * 20
        await one.close()
        await other.close()

    try:
        asyncio.run(run())
    finally:
        process.kill()
        process.wait()
    assert [record["event"] for record in logs()] == ["requests are not counted"]


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_without_redis_from_the_start_requests_are_served(engine: Engine, logs: Logs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TestClient(
        service(engine, rate_limit="10/minute", rate_limit_redis_url=f"redis://127.0.0.1:{port}")
    ) as client:
        answers = [client.get(ITEM_PATH) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {200}
    assert all("ratelimit" not in answer.headers for answer in answers)
    assert [record["event"] for record in logs() if record["logger"] == "app.rate_limits"] == [
        "requests are not counted"
    ]
