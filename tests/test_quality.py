"""The static checks, as tests: one command runs everything, and a failure shows what the tool said."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

CHECKS = {
    "lint rules hold": ["ruff", "check"],
    "code is in its canonical format": ["ruff", "format", "--check"],
    "types are strict": ["mypy"],
    "dependencies are declared and used": ["deptry", "--no-ansi", "."],
    "layers import downwards only": ["lint-imports", "--no-cache"],
    "the image recipe is clean": ["hadolint", "Dockerfile"],
}


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_static_check_passes(command: list[str]) -> None:
    tool = shutil.which(command[0], path=sysconfig.get_path("scripts"))
    assert tool, f"{command[0]} is not installed: run make test"

    finished = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

    if finished.returncode != 0:
        pytest.fail(f"{finished.stdout}{finished.stderr}", pytrace=False)


def test_no_lock_file_names_a_host() -> None:
    """npm writes addresses of sponsors into its lock: drop every `funding` after `npm install`."""
    locks = [*(ROOT / "requirements").glob("*.txt"), ROOT / "tests" / "node" / "package-lock.json"]
    assert [lock.name for lock in locks if "://" in lock.read_text(encoding="utf-8")] == []
