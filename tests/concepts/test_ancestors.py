"""Codes that grow to the right lead to their wider ones, nearest first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.concepts.code_systems import ICD10CM, SHIPPED_SYSTEMS
from app.concepts.queries import ancestors, by_code
from app.storage.database import Database
from tests.factories import put, record


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("M79.7", ["M79.7", "M79"]),
        ("K50.10", ["K50.10", "K50.1", "K50"]),
        ("G35.A", ["G35.A", "G35"]),
        ("M79", ["M79"]),
        ("M7", ["M7"]),
        ("M79.", ["M79."]),
        ("NOT-A-CODE", ["NOT-A-CODE"]),
    ],
)
def test_an_icd_10_cm_code_has_the_codes_before_it(code: str, expected: list[str]) -> None:
    assert ancestors(ICD10CM, code) == expected


@given(st.sampled_from(sorted(set(SHIPPED_SYSTEMS.ids) - {ICD10CM})), st.text(max_size=30))
def test_other_systems_have_no_ancestors_in_their_codes(system: str, code: str) -> None:
    assert ancestors(system, code) == [code]


@given(st.from_regex(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?", fullmatch=True))
def test_each_ancestor_is_a_shorter_beginning_down_to_three_characters(code: str) -> None:
    found = ancestors(ICD10CM, code)
    assert found[0] == code
    assert found[-1] == code[:3]
    assert all(code.startswith(wider) and not wider.endswith(".") for wider in found)
    assert found == sorted(set(found), key=len, reverse=True)


def test_the_nearest_record_that_carries_a_wider_code_is_found(scratch: Database) -> None:
    def coded(record_id: str, code: str) -> None:
        codes = [{"system": "icd10cm", "code": code, "relation": "exactMatch", "verified": True}]
        put(scratch, record("condition", record_id, codes=codes))

    coded("wide", "Z99")
    coded("narrow", "Z99.1")
    with scratch.read() as session:
        found = {
            code: [row.code for _, row in by_code(session, ICD10CM, code)]
            for code in ("z99.12", "Z99.1", "Z99.2", "Z98")
        }
    assert found == {"z99.12": ["Z99.1"], "Z99.1": ["Z99.1"], "Z99.2": ["Z99"], "Z98": []}
