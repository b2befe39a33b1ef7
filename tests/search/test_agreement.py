"""SQLite and PostgreSQL give the same results in the same order, with the same counts."""

import pytest

from app.search import service, suggestions
from app.search.service import SearchResults
from app.storage.database import Database
from tests.conftest import Engines, opened


@pytest.mark.postgres
def test_both_engines_answer_every_question_alike(engines: Engines, sample_questions: list[str]) -> None:
    with opened(engines("sqlite").original) as one, opened(engines("postgresql").original) as other:
        for question in sample_questions:
            assert _results(one, question) == _results(other, question), question


@pytest.mark.postgres
def test_both_engines_suggest_alike(engines: Engines, sample_questions: list[str]) -> None:
    starts = sorted({question[:length] for question in sample_questions for length in (2, 5, 9)})
    with (
        opened(engines("sqlite").original) as one,
        opened(engines("postgresql").original) as other,
        one.read() as first,
        other.read() as second,
    ):
        for start in starts:
            assert suggestions.suggest(first, start, 20, ()) == suggestions.suggest(second, start, 20, ()), start


def _results(database: Database, question: str) -> SearchResults:
    with database.read() as session:
        return service.search(session, question, {})
