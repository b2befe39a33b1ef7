"""Answers from memory are those of the application, never older than the data, and never more than may be kept."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http import freshness
from app.http.middleware import RequestContext
from app.http.request_limits import RequestLimits
from app.http.response_cache import KEY_HEADERS, ResponseCache, SingleFlight
from app.main import create_app, in_context
from app.operations.backup import backup, restore
from app.publishing.publish import publish
from app.settings import Settings
from app.storage.database import Database
from app.storage.history import current_serial
from tests.conftest import Engine
from tests.factories import CURATOR, amended, content, put

CACHE_BYTES = 4_000_000
CLAIM = "ldz-murmuria-pain"
KEPT = (
    f"/v1/claims/{CLAIM}",
    "/v1/claims?condition=murmuria&kind=efficacy&limit=50",
    "/v1/claims?q=pain&sort=-updated_at",
    f"/v1/claims/{CLAIM}/citations",
    f"/v1/claims/{CLAIM}/evidence",
    f"/v1/claims/{CLAIM}/versions",
    f"/v1/claims/{CLAIM}?format=jsonld",
    "/v1/studies?limit=3",
    "/v1/documents/alder-2013",
    "/v1/documents/alder-2013?format=bibtex",
    "/v1/bibliography?condition=murmuria",
    "/v1/briefs?limit=3",
    "/v1/briefs/low-dose-zelvane/palewing?format=html",
    "/v1/search?q=does+ldz+help+gripes",
    "/v1/suggest?q=mur",
    "/v1/meta",
    "/v1/vocabularies",
    "/v1/coverage?intervention=low-dose-zelvane&condition=palewing",
    "/v1/evidence-map?intervention=low-dose-zelvane&condition=palewing",
    "/fhir/r5/Citation/alder-2013",
    "/fhir/r5/Evidence?_count=3",
)
NOT_KEPT = (
    f"/v1/claims/{CLAIM}?serial=1",
    "/v1/claims/no-such-claim",
    "/v1/claims?no_such_parameter=1",
    "/v1/claims?limit=0",
    "/v1/search",
    "/v1/search?q=%00",
    "/v1/nothing",
    "/healthz",
    "/readyz",
    "/infobutton?mainSearchCriteria.v.dn=murmuria",
)
CODINGS = ("identity", "gzip", "br", "zstd")


@dataclass
class Service:
    """The whole service, and the same without a cache, over the same database."""

    context: RequestContext
    cached: TestClient
    plain: TestClient
    database: Database
    asked: list[str] = field(default_factory=list)
    """Paths that reached the application behind the cache."""

    @property
    def cache(self) -> ResponseCache:
        assert self.context.cache is not None
        return self.context.cache


def service_over(url: str, cache_bytes: int = CACHE_BYTES) -> Iterator[Service]:
    given = Settings(database_url=url, cache_bytes=cache_bytes)
    app, alone = create_app(given), create_app(given)
    context = in_context(app, given)
    behind = in_context(alone, given, with_cache=False)
    # The one client would add headers of its own to every request.
    with TestClient(context, headers={}) as cached, TestClient(behind, headers={}) as plain:
        service = Service(context, cached, plain, app.state.reads.database)
        assert isinstance(context.plain, RequestLimits)
        assert isinstance(context.plain.app, SingleFlight)  # the same one is behind `for_browsers`
        context.plain.app.app = counting(context.plain.app.app, service.asked)
        _wait_until_watching(service.cache.freshness)
        yield service


def counting(app: ASGIApp, asked: list[str]) -> ASGIApp:
    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await app(scope, receive, send)

    return counted


def _wait_until_watching(watcher: freshness.Freshness) -> None:
    """A listener needs a moment to connect; SQLite knows at once, but only on the server's own thread."""
    if isinstance(watcher, freshness.PostgresFreshness):
        until = time.monotonic() + 20
        while watcher.state().serial is None and time.monotonic() < until:
            time.sleep(0.01)


@pytest.fixture(scope="module")
def service(engine: Engine) -> Iterator[Service]:
    yield from service_over(engine.original)


