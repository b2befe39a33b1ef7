"""Pages in whatever way databases deliver them."""
# ruff: noqa: RUF001

import pytest

from app.bibliography.pages import format_pages, page_ranges

PAGES = [
    # as recorded, in full, shortened, first and last page
    ("1-12", "1-12", "1–12", ("1", "12")),
    ("12-15", "12-15", "12–5", ("12", "15")),
    ("99-101", "99-101", "99–101", ("99", "101")),
    ("1203-9", "1203-1209", "1203–9", ("1203", "1209")),
    ("1199-203", "1199-1203", "1199–203", ("1199", "1203")),
    ("e1-e10", "e1-e10", "e1–10", ("e1", "e10")),
    ("e146-e603", "e146-e603", "e146–603", ("e146", "e603")),
    ("S1-S12", "S1-S12", "S1–12", ("S1", "S12")),
    ("S1-12", "S1-S12", "S1–12", ("S1", "S12")),
    ("P32-4", "P32-P34", "P32–4", ("P32", "P34")),
    ("A12-B15", "A12-B15", "A12–B15", ("A12", "B15")),
    ("xii-xxiv", "xii-xxiv", "xii–xxiv", ("xii", "xxiv")),
    ("XII\u2013XXIV", "XII-XXIV", "XII–XXIV", ("XII", "XXIV")),
    ("v-12", "v-12", "v–12", ("v", "12")),
    ("e00123-20", "e00123-20", "e00123-20", ("e00123-20", None)),
    ("e00123\u201320", "e00123-20", "e00123-20", ("e00123-20", None)),
    ("e10110-20", "e10110-20", "e10110-20", ("e10110-20", None)),
    ("00110-20", "00110-20", "00110-20", ("00110-20", None)),
    ("e1080", "e1080", "e1080", ("e1080", None)),
    ("CD010410", "CD010410", "CD010410", ("CD010410", None)),
    ("2023.05.01.23289000", "2023.05.01.23289000", "2023.05.01.23289000", ("2023.05.01.23289000", None)),
    ("S0140-6736(20)30183-5", "S0140-6736(20)30183-5", "S0140-6736(20)30183-5", ("S0140-6736(20)30183-5", None)),
    ("538-529", "538-529", "538-529", ("538-529", None)),
    ("297-297", "297", "297", ("297", None)),
    ("529\u2014538", "529-538", "529–38", ("529", "538")),
    ("529--538", "529-538", "529–38", ("529", "538")),
    ("529 \u2212 538", "529-538", "529–38", ("529", "538")),
    ("pp. 12-15", "12-15", "12–5", ("12", "15")),
    ("p. 7", "7", "7", ("7", None)),
    ("1203-9; discussion 1210-2", "1203-1209; discussion 1210-1212", "1203–9; discussion 1210–2", ("1203", "1209")),
    ("12-15, 20-25", "12-15, 20-25", "12–5, 20–5", ("12", "15")),
    ("12,14-6", "12, 14-16", "12, 14–6", ("12", None)),
    ("891-902.e1", "891-902.e1", "891–902.e1", ("891", "902.e1")),
    ("online", "online", "online", ("online", None)),
]


@pytest.mark.parametrize(("recorded", "full", "shortened", "ends"), PAGES)
def test_pages_are_read_as_they_are_meant(
    recorded: str, full: str, shortened: str, ends: tuple[str, str | None]
) -> None:
    assert format_pages(recorded) == full
    assert format_pages(recorded, "\u2013", shortened=True) == shortened
    first = page_ranges(recorded)[0]
    assert (first.first, first.last) == ends


@pytest.mark.parametrize("recorded", sorted({case[1] for case in PAGES}))
def test_what_was_read_once_stays_as_it_is(recorded: str) -> None:
    assert format_pages(recorded) == recorded
