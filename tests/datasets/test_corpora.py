"""`ldn-evidence import-corpus`: everything that is served stands in the corpus, and what is not is listed."""

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from app import cli
from app.datasets import bundle
from app.settings import settings
from app.storage.database import Database
from tests.conftest import serving

CORPORA = Path(__file__).parent / "corpora"
CIVIC = CORPORA / "civic" / "nightly-ClinicalEvidenceSummaries.tsv"
DISORDER = CORPORA / "dismech" / "kb" / "disorders" / "Synthetic_Disorder.yaml"
Fields = dict[str, Any]
NOT_OF_A_CORPUS = (
    "outcome", "side_effects", "interactants", "dosing_range", "comparator", "timepoint", "population", "magnitude",
    "evidence_level", "aspect", "origins", "relations", "wording", "reviewed_on",
)  # fmt: skip
"""Fields of a claim."""


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def run(*arguments: str | Path, database: Database | None = None) -> Result:
    url = database.url.render_as_string(hide_password=False) if database else "sqlite:////nowhere/never-opened.db"
    environment = {"DATABASE_URL": url, "COLUMNS": "200"}
    result = CliRunner().invoke(cli.app, list(map(str, arguments)), env=environment)
    assert "Traceback" not in result.output
    return result


def imported(corpus: str, out: Path, *options: str, directory: Path | None = None) -> str:
    result = run("import-corpus", corpus, directory or CORPORA / corpus, "--to", out, *options)
    assert result.exit_code == 0, result.output
    return result.stderr


def served(database: Database, directory: Path) -> list[Fields]:
    """The claims of the directory as `GET /v1/claims` answers them, after `check` and `seed`."""
    for command in (("check", "--from", directory), ("seed", "--from", directory)):
        result = run(*command, database=database)
        assert result.exit_code == 0, result.output
    with serving(database.url.render_as_string(hide_password=False)) as client:
        answer = client.get("/v1/claims", params={"limit": 200})
        assert answer.status_code == 200
        claims: list[Fields] = answer.json()["items"]
        for claim in claims:
            for citation in claim["citations"]:
                path = citation["document"]["links"]["self"]
                citation["document"] = client.get(path).json()
            for condition in claim["conditions"]:
                condition |= client.get(f"/v1/conditions/{condition['id']}").json()
        return claims


def is_nothing(value: object) -> bool:
    return value is None or value == [] or value is False


def assert_nothing_is_invented(claim: Fields, corpus: str) -> None:
    """What no corpus states is null or empty, and what our method computes says that nothing was weighed."""
    assert (claim["form"], claim["effect"]) == ("attribution", "not_applicable")
    for name in NOT_OF_A_CORPUS:
        assert is_nothing(claim[name]), name
    assert claim["evidence"]["consensus"] == "not_applicable"
    assert claim["evidence"]["certainty"] == "not_graded"
    for citation in claim["citations"]:
        for name in ("study", "stance_reason", "indirect_because", "estimates", "analysed_n"):
            assert is_nothing(citation[name]), name
        assert (citation["directness"], citation["role"]) == ("unknown", "background")
        assert citation["verification"] == {"result": "unverified", "basis": None, "checked_on": None}
        document = citation["document"]
        for name in ("authors", "container_title", "volume", "issue", "page", "publisher", "studies", "note"):
            assert is_nothing(document[name]), name
        assert document["standing"] == "not_checked"
        assert citation["finding"].startswith(f"{corpus}, ")