@pytest.fixture
def writable(scratch: Database) -> Iterator[Service]:
    yield from service_over(scratch.url.render_as_string(hide_password=False))


Answer = tuple[int, dict[str, str], bytes]


def ask(client: TestClient, path: str, method: str = "GET", **headers: str) -> Answer:
    """Status, headers but those that differ by nature, and the body after decoding."""
    sent = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = client.request(method, path, headers=sent)
    compared = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return answer.status_code, compared, answer.content


# --- alike --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", KEPT)
def test_answers_from_memory_are_those_of_the_application(service: Service, path: str) -> None:
    for coding in CODINGS:
        for origin in ({}, {"Origin": "https://clinic.example"}):
            headers = {"Accept_Encoding": coding, **origin}
            expected = ask(service.plain, path, **headers)
            assert expected[0] == 200
            assert ask(service.cached, path, **headers) == expected
            service.asked.clear()
            assert ask(service.cached, path, **headers) == expected
            assert ask(service.cached, path, "HEAD", **headers) == ask(service.plain, path, "HEAD", **headers)
            assert service.asked == []


@pytest.mark.parametrize("path", KEPT)
def test_memory_says_as_the_application_that_nothing_changed(service: Service, path: str) -> None:
    for coding in ("identity", "br"):
        tag = ask(service.plain, path, Accept_Encoding=coding)[1]["etag"]
        ask(service.cached, path, Accept_Encoding=coding)
        service.asked.clear()
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*", '"other"', ""):
            for method in ("GET", "HEAD"):
                headers = {"Accept_Encoding": coding, "If_None_Match": known}
                expected = ask(service.plain, path, method, **headers)
                assert expected[0] == (200 if known in ('"other"', "") else 304)
                assert ask(service.cached, path, method, **headers) == expected
        assert service.asked == []


@pytest.mark.parametrize("path", NOT_KEPT)
def test_what_is_not_kept_is_answered_alike(service: Service, path: str) -> None:
    size = len(service.cache)
    for _ in range(2):
        cached, plain = ask(service.cached, path), ask(service.plain, path)
        assert cached[0] == plain[0]
        assert cached[1].keys() == plain[1].keys()
    assert len(service.cache) == size


def test_the_order_of_parameters_makes_no_difference(service: Service) -> None:
    asked = ("intervention=low-dose-zelvane", "condition=murmuria")
    for path in ("/v1/coverage", "/v1/claims", "/v1/briefs", "/v1/evidence-map", "/v1/bibliography"):
        one, other = (ask(service.cached, f"{path}?{'&'.join(order)}") for order in (asked, asked[::-1]))
        assert one == other
        assert ask(service.plain, f"{path}?{'&'.join(asked[::-1])}")[1]["etag"] == one[1]["etag"]


def test_every_header_that_an_answer_varies_by_is_part_of_the_key(service: Service) -> None:
    for path in KEPT:
        names = {name.strip().lower().encode() for name in ask(service.plain, path)[1]["vary"].split(",")}
        assert names <= set(KEY_HEADERS), path


def test_media_types_and_preferences_are_kept_apart(service: Service) -> None:
    path = KEPT[0]
    ask(service.cached, path)
    assert ask(service.cached, path, Accept="text/html")[0] == ask(service.plain, path, Accept="text/html")[0] == 406
    linked = "application/ld+json"
    assert ask(service.cached, path, Accept=linked) == ask(service.plain, path, Accept=linked)
    assert ask(service.cached, path, "DELETE")[0] == ask(service.plain, path, "DELETE")[0] == 405
    unknown = "/fhir/r5/Citation?colour=red&_count=1"
    assert ask(service.cached, unknown)[0] == 200
    assert ask(service.cached, unknown, Prefer="handling=strict")[0] == 400
    assert ask(service.cached, unknown)[0] == 200


