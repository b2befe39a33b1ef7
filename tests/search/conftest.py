"""Judged questions, and random ones from the words of the index."""

import random

import pytest
from sqlalchemy import select

from app.search.models import SearchWord
from app.storage.database import Database
from benchmarks.relevance.run import questions
from tests.conftest import Engines, opened

RANDOM_QUESTIONS = 300


@pytest.fixture(scope="session")
def sample_questions(engines: Engines) -> list[str]:
    """The judged questions, and random words of the index: some whole, some unfinished, some in quotes."""
    with opened(engines("sqlite").original) as database:
        words_of_index = _words(database)
    dice = random.Random(20)  # noqa: S311 - the same ones every time
    random_questions = []
    for _ in range(RANDOM_QUESTIONS):
        words = dice.sample(words_of_index, dice.randint(1, 5))
        if dice.random() < 0.3:
            words[-1] = words[-1][: dice.randint(1, 6)]
        if dice.random() < 0.2:
            words[0] = f'"{words[0]} {dice.choice(words_of_index)}"'
        random_questions.append(dice.choice((" ", " ", "/", "-")).join(words))
    judged = [question.text for name in ("tuned on", "public") for question in questions(name)]
    return judged + random_questions


def _words(database: Database) -> list[str]:
    with database.read() as session:
        words = select(SearchWord.word).where(~SearchWord.is_stem).order_by(SearchWord.word)
        return list(session.scalars(words))
