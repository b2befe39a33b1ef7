"""What the ranking does with the words of a question, whatever the data set is about."""

import pytest
from starlette.testclient import TestClient

from app.search import service
from tests import neutral
from tests.conftest import Engine, opened

QUESTIONS = (
    "does ldz help murmuria pain", "ldz fatigue murmuria", "gripes remission low dose zelvane", "ldz vivid dreams",
    "does ldz help gripes", "ldz nausea", "ldz headache", "zelvane and lorts",
)  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("more", [{}, {"type": "claim"}], ids=["all types", "claims"])
def test_the_first_claim_is_not_one_without_a_source(client: TestClient, question: str, more: dict[str, str]) -> None:
    """Claims that evidence votes on stand before statements on the same question that nobody gave a source for."""
    found = client.get("/v1/search", params={"q": question, "limit": 100, **more}).json()["items"]
    stands = [hit["claim"]["consensus"] for hit in found if hit["type"] == "claim"]
    assert stands
    assert stands[0] != "uncited" or set(stands) == {"uncited"}


@pytest.mark.parametrize(
    "question", ["can you take ldz with painkillers", "oxilort and zelvane", "pain pills ldz", "zelvane lort"]
)
def test_who_takes_what_must_not_meet_the_drug_is_warned_first(engine: Engine, question: str) -> None:
    """Which words are dangerous the data set says."""
    with opened(engine.original) as database, database.read() as session:
        first = [hit.id for hit in service.search(session, question, {}).hits[:5]]
    assert neutral.WARNING in first


def test_who_fears_for_the_liver_reads_the_warning_in_words_of_their_own(engine: Engine) -> None:
    with opened(engine.original) as database, database.read() as session:
        first = [hit.id for hit in service.search(session, "ldz yellow eyes", {}).hits[:3]]
    assert "zelvane-liver-warning" in first


def test_what_was_never_searched_is_said_first(engine: Engine) -> None:
    """Whoever asks about pregnancy must read that nobody looked, not that nothing was found."""
    with opened(engine.original) as database, database.read() as session:
        for question, search in (("is ldz safe in pregnancy", "ldz-pregnancy"), ("palewing ldz", "ldz-palewing")):
            assert search in [hit.id for hit in service.search(session, question, {}).hits[:3]], question


def test_who_asks_how_it_works_reads_of_mechanisms(engine: Engine) -> None:
    with opened(engine.original) as database, database.read() as session:
        hits = service.search(session, "how does zelvane work", {}).hits
    assert "ldz-glial-glow" in [hit.id for hit in hits[:5]]


def test_a_correction_keeps_the_words_of_who_asks_and_quotes_are_left_alone(engine: Engine) -> None:
    with opened(engine.original) as database, database.read() as session:
        corrected = service.search(session, "how does zelvaen work", {}).did_you_mean
        quoted = service.search(session, '"how does ldz work"', {})
    assert corrected == "how does zelvane work"
    assert "mechanism of action" not in {term.text for term in quoted.terms}
    assert quoted.hits
    assert not quoted.has_all_terms


@pytest.mark.parametrize("question", ["memory", "low dose zelvane memory", "withdrawals lort withdrawal", "the"])
def test_a_word_that_its_other_words_contain_is_still_looked_for(engine: Engine, question: str) -> None:
    with opened(engine.original) as database, database.read() as session:
        results = service.search(session, question, {})
    assert all(term.alternatives for term in results.terms)
    assert results.hits or question in ("the", "memory")


def test_what_has_no_record_is_left_out_and_the_rest_is_answered(engine: Engine) -> None:
    with opened(engine.original) as database, database.read() as session:
        results = service.search(session, "ldz broccoli", {})
    assert results.left_out == ("broccoli",)
    assert results.hits
