"""What the service is made of: its software bill of materials, and the licences of its dependencies."""

import json
import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.dependencies import LOCK, is_for_linux, licence, locked, write_sbom

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0",
}  # fmt: skip
NAMED = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}
"""Licences that ask for more, with the package that has them: docs/licences.md says why each is there."""


@pytest.fixture(scope="module")
def sbom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    write_sbom(target)
    return target


def test_the_bill_of_materials_lists_every_locked_requirement(sbom: Path) -> None:
    components = json.loads(sbom.read_text(encoding="utf-8"))["components"]
    pinned = re.findall(r"^([a-z0-9-]+)==([^ ;]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(pinned) > 50
    assert sorted(c["purl"] for c in components) == sorted(f"pkg:pypi/{name}@{version}" for name, version in pinned)
    assert [c["name"] for c in components if not c["externalReferences"][0]["hashes"]] == []
    installed = {requirement.name for requirement in locked() if is_for_linux(requirement)}
    assert installed - {c["name"] for c in components if "licenses" in c} == set()


def test_the_bill_of_materials_is_valid(sbom: Path) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.read_text(encoding="utf-8")) is None


def test_licences_are_permissive_or_named() -> None:
    declared = {requirement.name: licence(requirement.name) for requirement in locked() if is_for_linux(requirement)}
    asking = {name: text for name, text in declared.items() if not set(re.split(" OR | AND |, ", text)) <= PERMISSIVE}
    assert asking == NAMED
