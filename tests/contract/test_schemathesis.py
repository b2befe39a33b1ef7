"""Schemathesis against the real server over the seeded database: every check, no failure."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.conftest import Engine, application
from tests.serving import served

IN_SHORT = ("--phases=examples,fuzzing", "--max-examples=3")
"""Three requests to each operation."""
AT_LENGTH = ("--max-examples=8", "--max-time=75")
"""All phases: cases that follow from the schemas, then fuzzing and chains of calls; nothing new after 75 seconds."""


@pytest.mark.parametrize(
    ("engine_name", "options"),
    [
        pytest.param("sqlite", IN_SHORT, id="in short"),
        pytest.param("sqlite", AT_LENGTH, id="at length", marks=pytest.mark.sweep),
        pytest.param("postgresql", AT_LENGTH, id="on PostgreSQL", marks=[pytest.mark.sweep, pytest.mark.postgres]),
    ],
)
def test_schemathesis_finds_nothing(
    engines: Callable[[str], Engine], engine_name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    with application(engines(engine_name).original) as app, served(app) as port:
        run_schemathesis(f"http://127.0.0.1:{port}", options, tmp_path)


def run_schemathesis(address: str, options: tuple[str, ...], directory: Path) -> None:
    command = shutil.which("schemathesis", path=sysconfig.get_path("scripts"))
    assert command, "schemathesis is not installed: run make test"

    finished = subprocess.run(
        [
            command, f"--config-file={ROOT / 'schemathesis.toml'}", "run", f"{address}/openapi.json",
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