def test_civic_is_served_as_its_table_has_it(migrated: Database, tmp_path: Path) -> None:
    report = imported("civic", tmp_path / "out", "--therapy-kind", "drug")
    with CIVIC.open(encoding="utf-8", newline="") as file:
        rows = {row["evidence_statement"]: row for row in csv.DictReader(file, delimiter="\t")}
    claims = served(migrated, tmp_path / "out")
    found = []
    for claim in claims:
        assert_nothing_is_invented(claim, "CIViC")
        for citation in claim["citations"]:
            items = re.findall(r"CIViC, (.*?): (.*?)(?= CIViC, |$)", citation["finding"])
            for direction, text in items:
                row = rows[text]
                found.append(text)
                assert row["evidence_direction"] == direction
                document = citation["document"]
                number = document["pmid"] if row["source_type"] == "PubMed" else document["doi"]
                assert (number, document["label"], document["title"]) == (row["citation_id"], row["citation"], None)
                assert f", {document['issued']}" in row["citation"]
                assert [condition["name"] for condition in claim["conditions"]] == [row["disease"]] * bool(
                    row["disease"]
                )
                codes = [code["code"] for condition in claim["conditions"] for code in condition["codes"]]
                assert codes == [row["doid"]] * bool(row["doid"])
                assert (claim["intervention"] or {"name": ""})["name"] == row["therapies"]
                stated = (row["significance"], row["evidence_type"], row["molecular_profile"])
                assert all(part in claim["statement"] for part in stated)
                assert citation["quotes"] == []
                strength = {"value": row["evidence_level"], "scale": "CIViC evidence level"}
                takes_a_side = citation["stance"] == "supports"
                assert citation["strength"] == (strength if takes_a_side else None)
                selects = bool(row["disease"]) and row["evidence_type"] in ("Predictive", "Prognostic")
                group = claim["subgroup"] or {"label": None, "basis": "biomarker"}
                label = f"people with {row['molecular_profile']}" if selects else None
                assert (group["label"], group["basis"]) == (label, "biomarker")
    assert sorted(found) == sorted(row["evidence_statement"] for row in rows.values() if is_taken(row))
    assert "1 times: names several therapies" in report
    assert "1 times: is not accepted by the editors of CIViC (EID10)" in report
    assert "1 times: cites a source of ASCO type" in report
    assert (
        "3 times: has a strength by the corpus's own scale, but its citation takes no side (EID4, EID5, EID8)" in report
    )


def is_taken(row: Fields) -> bool:
    accepted = row["evidence_status"] == "accepted" and row["source_type"] != "ASCO"
    return accepted and "," not in row["therapies"]


def test_dismech_is_served_as_its_file_has_it(migrated: Database, tmp_path: Path) -> None:
    report = imported("dismech", tmp_path / "out", "--therapy-kind", "drug")
    disorder = yaml.safe_load(DISORDER.read_text(encoding="utf-8"))
    items = {
        item["explanation"]: (section, entry, item)
        for section, entries in disorder.items()
        if isinstance(entries, list)
        for entry in entries
        for item in entry.get("evidence", [])
    }
    found = []
    for claim in served(migrated, tmp_path / "out"):
        assert_nothing_is_invented(claim, "DisMech")
        assert [condition["name"] for condition in claim["conditions"]] == [disorder["name"]]
        ((system, code),) = [(code["system"], code["code"]) for code in claim["conditions"][0]["codes"]]
        assert f"{system.upper()}:{code}" == disorder["disease_term"]["term"]["id"]
        for citation in claim["citations"]:
            for direction, text in re.findall(r"DisMech, (.*?): (.*?)(?= DisMech, |$)", citation["finding"]):
                section, entry, item = items[text]
                found.append(text)
                assert item["supports"] == direction
                document = citation["document"]
                numbers = {identifier["value"] for identifier in document["identifiers"]}
                assert numbers == {item["reference"].partition(":")[2]}
                assert document["title"] == item.get("reference_title")
                quotes = [
                    other["snippet"]
                    for other in entry["evidence"]
                    if other["reference"] == item["reference"] and len(other.get("snippet", "").split()) in range(1, 26)
                ]
                assert [quote["text"] for quote in citation["quotes"]] == quotes
                partially = item["supports"] == "PARTIAL"
                assert citation["extent"] == ("partially" if partially else None)
                assert citation["extent_note"] == (f"DisMech, PARTIAL: {text}" if partially else None)
                assert citation["stance"] == "supports" or not partially
                assert entry["name"] in claim["statement"]
                assert " ".join(entry.get("description", "").split()) in claim["statement"]
                assert [mechanism["name"] for mechanism in claim["mechanisms"]] == (
                    [entry["name"]] if section == "pathophysiology" else []
                )
                assert (claim["intervention"] is not None) == (section == "treatments")
    assert sorted(found) == sorted(
        text for text, (*_, item) in items.items() if not item["reference"].startswith("ORPHA")
    )
    for sentence in (
        "stands on a part of an entry, such as an edge of a graph",
        "has a reference of ORPHA, which is no identifier",
        "quotes more than 25 words",
        "has the field `treatment_term`, which has no place here",
        "has the field `phase`, which has no place here",
        "is an entry without evidence (Synthetic_Disorder: phenotypes/Imagined quiet)",
        "is no YAML of a disorder that can be read (Broken.yaml)",
        "'NO_EVIDENCE', which is no stance here",
    ):
        assert f"1 times: {sentence}" in report or sentence in report


