"""The data set as a file, and every grade computed again from it."""

import json
from pathlib import Path

import pytest

from app.concepts.manifest import Manifest
from app.core.errors import InvalidInput
from app.datasets import export
from app.storage.database import Database


def dump(database: Database, path: Path) -> Path:
    with database.read() as session, path.open("w", encoding="utf-8") as out:
        export.write(session, out)
    return path


def test_every_grade_can_be_computed_again_from_the_file_alone(scratch: Database, tmp_path: Path) -> None:
    count, differences = export.regrade(dump(scratch, tmp_path / "data.jsonl"))
    assert count > 50
    assert differences == []


def test_a_grade_that_was_changed_in_the_file_is_found(scratch: Database, tmp_path: Path) -> None:
    path = dump(scratch, tmp_path / "data.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    index = next(
        i for i, one in enumerate(records) if (one.get("type"), one.get("id")) == ("claim", "ldz-murmuria-pain")
    )
    record = records[index]
    record["derived"]["evidence"]["consensus"] = "unanimous"
    lines[index] = json.dumps(record)
    path.write_text("\n".join(lines), encoding="utf-8")
    _, differences = export.regrade(path)
    assert [difference.claim for difference in differences] == ["ldz-murmuria-pain"]


def test_the_manifest_says_what_the_file_is(scratch: Database, tmp_path: Path) -> None:
    first = dump(scratch, tmp_path / "data.jsonl").read_text(encoding="utf-8").splitlines()[0]
    manifest = json.loads(first)
    assert (manifest["format"], manifest["serial"], manifest["release"]) == ("ldn-evidence/1", 1, "1")
    described = Manifest.model_validate(manifest["data_set"], strict=False)
    assert described.licence.spdx == "CC0-1.0"
    assert "not medical advice" in described.disclaimer()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "other/1"}', "\x00"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        export.regrade(path)
