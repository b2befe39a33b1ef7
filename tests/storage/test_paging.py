"""Keyset pages: whole, in order, and cursors that are good for their own list alone."""

import base64
import json
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import String, case, cast, insert, literal
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.errors import InvalidInput
from app.storage import paging
from app.storage.database import SLUG, Base, Database
from app.storage.filter_index import FilterBits, FilterEntry, FilterRow, FilterSpec, rebuild, values
from app.storage.paging import (
    LOOKUP_COST,
    MAX_SORTED,
    Page,
    SortedQuery,
    _seal,
    decode_cursor,
    encode_cursor,
    selection_page,
)
from app.storage.selection import Selection
from tests.conftest import Engine, opened
from tests.storage.joined import index_of


class Item(Base):
    __tablename__ = "items"
    pk: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, unique=True)
    number: Mapped[int | None]
    step: Mapped[int]


Base.metadata.remove(Base.metadata.tables["items"])  # a table of the tests, not of the schema

COLUMNS = {"id": Item.id, "number": Item.number, "step": Item.step}
ITEMS = FilterSpec(
    Item,
    (
        values(
            Item.pk,
            {
                "status": literal("published"),
                "number": case((Item.number.is_(None), "none"), else_="some"),
                "sign": case((Item.number < 0, "minus"), else_="plus"),
                "step": cast(Item.step, String),
            },
        ),
    ),
    ordered=frozenset({"number", "step"}),
    stepped=frozenset({"step"}),
)
ALL = Selection("item", ITEMS)
Row = tuple[str, int | None]

ROWS = st.lists(
    st.tuples(st.text(string.ascii_lowercase + "-0", min_size=1, max_size=4), st.one_of(st.none(), st.integers(-3, 3))),
    max_size=25,
    unique_by=lambda row: row[0],
)


@pytest.fixture(scope="module")
def table(engine: Engine) -> Iterator[Database]:
    with opened(engine.empty("lists")) as database:
        for model in (Item, FilterRow, FilterBits, FilterEntry):
            model.__table__.create(database.engine)  # type: ignore[attr-defined]
        yield database


@contextmanager
def holding(database: Database, rows: list[Row]) -> Iterator[Session]:
    """A session that sees these rows, which nobody else ever does."""
    with database.engine.connect() as connection, Session(connection) as session:
        add(session, rows)
        yield session
        session.rollback()


def add(session: Session, rows: list[Row]) -> None:
    if rows:
        session.execute(insert(Item), [{"id": i, "number": n, "step": step(i)} for i, n in rows])
    rebuild(session, {"item": ITEMS})


def step(record_id: str) -> int:
    """-1 to 2."""
    return len(record_id) - 2


def page(session: Session, query: SortedQuery, matching: Selection = ALL) -> Page:
    return selection_page(index_of(session), matching, query, COLUMNS)


def walk(session: Session, query: SortedQuery, matching: Selection = ALL) -> Iterator[list[str]]:
    while True:
        found = page(session, query, matching)
        yield list(found.ids)
        if found.next_cursor is None:
            return
        query = query.model_copy(update={"cursor": found.next_cursor})


def in_order(rows: list[Row], sort: str) -> list[str]:
    """Brute force: nulls last either way, ties by id upwards."""
    if sort.removeprefix("-") == "id":
        return sorted((row[0] for row in rows), reverse=sort.startswith("-"))
    sign = -1 if sort.startswith("-") else 1
    if sort.removeprefix("-") == "step":
        return sorted((row[0] for row in rows), key=lambda record_id: (sign * step(record_id), record_id))
    return [row[0] for row in sorted(rows, key=lambda row: (row[1] is None, sign * (row[1] or 0), row[0]))]


SORTS = st.sampled_from(["id", "-id", "number", "-number", "step", "-step"])
CHOICES: dict[str, tuple[Selection, Callable[[Row], bool]]] = {
    "all": (ALL, lambda _row: True),
    "one filter": (ALL.filtered("number", ["some"]), lambda row: row[1] is not None),
    "either of two": (ALL.filtered("number", ["some", "none"]), lambda _row: True),
    "both of two": (
        ALL.filtered("number", ["some"]).filtered("sign", ["minus"]),
        lambda row: row[1] is not None and row[1] < 0,
    ),
    "a condition": (ALL.where(Item.id < "c"), lambda row: row[0] < "c"),
    "a condition, counted as far as one": (
        ALL.filtered("sign", ["plus"]).where(Item.id < "c", max_read=1),
        lambda row: row[0] < "c" and not (row[1] is not None and row[1] < 0),
    ),
}


