"""What the benchmark makes of its measurements; measuring itself is no test."""

from benchmarks import load, report
from benchmarks.report import COLD, DATASETTE, HOT, LIMIT

ROUNDS = {
    LIMIT: {"item": [50.0, 100.0, 60.0]},
    HOT: {"item": [60.0, 110.0, 100.0]},
    COLD: {"item": [100.0, 200.0, 120.0]},
    DATASETTE: {"item": [1000.0, 1800.0, 1200.0]},
}


def test_ratios_compare_within_a_round_so_that_a_slow_one_is_slow_for_everybody() -> None:
    found = report.ratio(ROUNDS, COLD, LIMIT, "item")
    assert found == report.Spread(0.5, 0.5, 0.5)


def test_what_was_not_measured_has_no_ratio() -> None:
    assert report.ratio(ROUNDS, COLD, LIMIT, "list") is None
    assert report.ratio(ROUNDS, COLD, "PostgREST", "item") is None


def test_every_floor_that_was_measured_is_judged() -> None:
    assert report.judged(ROUNDS) == [
        "- reached: ours, hot against LIMIT: bare ASGI, item: 0.83 (aim 0.9, floor 0.75)",
        "- reached: ours, cold against LIMIT: bare ASGI, item: 0.50 (aim 0.7, floor 0.5)",
        "- reached: ours, cold against Datasette, item: 10.0 (aim 15, floor 8)",
    ]


def test_a_floor_that_is_missed_says_so() -> None:
    slow = ROUNDS | {HOT: {"item": [100.0, 200.0, 120.0]}}
    assert "**FAILS**: ours, hot" in "\n".join(report.judged(slow))


def test_growth_compares_the_same_work_at_two_sizes() -> None:
    lines = report.judged_growth({COLD: {"item": [100.0]}}, {COLD: {"item": [160.0]}})
    assert lines == ["- **FAILS**: ours, cold at L against S, item, at most: 1.60 (aim 1.1, floor 1.5)"]


def test_start_and_memory_are_judged_as_upper_bounds() -> None:
    lines = report.judged_start({HOT: 0.6, LIMIT: 0.25}, {HOT: 151.0})
    assert [line.partition(":")[0] for line in lines] == ["- reached", "- **FAILS**"]


def test_the_table_has_a_row_for_each_contender_and_a_dash_for_what_it_does_not_answer() -> None:
    rows = report.table(ROUNDS).splitlines()
    assert len(rows) == 2 + len(ROUNDS)
    assert rows[2].startswith("| LIMIT: bare ASGI | 60.0 (50.0-100) | 1.00 (1.00-1.00) | - | - |")


def test_a_generated_section_replaces_itself_and_nothing_else() -> None:
    once = report.replaced("# Performance\n\nBy hand.\n", "size S", "first")
    twice = report.replaced(report.replaced(once, "size M", "other"), "size S", "second")
    assert "first" not in twice
    assert [word in twice for word in ("By hand.", "second", "other")] == [True, True, True]
    assert report.replaced(twice, "size S", "second") == twice


def test_an_answer_is_whole_by_its_length_its_last_chunk_or_its_status() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    assert load.is_whole(bytearray(head + b"Content-Length: 2\r\n\r\nok"))
    assert not load.is_whole(bytearray(head + b"Content-Length: 3\r\n\r\nok"))
    assert load.is_whole(bytearray(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
    assert load.is_whole(bytearray(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"))
    assert not load.is_whole(bytearray(head))
