"""Limits how much one client may ask for in a time. Requests cost units by kind; a 304 and health checks are free."""

from __future__ import annotations

import math
import re
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import TYPE_CHECKING, Any

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage, Storage
from starlette.types import Message, Scope, Send

from app.core.errors import RateLimited
from app.core.logging import describe
from app.http.client_address import IPAddress, IPNetwork, client_address

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

ITEM, LIST, SEARCH, BRIEF = 1, 2, 5, 10
_FHIR_TYPE = r"/fhir/[^/]+/[^/]+"
COSTS = tuple(
    (cost, re.compile(path))
    for cost, path in (
        (0, r"/healthz|/readyz"),
        (BRIEF, r"/mcp|/v1/(briefs(/.*)?|verify|bibliography.*|coverage|evidence-map|documents/[^/]+/impact)"),
        (BRIEF, r"/evidence-map|/conditions(/[^/]+)?"),
        (SEARCH, r"/search|/v1/(search|interaction-checks)|/infobutton|/cds-services/[^/]+"),
        (LIST, rf"/v1/[^/]+(/[^/]+/[^/]+)?|/cds-services|{_FHIR_TYPE}(/_search|(/[^/]+)?/_history)?"),
    )
)
"""What a request costs, by its path; the first line that fits. Everything else costs as much as an item."""

MAX_CLIENTS = 100_000
"""Clients that one process counts; about 30 MB. Beyond it the client that began longest ago is forgotten."""
REDIS_TIMEOUT_SECONDS = 0.25
REDIS_PAUSE_SECONDS = 1.0
"""How long requests are not counted after Redis did not answer; so long they are served without asking it again."""


def cost_of(path: str) -> int:
    return next((cost for cost, pattern in COSTS if pattern.fullmatch(path)), ITEM)


def client_key(address: IPAddress | None) -> str:
    """Whom a request is counted for. IPv6 networks of 64 bits count as one: who has one address there has them all."""
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address) >> 64 << 64, 64)))
    return str(address)


class WindowCounters(Storage):
    """Counters in the memory of this process, bounded in number, at the same cost however many there are.

    The library's own storage looks through all of its counters at every request: 1.2 ms with 10 000 clients.
    """

    STORAGE_SCHEME = None
    base_exceptions = ()

    def __init__(self, max_clients: int = MAX_CLIENTS) -> None:
        super().__init__()
        self._max_clients = max_clients
        self._counters: OrderedDict[str, list[float]] = OrderedDict()
        """Count and end of the window, by key; the oldest window first, since all are equally long."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now, counters = time.time(), self._counters
        while counters and next(iter(counters.values()))[1] <= now:
            counters.popitem(last=False)
        if key not in counters:
            if len(counters) >= self._max_clients:
                counters.popitem(last=False)
            counters[key] = [0, now + expiry]
        counters[key][0] = max(0, counters[key][0] + amount)
        return int(counters[key][0])

    async def get(self, key: str) -> int:
        return int(self._counters.get(key, (0, 0))[0])

    async def get_expiry(self, key: str) -> float:
        return self._counters.get(key, (0, time.time()))[1]

    async def check(self) -> bool:
        return True

    async def clear(self, key: str) -> None:
        self._counters.pop(key, None)

    async def reset(self) -> int:
        count = len(self._counters)
        self._counters.clear()
        return count


@dataclass
class Charge:
    """What one request was charged, and what is left."""

    limits: RateLimits
    key: str
    cost: int
    used: int
    resets_at: float

    @property
    def refusal(self) -> RateLimited | None:
        return RateLimited(self._seconds_left) if self.used > self.limits.item.amount else None

    @property
    def _seconds_left(self) -> int:
        return max(1, math.ceil(self.resets_at - time.time()))

    def sending(self, send: Send) -> Send:
        """A `send` that adds the headers; a 304 is given back first."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 304:
                    await self.limits.give_back(self)
                message = {**message, "headers": [*message["headers"], *self._headers()]}
            await send(message)

        return with_headers

    def _headers(self) -> list[tuple[bytes, bytes]]:
        item = self.limits.item
        remaining = max(0, item.amount - self.used)
        return [
            (b"ratelimit-policy", b'"client";q=%d;w=%d' % (item.amount, item.get_expiry())),
            (b"ratelimit", b'"client";r=%d;t=%d' % (remaining, self._seconds_left)),
        ]


class RateLimits:
    """Counts units for each client in windows of fixed length, which begin with a client's first request.

    In Redis all processes count together, in memory each for itself. While Redis does not answer, requests are served
    and not counted: public reads matter more than limits.
    """

    def __init__(self, limit: str, trusted_proxies: Collection[IPNetwork] = (), redis_url: str | None = None) -> None:
        """`limit` such as `600/minute`. Raises an error if the address of Redis cannot be read."""
        self.item: RateLimitItem = parse(limit)
        self.refusals = 0
        """Requests that were refused, for metrics."""
        self._trusted_proxies = trusted_proxies
        self._storage: Storage = WindowCounters()
        self._pool: ConnectionPool | None = None
        self._away_until = 0.0
        if redis_url:
            from redis.asyncio import ConnectionPool

            seconds = REDIS_TIMEOUT_SECONDS
            self._pool = ConnectionPool.from_url(redis_url, socket_timeout=seconds, socket_connect_timeout=seconds)
            options: dict[str, Any] = {"connection_pool": self._pool}
            self._storage = RedisStorage(redis_url, implementation="redispy", key_prefix="ldn-evidence", **options)

    async def charge(self, scope: Scope) -> Charge | None:
        """Count a request; null where it is free or cannot be counted now."""
        cost = cost_of(scope["path"]) if scope["method"] != "OPTIONS" else 0
        if not cost or time.monotonic() < self._away_until:
            return None
        key = self.item.key_for(client_key(client_address(scope, self._trusted_proxies)))
        try:
            used = await self._storage.incr(key, self.item.get_expiry(), amount=cost)
            charge = Charge(self, key, cost, used, await self._storage.get_expiry(key))
        except self._storage.base_exceptions as error:
            self._note_absence(error)
            return None
        self.refusals += charge.refusal is not None
        return charge

    async def give_back(self, charge: Charge) -> None:
        try:
            charge.used = await self._storage.incr(charge.key, self.item.get_expiry(), amount=-charge.cost)
        except self._storage.base_exceptions as error:
            self._note_absence(error)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    def _note_absence(self, error: Exception) -> None:
        if time.monotonic() >= self._away_until:  # many requests may have waited for the same answer
            structlog.get_logger("app.rate_limits").warning("requests are not counted", **describe(error))
        self._away_until = time.monotonic() + REDIS_PAUSE_SECONDS
