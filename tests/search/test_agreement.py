"""SQLite and PostgreSQL give the same results in the same order, with the same counts."""

from collections.abc import Iterable

import pytest

from app.search import service, suggestions
from app.search.service import SearchResults
from app.storage.database import Database
from tests.conftest import Engines, opened


@pytest.mark.postgres
def test_both_engines_answer_every_question_alike(engines: Engines, sample_questions: list[str]) -> None:
    assert_answers_agree(engines, "neutral", sample_questions)


@pytest.mark.postgres
def test_both_engines_suggest_alike(engines: Engines, sample_questions: list[str]) -> None:
    assert_suggestions_agree(engines, "neutral", sample_questions)


def assert_answers_agree(engines: Engines, data_set: str, questions: Iterable[str]) -> None:
    found = 0
    with (
        opened(engines("sqlite", data_set).original) as one,
        opened(engines("postgresql", data_set).original) as other,
    ):
        for question in questions:
            results = _results(one, question)
            assert results == _results(other, question), question
            found += bool(results.hits)
    assert found > 200


def assert_suggestions_agree(engines: Engines, data_set: str, questions: Iterable[str]) -> None:
    starts = sorted({question[:length] for question in questions for length in (2, 5, 9)})
    assert len(starts) > 200
    with (
        opened(engines("sqlite", data_set).original) as one,
        opened(engines("postgresql", data_set).original) as other,
        one.read() as first,
        other.read() as second,
    ):
        for start in starts:
            assert suggestions.suggest(first, start, 20, ()) == suggestions.suggest(second, start, 20, ()), start


def _results(database: Database, question: str) -> SearchResults:
    with database.read() as session:
        return service.search(session, question, {})
