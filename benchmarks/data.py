"""The databases that are measured, and the questions put to them."""

import os
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from app.settings import ROOT
from tests.postgres import create_database, own_postgres

SIZES = {"S": 60, "M": 10_000, "L": 1_000_000}
SEED = 1
WORDS = ("placebo", "interval", "median", "severity", "baseline", "mood")
"""Common words of the synthetic records."""


class NotAvailable(RuntimeError):
    """Why something could not be run."""


@dataclass(frozen=True)
class Questions:
    """What is asked; every server's own addresses are made of it."""

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    words: tuple[str, ...]
    conditions: tuple[str, ...]
    interventions: tuple[str, ...]


def sqlite_database(size: str, work: Path) -> Path:
    """The synthetic database of that size, made once and migrated each time."""
    path = work / f"{size}.db"
    if path.exists():
        _run_python(["app.cli", "migrate"], f"sqlite:///{path}")
    else:
        unfinished = path.with_suffix(".unfinished")
        _delete(unfinished)
        _fill_synthetic(f"sqlite:///{unfinished}", size)
        unfinished.rename(path)
    return path


def shipped_database(work: Path) -> Path:
    """The records of `seed_data/`, made anew each time."""
    path = work / "shipped.db"
    _delete(path)
    for command in ("migrate", "seed"):
        _run_python(["app.cli", command], f"sqlite:///{path}")
    return path


def postgresql_database(stack: ExitStack, size: str) -> tuple[str, int]:
    """The same synthetic records on a PostgreSQL of our own; its URL and the process id of its server."""
    try:
        server = stack.enter_context(own_postgres())
    except (RuntimeError, OSError) as error:
        raise NotAvailable(f"PostgreSQL does not run here: {error}") from error
    url = create_database(server.url, "bench")
    _fill_synthetic(url, size)
    return url, server.process.pid


def questions(database: Path) -> Questions:
    """Up to 300 claims spread evenly over a synthetic database, its kinds, its concepts, and some of its words."""
    with closing(sqlite3.connect(database)) as connection:

        def column(statement: str, *values: str) -> tuple[str, ...]:
            return tuple(str(value) for (value,) in connection.execute(statement, values))

        ids = column("SELECT id FROM claims ORDER BY pk")
        return Questions(
            ids=ids[:: max(1, len(ids) // 300)][:300],
            kinds=column("SELECT DISTINCT kind FROM claims ORDER BY kind"),
            words=WORDS,
            conditions=column("SELECT id FROM concepts WHERE type = ? ORDER BY id", "condition"),
            interventions=column("SELECT id FROM concepts WHERE type = ? ORDER BY id", "intervention"),
        )


def _delete(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _fill_synthetic(url: str, size: str) -> None:
    _run_python(["app.cli", "migrate"], url)
    _run_python(["benchmarks.synthetic", "--claims", str(SIZES[size]), "--seed", str(SEED)], url)


def _run_python(module: list[str], url: str) -> None:
    subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-m", *module], cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, check=True
    )
