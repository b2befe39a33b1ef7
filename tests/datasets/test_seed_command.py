"""`ldn-evidence seed` and `pull` at a terminal: what would change, who answers for it, what is gone, and conflicts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.settings import settings
from app.storage.database import Database
from app.storage.history import Publication, StoredRecord
from tests import neutral
from tests.factories import amended, content, dump, put
from tests.test_cli import error_text, run


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def replace(directory: Path, name: str, old: str, new: str) -> None:
    path = directory / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


CLAIM = neutral.CONTESTED


def without_citations(directory: Path) -> None:
    """Leave out what a claim rests on: its grade moves, and so does the evidence that its caveat was written for."""
    path = directory / "claims" / "pain.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("        reference_numbers: [1]\n", "", 1)
    start = text.index("    citations:\n", text.index(f"  - id: {CLAIM}\n"))
    end = text.index("\n  - id: ", start)
    path.write_text(text[:start] + text[end:], encoding="utf-8")


def test_a_dry_run_says_what_would_change_and_changes_nothing(scratch: Database, directory: Path) -> None:
    before = dump(scratch)
    replace(directory, "outcomes.yaml", "name: Fatigue", "name: Tiredness")
    without_citations(directory)
    said = error_text(run(scratch, "seed", "--from", str(directory), "--dry-run"))
    assert "Would update outcome/fatigue" in said
    before_text = "Conflicting, leaning against (conflicting, low certainty)"
    after = "Stated without a citation (uncited, not_graded certainty)"
    assert f"Grade of {CLAIM}: {before_text} → {after}\n" in said
    assert f"Caveat of {CLAIM} would be stale" in said
    assert "grades that would move: 1. Nothing was written." in said
    assert dump(scratch) == before


def test_a_publication_has_the_note_and_the_author_of_the_command(scratch: Database, directory: Path) -> None:
    replace(directory, "outcomes.yaml", "name: Fatigue", "name: Tiredness")
    command = ("seed", "--from", str(directory), "--note", "A better word")
    refused = error_text(run(scratch, *command, "--author", "nobody"), 1)
    assert "names no account (did you mean maintenance, seed" in refused
    error_text(run(scratch, *command, "--author", "maintenance"))
    with scratch.read() as session:
        newest = session.scalars(select(Publication).order_by(Publication.serial.desc())).first()
        assert newest is not None
        assert (newest.actor, newest.note) == ("maintenance", "A better word")


def test_prune_lists_and_asked_again_retires_what_the_files_no_longer_hold(scratch: Database, directory: Path) -> None:
    path = directory / "searches.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("  - id: ldz-palewing\n")
    path.write_text(text[:start] + text[text.index("  - id: ", start + 5) :], encoding="utf-8")
    command = ("seed", "--from", str(directory), "--prune")
    listed = error_text(run(scratch, *command))
    assert "In no file: search/ldz-palewing" in listed
    assert "seed --prune --yes" in listed
    with scratch.read() as session:
        status = select(StoredRecord.status).filter_by(type="search", id="ldz-palewing")
        assert session.scalar(status) == "published"
    assert "1 retired" in error_text(run(scratch, *command, "--yes", "--dry-run"))
    assert "1 retired" in error_text(run(scratch, *command, "--yes"))
    with scratch.read() as session:
        assert session.scalar(status) == "retired"
    assert "The files hold every record that was seeded." in error_text(run(scratch, *command))


def test_conflicts_end_with_3_and_pull_ends_them(scratch: Database, directory: Path) -> None:
    put(scratch, amended(content(scratch, "outcome", "fatigue"), name="A curator's name"))
    replace(directory, "outcomes.yaml", "name: Fatigue", "name: Tiredness")
    command = ("seed", "--from", str(directory))
    assert "Conflict: outcome/fatigue" in error_text(run(scratch, *command), 3)
    assert re.search(
        r"outcomes.yaml:\d+:5: outcome/fatigue", error_text(run(scratch, "pull", "--from", str(directory)))
    )
    assert "name: A curator's name" in (directory / "outcomes.yaml").read_text(encoding="utf-8")
    assert "nothing changed" in error_text(run(scratch, *command))
    assert "The files hold what is stored." in error_text(run(scratch, "pull", "--from", str(directory)))
