"""Only files that changed are read where the others cannot matter; what is then said and stored is always the same."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import InvalidInput
from app.datasets import bundle, yaml_files
from app.datasets.seed import SeedResult, seed
from app.storage.database import Database
from app.storage.resource import Key
from tests import neutral
from tests.factories import amended, content, put, record

PAIN = "description: Pain, as it is measured."


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The files of the neutral data set, to edit."""
    files = tmp_path / "seed_data"
    files.mkdir()
    return neutral.write(files)


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files of records that are read."""
    names: list[str] = []
    load = yaml_files.load

    def noted(path: Path, name: str) -> object:
        names.append(name)
        return load(path, name)

    monkeypatch.setattr(bundle, "load", noted)
    return names


def run(database: Database, directory: Path) -> SeedResult:
    with database.write() as session:
        return seed(session, directory)


def rewrite(directory: Path, name: str, old: str, new: str) -> None:
    path = directory / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def add(directory: Path, name: str, entry: str) -> None:
    with (directory / name).open("a", encoding="utf-8") as file:
        file.write(f"\n- {entry}\n")


def test_one_changed_file_is_read_alone(scratch: Database, directory: Path, files_read: list[str]) -> None:
    unchanged = run(scratch, directory).unchanged
    rewrite(directory, "outcomes.yaml", PAIN, "description: How much it hurts.")
    add(directory, "mechanisms.yaml", "{id: new-one, name: A new one, description: Made for tests.}")
    result = run(scratch, directory)
    assert sorted(files_read) == ["mechanisms.yaml", "outcomes.yaml"]
    assert (result.created, result.updated) == ((Key("mechanism", "new-one"),), (Key("outcome", "pain"),))
    assert result.unchanged == unchanged - 1
    files_read.clear()
    assert run(scratch, directory).unchanged == unchanged + 1
    assert files_read == []


def test_a_citation_may_name_a_document_of_another_file_by_its_identifier(
    scratch: Database, directory: Path, files_read: list[str]
) -> None:
    rewrite(directory, "claims.yaml", "document: alder-2013", f"doi: {_doi(scratch, 'alder-2013')}")
    assert run(scratch, directory).serial is None
    rewrite(directory, "claims.yaml", "document: fir-2011", "doi: 10.5555/unknown")
    with pytest.raises(InvalidInput) as refused:
        run(scratch, directory)
    assert files_read[0] == "claims.yaml"
    assert any("claims.yaml:" in fault.field for fault in refused.value.errors)


def _doi(database: Database, document: str) -> str:
    identifiers = content(database, "document", document).content.model_dump(mode="json")["identifiers"]
    return next(str(one["value"]) for one in identifiers if one["scheme"] == "doi")


def _twice(directory: Path) -> None:
    """A further file, read before, holds the id."""
    (directory / "drugs.yaml").write_text("drugs:\n", encoding="utf-8")
    add(directory, "drugs.yaml", "{id: low-dose-zelvane, name: Again, kind: drug, description: Made for tests.}")


def _gone(directory: Path) -> None:
    rewrite(directory, "outcomes.yaml", "- id: pain\n", "- id: ache\n")


def _retired(directory: Path) -> None:
    rewrite(directory, "outcomes.yaml", "- id: pain\n", "- id: pain\n  status: retired\n")


def _names_nothing(directory: Path) -> None:
    add(directory, "conditions.yaml", "{id: new-one, name: A new one, description: Of nothing., parent: nothing}")


def _identifier_of_another(directory: Path) -> None:
    add(directory, "documents.yaml", "{id: again, kind: article-journal, title: Again, doi: 10.5555/zelvane.1}")


@pytest.mark.parametrize("change", [_twice, _gone, _retired, _names_nothing, _identifier_of_another])
def test_a_fault_of_the_files_as_a_whole_is_refused_with_its_place(
    scratch: Database, directory: Path, change: Callable[[Path], None]
) -> None:
    change(directory)
    with pytest.raises(InvalidInput) as refused:
        run(scratch, directory)
    with pytest.raises(InvalidInput) as expected:
        bundle.read(directory)
    assert refused.value.errors == expected.value.errors


def test_a_record_that_no_file_holds_cannot_be_named(scratch: Database, directory: Path) -> None:
    put(scratch, record("condition", "of-a-curator"))
    add(directory, "conditions.yaml", "{id: new-one, name: A new one, description: Made., parent: of-a-curator}")
    with pytest.raises(InvalidInput) as refused:
        run(scratch, directory)
    assert [fault.code for fault in refused.value.errors] == ["unknown_reference"]


def test_an_identifier_that_another_file_cites_cannot_go(scratch: Database, directory: Path) -> None:
    doi = _doi(scratch, "alder-2013")
    rewrite(directory, "claims.yaml", "document: alder-2013", f"doi: {doi}")
    run(scratch, directory)
    rewrite(directory, "documents.yaml", f"  - scheme: doi\n    value: {doi}\n", "")
    with pytest.raises(InvalidInput) as refused:
        run(scratch, directory)
    assert any("claims.yaml:" in fault.field for fault in refused.value.errors)


def test_all_files_are_read_while_a_record_is_edited_here(
    scratch: Database, directory: Path, files_read: list[str]
) -> None:
    put(scratch, amended(content(scratch, "outcome", "fatigue"), description="A curator's words."))
    before = "Pain, as it is measured"
    for after in ("How much it hurts", "How strong it is"):
        rewrite(directory, "outcomes.yaml", before, after)
        files_read.clear()
        run(scratch, directory)
        assert "studies.yaml" in files_read
        before = after
    assert content(scratch, "outcome", "fatigue").content.model_dump()["description"] == "A curator's words."
