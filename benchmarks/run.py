"""The benchmark: `python -m benchmarks.run [--size S|M|L] [--rounds 5]`.

Every server runs on one CPU and the load on another. In each round every contender is asked for every kind of answer;
the figure is the CPU time that all its processes used per request, since that is what swings least on shared machines.
"""

import argparse
import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select

from app.claims.models import Claim
from app.publishing import indexes as projections
from app.publishing.indexes import IndexVersion
from app.settings import ROOT
from app.storage.database import Base, Database
from benchmarks import contenders, load, report
from benchmarks.contenders import Contender, Questions, Unavailable
from benchmarks.synthetic.bulk import BulkWriter, columns_of, unhurried
from benchmarks.synthetic.fill import synth
from tests.postgres import create_database, libpq_url, running_postgres

SIZES = {"S": 60, "M": 10_000, "L": 1_000_000}
WORDS = ("placebo", "interval", "median", "severity", "baseline", "mood")
WORK = ROOT / "var" / "bench"
DOCUMENT = ROOT / "docs" / "performance.md"
PORTION = 20_000


def main() -> None:
    given = _arguments()
    work: Path = given.work
    work.mkdir(parents=True, exist_ok=True)
    server_cpu, load_cpu = _cpus()
    os.sched_setaffinity(0, {server_cpu})  # what is started from here on stays there
    path = _sqlite(given.size, work)
    asked = _questions(Database(f"sqlite:///{path}"))
    missing: list[str] = []
    with ExitStack() as stack:
        running = _start(stack, path, asked, work, missing, given.without)
        os.sched_setaffinity(0, {load_cpu})
        rounds = _measure(running, given.rounds, given.seconds)
        megabytes = {contender.name: load.megabytes(contender.pids) for contender in running}
    os.sched_setaffinity(0, {server_cpu, load_cpu})
    (work / f"{given.size}.json").write_text(json.dumps(rounds))
    seconds = {contender.name: contender.started for contender in running}
    text = _told(given, rounds, seconds, megabytes, missing, work)
    print(text)
    if not given.dry:
        before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
        DOCUMENT.write_text(report.replaced(before, f"size {given.size}", text), encoding="utf-8")
    if "**FAILS**" in text:
        sys.exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="M", help="S 60, M 10 000, L 1 000 000 claims")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.7, help="how long each contender is asked in each round")
    parser.add_argument("--work", type=Path, default=WORK, help="where data and peers are kept")
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "datasette", "nginx"])
    parser.add_argument("--dry", action="store_true", help="leave docs/performance.md as it is")
    return parser.parse_args()


def _cpus() -> tuple[int, int]:
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        sys.exit("The benchmark needs two CPUs: one for the servers, one for the load.")
    return usable[0], usable[1]


# --- data ---------------------------------------------------------------------------------------------------------


def _sqlite(size: str, work: Path) -> Path:
    """The synthetic database of that size, made once."""
    path = work / f"{size}.db"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        database = Database(f"sqlite:///{unfinished}")
        projections.migrate(database)
        made = synth(database, SIZES[size], 1)
        database.dispose()
        print(
            f"{made.rows.total()} rows made: {made.rows_per_second:.0f} rows/s, {made.claims_per_second:.0f} claims/s"
        )
        unfinished.rename(path)
    return path


def _postgresql(stack: ExitStack, source: Path) -> tuple[str, int]:
    """A server of our own with the same rows; its URL and its process."""
    try:
        url = create_database(stack.enter_context(running_postgres()), "bench")
    except (RuntimeError, OSError) as error:
        raise Unavailable(f"PostgreSQL does not run here: {error}") from error
    target, database = Database(url, statement_timeout_ms=0), Database(f"sqlite:///{source}")
    projections.migrate(target)
    with database.engine.connect() as reading, unhurried(target) as connection:
        writer = BulkWriter(connection)
        for table in Base.metadata.sorted_tables:
            if table.name == IndexVersion.__tablename__:
                continue  # written when the target was migrated
            columns = [table.c[name] for name in columns_of(table)]
            found = reading.execution_options(yield_per=PORTION).execute(select(*columns))
            for portion in found.partitions(PORTION):
                rows = [tuple(json.dumps(v) if isinstance(v, list) else v for v in row) for row in portion]
                writer.write({table.name: rows})
        writer.finish()
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    target.dispose()
    parent = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return url, int(parent.read_text().rpartition(")")[2].split()[1])
    raise Unavailable("the processes of PostgreSQL cannot be found: is it on another machine?")


