"""SQLite and PostgreSQL answer the judged questions alike."""

import pytest

from tests.conftest import Engines
from tests.search.test_agreement import assert_answers_agree, assert_suggestions_agree


@pytest.mark.postgres
def test_both_engines_answer_every_judged_question_alike(engines: Engines, sample_questions: list[str]) -> None:
    assert_answers_agree(engines, "shipped", sample_questions)


@pytest.mark.postgres
def test_both_engines_suggest_alike_on_the_data_set(engines: Engines, sample_questions: list[str]) -> None:
    assert_suggestions_agree(engines, "shipped", sample_questions)
