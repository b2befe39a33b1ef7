"""Both engines find the same, in the same order, and count the same."""

from collections.abc import Callable

import pytest

from app.search import service
from app.search import suggestions as suggest
from app.search.service import SearchResults
from app.storage.database import Database
from tests.conftest import Engine, opened


@pytest.mark.postgres
def test_both_engines_answer_every_question_alike(engines: Callable[[str], Engine], asked: list[str]) -> None:
    with opened(engines("sqlite").original) as one, opened(engines("postgresql").original) as other:
        for question in asked:
            assert _results(one, question) == _results(other, question), question


@pytest.mark.postgres
def test_both_engines_suggest_alike(engines: Callable[[str], Engine], asked: list[str]) -> None:
    starts = sorted({question[:length] for question in asked for length in (2, 5, 9)})
    with (
        opened(engines("sqlite").original) as one,
        opened(engines("postgresql").original) as other,
        one.read() as first,
        other.read() as second,
    ):
        for start in starts:
            assert suggest.suggest(first, start, 20, ()) == suggest.suggest(second, start, 20, ()), start


def _results(database: Database, question: str) -> SearchResults:
    with database.read() as session:
        return service.search(session, question, {})