@pytest.mark.parametrize("cost", [10_000, LOOKUP_COST / 10_000], ids=["walked", "sorted"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, limit=st.integers(1, 7), sort=SORTS, choice=st.sampled_from(sorted(CHOICES)))
def test_pages_join_to_the_whole_list_in_order(
    table: Database, cost: float, rows: list[Row], limit: int, sort: str, choice: str
) -> None:
    """Whether few are read and sorted, or many are walked in order."""
    matching, is_meant = CHOICES[choice]
    with holding(table, rows) as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "LOOKUP_COST", cost)
        patch.setattr(paging, "MAX_SORTED", 0 if cost > LOOKUP_COST else MAX_SORTED)
        patch.setattr(paging, "MAX_STEP", 3)
        pages = list(walk(session, SortedQuery(limit=limit, sort=sort), matching))
        first = page(session, SortedQuery(sort=sort), matching)
    wanted = in_order([row for row in rows if is_meant(row)], sort)
    assert [record_id for found in pages for record_id in found] == wanted
    assert all(len(found) == limit for found in pages[:-1])
    assert len(pages[-1]) <= limit
    assert first.total == len(wanted) if first.is_exact else first.total <= len(wanted)
    assert first.is_exact or "counted" in choice


def test_a_walk_survives_what_is_inserted_behind_and_before_it(table: Database) -> None:
    with holding(table, [(f"m{n}", None) for n in range(4)]) as session:
        walked = walk(session, SortedQuery(limit=2))
        seen = next(walked)
        add(session, [("a", None), ("z", None)])
        seen += [record_id for found in walked for record_id in found]
    assert seen == ["m0", "m1", "m2", "m3", "z"]


@pytest.mark.parametrize("value", [None, "x"])
def test_a_forged_place_in_an_order_of_numbers_is_refused(table: Database, value: str | None) -> None:
    query = SortedQuery(limit=2, sort="step")
    forged = query.model_copy(update={"cursor": encode_cursor(query.fingerprint(ALL.scope), [value, "m1"])})
    with holding(table, [(f"m{n}", None) for n in range(4)]) as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "MAX_SORTED", 0)
        with pytest.raises(InvalidInput) as caught:
            page(session, forged)
    assert [fault.code for fault in caught.value.errors] == ["malformed_cursor"]


TITLES = st.text(st.characters(exclude_categories=["Cc", "Cs"]))

# --- cursors ------------------------------------------------------------------------------------------------------


@given(st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1), TITLES), TITLES)
def test_a_cursor_is_read_as_it_was_written(value: int | str | None, record_id: str) -> None:
    fingerprint = SortedQuery().fingerprint()
    assert decode_cursor(encode_cursor(fingerprint, [value, record_id]), fingerprint) == (value, record_id)


@given(data=st.data())
def test_an_altered_cursor_is_refused(data: st.DataObject) -> None:
    fingerprint = SortedQuery().fingerprint()
    cursor = encode_cursor(fingerprint, ["pain", "pain"])
    place = data.draw(st.integers(0, len(cursor) - 2))  # the last character holds bits that nobody reads
    other = data.draw(st.sampled_from(sorted(set(string.ascii_letters + string.digits + "-_") - {cursor[place]})))
    assert code(cursor[:place] + other + cursor[place + 1 :], fingerprint) == "malformed_cursor"


@given(st.text(string.ascii_letters + string.digits + "-_", min_size=8, max_size=400))
def test_text_that_never_was_a_cursor_is_refused(text: str) -> None:
    assert code(text, SortedQuery().fingerprint()) == "malformed_cursor"


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_cut_cursor_is_refused(cut: int) -> None:
    fingerprint = SortedQuery().fingerprint()
    assert code(encode_cursor(fingerprint, ["pain", "pain"])[:-cut], fingerprint) == "malformed_cursor"


@pytest.mark.parametrize("place", [5, [1], ["a", {}, "b"], ["a", "b", 7], ["a", 2**70, "b"], ["a", "\x00", "b"]])
def test_a_forged_cursor_of_another_shape_is_refused(place: Any) -> None:
    """The seal is no secret, so what it seals is still not trusted."""
    payload = json.dumps(place).encode()
    cursor = base64.urlsafe_b64encode(_seal(payload) + payload).decode().rstrip("=")
    assert code(cursor, "a") == "malformed_cursor"


def test_a_cursor_of_another_filter_or_sort_is_refused_as_such() -> None:
    cursor = encode_cursor(SortedQuery(sort="id").fingerprint(), ["pain", "pain"])
    assert code(cursor, SortedQuery(sort="-id").fingerprint()) == "foreign_cursor"


def test_limit_and_cursor_are_no_part_of_what_a_cursor_is_bound_to() -> None:
    assert SortedQuery(limit=7, cursor="AAAAAAAA").fingerprint() == SortedQuery().fingerprint()


def code(cursor: str, fingerprint: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        decode_cursor(cursor, fingerprint)
    (fault,) = caught.value.errors
    return fault.code
