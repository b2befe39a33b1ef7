"""Code systems by the names that others use for them."""

import pytest

from app.concepts.code_systems import OIDS, URIS, code_system
from app.concepts.vocabulary import CodeSystem


@pytest.mark.parametrize("system", CodeSystem)
def test_a_uri_and_an_oid_lead_back_to_their_system(system: CodeSystem) -> None:
    names = [URIS.get(system), OIDS.get(system), f"urn:oid:{OIDS[system]}" if system in OIDS else None]

    assert {code_system(name) for name in names if name} <= {system}


def test_other_identifiers_name_no_system() -> None:
    for identifier in ("", "urn:oid:", "1.2.3", "rxnorm", "http://hl7.org/fhir/sid/icd-10"):
        assert code_system(identifier) is None
