"""Questions, and words to ask at random."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.search.models import SearchWord
from app.storage.database import Database
from benchmarks.relevance.run import questions
from tests.conftest import Engine, opened

RANDOM = 300


@pytest.fixture(scope="session")
def asked(engines: Callable[[str], Engine]) -> list[str]:
    """The judged questions, and words of the vocabulary thrown together: some whole, some begun, some in quotes."""
    with opened(engines("sqlite").original) as database:
        known = vocabulary(database)
    dice = random.Random(20)  # noqa: S311 - the same ones every time
    thrown = []
    for _ in range(RANDOM):
        words = dice.sample(known, dice.randint(1, 5))
        if dice.random() < 0.3:
            words[-1] = words[-1][: dice.randint(1, 6)]
        if dice.random() < 0.2:
            words[0] = f'"{words[0]} {dice.choice(known)}"'
        thrown.append(dice.choice((" ", " ", "/", "-")).join(words))
    return [question.text for question in questions()] + thrown


def vocabulary(database: Database) -> list[str]:
    with database.read() as session:
        words = select(SearchWord.word).where(~SearchWord.is_stem).order_by(SearchWord.word)
        return list(session.scalars(words))
