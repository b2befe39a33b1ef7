"""The seed files as curators write them: whole, in their schemas, and what an editor of them relies on."""

import json
import shutil
from pathlib import Path

import pytest

from app.concepts.manifest import Manifest
from app.datasets import bundle, export, files_beside
from app.datasets.file_schemas import schemas
from app.datasets.seed import seed
from app.storage.database import Database
from tests.conftest import SEED
from tests.datasets.test_export import dump
from tests.datasets.test_file_schemas import assert_fits
from tests.datasets.test_pull import assert_agreed, changed_lines, pulled
from tests.factories import amended, content, put

FILES = sorted(SEED.rglob("*.yaml"))


def test_the_data_set_has_no_fault() -> None:
    assert len(bundle.read(SEED)) > 300


def test_the_committed_schemas_are_fresh() -> None:
    """Renew them with `ldn-evidence schema --output seed_data/schema`."""
    assert {path.name: path.read_text(encoding="utf-8") for path in (SEED / "schema").iterdir()} == schemas()


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(SEED).as_posix() for path in FILES])
def test_a_seed_file_fits_the_schema_that_its_first_line_names(path: Path) -> None:
    assert_fits(path)


def test_disclaimers_of_the_data_set_follow_the_interventions() -> None:
    manifest = files_beside.read_manifest(SEED)
    assert manifest is not None
    assert "opioid" not in manifest.disclaimer([])
    assert "opioid" in manifest.disclaimer(["naltrexone"])
    assert "FDA" in manifest.disclaimer()


def test_seeding_the_files_again_changes_nothing(scratch: Database) -> None:
    with scratch.write() as session:
        report = seed(session, SEED)
    assert (report.serial, report.created, report.updated, report.conflicts, report.release) == (None, (), (), (), None)


def test_every_grade_of_the_data_set_can_be_computed_again(scratch: Database, tmp_path: Path) -> None:
    count, differences = export.regrade(dump(scratch, tmp_path / "data.jsonl"))
    assert count > 300
    assert differences == []


def test_the_export_says_what_the_data_set_is(scratch: Database, tmp_path: Path) -> None:
    first = dump(scratch, tmp_path / "data.jsonl").read_text(encoding="utf-8").splitlines()[0]
    described = Manifest.model_validate(json.loads(first)["data_set"], strict=False)
    assert described.licence.spdx == "CC-BY-4.0"
    assert "not medical advice" in described.disclaimer()


def test_a_field_of_the_shipped_files_is_edited_alone(scratch: Database, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(SEED, tmp_path / "seed_data"))
    assert pulled(scratch, directory) == []
    assert changed_lines(SEED, directory) == []
    put(scratch, amended(content(scratch, "claim", "ldn-fibromyalgia-pain"), timepoint="8 weeks"))
    assert len(pulled(scratch, directory)) == 1
    assert changed_lines(SEED, directory) == ["+    timepoint: 8 weeks"]
    assert_agreed(scratch, directory)


def test_every_record_of_the_data_set_can_be_written_whole(scratch: Database, tmp_path: Path) -> None:
    assert len(pulled(scratch, tmp_path)) == len(bundle.read(SEED))
    assert_agreed(scratch, tmp_path)
