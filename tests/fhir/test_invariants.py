"""The invariants of HL7's definitions, by fhircraft. Its import alone takes more than half a minute."""

import warnings
from typing import Any

import pytest

from tests.fhir.conftest import Json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def fault(resource: Json) -> str | None:
    """What the definitions have against a resource."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fhircraft.fhir.resources.datatypes import get_fhir_type

        definition: Any = get_fhir_type(resource["resourceType"], "R5")
        try:
            definition.model_validate(resource)
        except ValueError as error:
            return f"{resource.get('id')}: {error}"
    return None


def test_every_resource_keeps_the_invariants(resources: dict[str, list[Json]]) -> None:
    assert [told for found in resources.values() for resource in found if (told := fault(resource))] == []


def test_a_breach_is_seen() -> None:
    both = {
        "resourceType": "ClinicalUseDefinition",
        "type": "warning",
        "warning": {"description": "a"},
        "interaction": {"effect": {"concept": {"text": "b"}}},
    }

    assert "[cud-1]" in str(fault(both))
