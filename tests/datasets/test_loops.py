"""Records that lead back to themselves: `check` and `seed` refuse them alike, and so does every publication."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.errors import InvalidInput
from app.publishing.changes import Change
from app.storage.database import Database
from tests.factories import put, record, small_files
from tests.test_cli import _fresh_settings, run

__all__ = ["_fresh_settings"]  # every command reads its environment anew

Faults = Mapping[str, tuple[str, str]]

LOOPS: dict[str, tuple[list[Change], Faults]] = {
    "two conditions": (
        [record("condition", "one", parent="two"), record("condition", "two", parent="one")],
        {"condition/one: parent": ("loop", "leads back to itself: one -> two -> one")},
    ),
    "three conditions and two more": (
        [
            record("condition", "b", parent="c"), record("condition", "c", parent="a"),
            record("condition", "a", parent="b"), record("condition", "below", parent="a"),
            record("condition", "x", parent="y"), record("condition", "y", parent="x"),
        ],
        {
            "condition/a: parent": ("loop", "leads back to itself: a -> b -> c -> a"),
            "condition/x: parent": ("loop", "leads back to itself: x -> y -> x"),
        },
    ),
    "a condition under itself": (
        [record("condition", "self", parent="self")],
        {"condition/self: parent": ("rule", "a concept cannot be its own parent")},
    ),
    "interventions": (
        [
            record("intervention", "low", kind="regimen", parent="lower"),
            record("intervention", "lower", kind="regimen", parent="low"),
        ],
        {"intervention/low: parent": ("loop", "leads back to itself: low -> lower -> low")},
    ),
    "classes of drugs": (
        [
            record("intervention", "lorts", kind="class", members=["strong-lorts"]),
            record("intervention", "strong-lorts", kind="class", members=["lorts"]),
        ],
        {"intervention/lorts: members": ("loop", "leads back to itself: lorts -> strong-lorts -> lorts")},
    ),
    "reviews": (
        [
            record(
                "study", name, design="systematic_review",
                includes={"studies": [other], "completeness": "full", "study_count": 1, "participants": 40},
            )
            for name, other in (("review-a", "review-b"), ("review-b", "review-a"))
        ],
        {"study/review-a: includes.studies": ("loop", "leads back to itself: review-a -> review-b -> review-a")},
    ),
    "successors": (
        [
            record("outcome", "old", status="retired", successor="older"),
            record("outcome", "older", status="retired", successor="old"),
        ],
        {"outcome/old: successor": ("loop", "leads back to itself: old -> older -> old")},
    ),
}  # fmt: skip
every_loop = pytest.mark.parametrize(("changes", "expected"), LOOPS.values(), ids=LOOPS)


@pytest.fixture
def directory(tmp_path: Path, changes: list[Change]) -> Path:
    """The small world with these records."""
    files: dict[str, Any] = {name: yaml.safe_load(text) for name, text in small_files().items()}
    for change in changes:
        name = "studies" if change.type == "study" else f"{change.type}s"
        fields = change.content.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        files[f"{name}.yaml"][name].append(fields)
    for name, data in files.items():
        (tmp_path / name).write_text(yaml.safe_dump(data), encoding="utf-8")
    return tmp_path


@every_loop
def test_check_and_seed_refuse_it_in_the_same_words(directory: Path, expected: Faults, migrated: Database) -> None:
    checked = run(migrated, "check", "--from", str(directory))
    seeded = run(migrated, "seed", "--from", str(directory))
    assert checked.exit_code != 0
    assert seeded.exit_code != 0
    for place, (_, reason) in expected.items():
        record_id, field = place.partition("/")[2].split(": ")
        for output in (checked.output, seeded.output):
            lines = [line for line in output.splitlines() if reason in line]
            assert len(lines) == 1, output
            assert record_id in lines[0]
            assert field in lines[0]


@every_loop
def test_no_publication_brings_it_in(changes: list[Change], expected: Faults, small: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        put(small, *changes)
    assert {fault.field: (fault.code, fault.message) for fault in caught.value.errors} == expected


def test_one_end_of_a_loop_may_be_stored_already(small: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        put(small, record("condition", "ailment", parent="ache"))
    (fault,) = caught.value.errors
    assert (fault.field, fault.code) == ("condition/ache: parent", "loop")
    assert fault.message == "leads back to itself: ache -> ailment -> ache"


def test_branches_that_meet_again_are_no_loop(small: Database) -> None:
    put(
        small,
        record("intervention", "all", kind="class", members=["some", "others"]),
        record("intervention", "some", kind="class", members=["drug"]),
        record("intervention", "others", kind="class", members=["drug"]),
    )
