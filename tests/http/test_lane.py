"""The fast lane answers as the application does, never with what was, and never more than its share of memory."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.api import search
from app.core.logging import AccessLog
from app.http import freshness
from app.http.direct import SEARCH, Direct
from app.http.lane import Lane
from app.main import create_app, guarded
from app.registry import RESOURCES
from app.settings import Settings
from app.storage.database import Database
from app.storage.history import StoredRecord, current_serial
from tests.conftest import Engine
from tests.factories import amended, content, put

CACHE_BYTES = 4_000_000
CLAIM = "ldn-fibromyalgia-pain"
HOT = (
    f"/v1/claims/{CLAIM}",
    "/v1/claims",
    "/v1/claims?condition=fibromyalgia&kind=efficacy&limit=50",
    "/v1/claims?q=pain&sort=-updated_at",
    f"/v1/claims/{CLAIM}/citations",
    f"/v1/claims/{CLAIM}/evidence",
    f"/v1/claims/{CLAIM}/versions",
    "/v1/conditions",
    "/v1/conditions/fibromyalgia",
    "/v1/studies?limit=3",
    "/v1/documents/younger-2013",
    "/v1/dosing-ranges",
    "/v1/search?q=does+ldn+help+crohns",
    "/v1/search?q=sleep&type=claim&limit=5",
    "/v1/suggest?q=fib",
    "/v1/meta",
    "/v1/vocabularies",
    "/v1/coverage?intervention=low-dose-naltrexone&condition=lupus",
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
)
CODINGS = ("identity", "gzip", "br", "zstd")


@dataclass(frozen=True)
class Both:
    """The whole service, and the guarded application alone, over the same database."""

    lane: Lane
    fast: TestClient
    plain: TestClient
    log: io.StringIO
    database: Database

    def lines(self) -> list[dict[str, object]]:
        self.lane.log.flush()
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def both(url: str, cache_bytes: int = CACHE_BYTES) -> Iterator[Both]:
    given = Settings(database_url=url, cache_bytes=cache_bytes)
    app, alone = create_app(given), create_app(given)
    log = io.StringIO()
    watcher = freshness.of(app.state.database, None)
    direct = Direct(app.state.database, search.straight)
    reading = app.state.turns.reading
    lane = Lane(
        guarded(app, given),
        watcher,
        cache_bytes=given.cache_bytes,
        log=AccessLog(log),
        direct=direct,
        reading=reading,
    )
    # The one client would add headers of its own to every request.
    with TestClient(lane, headers={}) as fast, TestClient(guarded(alone, given), headers={}) as plain:
        _wait_until_watching(watcher)
        yield Both(lane, fast, plain, log, app.state.database)
    app.state.database.dispose()
    alone.state.database.dispose()


def _wait_until_watching(watcher: freshness.Freshness) -> None:
    """A listener needs a moment to connect; SQLite knows at once, but only on the server's own thread."""
    if isinstance(watcher, freshness.PostgresFreshness):
        until = time.monotonic() + 20
        while watcher.serial() is None and time.monotonic() < until:
            time.sleep(0.01)


@pytest.fixture(scope="module")
def service(engine: Engine) -> Iterator[Both]:
    yield from both(engine.original)


@pytest.fixture
def writable(scratch: Database) -> Iterator[Both]:
    yield from both(scratch.url.render_as_string(hide_password=False))


Answer = tuple[int, dict[str, str], bytes]


def ask(client: TestClient, path: str, method: str = "GET", **headers: str) -> Answer:
    """Status, headers but those that differ by nature, and the body after decoding."""
    sent = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = client.request(method, path, headers=sent)
    kept = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return answer.status_code, kept, answer.content


# --- alike --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", HOT)
def test_both_ways_answer_alike_at_first_and_from_memory(service: Both, path: str) -> None:
    for coding in CODINGS:
        for origin in ({}, {"Origin": "https://clinic.example"}):
            headers = {"Accept_Encoding": coding, **origin}
            expected = ask(service.plain, path, **headers)
            assert expected[0] == 200
            assert expected[1].get("content-encoding", "identity") in (coding, "identity")
            for _ in range(3):
                assert ask(service.fast, path, **headers) == expected
            assert ask(service.fast, path, "HEAD", **headers) == ask(service.plain, path, "HEAD", **headers)