def raw(service: Service, *headers: tuple[bytes, bytes]) -> int:
    """The status of an answer to headers that no client would send."""
    sent: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": KEPT[0], "raw_path": KEPT[0].encode(), "query_string": b"", "root_path": "", "headers": list(headers),
        "client": ("test", 1), "server": ("test", 80), "state": {},
    }  # fmt: skip
    assert service.cached.portal is not None
    service.cached.portal.call(partial(service.context, scope, receive, send))
    return sent[0]


def test_two_hosts_or_none_are_refused_though_the_answer_is_in_memory(service: Service) -> None:
    host = (b"host", b"test")
    assert [raw(service, host) for _ in range(2)] == [200, 200]
    assert raw(service, host, (b"host", b"other")) == 400
    assert raw(service) == 400


def test_codings_sent_twice_do_not_spoil_what_others_get(service: Service) -> None:
    path = "/v1/mechanisms?limit=50"
    twice = [("Accept-Encoding", "gzip"), ("Accept-Encoding", "identity")]
    for _ in range(2):
        service.cached.get(path, headers=twice)
    assert ask(service.cached, path) == ask(service.plain, path)


def test_one_maker_serves_everybody_who_asks_meanwhile(service: Service) -> None:
    """Ten requests at once for an answer that nobody has asked for yet."""
    path, query = "/v1/claims", b"limit=33&sort=-id"

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask_once(answers: list[bytes]) -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                answers.append(message["body"])

        scope: Scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
            "headers": [(b"host", b"test")], "client": ("test", 1), "server": ("test", 80), "state": {},
        }  # fmt: skip
        await service.context(scope, receive, send)

    async def ask_all() -> list[bytes]:
        answers: list[bytes] = []
        await asyncio.gather(*(ask_once(answers) for _ in range(10)))
        return answers

    service.asked.clear()
    assert service.cached.portal is not None
    answers = service.cached.portal.call(ask_all)
    assert len(answers) == 10
    assert len(set(answers)) == 1
    assert service.asked == [path]


# --- request ids and log lines ------------------------------------------------------------------------------------


def test_the_request_id_of_the_client_is_honoured_and_others_are_unique(service: Service) -> None:
    mine = "0af7651916cd43dd8448eb211c80319c"
    ids = [service.cached.get(KEPT[0]).headers["x-request-id"] for _ in range(20)]
    assert len(set(ids)) == 20
    for _ in range(2):
        assert service.cached.get(KEPT[0], headers={"X-Request-ID": mine}).headers["x-request-id"] == mine
    assert mine not in service.cached.get(KEPT[0], headers={"X-Request-ID": f'{mine}" "2'}).headers["x-request-id"]


# --- memory -------------------------------------------------------------------------------------------------------


def test_memory_stays_bounded_and_hot_keys_stay_under_distinct_queries(service: Service) -> None:
    for _ in range(3):
        ask(service.cached, KEPT[0])
    for number in range(600):
        service.cached.get(f"/v1/suggest?q=ldz{number}")
        if number % 100 == 0:
            service.asked.clear()
            ask(service.cached, KEPT[0])
            assert service.asked == []
    assert service.cache.bytes <= CACHE_BYTES


def test_without_memory_everything_is_asked_anew(engine: Engine) -> None:
    given = Settings(database_url=engine.original, cache_bytes=0)
    assert in_context(create_app(given), given).cache is None


# --- freshness ----------------------------------------------------------------------------------------------------


def write(database: Database, number: int) -> int:
    outcome = put(database, amended(content(database, "outcome", "bloodless"), description=f"Words {number}."))
    assert outcome.serial is not None
    return outcome.serial


@pytest.fixture
def written(scratch: Database) -> Database:
    first = content(scratch, "outcome", "spasticity")
    put(scratch, amended(first, id="bloodless", name="Bloodless", synonyms=[]))
    return scratch


def test_every_write_is_read_next(written: Database, writable: Service) -> None:
    """On SQLite by the very next read; on PostgreSQL, where this is another process' view, soon."""
    path = "/v1/outcomes/bloodless"
    for number in range(60):
        serial = write(written, number)
        until = time.monotonic() + (0 if written.is_sqlite else 20)
        while True:
            answer = writable.cached.get(path)
            if answer.json()["description"] == f"Words {number}." or time.monotonic() > until:
                break
            time.sleep(0.002)
        assert answer.json()["description"] == f"Words {number}."
        assert int(answer.headers["dataset-serial"]) == serial
        assert writable.cached.get(path).content == answer.content


