"""Each mapper against a file that a person can read and hold against HL7's pages.

After a wanted change: `UPDATE_GOLDEN=1 pytest tests/fhir/test_golden.py`, then read the difference.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.fhir.artifact_assessment import artifact_assessment
from app.fhir.citation import citation
from app.fhir.clinical_use_definition import clinical_use_definition
from app.fhir.evidence import evidence
from app.fhir.library import library
from app.fhir.medication_knowledge import medication_knowledge
from app.fhir.substance import substance
from app.storage.resource import Key
from tests.fhir.conftest import Json, model
from tests.fhir.strict import breaches
from tests.fhir.worlds import BASE, world

GOLDEN = Path(__file__).parent / "golden"
HELD = world()
PAIN = HELD.content(Key("claim", "ldn-fibromyalgia-pain"))
OPIOIDS = HELD.content(Key("claim", "naltrexone-opioid-contraindication"))
LDN = HELD.content(Key("intervention", "low-dose-naltrexone"))
AT = "2026-11-22T10:00:00Z"

MADE: dict[str, Callable[[], Json]] = {
    "citation": lambda: citation(HELD.content(Key("document", "younger-2013"))),
    "citation-retracted": lambda: citation(HELD.content(Key("document", "bruun-2024"))),
    "evidence-supports": lambda: evidence(HELD, PAIN.id, PAIN.citations[0], BASE),
    "evidence-disputes": lambda: evidence(HELD, PAIN.id, PAIN.citations[1], BASE),
    "indication": lambda: clinical_use_definition(HELD, PAIN, ()),
    "contraindication": lambda: clinical_use_definition(HELD, OPIOIDS, ["low-dose-naltrexone"]),
    "assessment": lambda: artifact_assessment(HELD, PAIN, BASE, AT),
    "medication-knowledge": lambda: medication_knowledge(HELD, LDN, ["ldn-4-5-mg"], [OPIOIDS.id]),
    "substance-drug": lambda: substance(HELD.content(Key("intervention", "naltrexone"))),
    "substance-regimen": lambda: substance(LDN),
    "library": lambda: library(f"{BASE}/fhir/r5", "1", 7, AT, {"Citation": 2, "Evidence": 2}),
}


@pytest.mark.parametrize("name", MADE)
def test_the_resource_is_the_one_in_the_file(name: str) -> None:
    made = MADE[name]()
    file = GOLDEN / f"{name}.json"
    if "UPDATE_GOLDEN" in os.environ:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert made == json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MADE)
def test_the_file_is_valid(name: str) -> None:
    resource = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    checked = model(resource["resourceType"]).model_validate(resource)

    assert list(breaches(checked)) == []
