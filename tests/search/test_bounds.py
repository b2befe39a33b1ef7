"""Memory and counts are bounded, for any question and any amount of data."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.search import service, term_statistics
from app.storage.database import Database
from tests.conftest import Engine, opened
from tests.factories import amended, content, put


def test_more_than_the_bound_is_counted_as_at_least(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(engine.original) as database, database.read() as session:
        exact = service.search(session, "zelvane", {})
        assert exact.is_exact
        assert exact.total > 50
        monkeypatch.setattr(service, "MAX_COUNTED", 40)
        bounded = service.search(session, "zelvane", {})
    assert (bounded.total, bounded.is_exact) == (41, False)
    assert sum(bounded.facets["type"].values()) == 40


def test_what_is_narrowed_is_bounded_after_narrowing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(engine.original) as database, database.read() as session:
        expected = service.search(session, "zelvane", {}).facets["type"]["dosing_range"]
        monkeypatch.setattr(service, "MAX_COUNTED", 20)
        narrowed = service.search(session, "zelvane", {"type": ["dosing_range"]})
    assert (narrowed.total, narrowed.is_exact) == (expected, True)
    assert {hit.type for hit in narrowed.hits} == {"dosing_range"}


def test_different_questions_fill_no_memory(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_statistics, "MAX_REMEMBERED", 40)
    with opened(engine.original) as database, database.read() as session:
        first = service.search(session, "murmuria pain", {})
        for number in range(200):
            service.search(session, f"q{number} zelvane pain{number} xyz", {})
        memories = vars(term_statistics.term_statistics(session))
        sizes = {
            name: len(memory) for name, memory in memories.items() if isinstance(memory, dict) and name != "bitmaps"
        }
        assert len(sizes) >= 3
        assert max(sizes.values()) <= 40
        assert service.search(session, "murmuria pain", {}) == first


def test_keys_come_in_the_order_of_ranks(engine: Engine) -> None:
    with opened(engine.original) as database, database.read() as session:
        ranks = session.execute(text("SELECT rank FROM search_entries ORDER BY pk")).scalars().all()
    assert ranks == sorted(ranks)


def test_the_full_text_index_agrees_with_the_entries_after_changes(small: Database) -> None:
    if not small.is_sqlite:
        pytest.skip("PostgreSQL makes the vector itself")
    for statement in ("The drug calms marmots.", "The drug calms badgers.", "The drug calms marmots."):
        put(small, amended(content(small, "claim", "drug-eases-ache"), statement=statement))
    with small.engine.connect() as connection:
        connection.execute(text("INSERT INTO search_fts(search_fts, rank) VALUES ('integrity-check', 1)"))


def test_a_reader_behind_the_newest_serial_is_answered_from_what_it_sees(small: Database) -> None:
    with small.read() as behind:
        before = _claims(behind)
        claim = content(small, "claim", "drug-eases-ache")
        put(small, amended(claim, status="retired"))
        with small.read() as ahead:
            assert _claims(ahead) == before - 1
        assert _claims(behind) == before


def _claims(session: Session) -> int:
    return service.search(session, "drug", {}).facets["type"]["claim"]
