"""Each mapper against a file that a person can read and hold against HL7's pages.

After a wanted change: `UPDATE_GOLDEN=1 pytest tests/fhir/test_golden.py`, then read the difference.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.concepts.code_systems import SHIPPED_SYSTEMS
from app.concepts.manifest import Manifest
from app.fhir.artifact_assessment import artifact_assessment
from app.fhir.citation import citation
from app.fhir.clinical_use_definition import Heir, clinical_use_definition
from app.fhir.evidence import evidence
from app.fhir.library import library
from app.fhir.medication_knowledge import medication_knowledge, substance
from app.storage.resource import Key
from tests import neutral
from tests.fhir.conftest import Json, model
from tests.fhir.example_records import BASE, example_records
from tests.fhir.strict import violations

GOLDEN = Path(__file__).parent / "golden"
RECORDS = example_records()
PAIN = RECORDS.content(Key("claim", "ldz-murmuria-pain"))
LORTS = RECORDS.content(Key("claim", "zelvane-lort-contraindication"))
LDZ = RECORDS.content(Key("intervention", "low-dose-zelvane"))
AT = "2026-11-22T10:00:00Z"
MANIFEST = Manifest.model_validate(neutral.MANIFEST)

RESOURCES: dict[str, Callable[[], Json]] = {
    "citation": lambda: citation(RECORDS.content(Key("document", "alder-2013"))),
    "citation-retracted": lambda: citation(RECORDS.content(Key("document", "birch-2024"))),
    "evidence-supports": lambda: evidence(RECORDS, PAIN.id, PAIN.citations[0], BASE),
    "evidence-disputes": lambda: evidence(RECORDS, PAIN.id, PAIN.citations[1], BASE),
    "indication": lambda: clinical_use_definition(RECORDS, PAIN, (), SHIPPED_SYSTEMS),
    "contraindication": lambda: clinical_use_definition(
        RECORDS, LORTS, [Heir("low-dose-zelvane", is_member=False)], SHIPPED_SYSTEMS
    ),
    "assessment": lambda: artifact_assessment(RECORDS, PAIN, BASE, AT),
    "medication-knowledge": lambda: medication_knowledge(RECORDS, LDZ, ["ldz-4-5-mg"], [LORTS.id], MANIFEST),
    "substance-drug": lambda: substance(RECORDS.content(Key("intervention", "zelvane")), MANIFEST),
    "substance-regimen": lambda: substance(LDZ, MANIFEST),
    "library": lambda: library(f"{BASE}/fhir/r5", MANIFEST, "1+7", AT, {"Citation": 2, "Evidence": 2}),
}


@pytest.mark.parametrize("name", RESOURCES)
def test_the_resource_is_the_one_in_the_file(name: str) -> None:
    made = RESOURCES[name]()
    file = GOLDEN / f"{name}.json"
    if "UPDATE_GOLDEN" in os.environ:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert made == json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RESOURCES)
def test_the_file_is_valid(name: str) -> None:
    resource = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    checked = model(resource["resourceType"]).model_validate(resource)

    assert list(violations(checked)) == []
