"""The word lists can be edited as YAML, so mistakes in them are found here."""

import pytest

from app.concepts.manifest import SearchWords
from app.core.folding import words
from app.search import word_lists
from app.search.word_lists import OPTIONAL_WORDS, STOP_WORDS, WordLists
from tests import neutral

LISTS = WordLists(SearchWords.model_validate(neutral.MANIFEST["search"], strict=False))


@pytest.mark.parametrize("name", ["stop_words", "optional_words", "risk_terms"])
def test_words_are_folded_and_listed_once(name: str) -> None:
    text = " ".join(word_lists.load(name).values())
    assert text.split() == words(text)
    assert len(set(words(text))) == len(words(text))


def test_a_stop_word_is_not_optional_and_carries_no_risk() -> None:
    assert not STOP_WORDS & (OPTIONAL_WORDS | LISTS.risk_terms)


def test_expansions_hold_in_one_direction_and_synonyms_in_both() -> None:
    assert ("lort",) in LISTS.alternatives[("painkil",)]
    assert ("lort",) not in LISTS.alternatives
    assert ("renal",) in LISTS.alternatives[("kidney",)]
    assert ("kidney",) in LISTS.alternatives[("renal",)]


def test_words_of_one_data_set_are_not_those_of_another() -> None:
    others = WordLists(SearchWords(expansions={"infusion": "brew, cuppa"}, risk_terms=("scald",)))
    assert others.alternatives[("cuppa",)] == (("infus",),)
    assert ("painkil",) not in others.alternatives
    assert "lort" in LISTS.risk_terms
    assert "lort" not in others.risk_terms
    assert "scald" in others.risk_terms


def test_several_things_can_be_meant_by_one_phrase() -> None:
    assert {("insomnia",), ("troubl", "sleep")} <= set(LISTS.alternatives[("cant", "sleep")])


@pytest.mark.parametrize("name", ["expansions", "other_languages"])
def test_no_expansion_stands_twice(name: str) -> None:
    """YAML keeps the last of two equal keys without a word."""
    lines = (word_lists.FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    meant = [line.partition(":")[0] for line in lines if line and not line.startswith((" ", "#"))]
    assert len(set(meant)) == len(meant) == len(word_lists.load(name))