def _questions(database: Database) -> Questions:
    with database.read() as session:
        ids = session.scalars(select(Claim.id).order_by(Claim.pk)).all()
        kinds = session.scalars(select(Claim.kind).distinct().order_by(Claim.kind)).all()
    database.dispose()
    step = max(1, len(ids) // 300)
    return Questions(tuple(ids[::step][:300]), tuple(kinds), WORDS)


# --- measuring ----------------------------------------------------------------------------------------------------


def _start(
    stack: ExitStack, path: Path, asked: Questions, work: Path, missing: list[str], without: list[str]
) -> list[Contender]:
    """Whatever can be run here; `missing` learns what cannot, and why."""
    running: list[Contender] = []

    def add(name: str, make: Callable[[], AbstractContextManager[Contender]]) -> Contender | None:
        try:
            contender = stack.enter_context(make())
        except Unavailable as error:
            missing.append(f"{name}: {error}")
            return None
        running.append(contender)
        return contender

    url = f"sqlite:///{path}"
    hot = add(report.HOT, lambda: contenders.ours(report.HOT, url, asked, work, cache=True))
    if hot is None:
        sys.exit(f"Our own server could not be run. {missing[0]}")
    add(report.LIMIT, lambda: contenders.limit(report.LIMIT, hot, asked, work))
    add(report.COLD, lambda: contenders.ours(report.COLD, url, asked, work, cache=False))
    if "nginx" not in without:
        add(report.NGINX, lambda: contenders.nginx(report.NGINX, hot, asked, work))
    if "datasette" not in without:
        add(report.DATASETTE, lambda: contenders.datasette(report.DATASETTE, path, asked, work))
    if "postgresql" not in without:
        with _told_if_missing(missing):
            pg_url, pid = _postgresql(stack, path)
            add(
                report.POSTGREST,
                lambda: contenders.postgrest(report.POSTGREST, libpq_url(pg_url), pid, asked, work),
            )
            for name, cache in ((report.HOT_PG, True), (report.COLD_PG, False)):
                contender = add(name, lambda: contenders.ours(name, pg_url, asked, work, cache=cache))  # noqa: B023 - at once
                if contender is not None:
                    contender.pids = [*contender.pids, pid]
    return running


@contextlib.contextmanager
def _told_if_missing(missing: list[str]) -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        missing.append(f"everything on PostgreSQL: {error}")


def _measure(running: list[Contender], rounds: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """Round after round, everybody in turn, so that a slow minute of the machine is everybody's."""
    measured: dict[str, dict[str, list[float]]] = {contender.name: {} for contender in running}
    for number in range(rounds + 1):
        for kind in report.KINDS:
            for contender in running:
                cost = contender.measure(kind, seconds)
                if cost is not None and number:  # the first one only warms up
                    measured[contender.name].setdefault(kind, []).append(cost)
        print(f"round {number} of {rounds} at {time.strftime('%H:%M:%S')}", file=sys.stderr)
    return measured


# --- telling ------------------------------------------------------------------------------------------------------


def _told(
    given: argparse.Namespace,
    rounds: report.Rounds,
    seconds: dict[str, float],
    megabytes: dict[str, float],
    missing: list[str],
    work: Path,
) -> str:
    judged = [*report.judged(rounds), *report.judged_start(seconds, megabytes)]
    small, large = work / "S.json", work / "L.json"
    if small.exists() and large.exists():
        judged += report.judged_growth(json.loads(small.read_text()), json.loads(large.read_text()))
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "fastapi", "pydantic", "sqlalchemy"))
    parts = [
        f"## Size {given.size}: {SIZES[given.size]} claims",
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}, {packages}; "
        f"{given.rounds} interleaved rounds of {given.seconds} s, {load.CONNECTIONS} connections. "
        "CPU time per request, median (range); ratio to LIMIT in the same round, where more is better.",
        report.table(rounds),
        report.starts(seconds, megabytes),
        "\n".join(judged),
        "\n".join(f"- not run: {reason}" for reason in missing),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}"


if __name__ == "__main__":
    main()