@pytest.mark.parametrize("corpus", ["civic", "dismech"])
def test_a_statement_that_evidence_speaks_against_takes_no_side_and_says_so(
    migrated: Database, tmp_path: Path, corpus: str
) -> None:
    """Our `disputes` asks for a reason. To show the other side alone would be worse than to show none."""
    report = imported(corpus, tmp_path / "out", "--therapy-kind", "drug")
    (claim,) = [claim for claim in served(migrated, tmp_path / "out") if claim["caveat_required"]]
    assert {citation["stance"] for citation in claim["citations"]} == {"not_assessed"}
    assert "1 speak against it and 1 for it" in claim["caveat"]
    assert "1 times: speaks against the statement" in report
    assert "1 times: supports a statement that another item speaks against" in report


@pytest.mark.parametrize(("corpus", "left_out"), [("civic", 5), ("dismech", 1)])
def test_without_a_word_of_the_operator_a_therapy_is_no_intervention(
    tmp_path: Path, corpus: str, left_out: int
) -> None:
    report = imported(corpus, tmp_path / "out")
    assert f"{left_out} times: names a therapy" in report
    assert not (tmp_path / "out" / "interventions.yaml").exists()
    assert all(change.type != "intervention" for change in bundle.read(tmp_path / "out"))


@pytest.mark.parametrize("corpus", ["civic", "dismech"])
def test_an_import_is_the_same_every_time(tmp_path: Path, corpus: str) -> None:
    for name in ("one", "two"):
        imported(corpus, tmp_path / name, "--therapy-kind", "drug")
    texts = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert texts[0] == texts[1]


def test_what_the_model_refuses_is_listed_with_its_reason(tmp_path: Path) -> None:
    directory = tmp_path / "disorders"
    directory.mkdir()
    long = DISORDER.read_text(encoding="utf-8").replace("A drug that does not exist.", "words " * 900)
    (directory / "Long.yaml").write_text(long.replace("name: Imagined signalling", "name: ''"), encoding="utf-8")
    report = imported("dismech", tmp_path / "out", "--therapy-kind", "drug", directory=directory)
    assert "1 times: is refused as a claim: statement String should have at most 4000 characters" in report
    assert "2 times: stands on an entry without a name" in report


def test_a_directory_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "claims.yaml").write_text("claims: []\n", encoding="utf-8")
    result = run("import-corpus", "civic", CORPORA / "civic", "--to", tmp_path)
    assert (result.exit_code, "must be new or empty" in result.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["claims.yaml"]


@pytest.mark.parametrize(
    ("corpus", "text", "sentence"),
    [
        ("civic", None, "There is no file *ClinicalEvidenceSummaries.tsv"),
        ("civic", "a\tb\n1\t2\n", "no table of CIViC's evidence summaries"),
        ("dismech", None, "There is no file of a disorder"),
        ("dismech", "a: &a [*a]\n", "is no YAML of a disorder"),
        ("dismech", "- a list\n", "is no YAML of a disorder"),
    ],
)
def test_what_is_no_corpus_gets_a_plain_sentence(tmp_path: Path, corpus: str, text: str | None, sentence: str) -> None:
    directory = tmp_path / "corpus"
    directory.mkdir()
    if text is not None:
        name = "x-ClinicalEvidenceSummaries.tsv" if corpus == "civic" else "x.yaml"
        (directory / name).write_text(text, encoding="utf-8")
    assert sentence in run("import-corpus", corpus, directory, "--to", tmp_path / "out").stderr


def test_an_evidence_item_that_stands_twice_is_taken_once(tmp_path: Path) -> None:
    directory = tmp_path / "civic"
    directory.mkdir()
    for name in ("a", "b"):
        shutil.copyfile(CIVIC, directory / f"{name}-ClinicalEvidenceSummaries.tsv")
    report = imported("civic", tmp_path / "out", "--therapy-kind", "drug", directory=directory)
    assert "11 times: stands a second time" in report