@pytest.mark.parametrize("path", ["/v1/outcomes?limit=200", "/v1/search?q=bloodless", "/v1/outcomes/bloodless"])
def test_a_restored_data_set_that_went_another_way_is_not_taken_for_the_former(
    written: Database, writable: Service, tmp_path: Path, path: str
) -> None:
    """The serial is the same again, but what was published under it is not."""

    def publish_as(name: str) -> int:
        change = amended(content(written, "outcome", "bloodless"), name=name)
        with written.write() as session:
            return publish(session, CURATOR, [change], f"Named {name}").serial or 0

    def answer_with(name: str, tag: str | None = None) -> Response:
        until = time.monotonic() + 20
        while True:
            answer = writable.cached.get(path, headers={"If-None-Match": tag} if tag else {})
            if name in answer.text or time.monotonic() > until:
                return answer
            time.sleep(0.01)

    backup(written, tmp_path / "before.backup")
    serial = publish_as("Bloodless one way")
    former = answer_with("one way")
    restore(written, tmp_path / "before.backup", overwrite=True)
    assert publish_as("Bloodless another way") == serial
    answer = answer_with("another way", former.headers["etag"])
    assert "Bloodless another way" in answer.text
    assert answer.headers["dataset-serial"] == former.headers["dataset-serial"]
    assert answer.headers["etag"] != former.headers["etag"]
    assert writable.plain.get(path).content == answer.content


def test_answers_are_kept_again_after_a_restore_to_an_earlier_serial(
    written: Database, writable: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "REST_SECONDS", 0.0)
    path = "/v1/outcomes/bloodless"
    writable.cached.get(path)
    backup(written, tmp_path / "before.backup")
    later = write(written, 1)
    until = time.monotonic() + 20
    while writable.cached.get(path).headers["dataset-serial"] != str(later):
        assert time.monotonic() < until
        time.sleep(0.01)
    restore(written, tmp_path / "before.backup", overwrite=True)

    def is_kept() -> bool:
        first, made = writable.cached.get(path), len(writable.asked)
        assert int(first.headers["dataset-serial"]) in (later - 1, later)
        second = writable.cached.get(path)
        return second.headers["dataset-serial"] == str(later - 1) and len(writable.asked) == made

    while not is_kept():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_read_of_at_least_a_serial_is_never_older(written: Database, writable: Service) -> None:
    path = "/v1/outcomes/bloodless"
    for number in range(20):
        writable.cached.get(path)
        serial = write(written, number)
        answer = writable.cached.get(path, headers={"Min-Dataset-Serial": str(serial)})
        assert answer.status_code == 200
        assert int(answer.headers["dataset-serial"]) >= serial
        assert answer.json()["description"] == f"Words {number}."


def test_a_serial_that_does_not_come_is_503_and_an_unreadable_one_422(written: Database, writable: Service) -> None:
    with written.read() as session:
        serial = current_serial(session)
    for path in ("/v1/outcomes/bloodless", "/v1/search?q=pain"):
        late = writable.cached.get(path, headers={"Min-Dataset-Serial": str(serial + 1)})
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        assert writable.cached.get(path, headers={"Min-Dataset-Serial": str(serial)}).status_code == 200
        for unreadable in ("", "-1", "1.5", "x", "9" * 11):
            refused = writable.cached.get(path, headers={"Min-Dataset-Serial": unreadable})
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["field"] == "Min-Dataset-Serial"


# --- what it is for -----------------------------------------------------------------------------------------------


def test_every_page_leads_on_to_the_next(service: Service) -> None:
    path = "/v1/claims?kind=efficacy&condition=murmuria&condition=gripes&limit=7"
    while path:
        expected = ask(service.plain, path)
        assert ask(service.cached, path) == expected
        path = json.loads(expected[2])["next"] or ""
