"""Questions of all sorts: what people ask, and random words of the index."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from app.search.models import SearchWord
from app.storage.database import Database
from tests.conftest import Engines, opened

RANDOM_QUESTIONS = 300
QUESTIONS = (
    "does low-dose zelvane help murmuria", "LDZ pain", "zelvane and oxilort", "can I take painkillers with zelvane",
    "murm sleep", "vivid dreams on ldz", "is zelvane bad for the liver", "belly pain gripes ldz", "tiredness zelvane",
    "4.5 mg", "how much zelvane a day", "ldz in pregnancy", "palewing", "glial glow", "M99.97", "alder 2013",
    "10.5555/zelvane.2", "NCT99900003", "murmurie", "who makes zelvane", "zelvaen murmuira", "\"soft ache\" murmuria",
    "nausea headache", "zelvane xylophonist", "randomized trial placebo", "retracted", "lort free interval",
)  # fmt: skip


@pytest.fixture(scope="session")
def sample_questions(engines: Engines) -> list[str]:
    """What people ask, and random words of the index: some whole, some unfinished, some in quotes."""
    with opened(engines("sqlite").original) as database:
        return [*QUESTIONS, *random_questions(database)]


def random_questions(database: Database, count: int = RANDOM_QUESTIONS) -> Sequence[str]:
    """The same ones every time."""
    words_of_index = _words(database)
    dice = random.Random(20)  # noqa: S311 - the same ones every time
    questions = []
    for _ in range(count):
        words = dice.sample(words_of_index, dice.randint(1, 5))
        if dice.random() < 0.3:
            words[-1] = words[-1][: dice.randint(1, 6)]
        if dice.random() < 0.2:
            words[0] = f'"{words[0]} {dice.choice(words_of_index)}"'
        questions.append(dice.choice((" ", " ", "/", "-")).join(words))
    return questions


def _words(database: Database) -> list[str]:
    with database.read() as session:
        words = select(SearchWord.word).where(~SearchWord.is_stem).order_by(SearchWord.word)
        return list(session.scalars(words))
