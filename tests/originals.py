"""What is made once and copied from then on: in `.cache/tests/`, under a digest of everything that it is made from."""

import fcntl
import functools
import hashlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.settings import ROOT

CACHE = ROOT / ".cache" / "tests"
INTERFACES = ("api", "cds_hooks", "cli", "fhir", "http", "infobutton", "linked_data", "main.py", "web")
"""Parts of `app/` that no stored data depend on: the import contract keeps `datasets` and what it needs below them."""
INGREDIENTS = (
    "migrations", "requirements/dev.txt", "seed_data", "tests/clock.py", "tests/conftest.py",
    "tests/factories.py", "tests/neutral.py", "tests/originals.py", "tests/postgres.py",
)  # fmt: skip


def copy_original(name: str, make: Callable[[Path], None], target: Path) -> None:
    """Copy the file or directory that `make` writes to the path that it gets; `make` runs once for each digest.

    The name is locked meanwhile, so that of all processes one makes it. What is incomplete or outdated is removed.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f"{name}.lock"):
        original = CACHE / f"{name}-{digest()}"
        if not original.exists():
            for outdated in CACHE.glob(f"{name}-*"):
                _remove(outdated)
            making = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CACHE))
            make(making / name)
            (making / name).rename(original)
            _remove(making)
        if original.is_dir():
            shutil.copytree(original, target)
        else:
            shutil.copyfile(original, target)


@functools.cache
def digest() -> str:
    """Of every file that decides what the databases hold."""
    found = hashlib.sha256(f"{sys.version}\n{sqlite3.sqlite_version}\n".encode())
    parts = sorted(path for path in (ROOT / "app").iterdir() if path.name not in INTERFACES)
    for part in (*parts, *(ROOT / name for name in INGREDIENTS)):
        for path in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if path.is_file() and path.suffix != ".pyc":
                found.update(f"{path.relative_to(ROOT)}\n".encode())
                found.update(path.read_bytes())
    return found.hexdigest()[:20]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """While one process holds the lock others wait; it ends with its process, so that none can be left behind."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
