"""What was measured, against aims and floors, as Markdown: pure functions, tested without measuring anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

KINDS = ("item", "list", "search", "304", "meta", "coverage", "bibliography")

LIMIT, FASTAPI = "bare ASGI", "bare FastAPI"
WARM, COLD, COLD_SMALL = "ours, warm", "ours, cold", "ours, cold, 60 claims"
WARM_PG, COLD_PG = "ours on PostgreSQL, warm", "ours on PostgreSQL, cold"
SHIPPED, BEFORE = "ours, cold, shipped data", "before the rewrite"
DATASETTE, POSTGREST, NGINX = "Datasette", "PostgREST", "nginx as a cache, ours"
MEMORY, SLOW_SOCKETS, START = "memory after many questions, MB", "slow sockets left open", "start to first answer, s"

BEFORE_IN_CALIBRATIONS = {"coverage": 1.26, "bibliography": 1.75}
"""CPU time of an answer that was not in memory, before the rewrite, in multiples of `load.calibration_seconds`.

Measured 2026-11-28 at commit ea27288 on 2 shared CPUs: 16.7 and 23.1 ms, where a calibration took 13.2 ms.
"""

Costs = Mapping[str, Mapping[str, Sequence[float]]]
"""Contender → kind of request → CPU µs per request in each round; all contenders have the same rounds."""
Figures = Mapping[str, Sequence[float]]
"""Subject of a goal → what was measured for it."""


def alone(name: str) -> str:
    """The results of a server without the database process that it uses."""
    return f"{name}, without the database"


class Spread(NamedTuple):
    """A median with its range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])

    def __str__(self) -> str:
        return f"{_number(self.median)} ({_number(self.low)}-{_number(self.high)})"


class Quotient(NamedTuple):
    """The cost of one contender divided by that of another, for one kind of request, within each round."""

    dividend: str
    divisor: str
    kind: str

    def __str__(self) -> str:
        return f"{self.dividend} ÷ {self.divisor}: {self.kind}"

    def of(self, costs: Costs) -> list[float]:
        """One value for each round that has both; none where one of them was not measured."""
        dividends, divisors = (costs.get(name, {}).get(self.kind, ()) for name in (self.dividend, self.divisor))
        return [one / other for one, other in zip(dividends, divisors, strict=False) if other]


@dataclass(frozen=True)
class Goal:
    """What is wanted (`aim`) and what is demanded (`floor`) of one measurement. A floor of null demands nothing."""

    subject: str
    aim: float | None
    floor: float | None
    is_minimum: bool = False
    """Whether more is better."""
    quotient: Quotient | None = None
    """How the measurement follows from costs; null where it is one of the figures."""
    size: str | None = None
    """The only size of data that the floor is for."""

    def measured(self, costs: Costs, figures: Figures) -> Sequence[float]:
        return self.quotient.of(costs) if self.quotient else figures.get(self.subject, ())

    def verdict(self, value: float, size: str) -> str:
        if self.floor is None:
            return "-"
        if self.size not in (None, size):
            return f"judged at size {self.size}"
        is_met = value >= self.floor if self.is_minimum else value <= self.floor
        return "pass" if is_met else "**FAIL**"


Limits = Mapping[str, tuple[float | None, float | None]]
"""Kind of request → aim and floor."""


def _at_least(dividend: str, divisor: str, limits: Limits) -> list[Goal]:
    """How many times cheaper the divisor is at least."""
    quotients = {kind: Quotient(dividend, divisor, kind) for kind in limits}
    return [Goal(str(quotients[kind]), *limits[kind], True, quotients[kind]) for kind in limits]


def _at_most(dividend: str, divisor: str, limits: Limits, size: str | None = None) -> list[Goal]:
    """How many times dearer the dividend is at most."""
    quotients = {kind: Quotient(dividend, divisor, kind) for kind in limits}
    return [Goal(str(quotients[kind]), *limits[kind], False, quotients[kind], size) for kind in limits]


_ALONE: Limits = {"item": (2, 3), "list": (4, 5), "meta": (2, 4)}
_FIRST_ASKED: Limits = {"coverage": (0.5, 0.7), "bibliography": (0.5, 0.7)}
GOALS = (
    *_at_least(LIMIT, WARM, {"item": (0.80, 0.55), "list": (0.85, 0.60), "search": (0.80, 0.52), "304": (0.75, 0.48)}),
    *_at_least(DATASETTE, COLD, {"item": (10, 2.8), "list": (14, 6), "search": (2.3, 1.8)}),
    *_at_least(POSTGREST, COLD_PG, {"item": (3, 2), "list": (7, 4.5)}),
    *_at_most(COLD, FASTAPI, _ALONE),
    # Stated, not judged: these floors are for SQLite.
    *_at_most(alone(COLD_PG), FASTAPI, dict.fromkeys(_ALONE, (None, None))),
    *_at_most(SHIPPED, BEFORE, _FIRST_ASKED),
    *_at_most(COLD, COLD_SMALL, {"item": (1.1, 1.5), "list": (1.25, 1.8)}, "L"),
    Goal(MEMORY, 150, 180, size="M"),
    Goal(SLOW_SOCKETS, 0, 0),
    Goal(START, 2, None),
    *_at_least(LIMIT, NGINX, dict.fromkeys(("item", "list", "search", "304"), (None, None))),
)


def goals_table(costs: Costs, figures: Figures, size: str) -> str:
    """Every goal with its aim, its floor, what was measured and whether the median keeps the floor."""
    lines = ["| | aim | floor | measured, median (range) | |", "|---|---|---|---|---|"]
    for goal in GOALS:
        values = goal.measured(costs, figures)
        if not values and goal.aim is None:
            continue
        sign = "≥" if goal.is_minimum else "≤"
        aim, floor = ("-" if bound is None else f"{sign} {bound:g}" for bound in (goal.aim, goal.floor))
        cells = (str(Spread.of(values)), goal.verdict(median(values), size)) if values else ("-", "not run")
        lines.append(f"| {goal.subject} | {aim} | {floor} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def has_failed(table: str) -> bool:
    return "**FAIL**" in table


def costs_table(costs: Costs, start_seconds: Mapping[str, float], megabytes: Mapping[str, float]) -> str:
    """CPU µs per request of every contender, its start, and the memory of its processes after the run."""
    columns = (*(f"{kind}, µs" for kind in KINDS), "start, s", "memory, MB")
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (1 + len(columns)) + "|"]
    for name, measured in costs.items():
        cells = [str(Spread.of(measured[kind])) if measured.get(kind) else "-" for kind in KINDS]
        cells += [_number(values[name]) if name in values else "-" for values in (start_seconds, megabytes)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def replace_section(document: str, name: str, section: str) -> str:
    """The document with its generated section of that name replaced, or added at the end."""
    begin, end = f"<!-- {name}: generated by make bench -->", f"<!-- {name}: end -->"
    block = f"{begin}\n{section.strip()}\n{end}"
    if begin not in document:
        return f"{document.rstrip()}\n\n{block}\n"
    before, _, rest = document.partition(begin)
    return before + block + rest.partition(end)[2]


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
