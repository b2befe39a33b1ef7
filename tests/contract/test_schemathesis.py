"""Schemathesis against the real server over the seeded database: every check, no failure."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import create_app, in_context
from app.settings import ROOT, Settings
from tests.conftest import Engine
from tests.serving import served

EXAMPLES = 8
"""Cases of the fuzzing and stateful phases for each operation; the coverage phase has its own, from the schemas."""
SECONDS = 75
"""After them Schemathesis begins nothing new, so that both engines together stay within three minutes."""


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    """Where the whole application is served, guard and all, by the server that users run."""
    given = Settings(database_url=engine.original)
    app = create_app(given)
    with served(in_context(app, given, with_cache=False)) as port:
        yield f"http://127.0.0.1:{port}"


def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    command = shutil.which("schemathesis", path=sysconfig.get_path("scripts"))
    assert command, "schemathesis is not installed: run make test"

    finished = subprocess.run(
        [
            command, f"--config-file={ROOT / 'schemathesis.toml'}", "run", f"{address}/openapi.json",
            "--generation-deterministic", f"--max-examples={EXAMPLES}", f"--max-time={SECONDS}", "--no-color",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert finished.returncode == 0, finished.stdout[-20_000:] + finished.stderr[-5_000:]
    assert re.search(r"Selected: (\d+)/\1\n\s+Tested: \1\n", finished.stdout), finished.stdout
