"""What the benchmark makes of its measurements; measuring itself is no test."""

import pytest

from benchmarks import report
from benchmarks.report import COLD, COLD_SMALL, DATASETTE, FASTAPI, GOALS, LIMIT, MEMORY, START, WARM

COSTS = {
    LIMIT: {"item": [50.0, 100.0, 60.0]},
    WARM: {"item": [80.0, 160.0, 80.0]},
    FASTAPI: {"item": [50.0, 100.0, 60.0]},
    COLD: {"item": [100.0, 200.0, 120.0]},
    DATASETTE: {"item": [1000.0, 1800.0, 1200.0]},
}


def line(subject: str, costs: report.Costs = COSTS, figures: report.Figures | None = None, size: str = "M") -> str:
    """The line of the goals' table about one subject, without the subject."""
    lines = report.goals_table(costs, figures or {}, size).splitlines()
    return next(line for line in lines if line.startswith(f"| {subject} |")).removeprefix(f"| {subject} | ")


def test_ratios_compare_within_a_round_so_that_a_slow_one_is_slow_for_everybody() -> None:
    assert report.Quotient(COLD, FASTAPI, "item").of(COSTS) == [2, 2, 2]


def test_what_was_not_measured_has_no_ratio() -> None:
    assert report.Quotient(COLD, FASTAPI, "list").of(COSTS) == []
    assert report.Quotient(COLD, "PostgREST", "item").of(COSTS) == []


def test_a_minimum_is_kept_by_what_reaches_it() -> None:
    assert line(f"{LIMIT} ÷ {WARM}: item") == "≥ 0.8 | ≥ 0.55 | 0.62 (0.62-0.75) | pass |"


def test_a_minimum_is_missed_by_less() -> None:
    slow = COSTS | {WARM: {"item": [100.0, 200.0, 120.0]}}
    assert line(f"{LIMIT} ÷ {WARM}: item", slow) == "≥ 0.8 | ≥ 0.55 | 0.50 (0.50-0.50) | **FAIL** |"


def test_a_maximum_is_kept_by_what_does_not_exceed_it() -> None:
    assert line(f"{COLD} ÷ {FASTAPI}: item") == "≤ 2 | ≤ 3 | 2.00 (2.00-2.00) | pass |"


def test_what_was_not_run_says_so() -> None:
    assert line(f"{COLD} ÷ {COLD_SMALL}: item") == "≤ 1.1 | ≤ 1.5 | - | not run |"


@pytest.mark.parametrize(("size", "verdict"), [("M", "**FAIL**"), ("S", "judged at size M")])
def test_a_floor_for_one_size_is_not_for_another(size: str, verdict: str) -> None:
    assert line(MEMORY, figures={MEMORY: [181.0]}, size=size) == f"≤ 150 | ≤ 180 | 181 (181-181) | {verdict} |"


def test_an_aim_without_a_floor_is_reported() -> None:
    assert line(START, figures={START: [3.0]}) == "≤ 2 | - | 3.00 (3.00-3.00) | - |"


def test_every_goal_has_a_line_or_was_optional() -> None:
    lines = report.goals_table({}, {}, "M").splitlines()[2:]
    assert len(lines) == sum(goal.aim is not None for goal in GOALS)
    assert all(line.endswith("| not run |") for line in lines)


def test_no_floor_is_stricter_than_its_aim() -> None:
    for goal in GOALS:
        if goal.aim is not None and goal.floor is not None:
            assert (goal.floor <= goal.aim) == goal.is_minimum or goal.floor == goal.aim, goal.subject


def test_a_failed_floor_fails_the_run() -> None:
    assert report.has_failed(report.goals_table(COSTS, {MEMORY: [200.0]}, "M"))
    assert not report.has_failed(report.goals_table(COSTS, {MEMORY: [170.0]}, "M"))


def test_the_costs_have_a_row_for_each_contender_and_a_dash_for_what_it_does_not_answer() -> None:
    rows = report.costs_table(COSTS, {LIMIT: 0.214}, {LIMIT: 22.4}).splitlines()
    assert len(rows) == 2 + len(COSTS)
    assert rows[2] == f"| {LIMIT} | 60.0 (50.0-100) | - | - | - | - | - | - | 0.21 | 22.4 |"


def test_a_generated_section_replaces_itself_and_nothing_else() -> None:
    once = report.replace_section("# Performance\n\nBy hand.\n", "size S", "first")
    twice = report.replace_section(report.replace_section(once, "size M", "other"), "size S", "second")
    assert "first" not in twice
    assert [word in twice for word in ("By hand.", "second", "other")] == [True, True, True]
    assert report.replace_section(twice, "size S", "second") == twice
