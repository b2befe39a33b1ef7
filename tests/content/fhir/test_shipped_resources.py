"""What the data set says is valid FHIR, and both sides of it are shown."""

from pathlib import Path

import pytest

from app.fhir import uses
from app.fhir.types import TYPES
from tests.content.seed import claims
from tests.fhir.conftest import Json, model
from tests.fhir.strict import violations
from tests.fhir.test_invariants import fault
from tests.fhir.test_node import validated, with_packages
from tests.fhir.test_resources import stances_of, walk

NAMES = [fhir_type.name for fhir_type in TYPES]


@pytest.mark.parametrize("name", [*NAMES, "Library"])
def test_every_shipped_resource_is_valid(resources: dict[str, list[Json]], name: str) -> None:
    faults = []
    for resource in resources[name]:
        checked = model(name).model_validate(resource)
        faults += [f"{resource['id']}: {violation}" for violation in violations(checked)]

    assert resources[name]
    assert faults == []


def test_every_shipped_claim_and_citation_is_there(resources: dict[str, list[Json]]) -> None:
    ids = {name: {resource["id"] for resource in found} for name, found in resources.items()}

    assert ids["ArtifactAssessment"] == set(claims())
    assert ids["Evidence"] == {citation.id for claim in claims().values() for citation in claim.citations}
    assert ids["ClinicalUseDefinition"] == {name for name, claim in claims().items() if uses.use_of(claim)}
    assert {resource["type"] for resource in resources["ClinicalUseDefinition"]} == set(uses.TYPES)


def test_references_of_shipped_resources_lead_somewhere(resources: dict[str, list[Json]]) -> None:
    known = {f"{name}/{resource['id']}" for name, found in resources.items() for resource in found}

    for found in resources.values():
        for resource in found:
            contained = {f"#{inner['id']}" for inner in resource.get("contained", [])}
            named = {inner["reference"] for inner in walk(resource) if isinstance(inner.get("reference"), str)}
            assert named <= known | contained, resource["id"]


def test_both_sides_of_pain_in_fibromyalgia_are_cited(resources: dict[str, list[Json]]) -> None:
    (use,) = (found for found in resources["ClinicalUseDefinition"] if found["id"] == "ldn-fibromyalgia-pain")
    stances = stances_of(use)

    assert "Citation/younger-2013" in stances["supports"]
    assert {"Citation/bruun-2024", "Citation/bested-2023"} <= stances["disputes"]


def test_the_opioid_contraindication_holds_for_the_low_dose_too(resources: dict[str, list[Json]]) -> None:
    found = {resource["id"]: resource for resource in resources["ClinicalUseDefinition"]}
    issues = {resource["id"]: resource.get("clinicalUseIssue", []) for resource in resources["MedicationKnowledge"]}

    assert [subject["reference"] for subject in found["naltrexone-opioid-contraindication"]["subject"]] == [
        "Substance/naltrexone",
        "Substance/low-dose-naltrexone",
    ]
    for drug in ("naltrexone", "low-dose-naltrexone"):
        named = [issue["reference"] for issue in issues[drug]]
        assert "ClinicalUseDefinition/naltrexone-opioid-contraindication" in named


def test_no_shipped_benefit_is_called_approved(resources: dict[str, list[Json]]) -> None:
    categories = {r["id"]: r["category"][0]["text"] for r in resources["ClinicalUseDefinition"] if "category" in r}

    assert categories["ldn-fibromyalgia-pain"] == "Studied use; not an approval"
    assert categories["naltrexone-fda-approval-alcohol"].startswith("Approved use (")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_shipped_resource_keeps_the_invariants(resources: dict[str, list[Json]]) -> None:
    assert [told for found in resources.values() for resource in found if (told := fault(resource))] == []


@pytest.mark.node
def test_every_shipped_resource_passes_hl7s_packages(tmp_path: Path, resources: dict[str, list[Json]]) -> None:
    told = validated(with_packages(tmp_path), resources)

    assert told["errors"] == []
    assert told["valid"] == {name: len(found) for name, found in resources.items()}
