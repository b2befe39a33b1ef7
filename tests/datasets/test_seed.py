"""Seeding applies what the files changed, and never undoes a curator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from app.core.errors import InvalidInput
from app.datasets import bundle
from app.datasets.seed import SeedConflict, SeedResult, seed
from app.storage.database import Database
from app.storage.history import Release, current_serial
from app.storage.resource import Key
from tests.factories import amended, bodies, content, dump, put, record

OUTCOME = "fatigue"


def run(database: Database, directory: Path) -> SeedResult:
    with database.write() as session:
        return seed(session, directory)


def edit(directory: Path, stem: str, record_id: str, **fields: Any) -> None:
    """Change fields of one record in a file."""
    path = directory / f"{stem}.yaml"
    data = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - text alone
    (found,) = [r for r in data[stem] if r["id"] == record_id]
    found |= fields
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")


def releases(database: Database) -> Iterator[tuple[str, int]]:
    with database.read() as session:
        yield from ((release.name, release.serial) for release in session.scalars(select(Release)))


def serial(database: Database) -> int:
    with database.read() as session:
        return current_serial(session)


def test_seeding_again_changes_nothing(scratch: Database, seed_files: Path) -> None:
    before = dump(scratch)
    report = run(scratch, seed_files)
    assert (report.serial, report.created, report.updated, report.conflicts, report.release) == (None, (), (), (), None)
    assert dump(scratch) == before


def test_the_first_seeding_cuts_release_1_and_later_ones_none(scratch: Database, directory: Path) -> None:
    assert list(releases(scratch)) == [("1", 1)]
    edit(directory, "outcomes", OUTCOME, description="How weary people are.")
    assert run(scratch, directory).release is None
    assert list(releases(scratch)) == [("1", 1)]


def test_a_changed_record_of_a_file_is_the_only_one_updated(scratch: Database, directory: Path) -> None:
    before = bodies(scratch)
    edit(directory, "outcomes", OUTCOME, description="How weary people are.")
    report = run(scratch, directory)
    assert (report.serial, report.created, report.updated) == (2, (), (Key("outcome", OUTCOME),))
    changed = {key for key, body in bodies(scratch).items() if body != before[key]}
    assert changed == {Key("outcome", OUTCOME)}


def test_a_renamed_record_reprints_what_shows_its_name(scratch: Database, directory: Path) -> None:
    before = bodies(scratch)
    edit(directory, "outcomes", OUTCOME, name="Tiredness")
    assert run(scratch, directory).updated == (Key("outcome", OUTCOME),)
    after = bodies(scratch)
    changed = {key for key, body in after.items() if body != before[key]}
    assert len(changed) > 1
    assert changed == {key for key, body in after.items() if b'"Tiredness"' in body}


def test_a_new_record_of_a_file_is_created(scratch: Database, directory: Path) -> None:
    with (directory / "mechanisms.yaml").open("a", encoding="utf-8") as file:
        file.write("\n  - {id: new-one, name: A new one, description: Made for tests.}\n")
    report = run(scratch, directory)
    assert (report.created, report.updated) == ((Key("mechanism", "new-one"),), ())
    assert content(scratch, "mechanism", "new-one").content.status == "published"


def test_a_restart_does_not_undo_a_curator(scratch: Database, written_files: Path) -> None:
    put(scratch, amended(content(scratch, "outcome", OUTCOME), description="A curator's words."))
    before = bodies(scratch)
    report = run(scratch, written_files)
    assert (report.serial, report.conflicts) == (None, ())
    assert bodies(scratch) == before


def test_what_a_curator_and_the_files_changed_is_a_conflict_and_left_alone(scratch: Database, directory: Path) -> None:
    put(scratch, amended(content(scratch, "outcome", OUTCOME), description="A curator's words."))
    edit(directory, "outcomes", OUTCOME, description="The file's words.")
    edit(directory, "outcomes", "pain", description="Other words.")
    for updated in (1, 0):  # listed again at each start, until somebody settles it
        report = run(scratch, directory)
        assert (len(report.updated), report.conflicts) == (
            updated,
            (SeedConflict(Key("outcome", OUTCOME), ("description",)),),
        )
    kept = content(scratch, "outcome", OUTCOME).content.model_dump()
    assert kept["description"] == "A curator's words."


def test_the_same_edit_here_and_in_the_files_is_no_conflict(scratch: Database, directory: Path) -> None:
    put(scratch, amended(content(scratch, "outcome", OUTCOME), description="The same words."))
    edit(directory, "outcomes", OUTCOME, description="The same words.")
    report = run(scratch, directory)
    assert (report.serial, report.conflicts) == (None, ())
    edit(directory, "outcomes", OUTCOME, description="The file goes on.")
    assert run(scratch, directory).conflicts == ()
    assert content(scratch, "outcome", OUTCOME).content.model_dump()["description"] == "The file goes on."


def test_a_curators_own_record_is_not_overwritten_by_one_of_that_name(scratch: Database, directory: Path) -> None:
    put(scratch, record("mechanism", "new-one", description="A curator's words."))
    with (directory / "mechanisms.yaml").open("a", encoding="utf-8") as file:
        file.write("\n  - {id: new-one, name: A new one, description: The file's words.}\n")
    assert [conflict.key for conflict in run(scratch, directory).conflicts] == [Key("mechanism", "new-one")]
    assert content(scratch, "mechanism", "new-one").content.model_dump()["description"] == "A curator's words."


def test_a_fault_anywhere_means_that_nothing_is_written(scratch: Database, directory: Path) -> None:
    before = dump(scratch)
    edit(directory, "outcomes", OUTCOME, description="How weary people are.")
    (directory / "mechanisms.yaml").write_text("mechanisms: [", encoding="utf-8")
    with pytest.raises(InvalidInput):
        run(scratch, directory)
    assert dump(scratch) == before


def test_a_retracted_paper_with_its_citations_loads_into_an_empty_database(migrated: Database, directory: Path) -> None:
    """Nothing new may cite what is retracted; what cited it before stays, and votes no more."""
    path, entry = directory / "documents.yaml", "  - id: alder-2013\n"
    retracted = "    standing: [{standing: retracted, on: 2026-03-01, source: pubmed}]\n"
    path.write_text(path.read_text(encoding="utf-8").replace(entry, entry + retracted), encoding="utf-8")
    bundle.read(directory)
    assert run(migrated, directory).serial == 1
    claim = json.loads(bodies(migrated)[Key("claim", "ldz-murmuria-pain")])
    (citation,) = [one for one in claim["citations"] if one["document"]["id"] == "alder-2013"]
    assert citation["document"]["standing"] == "retracted"
