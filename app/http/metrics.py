"""Figures for Prometheus, on an address of their own. No label ever holds what a client sent."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import select

from app.core.logging import AccessLine, describe
from app.http.database_limiter import DatabaseLimiter
from app.http.response_cache import ResponseCache
from app.storage.database import Database
from app.storage.history import Publication

if TYPE_CHECKING:
    from app.http.rate_limits import RateLimits

BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SERIAL_READ_SECONDS = 5.0
"""How long the newest serial is remembered between two scrapes."""


class Metrics(Collector):
    """Counts in plain dictionaries, which costs a request a microsecond; the rest is done when somebody asks.

    Routes are templates such as `/v1/claims/{id}`, and `-` where there is none; issuers and services are configured,
    rules are of the data set: the number of series is bounded.
    """

    def __init__(
        self, database: Database, limiter: DatabaseLimiter, cache: ResponseCache | None, rate_limits: RateLimits | None
    ) -> None:
        self.cache_hits = 0
        self.cache_misses = 0
        self._database = database
        self._limiter = limiter
        self._cache = cache
        self._rate_limits = rate_limits
        self._requests: Counter[tuple[str, int]] = Counter()
        self._durations: dict[str, list[float]] = {}
        """For each route how many requests fell into each bucket, then those beyond all, then the sum of seconds."""
        self._deadlines = 0
        self._cards: Counter[tuple[str, str]] = Counter()
        self._feedback: Counter[tuple[str, str]] = Counter()
        self._newest: tuple[int, float] | None = None
        self._newest_read_at = -SERIAL_READ_SECONDS
        self._reading = threading.Lock()

    def count(self, line: AccessLine) -> None:
        """Count a request that was answered."""
        self._requests[line.route, line.status] += 1
        durations = self._durations.get(line.route)
        if durations is None:
            durations = self._durations[line.route] = [0] * (len(BUCKETS_SECONDS) + 2)
        durations[bisect_left(BUCKETS_SECONDS, line.seconds)] += 1
        durations[-1] += line.seconds

    def count_state(self, state: Mapping[str, Any]) -> None:
        """Count what else is known of a request that the application answered."""
        self._deadlines += "is_past_deadline" in state
        issuer = state.get("issuer") or "none"
        for rule in state.get("rules", ()):
            self._cards[rule, issuer] += 1
        for outcome in state.get("outcomes", ()):
            self._feedback[state["service"], outcome] += 1

    def collect(self) -> Iterator[Metric]:
        """All figures as of now. Runs in the thread of a scrape: it copies what requests change meanwhile."""
        yield _counter("http_requests", "Requests answered.", ("route", "status"), self._requests)
        yield self._histogram()
        yield _counter("http_deadlines", "Requests answered 503 because their time was over.", (), self._deadlines)
        yield _counter("cds_cards", "Cards shown, by rule and issuer.", ("rule", "issuer"), self._cards)
        yield _counter("cds_feedback", "What became of cards.", ("service", "outcome"), self._feedback)
        for name, slots in (("read", self._limiter.reading), ("primary", self._limiter.primary)):
            yield _gauge(f"database_{name}_slots", "Slots of the database.", slots.count)
            yield _gauge(f"database_{name}_slots_in_use", "Slots in use.", slots.in_use)
            yield _counter(f"database_{name}_waits", "Requests that had to wait for a slot.", (), slots.waits)
            yield _counter(f"database_{name}_refusals", "Requests that no slot became free for.", (), slots.refusals)
        if self._cache is not None:
            yield _counter("response_cache_hits", "Answers from memory.", (), self.cache_hits)
            yield _counter("response_cache_misses", "Answers that memory might have had.", (), self.cache_misses)
            yield _gauge("response_cache_bytes", "Memory of the response cache.", self._cache.bytes)
            yield _gauge("response_cache_entries", "Answers in the response cache.", len(self._cache))
        if self._rate_limits is not None:
            yield _counter("rate_limit_refusals", "Requests answered 429.", (), self._rate_limits.refusals)
        if (newest := self._read_newest()) is not None:
            serial, published_at = newest
            yield _gauge("dataset_serial", "The newest serial.", serial)
            yield _gauge("dataset_age_seconds", "Since the newest serial was published.", time.time() - published_at)

    def _histogram(self) -> Metric:
        family = HistogramMetricFamily(
            "evidence_http_request_duration_seconds", "Time until the answer was sent.", labels=("route",)
        )
        for route, durations in self._durations.copy().items():
            *counts, total = durations.copy()
            below = 0.0
            buckets = []
            for bound, count in zip((*map(str, BUCKETS_SECONDS), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, below))
            family.add_metric((route,), buckets, total)
        return family

    def _read_newest(self) -> tuple[int, float] | None:
        """The newest serial and when it was published; null while the database does not answer.

        Only one scrape asks at a time, so that a database that hangs holds one connection at most.
        """
        is_old = time.monotonic() - self._newest_read_at >= SERIAL_READ_SECONDS
        if is_old and self._reading.acquire(blocking=False):
            try:
                self._newest = self._ask_newest()
                self._newest_read_at = time.monotonic()
            finally:
                self._reading.release()
        return self._newest

    def _ask_newest(self) -> tuple[int, float] | None:
        try:
            with self._database.read() as session:
                newest = session.execute(
                    select(Publication.serial, Publication.at).order_by(Publication.serial.desc()).limit(1)
                ).one_or_none()
        except Exception as error:  # whatever it is: a scrape must give the other figures
            structlog.get_logger("app.metrics").warning("serial unknown", **describe(error))
            return None
        return (newest.serial, datetime.fromisoformat(newest.at).timestamp()) if newest else None

    @contextmanager
    def served(self, address: str) -> Iterator[int]:
        """Answer scrapes at `host:port` from a thread of its own; the port. OSError if it is taken."""
        host, _, port = address.rpartition(":")
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        server, thread = start_http_server(int(port), host.strip("[]"), registry)
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _counter(name: str, text: str, labels: tuple[str, ...], counts: int | Counter[Any]) -> Metric:
    family = CounterMetricFamily(f"evidence_{name}", text, labels=labels)
    for key, count in counts.copy().items() if isinstance(counts, Counter) else [((), counts)]:
        family.add_metric([str(part) for part in key], count)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"evidence_{name}", text, value=value)
