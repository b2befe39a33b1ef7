"""What was edited in the database comes back into the files, and only what changed is written there."""

import difflib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.datasets import bundle
from app.datasets.pull import pull
from app.datasets.seed import seed
from app.storage.database import Database
from app.storage.history import StoredRecord, text_of
from app.storage.resource import Key
from tests.factories import amended, content, put, record


def pulled(database: Database, directory: Path) -> list[str]:
    with database.read() as session:
        return pull(session, [directory])


def changed_lines(written_files: Path, directory: Path) -> list[str]:
    """The lines that are not in the files as they were, and after a `-` those that are there no more."""
    lines = []
    for path in sorted(directory.rglob("*.yaml")):
        former = written_files / path.relative_to(directory)
        before = former.read_text(encoding="utf-8").splitlines() if former.exists() else []
        after = path.read_text(encoding="utf-8").splitlines()
        diff = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
        lines += [line for line in diff if line.startswith(("+", "-"))]
    return lines


def assert_agreed(database: Database, directory: Path) -> None:
    """Files and database hold the same, and seeding the files changes nothing."""
    with database.write() as session:
        result = seed(session, directory)
    assert (result.serial, result.conflicts) == (None, ())
    with database.read() as session:
        rows = session.execute(select(StoredRecord.type, StoredRecord.id, StoredRecord.content))
        stored = {Key(record_type, record_id): text for record_type, record_id, text in rows}
    for change in bundle.read(directory):
        assert stored[change.key] == text_of(change.content)


def test_what_agrees_is_not_touched(scratch: Database, written_files: Path, directory: Path) -> None:
    assert pulled(scratch, directory) == []
    assert changed_lines(written_files, directory) == []


def test_a_field_is_written_where_it_stands_and_nothing_else(
    scratch: Database, written_files: Path, directory: Path
) -> None:
    put(scratch, amended(content(scratch, "outcome", "fatigue"), description="How weary people are."))
    (line,) = pulled(scratch, directory)
    assert line.startswith("outcomes.yaml:")
    assert line.endswith(": outcome/fatigue")
    assert [one for one in changed_lines(written_files, directory) if one.startswith("+")] == [
        "+    description: How weary people are."
    ]
    assert_agreed(scratch, directory)


CLAIM = "ldz-murmuria-pain"


@pytest.mark.parametrize(
    "fields",
    [
        {"statement": "Words of a curator: they hold a colon, 'quotes' and # a hash. " * 3},
        {"caveat": None, "caveat_required": False, "caveat_basis": None},
        {"population": None},
        {"timepoint": "8 weeks"},
        {"intervention": "zelvane", "conditions": ["murmuria", "chronic-pain"]},
        {"relations": [{"type": "bears_on", "claim": "ldz-murmuria-fatigue"}]},
    ],
    ids=lambda fields: " ".join(fields),
)
def test_any_field_of_a_claim_comes_back(
    scratch: Database, written_files: Path, directory: Path, fields: dict[str, Any]
) -> None:
    put(scratch, amended(content(scratch, "claim", CLAIM), **fields))
    assert len(pulled(scratch, directory)) == 1
    assert_agreed(scratch, directory)
    assert len(changed_lines(written_files, directory)) < 40


def test_a_list_that_was_emptied_is_not_written(scratch: Database, written_files: Path, directory: Path) -> None:
    put(scratch, amended(content(scratch, "claim", "ldz-weariness-fatigue"), origins=[]))
    pulled(scratch, directory)
    assert "-    origins:" in changed_lines(written_files, directory)
    assert_agreed(scratch, directory)


def test_a_finding_deep_in_a_claim_is_edited_alone(scratch: Database, written_files: Path, directory: Path) -> None:
    stored = content(scratch, "claim", CLAIM)
    citations = stored.content.model_dump(mode="json")["citations"]
    citations[1]["finding"] = "In other words."
    citations[1]["analysed_n"] = 10
    put(scratch, amended(stored, citations=citations))
    pulled(scratch, directory)
    added = [line for line in changed_lines(written_files, directory) if line.startswith("+")]
    assert added == ["+        finding: In other words.", "+        analysed_n: 10"]
    assert_agreed(scratch, directory)


def test_a_citation_less_is_a_citation_less(scratch: Database, directory: Path) -> None:
    stored = content(scratch, "claim", "ldz-murmuria-fatigue")
    citations = stored.content.model_dump(mode="json")["citations"]
    put(scratch, amended(stored, citations=citations[:-1]))
    pulled(scratch, directory)
    assert_agreed(scratch, directory)


@pytest.mark.parametrize("scheme", ["doi", "pmid"])
def test_identifiers_in_short_give_way_to_those_that_are_stored(
    scratch: Database, directory: Path, scheme: str
) -> None:
    stored = content(scratch, "document", "alder-2013")
    identifiers = [one for one in stored.content.model_dump(mode="json")["identifiers"] if one["scheme"] != scheme]
    put(scratch, amended(stored, identifiers=identifiers))
    pulled(scratch, directory)
    assert_agreed(scratch, directory)


def test_a_new_record_is_added_in_short_to_the_file_of_its_type(scratch: Database, directory: Path) -> None:
    put(scratch, record("mechanism", "new-one", description="Made for tests."))
    assert pulled(scratch, directory) == ["mechanisms.yaml: mechanism/new-one, new"]
    assert_agreed(scratch, directory)
    assert content(scratch, "mechanism", "new-one").key == Key("mechanism", "new-one")


def test_a_new_record_does_not_say_again_what_its_file_says_of_all(scratch: Database, directory: Path) -> None:
    path = directory / "mechanisms.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("mechanisms:", "defaults:\n  description: One of many.\nmechanisms:", 1), encoding="utf-8"
    )
    put(scratch, record("mechanism", "alike", name="Alike", description="One of many."))
    put(scratch, record("mechanism", "unlike", name="Unlike", description="Another one."))
    assert len(pulled(scratch, directory)) == 2
    added = path.read_text(encoding="utf-8").partition("\n  - id: alike\n")[2]
    assert added == "    name: Alike\n\n  - id: unlike\n    name: Unlike\n    description: Another one.\n"
    assert_agreed(scratch, directory)


def test_comments_stay_where_a_claim_names_a_record_that_is_new(
    scratch: Database, written_files: Path, directory: Path
) -> None:
    (path,) = (path for path in (directory / "claims").glob("*.yaml") if f"- id: {CLAIM}\n" in path.read_text("utf-8"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"- id: {CLAIM}\n", f"- id: {CLAIM}\n    # Mine\n"), encoding="utf-8")
    put(scratch, record("condition", "new-one", description="Made for tests."))
    put(scratch, amended(content(scratch, "claim", CLAIM), conditions=["murmuria", "new-one"]))
    assert len(pulled(scratch, directory)) == 2
    assert f"- id: {CLAIM}\n    # Mine\n" in path.read_text(encoding="utf-8")
    assert [line for line in changed_lines(written_files, directory) if line.startswith("-")] == []
    assert_agreed(scratch, directory)


def test_every_record_can_be_written_whole(scratch: Database, written_files: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert len(pulled(scratch, empty)) == len(bundle.read(written_files)) > 100
    assert_agreed(scratch, empty)
