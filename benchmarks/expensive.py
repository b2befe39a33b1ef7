"""What the most expensive request of every route costs: `python -m benchmarks.expensive [--size shipped|S|M|L]`.

Each request is the first of its kind in a process of its own that has been warmed as the server warms itself. Printed
are the CPU time of all threads, the bytes of the answer, and by how much the memory of the process rose at its peak.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

from app.http.database_limiter import DatabaseLimiter
from app.http.reads import Reads
from app.main import create_app, in_context
from app.settings import ROOT, Settings
from app.storage.database import Database
from app.warming import warm
from benchmarks import data
from benchmarks.expensive_requests import ExpensiveRequest, expensive_requests

WARMING = ("/v1/meta", "/v1/claims?limit=1", "/v1/documents?limit=1")
"""Asked first, so that what every process needs is not counted as the cost of one request."""

MAX_BYTES = 2**20
"""Of an answer with a limit of 20 at most."""


class Cost(NamedTuple):
    status: int
    cpu_ms: float
    bytes: int
    peak_mb: float
    """By how much resident memory rose at its peak, in millions of bytes."""
    kept_mb: float
    """How much of it remained after the answer."""


@dataclass(frozen=True)
class Goal:
    cpu_ms: float
    peak_mb: float


GOALS = {"shipped": Goal(100, 20), "M": Goal(300, 40)}


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{_database(options)}"
    requests = [asked for asked in requests_over(url) if options.only in asked.path]
    service = warmed_service(Settings(database_url=url))
    costs = [(asked, min(measured(service, asked) for _ in range(options.rounds))) for asked in requests]
    sys.stdout.write(table(costs, GOALS.get(options.size), every=options.every))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("shipped", *data.SIZES), default="shipped")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench", help="where data are kept")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the least counts")
    parser.add_argument("--only", default="", help="only addresses that contain this")
    parser.add_argument("--again", action="store_true", help="use the shipped data as an earlier run made them")
    parser.add_argument("--every", action="store_true", help="print every request, not the dearest of each route")
    return parser.parse_args()


def _database(options: argparse.Namespace) -> Path:
    if options.size != "shipped":
        return data.sqlite_database(options.size, options.work)
    made: Path = options.work / "shipped.db"
    return made if options.again and made.exists() else data.shipped_database(options.work)


def requests_over(url: str) -> list[ExpensiveRequest]:
    database = Database(url)
    try:
        with database.view() as view:
            return expensive_requests(create_app(Settings(database_url=url)), view)
    finally:
        database.dispose()


def warmed_service(given: Settings) -> ASGIApp:
    """The whole service as the server warms it, without threads and connections, so that it can be forked."""
    app = create_app(given)
    asyncio.run(warm(app))
    reads: Reads = app.state.reads
    reads.close()
    app.state.reads = Reads(reads.database, DatabaseLimiter(given.pool_size), given.pool_size)
    return in_context(app, given)


def measured(service: ASGIApp, asked: ExpensiveRequest) -> Cost:
    """The cost of a request, in a fork of this process."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            os.write(writing, json.dumps(asyncio.run(_measure(service, asked))).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        cost = answer.read()
    os.waitpid(process, 0)
    if not cost:
        sys.exit(f"{asked.path} could not be measured.")
    return Cost(*json.loads(cost))


async def _measure(service: ASGIApp, asked: ExpensiveRequest) -> Cost:
    for path in WARMING:
        await answer(service, ExpensiveRequest(path, path))
    gc.collect()
    before = _reset_peak()
    started_at = time.process_time()
    status, size = await answer(service, asked)
    cpu_seconds = time.process_time() - started_at
    peak = _memory("VmHWM")
    gc.collect()
    return Cost(status, cpu_seconds * 1e3, size, (peak - before) / 1e6, (_memory("VmRSS") - before) / 1e6)


async def answer(service: ASGIApp, asked: ExpensiveRequest) -> tuple[int, int]:
    """Status and number of bytes."""
    path, _, query = asked.path.partition("?")
    content = b"" if asked.body is None else json.dumps(asked.body).encode()
    headers = {"host": "localhost", "accept": "*/*", **asked.headers}
    if content:
        headers |= {"content-type": "application/json", "content-length": str(len(content))}
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST" if content else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("localhost", 80),
    }
    status = size = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, size
        status = message.get("status", status)
        size += len(message.get("body", b""))

    await service(scope, receive, send)
    return status, size


def _reset_peak() -> int:
    """Forget how much memory was used at most; how much is in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def table(costs: Sequence[tuple[ExpensiveRequest, Cost]], goal: Goal | None, *, every: bool = False) -> str:
    """Markdown: of each route the requests that take most CPU and most memory, or every one."""
    by_route: dict[str, list[tuple[ExpensiveRequest, Cost]]] = {}
    for asked, cost in costs:
        by_route.setdefault(asked.route, []).append((asked, cost))
    lines = ["| request | status | CPU, ms | bytes | memory at its peak, MB | kept, MB | |"]
    lines += ["|---|--:|--:|--:|--:|--:|---|"]
    for of_route in by_route.values():
        most = (max(cost.cpu_ms for _, cost in of_route), max(cost.peak_mb for _, cost in of_route))
        lines += [
            _line(*one, goal) for one in of_route if every or one[1].cpu_ms == most[0] or one[1].peak_mb == most[1]
        ]
    return "\n".join(lines) + "\n"


def _line(asked: ExpensiveRequest, cost: Cost, goal: Goal | None) -> str:
    faults = []
    if goal and cost.cpu_ms > goal.cpu_ms:
        faults.append("CPU")
    if goal and cost.peak_mb > goal.peak_mb:
        faults.append("memory")
    if asked.is_bounded and cost.bytes > MAX_BYTES:
        faults.append("bytes")
    method = "GET" if asked.body is None else "POST"
    return (
        f"| {method} `{asked.path}` | {cost.status} | {cost.cpu_ms:.0f} | {cost.bytes:,} | {cost.peak_mb:.1f} | "
        f"{cost.kept_mb:.1f} | {', '.join(faults)} |"
    )


if __name__ == "__main__":
    main()
