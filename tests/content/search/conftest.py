"""The judged questions, and random ones from the words of the index."""

import pytest

from benchmarks.relevance.run import questions
from tests.conftest import Engines, opened
from tests.search.conftest import random_questions


@pytest.fixture(scope="session")
def sample_questions(engines: Engines) -> list[str]:
    """The judged questions, and random words of the index: some whole, some unfinished, some in quotes."""
    with opened(engines("sqlite", "shipped").original) as database:
        words = random_questions(database)
    return [*(question.text for name in ("tuned on", "public") for question in questions(name)), *words]
