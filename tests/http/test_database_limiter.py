"""Many ask at once: they wait in line for the database, and nobody who waits keeps others from going on."""

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from app.core.errors import Unavailable
from app.http.database_limiter import Slots
from app.http.server import Timeouts
from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import Engine
from tests.serving import served

CONNECTIONS = 2
MANY = 150
"""More than the threads of a process and its connections together."""
PATIENCE_SECONDS = 60.0
PATHS = ("/v1/outcomes/spasticity", "/v1/search?q=pain", "/fhir/r5/Evidence?_count=2", "/v1/claims?q=pain")


@dataclass(frozen=True)
class Service:
    """The whole service on a real socket, with few connections and more patience than it has in production."""

    port: int

    def get(self, path: str, least: int = 0) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path, headers={"Min-Dataset-Serial": str(least)} if least else {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def status(self, path: str, least: int = 0) -> int:
        return self.get(path, least)[0]

    def serial(self) -> int:
        return int(json.loads(self.get("/readyz")[2])["serial"])


@pytest.fixture(scope="module")
def service(engine: Engine) -> Iterator[Service]:
    given = Settings(database_url=engine.original, pool_size=CONNECTIONS, cache_bytes=0)
    app = create_app(given)
    app.state.reads.limiter.reading = Slots(CONNECTIONS, PATIENCE_SECONDS)
    with served(in_context(app, given), Timeouts(receive=PATIENCE_SECONDS, shutdown=2)) as port:
        yield Service(port)


@pytest.mark.parametrize("least", [0, 1], ids=["as it is", "of at least a serial"])
def test_everybody_in_a_burst_is_answered(service: Service, least: int) -> None:
    with ThreadPoolExecutor(MANY) as crowd:
        asked = [crowd.submit(service.status, path, least) for path in PATHS for _ in range(MANY // len(PATHS))]
        assert service.status("/healthz") == 200
        assert Counter(one.result() for one in asked) == {200: len(asked)}
    assert service.status(PATHS[0], least) == 200


def test_who_waits_for_a_serial_keeps_nobody_waiting(service: Service) -> None:
    to_come = service.serial() + 1
    with ThreadPoolExecutor(MANY) as crowd:
        order: list[int] = []
        early = [crowd.submit(service.status, PATHS[0], to_come) for _ in range(10 * CONNECTIONS)]
        for one in early:
            one.add_done_callback(lambda done: order.append(done.result()))
        order.append(service.status(PATHS[0]))
    assert order == [200] + [503] * len(early)


def test_who_is_turned_away_hears_when_to_come_back_and_leaves_no_trace() -> None:
    async def crowded() -> list[int | str | None]:
        slots, told = Slots(1, wait_seconds=0.02), list[int | str | None]()
        async with slots.slot():
            for _ in range(3):
                with pytest.raises(Unavailable) as refusal:
                    await _take(slots)
                told.append(refusal.value.headers["Retry-After"])
        await _take(slots)
        return told

    assert asyncio.run(crowded()) == ["1", "1", "1"]


def test_a_slot_that_ends_badly_is_given_back() -> None:
    async def failing() -> None:
        slots = Slots(1, wait_seconds=0.02)
        with pytest.raises(ZeroDivisionError):
            await _take(slots, lambda: 1 / 0)
        await _take(slots)

    asyncio.run(failing())


async def _take(slots: Slots, work: Callable[[], object] = lambda: None) -> None:
    async with slots.slot():
        work()