@pytest.mark.parametrize("path", HOT)
def test_both_ways_say_alike_that_nothing_changed(service: Both, path: str) -> None:
    for coding in ("identity", "br"):
        tag = ask(service.plain, path, Accept_Encoding=coding)[1]["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*", '"other"', ""):
            for method in ("GET", "HEAD"):
                headers = {"Accept_Encoding": coding, "If_None_Match": known}
                expected = ask(service.plain, path, method, **headers)
                assert expected[0] == (200 if known in ('"other"', "") else 304)
                for _ in range(3):
                    assert ask(service.fast, path, method, **headers) == expected


@pytest.mark.parametrize("path", NOT_KEPT)
def test_what_is_not_kept_is_answered_alike(service: Both, path: str) -> None:
    size = len(service.lane.cache)
    for _ in range(2):
        fast, plain = ask(service.fast, path), ask(service.plain, path)
        assert fast[0] == plain[0]
        assert fast[1].keys() == plain[1].keys()
    assert len(service.lane.cache) == size


def test_other_media_types_and_methods_fall_through(service: Both) -> None:
    path = HOT[0]
    ask(service.fast, path)
    assert ask(service.fast, path, Accept="text/html")[0] == ask(service.plain, path, Accept="text/html")[0] == 406
    linked = "application/ld+json"
    assert ask(service.fast, path, Accept=linked) == ask(service.plain, path, Accept=linked)
    assert ask(service.fast, path, "DELETE")[0] == ask(service.plain, path, "DELETE")[0] == 405


def test_what_is_asked_for_again_comes_from_memory(service: Both) -> None:
    """The access log of the lane has lines of what it answered itself, and of nothing else."""
    before = len(service.lines())
    path = "/v1/outcomes?limit=7"
    for _ in range(4):
        assert ask(service.fast, path)[0] == 200
    assert len(service.lines()) - before == 3


def raw(service: Both, *headers: tuple[bytes, bytes]) -> int:
    """The status of an answer to headers that no client would send."""
    sent: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": HOT[0], "raw_path": HOT[0].encode(), "query_string": b"", "root_path": "", "headers": list(headers),
        "client": ("test", 1), "server": ("test", 80), "state": {},
    }  # fmt: skip
    assert service.fast.portal is not None
    service.fast.portal.call(partial(service.lane, scope, receive, send))
    return sent[0]


def test_two_hosts_or_none_are_refused_though_the_answer_is_in_memory(service: Both) -> None:
    host = (b"host", b"test")
    assert [raw(service, host) for _ in range(2)] == [200, 200]
    assert raw(service, host, (b"host", b"other")) == 400
    assert raw(service) == 400


def test_codings_sent_twice_do_not_spoil_what_others_get(service: Both) -> None:
    path = "/v1/mechanisms?limit=50"
    twice = [("Accept-Encoding", "gzip"), ("Accept-Encoding", "identity")]
    for _ in range(2):
        service.fast.get(path, headers=twice)
    assert ask(service.fast, path) == ask(service.plain, path)


# --- request ids and log lines ------------------------------------------------------------------------------------


