"""The index and the word lists of the data set."""

from app.datasets.files_beside import read_manifest
from app.search.word_lists import OPTIONAL_WORDS, STOP_WORDS, WordLists
from tests.conftest import SEED
from tests.search.test_index import test_the_seeded_index_is_what_all_records_make

__all__ = ["test_the_seeded_index_is_what_all_records_make"]


def test_words_of_the_data_set_expand_in_one_direction_and_carry_risk() -> None:
    manifest = read_manifest(SEED)
    assert manifest is not None
    lists = WordLists(manifest.search)
    assert ("opioid",) in lists.alternatives[("painkil",)]
    assert ("opioid",) not in lists.alternatives
    assert "opioid" in lists.risk_terms
    assert not STOP_WORDS & (OPTIONAL_WORDS | lists.risk_terms)
