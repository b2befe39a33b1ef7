"""Every data set under examples/datasets passes `check`, says where it was read, and is served on both engines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from app.datasets.seed import seed
from app.main import create_app
from app.publishing import indexes
from app.settings import ROOT, Settings, settings
from tests.conftest import Engine, opened
from tests.datasets.test_file_schemas import as_json, named_schema
from tests.test_cli import NO_DATABASE, error_text, run

SETS = sorted(path.parent for path in (ROOT / "examples" / "datasets").glob("*/dataset.yaml"))
TEST_PREFIX = "10.5555/"
"""DOIs that name nothing; what nobody could read may stand in a data set under these alone."""

Fields = dict[str, Any]


def records(directory: Path, name: str) -> list[Fields]:
    """The records of a type as they stand in the files."""
    paths = [directory / f"{name}.yaml", *sorted((directory / name).glob("*.yaml"))]
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    return [record for file in files for record in file[name]]


def manifest(directory: Path) -> Fields:
    fields: Fields = yaml.safe_load((directory / "dataset.yaml").read_text(encoding="utf-8"))["dataset"]
    return fields


# --- the files ----------------------------------------------------------------------------------------------------


def test_there_is_an_example() -> None:
    assert SETS


@pytest.mark.parametrize("directory", SETS, ids=lambda path: path.name)
def test_check_finds_no_fault_and_nothing_to_look_at(directory: Path) -> None:
    settings.cache_clear()
    result = run(NO_DATABASE, "check", "--from", str(directory))
    assert error_text(result).endswith("records, no fault.\n")
    assert error_text(result).count("\n") == 1
    assert result.stdout == ""
    settings.cache_clear()


@pytest.mark.parametrize("directory", SETS, ids=lambda path: path.name)
def test_every_file_names_a_schema_that_is_there_and_that_it_fits(directory: Path) -> None:
    for path in directory.rglob("*.yaml"):
        schema = json.loads(named_schema(path).read_text(encoding="utf-8"))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(as_json(path))] == []


@pytest.mark.parametrize("directory", SETS, ids=lambda path: path.name)
def test_every_document_says_where_and_when_it_was_read(directory: Path) -> None:
    sources = (directory / "SOURCES.md").read_text(encoding="utf-8")
    read_at = {note["document"]: note["read_at"] for note in records(directory, "reading_notes")}
    for document in records(directory, "documents"):
        if document.get("doi", "").startswith(TEST_PREFIX):
            continue
        (line,) = (line for line in sources.splitlines() if line.startswith(f"| `{document['id']}` |"))
        assert read_at[document["id"]]
        assert all(address in line for address in read_at[document["id"]])
        assert all(str(document[name]) in line for name in ("doi", "pmid", "pmcid") if name in document)
    for claim in records(directory, "claims"):
        for citation in claim.get("citations", ()):
            assert citation["verification"]["checked_on"]


# --- served -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """A data set, and the application that serves it."""

    directory: Path
    manifest: Fields
    client: TestClient

    def get(self, address: str, **parameters: Any) -> Any:
        response = self.client.get(address, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def claims(self) -> list[Fields]:
        page: Fields = self.get("/v1/claims", limit=100)
        assert page["total"] == len(page["items"])
        claims: list[Fields] = page["items"]
        return claims

    def page(self, address: str) -> str:
        response = self.client.get(address, headers={"Accept": "text/html"})
        assert response.status_code == 200, response.text
        return response.text


@pytest.fixture(scope="module", params=SETS, ids=lambda path: path.name)
def example(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Example]:
    directory: Path = request.param
    url = engine.empty(f"example_{directory.name.replace('-', '_')}")
    with opened(url) as database:
        indexes.migrate(database)
        with database.write() as session:
            assert seed(session, directory).conflicts == ()
    with TestClient(create_app(Settings(database_url=url, seed_dir=directory))) as client:
        yield Example(directory, manifest(directory), client)
    engine.drop(url)


def test_every_claim_of_the_files_is_listed(example: Example) -> None:
    claims = example.claims()
    assert {claim["id"] for claim in claims} == {claim["id"] for claim in records(example.directory, "claims")}
    assert 15 <= len(claims) <= 25


def test_both_sides_of_a_claim_are_served(example: Example) -> None:
    disputed = [
        claim
        for claim in example.claims()
        if all(claim["evidence"]["by_stance"][side]["citations"] for side in ("supports", "disputes"))
    ]
    assert disputed
    for claim in disputed:
        stances = {citation["stance"] for citation in claim["citations"]}
        assert {"supports", "disputes"} <= stances
        found = example.get("/v1/claims", stance="disputes", limit=100)
        assert claim["id"] in {one["id"] for one in found["items"]}
        page = example.page(f"/claims/{claim['id']}")
        assert all(citation["document"]["label"] in page for citation in claim["citations"])


def test_harms_stand_beside_benefits(example: Example) -> None:
    kinds = {claim["kind"] for claim in example.claims()}
    assert {"efficacy", "safety"} <= kinds


def test_each_condition_has_a_page_with_its_answers(example: Example) -> None:
    for condition in example.get("/v1/conditions", limit=100)["items"]:
        found = example.get("/v1/claims", condition=condition["id"], kind="efficacy", limit=100)
        page = example.page(f"/conditions/{condition['id']}")
        assert f"· {example.manifest['name']}</title>" in page
        assert all(claim["id"] in page for claim in found["items"] if _is_shown(example, claim))


def _is_shown(example: Example, claim: Fields) -> bool:
    return bool(claim["intervention"]["id"] == example.manifest["default_intervention"])


def test_a_dose_is_shown_as_often_as_it_is_given(example: Example) -> None:
    """Also one that is not given every day, of which no daily total is made."""
    for dose in records(example.directory, "dosing_ranges"):
        schedule = dose["schedule"]
        if schedule.get("text") or (schedule["count"], schedule["period"]) != (1, 1):
            continue
        word = {"d": "day", "wk": "week", "mo": "month"}[schedule["period_unit"]]
        assert f"<dd>1 dose every {word}</dd>" in example.page(f"/dosing-ranges/{dose['id']}")
        is_daily = schedule["period_unit"] == "d"
        assert bool(example.get(f"/v1/dosing-ranges/{dose['id']}")["low_pg_per_day"]) == is_daily


def test_the_evidence_map_has_a_cell_for_every_claim_of_benefit(example: Example) -> None:
    intervention = example.manifest["default_intervention"]
    drawn = example.get("/v1/evidence-map", intervention=intervention)
    found = {(cell["condition"], cell["outcome"]) for cell in drawn["cells"] if cell["coverage"] == "found"}
    claims = [claim for claim in example.claims() if claim["kind"] == "efficacy" and _is_shown(example, claim)]
    assert found == {(one["id"], claim["outcome"]["id"]) for claim in claims for one in claim["conditions"]}


def test_a_brief_cites_the_documents_of_the_files(example: Example) -> None:
    intervention = example.manifest["default_intervention"]
    claim = next(claim for claim in example.claims() if claim["kind"] == "efficacy" and _is_shown(example, claim))
    brief = example.get(f"/v1/briefs/{intervention}/{claim['conditions'][0]['id']}")
    assert brief["notice"]["disclaimer"].startswith(example.manifest["disclaimers"][0]["text"])
    cited = {reference["document"]["id"] for reference in brief["references"]}
    assert {citation["document"]["id"] for citation in claim["citations"]} <= cited
    assert cited <= {document["id"] for document in records(example.directory, "documents")}


def test_fhir_and_the_service_speak_with_the_name_and_licence_of_the_manifest(example: Example) -> None:
    statement = example.get("/fhir/r5/metadata")
    assert statement["software"]["name"] == example.manifest["name"]
    assert statement["implementation"]["description"].startswith(f"{example.manifest['name']}, read-only.")
    citations = sum(len(claim.get("citations", ())) for claim in records(example.directory, "claims"))
    assert example.get("/fhir/r5/Evidence", _count=1)["total"] == citations
    said = example.get("/v1/meta")
    assert said["name"] == example.manifest["name"]
    assert said["publisher"]["name"] == example.manifest["publisher"]["name"]
    assert said["licences"]["data"]["name"] == example.manifest["licence"]["name"]
    assert said["how_to_cite"].startswith(example.manifest["name"])
    home = example.page("/")
    assert example.manifest["title"] in home
    assert example.manifest["licence"]["name"] in home


def test_every_question_of_the_first_page_leads_to_a_page(example: Example) -> None:
    home = example.page("/")
    for question in example.manifest["questions"]:
        target = next(
            f"/{kind}/{question[name]}"
            for name, kind in {"claim": "claims", "condition": "conditions", "side_effect": "side-effects"}.items()
            if name in question
        )
        assert target in home
        example.page(target)
