"""An answer is made once, however many ask for it at a time, in whatever content coding and from whatever page."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from app.http.freshness import NewestState
from app.http.middleware import OperatorOptions, RequestContext
from app.http.response_cache import MAX_BYTES_OF_ONE, ResponseCache

ASKERS = 10
BODY = b"x" * 5_000


class Serial:
    """A data set that moves when the test says so."""

    def __init__(self) -> None:
        self.now: int | None = 7

    def state(self) -> NewestState:
        return NewestState(self.now, "")

    def saw(self, serial: int) -> None: ...
    def close(self) -> None: ...


@dataclass
class Maker:
    """Makes an answer slowly, and counts how many are made, and how many at once."""

    answer: Callable[[int], Response | Exception] = lambda _: answered(BODY)
    made: int = 0
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.made += 1
        number = self.made
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.wait_for(self.gate.wait(), 10)
            answer = self.answer(number)
        finally:
            self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        await answer(scope, receive, send)


def answered(body: bytes, status: int = 200, serial: int = 7, **more: str) -> Response:
    headers = {"ETag": '"t"', "Cache-Control": "no-cache", "Dataset-Serial": str(serial), **more}
    return Response(body, status, headers, "application/json")


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def ask(context: RequestContext, **headers: str) -> Awaitable[Answer]:
    return _ask(context, {name.replace("_", "-"): value for name, value in headers.items()})


async def _ask(context: RequestContext, headers: dict[str, str], method: str = "GET") -> Answer:
    answer = Answer()

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message["body"]

    scope: Scope = {
        "type": "http", "method": method, "path": "/brief", "raw_path": b"/brief", "query_string": b"",
        "headers": [(b"host", b"test"), *((name.encode(), value.encode()) for name, value in headers.items())],
    }  # fmt: skip
    await context(scope, receive, send)
    return answer


def context_around(maker: Maker, serial: Serial | None = None, deadline_seconds: float = 5) -> RequestContext:
    cache = ResponseCache(serial or Serial(), 10_000_000)
    return RequestContext(
        maker,
        max_body_bytes=1000,
        deadline_seconds=deadline_seconds,
        cache=cache,
        options=OperatorOptions(origins=("*",)),
    )


async def ask_all(context: RequestContext, maker: Maker, headers: list[dict[str, str]]) -> list[Answer]:
    asking = [asyncio.ensure_future(ask(context, **one)) for one in headers]
    await asyncio.sleep(0.05)  # all of them wait by now
    maker.gate.set()
    return await asyncio.wait_for(asyncio.gather(*asking), 20)


CODINGS: list[dict[str, str]] = [
    {},
    {"accept_encoding": "gzip"},
    {"accept_encoding": "br"},
    {"accept_encoding": "identity"},
    {"origin": "https://a.example"},
    {"origin": "https://b.example", "accept_encoding": "gzip"},
]


def test_it_is_made_once_for_all_content_codings_and_origins() -> None:
    maker = Maker()

    answers = asyncio.run(ask_all(context_around(maker), maker, CODINGS * 3))

    assert maker.made == 1
    assert {answer.status for answer in answers} == {200}
    codings = [answer.headers.get("content-encoding") for answer in answers[: len(CODINGS)]]
    assert codings == [None, "gzip", "br", None, None, "gzip"]
    assert gzip.decompress(answers[1].body) == BODY
    assert answers[0].body == answers[3].body == answers[4].body == BODY
    assert answers[1].headers["etag"] == '"t-gzip"'
    assert [a.headers.get("access-control-allow-origin") for a in answers[3:6]] == [None, "*", "*"]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_what_was_made_for_one_coding_serves_the_next() -> None:
    maker = Maker()
    maker.gate.set()
    context = context_around(maker)

    async def one_by_one() -> list[Answer]:
        return [await ask(context, **headers) for headers in CODINGS]

    assert [answer.status for answer in asyncio.run(one_by_one())] == [200] * len(CODINGS)
    assert maker.made == 1


def test_a_client_that_has_it_gets_304_from_what_another_made() -> None:
    maker = Maker()
    held = {"if_none_match": '"t-gzip"', "accept_encoding": "gzip"}

    answers = asyncio.run(ask_all(context_around(maker), maker, [{}, held]))

    assert (maker.made, [answer.status for answer in answers]) == (1, [200, 304])
    assert answers[1].headers["etag"] == '"t-gzip"'


@pytest.mark.parametrize("failure", [RuntimeError("broken"), answered(b"{}", 503)], ids=["exception", "503"])
def test_when_the_maker_fails_the_next_makes_it_alone(failure: Response | Exception) -> None:
    maker = Maker(lambda number: failure if number <= 2 else answered(BODY))

    answers = asyncio.run(ask_all(context_around(maker), maker, [{}] * ASKERS))

    assert (maker.made, maker.most_at_once) == (3, 1)
    assert sorted(answer.status for answer in answers)[: ASKERS - 2] == [200] * (ASKERS - 2)


def test_an_answer_too_long_to_be_kept_is_made_by_one_at_a_time() -> None:
    maker = Maker(lambda _: answered(b"x" * (MAX_BYTES_OF_ONE + 1)))

    answers = asyncio.run(ask_all(context_around(maker), maker, [{}] * 3))

    assert (maker.most_at_once, [len(answer.body) for answer in answers]) == (1, [MAX_BYTES_OF_ONE + 1] * 3)


def test_nobody_who_asks_after_a_publication_gets_what_was_begun_before_it() -> None:
    serial, maker = Serial(), Maker(lambda number: answered(b"old" if number == 1 else b"new", serial=6 + number))
    context = context_around(maker, serial)

    async def publish_meanwhile() -> list[bytes]:
        first = asyncio.ensure_future(ask(context))
        await asyncio.sleep(0.05)
        serial.now = 8
        later = asyncio.ensure_future(ask(context))
        await asyncio.sleep(0.05)
        maker.gate.set()
        return [answer.body for answer in await asyncio.gather(first, later)]

    assert asyncio.run(publish_meanwhile()) == [b"old", b"new"]


def test_answers_of_a_kind_that_is_never_kept_do_not_wait_for_each_other() -> None:
    maker = Maker(lambda _: JSONResponse({}, 404))

    answers = asyncio.run(ask_all(context_around(maker), maker, [{}] * ASKERS))

    assert [answer.status for answer in answers] == [404] * ASKERS
    assert maker.most_at_once == ASKERS - 1


def test_nobody_waits_for_the_client_of_another_to_read() -> None:
    maker = Maker()
    maker.gate.set()
    context = context_around(maker)

    async def stalled() -> int:
        never = asyncio.Event()

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await never.wait()

        scope: Scope = {
            "type": "http", "method": "GET", "path": "/brief", "raw_path": b"/brief", "query_string": b"",
            "headers": [(b"host", b"test")],
        }  # fmt: skip
        stalling = asyncio.ensure_future(context(scope, Request(scope).receive, send))
        await asyncio.sleep(0.05)
        answer = await asyncio.wait_for(ask(context), 3)
        stalling.cancel()
        return answer.status

    assert asyncio.run(stalled()) == 200
    assert maker.made == 1


def test_whoever_waits_too_long_is_answered_503_and_makes_nothing_later() -> None:
    maker = Maker()
    context = context_around(maker, deadline_seconds=0.2)

    async def wait_in_vain() -> list[int]:
        asking = [asyncio.ensure_future(ask(context)) for _ in range(3)]
        await asyncio.sleep(0.6)
        maker.gate.set()
        return [answer.status for answer in await asyncio.gather(*asking)]

    assert asyncio.run(wait_in_vain()) == [503] * 3
    assert maker.made == 1
