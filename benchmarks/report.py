"""What was measured, as ratios, floors and tables: pure functions, so that they can be tested without measuring."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

KINDS = ("item", "list", "search", "304")
LIMIT = "LIMIT: bare ASGI"
HOT, COLD = "ours, hot", "ours, cold"
HOT_PG, COLD_PG = "ours on PostgreSQL, hot", "ours on PostgreSQL, cold"
NGINX, DATASETTE, POSTGREST = "nginx, static file", "Datasette", "PostgREST"

Rounds = Mapping[str, Mapping[str, Sequence[float]]]
"""Contender → kind of request → CPU µs per request in each round; the rounds of all contenders are the same ones."""


@dataclass(frozen=True)
class Spread:
    """A median with its range."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.middle)} ({_short(self.low)}-{_short(self.high)})"


@dataclass(frozen=True)
class Floor:
    """How much cheaper a contender must be than another one; `aim` is what is wanted, `floor` what is demanded."""

    contender: str
    against: str
    kind: str
    aim: float
    floor: float


FLOORS = (
    *(
        Floor(contender, LIMIT, kind, aim, floor)
        for contender in (HOT, HOT_PG)
        for kind, aim, floor in (
            ("item", 0.90, 0.75),
            ("list", 0.95, 0.80),
            ("search", 0.95, 0.80),
            ("304", 0.93, 0.75),
        )
    ),
    Floor(COLD, LIMIT, "item", 0.70, 0.50),
    Floor(COLD, LIMIT, "list", 0.40, 0.28),
    Floor(COLD, LIMIT, "304", 0.90, 0.75),
    Floor(COLD, DATASETTE, "item", 15, 8),
    Floor(COLD, DATASETTE, "list", 23, 12),
    Floor(COLD, DATASETTE, "search", 2, 1.5),
    Floor(COLD, POSTGREST, "item", 39, 20),
    Floor(COLD, POSTGREST, "list", 50, 30),
)
GROWTH = {"item": (1.1, 1.5), "list": (1.25, 1.8)}
"""By how much a cold answer may cost more at size L than at S: aim and floor."""
START = (2.7, 3.0)
"""Time to the first answer against bare ASGI."""
MAX_MEGABYTES = 150.0


def spread(values: Iterable[float]) -> Spread:
    found = sorted(values)
    return Spread(median(found), found[0], found[-1])


def ratio(rounds: Rounds, contender: str, against: str, kind: str) -> Spread | None:
    """How many times cheaper the contender is, round by round; null where one of both was not measured."""
    own, other = (rounds.get(name, {}).get(kind, ()) for name in (contender, against))
    pairs = [theirs / ours for ours, theirs in zip(own, other, strict=False) if ours]
    return spread(pairs) if pairs else None


def table(rounds: Rounds) -> str:
    """CPU µs per request and, against LIMIT, how near it comes: 1 is LIMIT, more is better."""
    lines = [
        "| | " + " | ".join(f"{kind}, µs | {kind}, ratio" for kind in KINDS) + " |",
        "|---" * (1 + 2 * len(KINDS)) + "|",
    ]
    for contender, measured in rounds.items():
        cells = [
            f"{spread(measured[kind])} | {ratio(rounds, contender, LIMIT, kind) or '-'}"
            if measured.get(kind)
            else "- | -"
            for kind in KINDS
        ]
        lines.append(f"| {contender} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def judged(rounds: Rounds) -> list[str]:
    """Every floor with what was reached, as Markdown list items."""
    lines = []
    for floor in FLOORS:
        if floor.contender not in rounds or floor.against not in rounds:
            continue
        reached = ratio(rounds, floor.contender, floor.against, floor.kind)
        if reached is not None:
            name = f"{floor.contender} against {floor.against}, {floor.kind}"
            lines.append(_line(name, reached.middle, floor.aim, floor.floor, reached.middle >= floor.floor))
    return lines


def judged_growth(small: Rounds, large: Rounds) -> list[str]:
    lines = []
    for kind, (aim, floor) in GROWTH.items():
        before, after = (rounds.get(COLD, {}).get(kind) for rounds in (small, large))
        if before and after:
            grown = median(after) / median(before)
            lines.append(_line(f"{COLD} at L against S, {kind}, at most", grown, aim, floor, grown <= floor))
    return lines


def judged_start(seconds: Mapping[str, float], megabytes: Mapping[str, float]) -> list[str]:
    lines = []
    if HOT in seconds and LIMIT in seconds:
        times = seconds[HOT] / seconds[LIMIT]
        lines.append(_line("start to first answer against bare ASGI, at most", times, *START, times <= START[1]))
    if HOT in megabytes:
        used = megabytes[HOT]
        lines.append(_line("MB of a worker, at most", used, MAX_MEGABYTES, MAX_MEGABYTES, used <= MAX_MEGABYTES))
    return lines


def starts(seconds: Mapping[str, float], megabytes: Mapping[str, float]) -> str:
    lines = ["| | start to first answer, ms | memory after the run, MB |", "|---|---|---|"]
    for name in dict.fromkeys((*seconds, *megabytes)):
        started = f"{seconds[name] * 1000:.0f}" if name in seconds else "-"
        used = f"{megabytes[name]:.0f}" if name in megabytes else "-"
        lines.append(f"| {name} | {started} | {used} |")
    return "\n".join(lines)


def replaced(document: str, name: str, section: str) -> str:
    """The document with its generated section of that name replaced, or added at the end."""
    begin, end = f"<!-- {name}: generated by make bench -->", f"<!-- {name}: end -->"
    block = f"{begin}\n{section.strip()}\n{end}"
    if begin not in document:
        return f"{document.rstrip()}\n\n{block}\n"
    before, _, rest = document.partition(begin)
    return before + block + rest.partition(end)[2]


def _line(name: str, reached: float, aim: float, floor: float, is_met: bool) -> str:
    word = "reached" if is_met else "**FAILS**"
    return f"- {word}: {name}: {_short(reached)} (aim {aim:g}, floor {floor:g})"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
