"""What others wrote in JavaScript: a validator with HL7's own packages, and a client."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fhir.conftest import Json

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
PACKAGES = HERE.parent / "node" / "node_modules"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Node finds the packages."""
    return with_packages(tmp_path)


def with_packages(directory: Path) -> Path:
    assert (PACKAGES / "fhir-validator-mx").is_dir(), "the Node packages are not installed: run make test-node"
    (directory / "node_modules").symlink_to(PACKAGES)
    return directory


def run(folder: Path, script: str, argument: str) -> Json:
    shutil.copy(HERE / script, folder)
    finished = subprocess.run(
        ["node", script, argument], cwd=folder, capture_output=True, text=True, check=False, timeout=280
    )
    assert finished.returncode == 0, finished.stderr
    told: Json = json.loads(finished.stdout.splitlines()[-1])
    return told


def validated(folder: Path, resources: dict[str, list[Json]]) -> Json:
    """What the validator says of all of them."""
    everything = [resource for found in resources.values() for resource in found]
    (folder / "resources.json").write_text(json.dumps(everything), encoding="utf-8")
    return run(folder, "validate.mjs", "resources.json")


def test_every_resource_passes_hl7s_packages(folder: Path, resources: dict[str, list[Json]]) -> None:
    told = validated(folder, resources)

    assert told["errors"] == []
    assert told["valid"] == {name: len(found) for name, found in resources.items()}


def test_the_validator_sees_a_wrong_code(folder: Path) -> None:
    wrong = [{"resourceType": "ClinicalUseDefinition", "id": "a", "type": "banana", "warning": {"description": "b"}}]
    (folder / "resources.json").write_text(json.dumps(wrong), encoding="utf-8")

    told = run(folder, "validate.mjs", "resources.json")

    assert [error.split(":")[0] for error in told["errors"]] == ["ClinicalUseDefinition/a type"]


def test_a_javascript_client_reads_searches_and_pages(folder: Path, url: str) -> None:
    told = run(folder, "client.mjs", url)

    assert told["version"] == "5.0.0"
    assert len({name for page in told["pages"] for name in page}) == 4
    assert told["read"] == "alder-2013"
    assert told["missing"] == [404, "not-found"]
