"""The benchmark: `python -m benchmarks.run [--size S|M|L] [--rounds 5]`.

Every server runs on one CPU and the load on another. In each round every contender is asked for every kind of answer.
The figure is the CPU time that its processes used per request, since that varies least on shared machines.
"""

import argparse
import json
import os
import platform
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from app.settings import ROOT
from benchmarks import contenders, data, load, report
from benchmarks.contenders import Contender
from benchmarks.data import SIZES, NotAvailable, Questions
from tests.postgres import libpq_url

DOCUMENT = ROOT / "docs" / "performance.md"


def main() -> None:
    options = _options()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    server_cpu, load_cpu = _cpus()
    database, shipped = data.sqlite_database(options.size, work), data.shipped_database(work)
    with ExitStack() as stack:
        os.sched_setaffinity(0, {server_cpu})  # every server started from here on stays there
        runner = Runner(stack, data.questions(database), work)
        runner.start_all(options, database, shipped)
        os.sched_setaffinity(0, {load_cpu})
        costs = measure(runner.contenders, options.rounds, options.seconds)
        figures = measure_figures(runner.contenders, runner.questions)
        megabytes = {name: load.megabytes(pids) for one in runner.contenders for name, pids in one.processes.items()}
    start_seconds = {contender.name: contender.start_seconds for contender in runner.contenders}
    (work / f"{options.size}.json").write_text(json.dumps({"costs": costs, "figures": figures}))
    goals = report.goals_table(costs, figures, options.size)
    missing = "\n".join(f"- not run: {reason}" for reason in runner.missing)
    parts = [_heading(options), goals, report.costs_table(costs, start_seconds, megabytes), missing]
    text = "\n\n".join(part for part in parts if part) + "\n"
    sys.stdout.write(text)
    if not options.dry:
        before = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(report.replace_section(before, f"size {options.size}", text), encoding="utf-8")
    if report.has_failed(goals):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="M", help="S 60, M 10 000, L 1 000 000 claims")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.7, help="how long each contender is asked in each round")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench", help="where data and peers are kept")
    parser.add_argument("--without", nargs="*", default=[], choices=["postgresql", "datasette"])
    parser.add_argument("--nginx", action="store_true", help="measure nginx as a cache in front as well")
    parser.add_argument("--dry", action="store_true", help="leave docs/performance.md as it is")
    return parser.parse_args()


def _cpus() -> tuple[int, int]:
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        sys.exit("The benchmark needs two CPUs: one for the servers, one for the load.")
    return usable[0], usable[1]


class Runner:
    """Starts whatever can be run here."""

    def __init__(self, stack: ExitStack, questions: Questions, work: Path) -> None:
        self.questions = questions
        self.contenders: list[Contender] = []
        self.missing: list[str] = []
        """What could not be started, and why."""
        self._stack = stack
        self._work = work
        self._paths = contenders.our_paths(questions)

    def start_all(self, options: argparse.Namespace, database: Path, shipped: Path) -> None:
        url, paths, work = f"sqlite:///{database}", self._paths, self._work
        warm = self._start(contenders.ours(report.WARM, url, paths, work, cache=True))
        if warm is None:
            sys.exit(f"The service could not be started. {self.missing[0]}")
        recording = contenders.record(warm, paths, work)
        self._start(contenders.bare_asgi(report.LIMIT, recording, paths, work))
        self._start(contenders.bare_fastapi(report.FASTAPI, recording, paths, work))
        self._start(contenders.ours(report.COLD, url, paths, work, cache=False))
        shipped_url = f"sqlite:///{shipped}"
        self._start(contenders.ours(report.SHIPPED, shipped_url, contenders.SHIPPED_PATHS, work, cache=False))
        if options.size == "L":
            small = data.sqlite_database("S", work)
            small_paths = contenders.our_paths(data.questions(small))
            self._start(contenders.ours(report.COLD_SMALL, f"sqlite:///{small}", small_paths, work, cache=False))
        if options.nginx:
            self._start(contenders.nginx(report.NGINX, warm, paths, work))
        if "datasette" not in options.without:
            self._start(contenders.datasette(report.DATASETTE, database, self.questions, work))
        if "postgresql" not in options.without:
            self._start_postgresql(options.size)

    def _start_postgresql(self, size: str) -> None:
        try:
            url, pid = data.postgresql_database(self._stack, size)
        except NotAvailable as error:
            self.missing.append(str(error))
            return
        for name, cache in ((report.WARM_PG, True), (report.COLD_PG, False)):
            self._start(contenders.ours(name, url, self._paths, self._work, cache=cache, database_pid=pid))
        self._start(contenders.postgrest(report.POSTGREST, libpq_url(url), pid, self.questions, self._work))

    def _start(self, server: AbstractContextManager[Contender]) -> Contender | None:
        """Start a server that runs until the end of the benchmark; null where it cannot be run here."""
        try:
            contender = self._stack.enter_context(server)
        except NotAvailable as error:
            self.missing.append(str(error))
            return None
        self.contenders.append(contender)
        return contender


def measure(running: list[Contender], rounds: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """CPU µs per request. Contenders take turns in every round, so that a slow minute of the machine is everybody's."""
    costs: dict[str, dict[str, list[float]]] = {name: {} for contender in running for name in contender.processes}
    for number in range(rounds + 1):
        for kind in report.KINDS:
            for contender in (contender for contender in running if kind in contender.requests):
                for name, cost in contender.measure(kind, seconds).items():
                    if number:  # the first round only warms up
                        costs[name].setdefault(kind, []).append(cost)
        calibration = load.calibration_seconds() * 1e6
        for kind, multiple in report.BEFORE_IN_CALIBRATIONS.items():
            if number:
                costs.setdefault(report.BEFORE, {}).setdefault(kind, []).append(multiple * calibration)
        sys.stderr.write(f"round {number} of {rounds} at {time.strftime('%H:%M:%S')}\n")
    return costs


def measure_figures(running: list[Contender], questions: Questions) -> dict[str, list[float]]:
    """Start, memory after many different questions, and resistance to slow clients of the service with its cache."""
    servers = {contender.name: contender for contender in running}
    warm = servers[report.WARM]
    for path in contenders.mixed_paths(questions) * 2:
        contenders.fetch(warm.port, path)
    return {
        report.MEMORY: [load.megabytes(warm.processes[report.WARM])],
        report.SLOW_SOCKETS: [load.open_slow_sockets(warm.port)],
        report.START: [servers[name].start_seconds for name in (report.WARM, report.COLD, report.SHIPPED)],
    }


def _heading(options: argparse.Namespace) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "fastapi", "pydantic", "sqlalchemy"))
    return (
        f"## Size {options.size}: {SIZES[options.size]} claims\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, Python {platform.python_version()}, {packages}; "
        f"{options.rounds} interleaved rounds of {options.seconds} s, {load.CONNECTIONS} connections. "
        "A ÷ B: the CPU time of A per request, divided by that of B in the same round."
    )


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{os.cpu_count()} CPUs ({next(models, platform.machine())}), Linux {platform.release()}"


if __name__ == "__main__":
    main()
