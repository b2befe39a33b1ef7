"""What a seed file need not say gives the same content as the same file written out, and directories stack."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.errors import Fault, InvalidInput
from app.datasets import bundle, files_beside
from app.datasets.layout import MANIFEST
from app.storage.history import text_of
from tests.factories import small_data_set, small_files

DOI, PMID = "10.1000/Abc.1", "12345"


def write(directory: Path, files: dict[str, Any]) -> Path:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = data if isinstance(data, str) else yaml.safe_dump(data, sort_keys=False)
        path.write_text(text, encoding="utf-8")
    return directory


def data(name: str) -> Any:
    return yaml.safe_load(small_files()[name])


def contents(*directories: Path) -> dict[Any, str]:
    return {change.key: text_of(change.content) for change in bundle.read(*directories)}


def refused(*directories: Path) -> list[Fault]:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(*directories)
    return list(caught.value.errors)


def identified() -> Any:
    """The documents of the small data set, the first with a DOI and a PMID written out."""
    documents = data("documents.yaml")
    documents["documents"][0]["identifiers"] = [{"scheme": "doi", "value": DOI}, {"scheme": "pmid", "value": PMID}]
    return documents


def in_short() -> Any:
    documents = identified()
    first = documents["documents"][0]
    del first["identifiers"]
    first |= {"doi": DOI, "pmid": int(PMID)}
    return documents


def test_identifiers_in_short_and_what_follows_from_them_are_those_written_out(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", {**small_files(), "documents.yaml": identified()})
    short = write(tmp_path / "short", {**small_files(), "documents.yaml": in_short()})
    assert contents(whole) == contents(short)


def test_a_document_without_an_address_has_none_though_it_has_a_doi(tmp_path: Path) -> None:
    documents = in_short()
    documents["documents"][0].pop("url", None)
    directory = write(tmp_path, {**small_files(), "documents.yaml": documents})
    (document,) = [one.content for one in bundle.read(directory) if one.content.id == documents["documents"][0]["id"]]
    assert document.model_dump()["url"] is None


def test_a_label_follows_from_author_and_year(tmp_path: Path) -> None:
    documents = data("documents.yaml")
    first = documents["documents"][0]
    first |= {"authors": [{"family": "Alder"}, {"family": "Mackey"}], "issued": "2013-02", "label": "Alder 2013"}
    whole = write(tmp_path / "whole", {**small_files(), "documents.yaml": documents})
    del first["label"]
    short = write(tmp_path / "short", {**small_files(), "documents.yaml": documents})
    assert contents(whole) == contents(short)
    del first["authors"]
    faults = refused(write(tmp_path / "neither", {**small_files(), "documents.yaml": documents}))
    assert [(fault.field.rpartition(" ")[2], fault.code) for fault in faults] == [("label", "missing")]


@pytest.mark.parametrize("spelling", [{"doi": DOI}, {"doi": f"https://doi.org/{DOI.lower()}"}, {"pmid": 12345}])
def test_an_identifier_names_the_document_of_a_citation(tmp_path: Path, spelling: dict[str, Any]) -> None:
    claims = data("claims.yaml")
    citation = next(one for claim in claims["claims"] for one in claim["citations"] if one["document"] == "paper-a")
    whole = write(tmp_path / "whole", {**small_files(), "documents.yaml": in_short()})
    del citation["document"]
    citation |= spelling
    short = write(tmp_path / "short", {**small_files(), "documents.yaml": in_short(), "claims.yaml": claims})
    assert contents(whole) == contents(short)


def test_an_identifier_of_no_document_comes_with_the_nearest(tmp_path: Path) -> None:
    claims = data("claims.yaml")
    citation = claims["claims"][0]["citations"][0]
    del citation["document"]
    citation["doi"] = "10.1000/abc.2"
    directory = write(tmp_path, {**small_files(), "documents.yaml": in_short(), "claims.yaml": claims})
    (fault,) = refused(directory)
    assert re.fullmatch(r"claims.yaml:\d+:5: drug-eases-ache: citations\[0\].doi", fault.field)
    assert fault.did_you_mean == ("10.1000/abc.1",)


def test_a_citation_has_the_id_of_its_claim_and_document_unless_it_says_another(tmp_path: Path) -> None:
    claims = data("claims.yaml")
    citation = claims["claims"][0]["citations"][0]
    citation["id"] = f"cit-drug-eases-ache-{citation['document']}"
    whole = write(tmp_path / "whole", {**small_files(), "claims.yaml": claims})
    del citation["id"]
    short = write(tmp_path / "short", {**small_files(), "claims.yaml": claims})
    assert contents(whole) == contents(short)
    claims["claims"][0]["id"] = "a" * 60
    (fault, *_) = refused(write(tmp_path / "long", {**small_files(), "claims.yaml": claims}))
    assert (fault.field.rpartition(" ")[2], fault.code) == ("citations[0].id", "missing")


def test_defaults_hold_for_every_record_of_a_file_that_says_nothing_else(tmp_path: Path) -> None:
    claims = data("claims.yaml")
    for claim in claims["claims"]:
        claim.setdefault("conditions", [])
    whole = write(tmp_path / "whole", {**small_files(), "claims.yaml": claims})
    defaults = {"conditions": [], "intervention": claims["claims"][0]["intervention"], "timepoint": "8 weeks"}
    for claim in claims["claims"]:
        claim["timepoint"] = None
        for name in ("conditions", "intervention"):
            if claim.get(name) == defaults[name]:
                del claim[name]
    short = write(tmp_path / "short", {**small_files(), "claims.yaml": {"defaults": defaults, **claims}})
    assert contents(whole) == contents(short)


@pytest.mark.parametrize(
    ("defaults", "field", "guess"),
    [
        ({"intervntion": "drug"}, "claims.yaml:2:3: defaults.intervntion", "intervention"),
        ({"id": "all-the-same"}, "claims.yaml:2:3: defaults.id", None),
        ({"evidence_level": "nonsense"}, "claims.yaml:2:3: drug-eases-ache: evidence_level", None),
    ],
)
def test_a_fault_of_a_default_is_placed_at_the_default(
    tmp_path: Path, defaults: dict[str, str], field: str, guess: str | None
) -> None:
    claims = {"defaults": defaults, **data("claims.yaml")}
    fault = refused(write(tmp_path, {**small_files(), "claims.yaml": claims}))[0]
    assert fault.field == field
    assert guess is None or (fault.did_you_mean and fault.did_you_mean[0] == guess)


def test_a_type_may_be_split_into_files_of_a_folder(tmp_path: Path) -> None:
    files = small_files()
    claims = yaml.safe_load(files.pop("claims.yaml"))["claims"]
    whole = write(tmp_path / "whole", small_files())
    for claim in claims:
        files[f"claims/{claim['id']}.yaml"] = yaml.safe_dump({"claims": [claim]})
    split = write(tmp_path / "split", files)
    assert contents(whole) == contents(split)
    path = next((split / "claims").iterdir())
    path.write_text(path.read_text(encoding="utf-8").replace("kind: ", "kind: un"), encoding="utf-8")
    assert refused(split)[0].field.startswith(f"claims/{path.name}:")


# --- directories that stack ---------------------------------------------------------------------------------------


@pytest.fixture
def stacked(tmp_path: Path) -> Callable[[dict[str, Any]], tuple[Path, Path]]:
    """A directory of concepts, and one of everything else with changes."""

    def stacked(changed: dict[str, Any]) -> tuple[Path, Path]:
        files = small_files()
        concepts = {name: files.pop(name) for name in list(files) if name in ("interventions.yaml", "conditions.yaml")}
        return write(tmp_path / "base", concepts), write(tmp_path / "own", {**files, **changed})

    return stacked


def test_what_an_earlier_directory_holds_a_later_one_may_name(
    stacked: Callable[[dict[str, Any]], tuple[Path, Path]],
) -> None:
    base, own = stacked({})
    whole = {change.key: text_of(change.content) for change in small_data_set()}
    assert contents(base, own) == whole
    assert {fault.code for fault in refused(own)} == {"unknown_reference"}


def test_the_same_record_twice_is_one_and_a_differing_one_names_both_files(
    stacked: Callable[[dict[str, Any]], tuple[Path, Path]],
) -> None:
    conditions = data("conditions.yaml")
    base, own = stacked({"conditions.yaml": conditions})
    assert len(contents(base, own)) == len(small_data_set())
    conditions["conditions"][0]["name"] = "Another name"
    write(own, {"conditions.yaml": conditions})
    (fault,) = refused(base, own)
    assert fault.code == "differs"
    assert fault.field.startswith(f"{own}/conditions.yaml:2:3: ")
    assert f"{base}/conditions.yaml:2:3" in fault.message
    assert "they differ in name" in fault.message


def test_the_last_directory_says_what_the_data_set_is(written_files: Path, tmp_path: Path) -> None:
    text = (written_files / MANIFEST).read_text(encoding="utf-8")
    first = write(tmp_path / "first", {MANIFEST: text})
    second = write(tmp_path / "second", {MANIFEST: text.replace("  id: zelvane\n", "  id: mine\n")})
    manifest = files_beside.read_manifest(first, second)
    assert manifest is not None
    assert manifest.id == "mine"
