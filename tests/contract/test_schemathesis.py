"""Schemathesis against the real server over the seeded database: every check, no failure.

`/v1` has an OpenAPI document of its own; those of FHIR and Infobutton are made by `descriptions.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.settings import ROOT
from tests.conftest import Engines, application
from tests.contract.descriptions import fhir_description, infobutton_description
from tests.serving import PATIENCE_SECONDS, served

IN_SHORT = ("--phases=examples,fuzzing", "--max-examples=2")
"""Two requests to each operation."""
AT_LENGTH = ("--max-examples=8", "--max-time=75")
"""All phases: cases that follow from the schemas, then fuzzing and chains of calls; nothing new after 75 seconds."""

Description = dict[str, Any]


def read(address: str) -> Any:
    return httpx2.get(address, timeout=PATIENCE_SECONDS).raise_for_status().json()


def openapi(address: str) -> Description:
    """With what the document has elsewhere so that generated clients have one type of answer for each operation: what
    `fields=` leaves, beside the schema of the answer, and the formats that `format=` gives too, at addresses of their
    own."""
    document: Description = read(f"{address}/openapi.json")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answered = operation["responses"].get("200", {}).get("content", {})
            for content in answered.values():
                if "x-partial" in content:
                    content["schema"] = {"anyOf": [content["schema"], content["x-partial"]]}
            if "format" in {parameter["name"] for parameter in operation.get("parameters", ())}:
                for format_path in [other for other in document["paths"] if other.startswith(f"{path}.")]:
                    answered |= document["paths"][format_path]["get"]["responses"]["200"]["content"]
    return document


def fhir(address: str) -> Description:
    """From the CapabilityStatement, with the first ids of each type."""

    def ids(resource_type: str) -> list[str]:
        bundle = read(f"{address}/fhir/r5/{resource_type}?_count=2")
        return [entry["resource"]["id"] for entry in bundle["entry"]]

    return fhir_description(read(f"{address}/fhir/r5/metadata"), ids)


def infobutton(address: str) -> Description:
    return infobutton_description()


def every_interface(address: str) -> Description:
    """All three in one, because starting Schemathesis takes longer than a short run."""
    document, *others = openapi(address), fhir(address), infobutton(address)
    return {**document, "paths": {path: item for part in (document, *others) for path, item in part["paths"].items()}}


AT_LENGTH_RUNS = [
    pytest.param(engine_name, describe, AT_LENGTH, id=f"at length: {describe.__name__} on {engine_name}", marks=marks)
    for engine_name, marks in (("sqlite", pytest.mark.sweep), ("postgresql", [pytest.mark.sweep, pytest.mark.postgres]))
    for describe in (openapi, fhir, infobutton)
]


@pytest.mark.parametrize(
    ("engine_name", "describe", "options"),
    [pytest.param("sqlite", every_interface, IN_SHORT, id="in short"), *AT_LENGTH_RUNS],
)
def test_schemathesis_finds_nothing(
    engines: Engines,
    engine_name: str,
    describe: Callable[[str], Description],
    options: tuple[str, ...],
    tmp_path: Path,
) -> None:
    with application(engines(engine_name, "neutral").original) as app, served(app) as port:
        address = f"http://127.0.0.1:{port}"
        (tmp_path / "openapi.json").write_text(json.dumps(describe(address)))
        run_schemathesis(address, options, tmp_path)


def run_schemathesis(address: str, options: tuple[str, ...], directory: Path) -> None:
    """Over the operations that `openapi.json` in the directory describes."""
    command = shutil.which("schemathesis", path=sysconfig.get_path("scripts"))
    assert command, "schemathesis is not installed: run make test"

    finished = subprocess.run(
        [
            command, f"--config-file={ROOT / 'schemathesis.toml'}", "run", "openapi.json", f"--url={address}",
            "--generation-deterministic", "--no-color", *options,
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert finished.returncode == 0, finished.stdout[-20_000:] + finished.stderr[-5_000:]
    assert re.search(r"Selected: (\d+)/\1\n\s+Tested: \1\n", finished.stdout), finished.stdout
