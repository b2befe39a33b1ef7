"""The example of `examples/web` as a newcomer gets it: the client generated and built, the page installed beside it."""

import os
import shutil
import subprocess
from pathlib import Path

from app.settings import ROOT

MADE = shutil.ignore_patterns("node_modules", "dist", "schema.d.ts")
MAX_CALLS = 4
MAX_BYTES = 80_000


def installed(folder: Path) -> Path:
    """The folder of the page below `folder`, with all that it needs."""
    client, page = folder / "clients" / "typescript", folder / "examples" / "web"
    shutil.copytree(ROOT / "clients" / "typescript", client, ignore=MADE)
    shutil.copytree(ROOT / "examples" / "web", page, ignore=MADE)
    run(client, "npm", "ci", "--loglevel", "error", "--no-audit", "--no-fund")
    run(client, "node_modules/.bin/openapi-typescript", str(ROOT / "openapi.json"), "--output", "src/schema.d.ts")
    run(client, "npm", "run", "build")
    run(page, "npm", "ci", "--loglevel", "error")
    return page


def run(folder: Path, *command: str, **environment: str) -> str:
    """What a command prints; a failure shows all of it."""
    finished = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, f"{finished.stdout}{finished.stderr}"
    return finished.stdout