def test_the_request_id_of_the_client_is_honoured_and_others_are_unique(service: Both) -> None:
    ids = [service.fast.get(HOT[0]).headers["x-request-id"] for _ in range(20)]
    assert len(set(ids)) == 20
    for _ in range(2):
        assert service.fast.get(HOT[0], headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert "mine" not in service.fast.get(HOT[0], headers={"X-Request-ID": 'mine" "2'}).headers["x-request-id"]


def test_log_lines_are_json_and_hold_neither_query_nor_id(service: Both) -> None:
    paths = ("/v1/search?q=my+secret+illness", f"/v1/claims/{CLAIM}?", '/v1/claims?q="quoted"')
    for path in paths:
        for _ in range(3):
            ask(service.fast, path, X_Request_ID="seen-1")
    lines = service.lines()
    text = service.log.getvalue()
    assert "secret" not in text
    assert "quoted" not in text
    assert CLAIM not in text
    assert {"/v1/search", "/v1/claims/{id}", "/v1/claims"} <= {line["route"] for line in lines}
    assert all(
        line.keys()
        == {"method", "route", "status", "ms", "event", "request_id", "level", "logger", "time"}
        for line in lines
    )  # fmt: skip
    assert lines[-1]["request_id"] == "seen-1"


# --- memory -------------------------------------------------------------------------------------------------------


def test_memory_stays_bounded_and_hot_keys_keep_their_hits_under_distinct_queries(service: Both) -> None:
    for _ in range(3):
        ask(service.fast, HOT[0])
    for number in range(1500):
        service.fast.get(f"/v1/suggest?q=ldn{number}")
        if number % 100 == 0:
            before = len(service.lines())
            ask(service.fast, HOT[0])
            assert len(service.lines()) == before + 1
    assert service.lane.cache.bytes <= CACHE_BYTES


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


def test_every_one_of_two_hundred_writes_is_read_next(written: Database, writable: Both) -> None:
    """On SQLite by the very next read; on PostgreSQL, where this is another process' view, soon."""
    path = "/v1/outcomes/bloodless"
    for number in range(200):
        serial = write(written, number)
        until = time.monotonic() + (0 if written.is_sqlite else 20)
        while True:
            answer = writable.fast.get(path)
            if answer.json()["description"] == f"Words {number}." or time.monotonic() > until:
                break
            time.sleep(0.002)
        assert answer.json()["description"] == f"Words {number}."
        assert int(answer.headers["dataset-serial"]) == serial
        assert writable.fast.get(path).content == answer.content


def test_a_read_of_at_least_a_serial_is_never_older(written: Database, writable: Both) -> None:
    path = "/v1/outcomes/bloodless"
    for number in range(30):
        writable.fast.get(path)
        serial = write(written, number)
        answer = writable.fast.get(path, headers={"Min-Dataset-Serial": str(serial)})
        assert answer.status_code == 200
        assert int(answer.headers["dataset-serial"]) >= serial
        assert answer.json()["description"] == f"Words {number}."


def test_a_serial_that_does_not_come_is_503_and_an_unreadable_one_422(written: Database, writable: Both) -> None:
    with written.read() as session:
        serial = current_serial(session)
    for path in ("/v1/outcomes/bloodless", "/v1/search?q=pain"):
        late = writable.fast.get(path, headers={"Min-Dataset-Serial": str(serial + 1)})
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        assert writable.fast.get(path, headers={"Min-Dataset-Serial": str(serial)}).status_code == 200
        for unreadable in ("", "-1", "1.5", "x", "9" * 11):
            refused = writable.fast.get(path, headers={"Min-Dataset-Serial": unreadable})
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["field"] == "Min-Dataset-Serial"


# --- straight from the documents ----------------------------------------------------------------------------------

LISTS = (
    "/v1/claims?condition=fibromyalgia",
    "/v1/claims?kind=efficacy&condition=fibromyalgia&condition=crohns-disease&limit=7",
    "/v1/claims?sort=-id&effect=improves&limit=2",
    "/v1/claims?limit=3&stance=disputes",
    "/v1/claims?cited=true&limit=1",
    "/v1/claims?intervention=low-dose-naltrexone&kind=interaction",
    "/v1/studies?design=case_report",
    "/v1/studies?is_review=true&limit=4",
    "/v1/conditions?limit=200",
    "/v1/citations?stance=supports&directness=indirect",
    "/v1/citations?role=primary_result&limit=5",
    "/v1/searches?coverage=not_searched&limit=4",
    "/v1/dosing-ranges?tier=low",
    "/v1/search?q=does+ldn+help+crohns&limit=5",
    "/v1/search?q=pain&type=claim&kind=efficacy&kind=safety&limit=20",
    "/v1/search?q=%22vivid%20dreams%22",
    "/v1/search?q=xyzzy",
    "/v1/claims?cursor=AAAA",
    "/v1/claims?condition=no-such-condition",
    "/v1/claims?kind=efficacy&kind=no_such_kind",
    "/v1/claims?limit=5&limit=6",
    "/v1/claims?status=published",
    "/v1/claims?condition=",
    "/v1/searches?mechanism=opioid-growth-factor",
    "/v1/claims/no-such-claim",
    "/v1/claims/ldn-fibromyalgia-pain?serial=1",
    "/v1/search?q=%FF",
    "/v1/search?q=%00",
    "/v1/search?q=pain&q=sleep",
    "/v1/search?q=pain&cursor=AAAA",
    "/v1/search?q=",
)
NEVER_STRAIGHT = frozenset(LISTS[17:])


async def _nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("the application was asked")


@pytest.fixture
def unremembering(engine: Engine) -> Iterator[Both]:
    for found in both(engine.original, cache_bytes=0):
        ask(found.plain, "/v1/meta")  # so that errors, too, say at which serial
        search_for = f"{SEARCH}?q=fatigue"
        ask(found.fast, search_for, If_None_Match=ask(found.fast, search_for)[1]["etag"])
        for kind in ("claims", "studies", "conditions", "citations", "searches", "dosing-ranges", "documents"):
            first = ask(found.fast, f"/v1/{kind}?limit=1")  # an answer of each kind, for its form
            item = ask(found.fast, f"/v1/{kind}/{json.loads(first[2])['items'][0]['id']}")
            for path, answer in ((f"/v1/{kind}?limit=1", first), (item_path(item), item)):
                ask(found.fast, path, If_None_Match=answer[1]["etag"])
        yield found


def item_path(answer: Answer) -> str:
    return str(json.loads(answer[2])["links"]["self"])


@pytest.mark.parametrize("path", LISTS)
def test_an_answer_never_given_before_is_put_together_alike(unremembering: Both, path: str) -> None:
    straight = path not in NEVER_STRAIGHT
    while path:
        expected = ask(unremembering.plain, path, X_Request_ID="one")
        if straight:
            unremembering.lane.app, application = _nobody, unremembering.lane.app
        assert ask(unremembering.fast, path, X_Request_ID="one") == expected
        if straight:
            tag = expected[1]["etag"]
            not_modified = ask(unremembering.fast, path, If_None_Match=tag)
            unremembering.lane.app = application
            assert not_modified == ask(unremembering.plain, path, If_None_Match=tag)
            for coding in CODINGS[1:]:
                unremembering.lane.app = _nobody
                compressed = ask(unremembering.fast, path, Accept_Encoding=coding)
                unremembering.lane.app = application
                assert compressed == ask(unremembering.plain, path, Accept_Encoding=coding)
        path = json.loads(expected[2]).get("next") or ""  # the cursors of either way lead on in the other


def test_every_record_is_answered_alike_straight_from_its_document(unremembering: Both) -> None:
    with unremembering.database.read() as session:
        records = session.execute(select(StoredRecord.type, StoredRecord.id).order_by(StoredRecord.type)).all()
    kinds = {resource.type: resource.path for resource in RESOURCES}
    for record_type, record_id in records[::7]:
        path = f"{kinds[record_type]}/{record_id}"
        expected = ask(unremembering.plain, path)
        assert ask(unremembering.fast, path) == expected
        coded = ask(unremembering.plain, path, Accept_Encoding="br")[1]["etag"]
        for known in (expected[1]["etag"], coded):
            told = ask(unremembering.fast, path, Accept_Encoding="br", If_None_Match=known)
            assert told == ask(unremembering.plain, path, Accept_Encoding="br", If_None_Match=known)


def test_who_holds_an_older_answer_gets_the_new_one_straight(unremembering: Both) -> None:
    for path in (HOT[0], "/v1/conditions?limit=3", f"{SEARCH}?q=fatigue"):
        for coding in CODINGS:
            expected = ask(unremembering.plain, path, Accept_Encoding=coding, If_None_Match='"older"')
            unremembering.lane.app, application = _nobody, unremembering.lane.app
            told = ask(unremembering.fast, path, Accept_Encoding=coding, If_None_Match='"older"')
            unremembering.lane.app = application
            assert told == expected


# --- on the wire --------------------------------------------------------------------------------------------------


def test_the_server_sends_at_once_what_clients_get_otherwise(service: Both) -> None:
    """The same lane under the real server and under the test client."""
    assert service.fast.portal is not None
    for path in (HOT[0], "/v1/claims?limit=2", "/v1/meta"):
        for coding in CODINGS:
            sent = [(b"host", b"testserver"), (b"accept-encoding", coding.encode()), (b"x-request-id", b"one")]
            scope: Scope = {"type": "http", "method": "GET", "raw_path": path.partition("?")[0].encode()}
            scope.update(query_string=path.partition("?")[2].encode(), headers=sent)
            expected = ask(service.fast, path, Accept_Encoding=coding)
            ready = service.fast.portal.call(service.lane.at_once, scope)
            assert ready is not None
            headers = {name.decode(): value.decode() for name, value in ready.headers()}
            assert headers.pop("x-request-id") == "one"
            assert (ready.status, headers) == expected[:2]
            assert len(ready.body) == int(headers["content-length"])
