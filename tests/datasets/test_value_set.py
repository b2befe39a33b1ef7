"""The codes of a FHIR ValueSet are recognised as the class into which they were loaded."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.accounts.service import ensure_system_actors
from app.concepts.drug_index import drug_index
from app.core.errors import InvalidInput
from app.datasets.value_set import LoadResult, load
from app.storage.database import Database

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://example.org/lorts",
    "version": "3",
    "expansion": {
        "contains": [
            {"system": RXNORM, "contains": [{"system": RXNORM, "code": "1"}, {"system": RXNORM, "code": "9990100"}]},
            {"system": "urn:local", "code": "x"},
        ]
    },
    "compose": {"include": [{"system": RXNORM, "concept": [{"code": "2"}]}]},
}


def loaded(database: Database, path: Path, value_set: Any, into: str = "lorts") -> LoadResult:
    path.write_text(json.dumps(value_set))
    with database.write() as session:
        ensure_system_actors(session)
        return load(session, path, into)


def test_its_codes_go_to_a_narrower_class_and_known_drugs_stay_what_they_are(scratch: Database, tmp_path: Path) -> None:
    result = loaded(scratch, tmp_path / "lorts.json", VALUE_SET)
    assert (result.record, result.loaded, result.known, result.skipped) == ("lorts-value-set", 2, 1, 1)
    with scratch.read() as session:
        index = drug_index(session)
    lorts = index.expand(["lorts"])
    for code in ("1", "2"):
        assert {drug.id for drug in index.by_code(f"rxnorm:{code}").drugs} <= lorts
        assert index.by_code(f"rxnorm:{code}").confidence == "probable"
    assert [drug.id for drug in index.by_code("rxnorm:9990100").drugs] == ["oxilort"]
    assert loaded(scratch, tmp_path / "lorts.json", VALUE_SET).serial is None


@pytest.mark.parametrize("value_set", [[], {"resourceType": "Bundle"}, {"resourceType": "ValueSet"}])
def test_what_lists_nothing_is_refused(scratch: Database, tmp_path: Path, value_set: Any) -> None:
    with pytest.raises(InvalidInput):
        loaded(scratch, tmp_path / "lorts.json", value_set)


def test_the_class_must_exist_and_be_one(scratch: Database, tmp_path: Path) -> None:
    for into in ("oxilort", "lort-analgesic"):
        with pytest.raises(InvalidInput, match="class of drugs"):
            loaded(scratch, tmp_path / "lorts.json", VALUE_SET, into)
