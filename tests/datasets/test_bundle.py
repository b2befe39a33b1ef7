"""Seed files are read as a whole; every fault is named with its file, record and field."""

import contextlib
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.datasets import bundle
from tests.factories import small_data_set, small_files

Files = dict[str, str]
PLACE = re.compile(r":\d+:\d+")
"""Line and column of a fault, which `test_a_fault_has_its_line_and_column` compares."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    def write(changed: Files) -> Path:
        for name, text in {**small_files(), **changed}.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def faults(directory: Path) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(directory)
    return [(PLACE.sub("", fault.field), fault.code) for fault in caught.value.errors]


def replaced(name: str, old: str, new: str) -> Files:
    text = small_files()[name]
    assert old in text
    return {name: text.replace(old, new, 1)}


def test_the_neutral_data_set_has_no_fault_however_it_is_written(seed_files: Path, written_files: Path) -> None:
    read = {change.key: change.content for change in bundle.read(seed_files)}
    assert len(read) > 100
    assert {change.key: change.content for change in bundle.read(written_files)} == read


def test_what_was_written_is_read(write: Callable[[Files], Path]) -> None:
    read = {change.key: change.content for change in bundle.read(write({}))}
    assert read == {change.key: change.content for change in small_data_set()}


DOCUMENTS, STUDIES, CLAIMS, DOSES = "documents.yaml", "studies.yaml", "claims.yaml", "dosing_ranges.yaml"


FAULTS: dict[str, tuple[Files, str, str]] = {
    "malformed YAML": ({"outcomes.yaml": "outcomes: [\n"}, "outcomes.yaml", "malformed_yaml"),
    "an alias": (
        {"outcomes.yaml": "outcomes:\n- &a {id: x}\n- *a\n"},
        "outcomes.yaml",
        "malformed_yaml",
    ),
    "many levels": ({"outcomes.yaml": "[" * 100_000}, "outcomes.yaml", "malformed_yaml"),
    "another top key": ({"outcomes.yaml": "outcome: []"}, "outcomes.yaml", "shape"),
    "an empty file": ({"outcomes.yaml": ""}, "outcomes.yaml", "shape"),
    "a record that is none": ({"outcomes.yaml": "outcomes:\n- 7\n"}, "outcomes.yaml: record 1: record", "model_type"),
    "an identifier twice in two spellings": (
        replaced(
            DOCUMENTS,
            "issued: '2013'",
            "issued: '2013'\n  identifiers: [{scheme: doi, value: 10.1000/x}, "
            "{scheme: doi, value: 'https://doi.org/10.1000%2FX.'}]",
        ),
        "documents.yaml: paper-a: identifiers[1]",
        "rule",
    ),
    "an identifier of two documents": (
        {
            DOCUMENTS: small_files()[DOCUMENTS].replace(
                "  issued:", "  identifiers: [{scheme: pmid, value: '1'}]\n  issued:"
            )
        },
        "documents.yaml: paper-a2: identifiers[0]",
        "duplicate",
    ),
    "a successor of a published record": (
        replaced(DOCUMENTS, "issued: '2013'", "issued: '2013'\n  successor: paper-b"),
        "documents.yaml: paper-a: successor",
        "rule",
    ),
    "a field twice": (
        replaced(STUDIES, "participants: 40", "participants: 40\n  name: Twice"),
        "studies.yaml",
        "malformed_yaml",
    ),
    "a list as a field": (
        replaced(DOCUMENTS, "issued: '2013'", "? [issued]\n  : 2013"),
        "documents.yaml",
        "malformed_yaml",
    ),
    "an unknown field": (
        replaced(STUDIES, "participants: 40", "participant: 40"),
        "studies.yaml: trial-a: participant",
        "extra_forbidden",
    ),
    "a missing field": (
        replaced(STUDIES, "  name: trial-a\n", ""),
        "studies.yaml: trial-a: name",
        "missing",
    ),
    "a number as text": (
        replaced(STUDIES, "participants: 40", 'participants: "40"'),
        "studies.yaml: trial-a: participants",
        "int_type",
    ),
    "a negative count": (
        replaced(STUDIES, "participants: 40", "participants: -4"),
        "studies.yaml: trial-a: participants",
        "greater_than_equal",
    ),
    "half a person": (
        replaced(STUDIES, "participants: 40", "participants: 4.5"),
        "studies.yaml: trial-a: participants",
        "int_type",
    ),
    "yes for a number": (
        replaced(STUDIES, "participants: 40", "participants: yes"),
        "studies.yaml: trial-a: participants",
        "int_type",
    ),
    "a wrong term": (
        replaced(STUDIES, "design: randomized_parallel_trial", "design: trial"),
        "studies.yaml: trial-a: design",
        "unknown_term",
    ),
    "a wrong term of a closed vocabulary": (
        replaced(STUDIES, "evidence_source: human_clinical", "evidence_source: people"),
        "studies.yaml: trial-a: evidence_source",
        "enum",
    ),
    "an id that is no slug": (
        replaced(STUDIES, "id: trial-a", "id: Trial A"),
        "studies.yaml: Trial A: id",
        "string_pattern_mismatch",
    ),
    "a NUL": (
        replaced(STUDIES, "name: trial-a", 'name: "trial\\0"'),
        "studies.yaml: trial-a: name",
        "value_error",
    ),
    "a day that does not exist": (
        replaced(DOCUMENTS, "issued: '2013'", "issued: 2013-02-30"),
        "documents.yaml: paper-a: issued",
        "value_error",
    ),
    "a date as a number": (
        replaced(DOCUMENTS, "issued: '2013'", "issued: 2013"),
        "documents.yaml: paper-a: issued",
        "string_type",
    ),
    "a tagged date": (
        replaced(DOCUMENTS, "issued: '2013'", "issued: !!timestamp 2013-02-03"),
        "documents.yaml: paper-a: record",
        "unreadable",
    ),
    "not a number": (replaced(DOSES, "low: 4.5", "low: .nan"), "dosing_ranges.yaml: dose: low", "value_error"),
    "a decimal as text": (replaced(DOSES, "low: 4.5", "low: '4.5'"), "dosing_ranges.yaml: dose: low", "value_error"),
    "low above high": (replaced(DOSES, "low: 4.5", "low: 9.5"), "dosing_ranges.yaml: dose: low", "rule"),
    "an unknown unit": (replaced(DOSES, "unit: mg", "unit: mcg"), "dosing_ranges.yaml: dose: unit", "unknown_term"),
    "a dangling concept": (
        replaced(CLAIMS, "- ache", "- achee"),
        "claims.yaml: drug-eases-ache: conditions[0]",
        "unknown_reference",
    ),
    "a dangling document": (
        replaced(CLAIMS, "document: paper-b", "document: paper-c"),
        "claims.yaml: drug-eases-ache: citations[1].document",
        "unknown_reference",
    ),
    "a wrong stance": (
        replaced(CLAIMS, "stance: disputes", "stance: refutes"),
        "claims.yaml: drug-eases-ache: citations[1].stance",
        "enum",
    ),
    "a citation id twice": (
        replaced(CLAIMS, "id: cit-b", "id: cit-awake"),
        "claims.yaml: drug-causes-insomnia: citations[0].id",
        "duplicate",
    ),
    "a record id twice": (
        replaced(DOCUMENTS, "id: paper-a2", "id: paper-a"),
        "documents.yaml: paper-a: id",
        "duplicate",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(write: Callable[[Files], Path], name: str) -> None:
    changed, field, code = FAULTS[name]
    assert (field, code) in faults(write(changed))


PLACES: dict[str, tuple[Files, str]] = {
    "an unknown field": (replaced(STUDIES, "participants: 40", "participant: 40"), "participant: 40"),
    "a wrong term": (replaced(STUDIES, "design: randomized_parallel_trial", "design: trial"), "design: trial"),
    "a missing field": (replaced(STUDIES, "  name: trial-a\n", ""), "id: trial-a"),
    "a wrong term in a list": (replaced(CLAIMS, "stance: disputes", "stance: refutes"), "stance: refutes"),
    "a dangling concept": (replaced(CLAIMS, "- ache", "- achee"), "achee"),
    "a rule": (replaced(DOSES, "low: 4.5", "low: 9.5"), "low: 9.5"),
    "a field twice": (
        replaced(STUDIES, "participants: 40", "participants: 40\n  name: Twice"),
        "name: Twice",
    ),
    "a record id twice": (replaced(DOCUMENTS, "id: paper-a2", "id: paper-a\n  # second"), "id: paper-a\n  # second"),
    "another top key": ({"outcomes.yaml": "# First\noutcome: []"}, "outcome: []"),
}
"""A change, and the text at which the fault points."""


@pytest.mark.parametrize("name", PLACES)
def test_a_fault_has_its_line_and_column(write: Callable[[Files], Path], name: str) -> None:
    changed, pointed_at = PLACES[name]
    ((file, text),) = changed.items()
    with pytest.raises(InvalidInput) as caught:
        bundle.read(write(changed))
    at = text.index(pointed_at)
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    assert f"{file}:{line}:{column}" in [":".join(fault.field.split(":")[:3]) for fault in caught.value.errors]


@pytest.mark.parametrize(
    ("changed", "guess"),
    [
        (replaced(STUDIES, "participants: 40", "particpants: 40"), "participants"),
        (replaced(CLAIMS, "directness: direct", "directnes: direct"), "directness"),
        (replaced(CLAIMS, "stance: disputes", "stance: dispute"), "disputes"),
        (replaced(DOCUMENTS, "issued: '2013'", "issued: '2013'\n  dio: 10.1000/x"), "doi"),
        ({"outcome.yaml": "outcomes: []"}, "outcomes.yaml"),
        ({"claims.yml": "claims: []"}, "claims.yaml"),
        ({"outcomes.yaml": "outcome: []"}, "outcomes"),
    ],
)
def test_a_wrong_name_comes_with_the_nearest_right_one(
    write: Callable[[Files], Path], changed: Files, guess: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(write(changed))
    assert guess in [guesses[0] for fault in caught.value.errors if (guesses := fault.did_you_mean)]


def test_files_of_no_data_set_are_named_and_prose_and_backups_are_not(write: Callable[[Files], Path]) -> None:
    directory = write({"README.md": "# Mine", ".hidden": "", "claims.yaml~": "", "LICENSE": "", "figures.csv": "a,b"})
    for folder in ("claims", "schema", "claim"):
        (directory / folder).mkdir()
    (directory / "claims" / "pain.yml").write_text("claims: []")
    assert faults(directory) == [
        ("claim", "unknown_file"),
        ("claims/pain.yml", "unknown_file"),
        ("figures.csv", "unknown_file"),
    ]


def test_notes_on_a_document_that_is_not_there_are_a_fault(write: Callable[[Files], Path]) -> None:
    note = (
        "reading_notes:\n- {document: paper-x, read: [abstract], notes: Read.}\n- {document: paper-a, notes: Read.}\n"
    )
    assert faults(write({"reading_notes.yaml": note})) == [
        ("reading_notes.yaml: entry 1: document", "unknown_reference"),
        ("reading_notes.yaml: entry 2: read", "missing"),
    ]


def test_all_faults_of_all_files_are_listed_at_once(write: Callable[[Files], Path]) -> None:
    changed = {
        **replaced(STUDIES, "participants: 40", "participants: many"),
        **replaced(DOSES, "unit: mg", "unit: mcg"),
        "outcomes.yaml": "outcomes: {",
    }
    found = faults(write(changed))
    assert found == [
        ("outcomes.yaml", "malformed_yaml"),
        ("studies.yaml: trial-a: participants", "int_type"),
        ("dosing_ranges.yaml: dose: unit", "unknown_term"),
    ]  # and not that whatever names an outcome, the study or the dose names nothing


def test_a_dangling_reference_comes_with_the_nearest_ids(write: Callable[[Files], Path]) -> None:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(write(replaced(CLAIMS, "- ache", "- achee")))
    (fault,) = caught.value.errors
    assert fault.did_you_mean
    assert fault.did_you_mean[0] == "ache"


def test_a_published_record_may_not_name_a_retired_one(write: Callable[[Files], Path]) -> None:
    changed = replaced(DOCUMENTS, "id: paper-b", "id: paper-b\n  status: retired")
    assert ("claims.yaml: drug-eases-ache: citations[1].document", "unknown_reference") in faults(write(changed))


def test_a_file_that_is_not_utf8_is_named(write: Callable[[Files], Path]) -> None:
    directory = write({})
    (directory / "outcomes.yaml").write_bytes(b"outcomes: [\xff]")
    assert ("outcomes.yaml", "malformed_yaml") in faults(directory)


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no directory of seed data"):
        bundle.read(tmp_path / "nowhere")


def test_plain_scalars_are_those_of_yaml_1_2(write: Callable[[Files], Path]) -> None:
    changed = replaced(STUDIES, "name: trial-a", "name: no")
    (study,) = [c.content for c in bundle.read(write(changed)) if c.content.id == "trial-a"]
    assert study.model_dump()["name"] == "no"


PIECES = st.sampled_from(
    ["!!float x", "!!int x", "!!bool x", "!!binary x", "!!set {a}", "!!python/object:os.system x", "&a [*a]", "*b",
     "<<: 1", "? {a: 1}", "{", "]", "\t", "- ", ": ", "%", "'", '"\\ud800"', "null", "1e999", "9" * 5000, "[" * 2000,
     "\x00"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_to_a_file_is_a_fault_at_worst(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    text = small_files()[CLAIMS]
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 30))
    piece = data.draw(st.one_of(PIECES, st.text(max_size=5)))
    damaged = (text[:at] + piece + text[at + cut :]).encode("utf-8", "surrogatepass")
    for name, good in small_files().items():
        (directory / name).write_text(good, encoding="utf-8")
    (directory / CLAIMS).write_bytes(damaged)
    with contextlib.suppress(InvalidInput):
        bundle.read(directory)
    shutil.rmtree(directory)


def test_parts_within_parts_are_refused_before_they_fill_the_memory(write: Callable[[Files], Path]) -> None:
    letters = "abcdefghijklmnop"
    laughs = [f"- &{letter} [{', '.join([f'*{before}'] * 9)}]" for before, letter in pairwise(letters)]
    text = "\n".join(["outcomes:", "- &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]", *laughs])
    assert ("malformed_yaml", "outcomes.yaml") in [(c, f) for f, c in faults(write({"outcomes.yaml": text}))]
