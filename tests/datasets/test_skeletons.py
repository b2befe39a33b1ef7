"""A data set can be begun from skeletons: what is left to fill in is named, and once it is filled in all is right."""

import re
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core.errors import InvalidInput
from app.datasets import bundle
from app.datasets.layout import PLACEHOLDER

FILLED = {
    "dataset.yaml": ["Tea", "What is claimed about tea", "Claims about tea.", "A reader", "CC0", "Tea, a data set",
                     "Not medical advice."],
    "interventions.yaml": ["tea", "Tea", "drug", "A drink."],
    "conditions.yaml": ["cold", "Common cold", "A disease."],
    "outcomes.yaml": ["cough", "Cough", "How much people cough.", "lower"],
    "studies.yaml": ["Trial of tea (2020)", "randomized_parallel_trial", "human_clinical"],
    "documents.yaml": ["article-journal", "Tea for a cold", "Leaf", "Anna", "Journal of Tea", '"2020"', "10.1000/tea",
                       "first-study"],
    "claims/tea.yaml": ["efficacy", "general_effect", "Tea may ease cough.", "benefit", "Tea", "reduce", "cough",
                        "improves", "tea", "cold", "cough", "first-document", "first-study", "supports", "direct",
                        "primary_result", "People coughed less.", "verified", "abstract", "2026-11-28"],
}  # fmt: skip
"""File → what stands in the place of each mark, in order."""


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def fill(path: Path, values: list[str]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    left = iter(values)
    filled = [
        line if line.lstrip().startswith("#") else re.sub(rf"\b{PLACEHOLDER}\b", lambda _: next(left), line)
        for line in lines
    ]
    path.write_text("\n".join(filled) + "\n", encoding="utf-8")
    assert list(left) == []


def test_a_data_set_is_right_once_its_marks_are_filled_in(tmp_path: Path) -> None:
    directory = tmp_path / "tea"
    run("new", "dataset", "tea", "--output", str(directory))
    with pytest.raises(InvalidInput) as caught:
        bundle.read(directory)
    unfilled = [fault for fault in caught.value.errors if fault.code == "unfilled"]
    assert len(unfilled) == sum(map(len, FILLED.values()))
    for name, values in FILLED.items():
        fill(directory / name, values)
    assert "6 records, no fault." in run("check", "--from", str(directory))
    (claim,) = [change.content for change in bundle.read(directory) if change.type == "claim"]
    assert claim.model_dump()["citations"][0]["id"] == "cit-first-claim-first-document"


@pytest.mark.parametrize(("what", "key"), [("claim", "claims"), ("document", "documents"), ("study", "studies")])
def test_a_record_is_written_out_or_added_to_a_file(tmp_path: Path, what: str, key: str) -> None:
    text = run("new", what, "another")
    assert text.startswith("  - id: another\n")
    path = tmp_path / "mine.yaml"
    path.write_text(f"# Mine\n{key}:\n  - id: one\n", encoding="utf-8")
    run("new", what, "another", "--output", str(path))
    assert path.read_text(encoding="utf-8") == f"# Mine\n{key}:\n  - id: one\n\n{text}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "# yaml-language-server: $schema=schema/studies.json\nstudies:\n{}"),
        ("studies: []\n", "studies:\n{}"),
        ("studies:\n- id: one\n  name: One", "studies:\n- id: one\n  name: One\n\n{}"),
        ("studies:\n  - id: one\ndefaults:\n  name: One\n", "studies:\n  - id: one\n\n{}defaults:\n  name: One\n"),
    ],
    ids=["empty", "empty list", "without indent", "before defaults"],
)
def test_a_record_is_added_as_the_file_is_written(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(before, encoding="utf-8")
    run("new", "study", "another", "--output", str(path))
    text = run("new", "study", "another")
    if before.startswith("studies:\n-"):
        text = textwrap.dedent(text)
    assert path.read_text(encoding="utf-8") == after.format(text)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("documents:\n  - id: one\n", "The file holds documents, not studies"),
        ("studies: [{id: one}]\n", "no list with lines of its own"),
        ("studies:\n  - id: one\n name: One\n", "mine.yaml:3:2"),
    ],
    ids=["other records", "one line", "no YAML"],
)
def test_a_file_to_which_nothing_can_be_added_stays_as_it_is(tmp_path: Path, before: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(before, encoding="utf-8")
    assert said in run("new", "study", "another", "--output", str(path), code=1)
    assert path.read_text(encoding="utf-8") == before


def test_an_id_that_is_none_and_a_directory_in_use_are_refused(tmp_path: Path) -> None:
    assert "small letters" in run("new", "claim", "Not An Id", code=1)
    (tmp_path / "mine.txt").write_text("mine")
    assert "holds files already" in run("new", "dataset", "tea", "--output", str(tmp_path), code=1)
