"""Grades of an earlier version of the method stay readable."""

import json

from app.claims.derived import ClaimDerived
from app.storage.database import Database
from tests.factories import stored

NEW_IN_2 = ("body", "insufficient_reason", "opposite_share", "counts")


def test_derived_values_of_the_first_method_are_read_without_what_it_did_not_know(small: Database) -> None:
    derived = json.loads(stored(small, "claim", "drug-eases-ache").derived)
    for name in NEW_IN_2:
        del derived["evidence"][name]
    del derived["caveat_stale"]
    derived["evidence"] |= {"method": "grade-like/1", "consensus_method": "consensus/1"}
    evidence = ClaimDerived.model_validate_json(json.dumps(derived)).evidence
    assert evidence.consensus_method == "consensus/1"
    assert [getattr(evidence, name) for name in NEW_IN_2] == [None] * len(NEW_IN_2)
