"""The program serves any data set: nothing in it names what the shipped one is about, no other one speaks of that."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from app.concepts.schemas import ConceptWrite
from app.datasets.bundle import load_bundle
from app.datasets.files_beside import read_manifest
from app.datasets.seed import seed
from app.publishing import indexes
from app.settings import ROOT
from tests.cds_hooks.support import active, order, request
from tests.conftest import opened, serving
from tests.datasets.test_guide import FILES

SEED = ROOT / "seed_data"
PACKAGE = re.compile(r"\bldn[-_]evidence\b")
"""The name of the package and of its command."""
FOREIGN = re.compile(r"naltrexone|(?<![a-z])ldn(?![a-z])|fibromyalgia", re.IGNORECASE)
OWN_NAMES = re.compile(rf"{PACKAGE.pattern}|ldn_evidence_client|ldn-pg-")
"""And what the folders of servers in tests begin with."""
MIN_LENGTH = 4
"""Shorter names have other meanings too."""
ORDINARY: frozenset[str] = frozenset()
"""Names of records that are ordinary English words as well; reviewed by a person."""


def names_of_the_shipped_data_set() -> set[str]:
    """Of drugs and conditions, of claims, and of the publisher."""
    manifest = read_manifest(SEED)
    assert manifest is not None
    names = {manifest.name, manifest.publisher.name}
    for change in load_bundle([SEED]).changes:
        content = change.content
        if isinstance(content, ConceptWrite) and change.type in ("intervention", "condition"):
            names |= {content.id, content.id.replace("-", " "), content.name, *content.synonyms}
        elif change.type in ("claim", "interaction_rule"):
            names.add(content.id)
    return {name.lower() for name in names if len(name) >= MIN_LENGTH} - ORDINARY


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "app").rglob("*")):
        is_source = path.suffix in (".py", ".yaml", ".json", ".html", ".md", ".txt", ".js", ".css", ".svg")
        if is_source and "vendor" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_the_program_names_no_drug_condition_claim_or_publisher() -> None:
    names = names_of_the_shipped_data_set()
    assert len(names) > 1000
    first: dict[str, list[str]] = {}
    """Names by the word that they begin with."""
    for name in names:
        first.setdefault(re.findall(r"^[\w-]+", name)[0], []).append(name)
    found = [
        f"{path}:{number}: {name}"
        for path, text in sources()
        for number, line in enumerate(text.lower().splitlines(), 1)
        for name in (*_named(PACKAGE.sub("", line), first), *FOREIGN.findall(PACKAGE.sub("", line)))
    ]
    assert not found, "\n".join(found)


def _named(line: str, first: dict[str, list[str]]) -> Iterator[str]:
    """The names in a line, between what neither letters nor hyphens are."""
    for word in re.finditer(r"[\w-]+", line):
        for name in first.get(word[0], ()):
            if line.startswith(name, word.start()) and not re.match(r"[\w-]", line[word.start() + len(name) :]):
                yield name


def test_no_test_outside_of_this_folder_does() -> None:
    program = (path for path in (ROOT / "tests").rglob("*") if path.suffix in (".py", ".ts", ".js", ".txt", ".yaml"))
    outside = [path for path in program if not {"content", "node_modules"} & set(path.parts)]
    assert len(outside) > 200
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match}"
        for path in outside
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in FOREIGN.findall(OWN_NAMES.sub("", line))
    ]
    assert not found, "\n".join(found)


# --- another data set ---------------------------------------------------------------------------------------------

MORE_INTERVENTIONS = """
  - {id: coffee, name: Coffee, kind: drug, description: Another drink.}
"""
MORE_CLAIMS = """
  - id: tea-coffee
    kind: interaction
    form: regulatory_status
    effect: contraindicated
    conditions: []
    interactants: [coffee]
    authority: A ministry
    jurisdiction: XX
    as_of: "2026-01-01"
    statement: Tea must not be drunk with coffee.
"""
RULES = """
interaction_rules:
  - id: tea-with-coffee
    name: Tea with coffee
    first: [tea]
    second: [coffee]
    severity: contraindicated
    claims:
      - {situation: together, claims: [tea-coffee]}
"""


@pytest.fixture(scope="module")
def tea(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of docs/datasets.md, with a pair of drugs that must not meet."""
    directory = tmp_path_factory.mktemp("tea")
    more = {"interventions.yaml": MORE_INTERVENTIONS, "claims/tea.yaml": MORE_CLAIMS, "interaction_rules.yaml": RULES}
    for name in {*FILES, *more}:
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        empty = name == "interaction_rules.yaml"
        path.write_text(("" if empty else FILES[name].rstrip()) + more.get(name, ""), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def foreign(tea: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'tea.db'}"
    with opened(url) as database:
        indexes.migrate(database)
        with database.write() as session:
            seed(session, tea)
    with serving(url) as client:
        yield client


VALUES = {
    "intervention": "tea",
    "condition": "cold",
    "q": "tea",
    "identifier": "doi:10.1000/1",
    "outcome": "cough",
    "format": "ris",
    "hash": "none",
    "path": "none",
}
"""Of parameters in addresses and of required ones."""
PAGES = (
    "/", "/claims", "/claims/tea-cough", "/conditions", "/conditions/cold", "/interventions/tea",
    "/documents/leaf-2020", "/search?q=tea",
    "/evidence-map", "/docs", "/llms.txt", "/robots.txt", "/sitemap.xml", "/openapi.json", "/nothing",
    "/embed/claims/tea-cough", "/embed.js", "/fhir/r5/metadata", "/fhir/r5/Library", "/cds-services",
    "/fhir/r5/Evidence",
    "/infobutton?mainSearchCriteria.v.dn=tea&knowledgeResponseType=application/json", "/v1/claims/nothing",
    "/v1/claims?condition=nothing", "/fhir/r5/Library/tea-evidence", "/fhir/r5/ClinicalUseDefinition",
)  # fmt: skip


def addresses(client: TestClient) -> Iterator[str]:
    """Every GET of the OpenAPI document, with each record where it takes an id; and pages and interfaces beside it."""
    ids: dict[str, list[str]] = {}
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        if "get" not in operations:
            continue
        required = [p["name"] for p in operations["get"].get("parameters", []) if p["in"] == "query" and p["required"]]
        query = "&".join(f"{name}={VALUES[name]}" for name in required)
        collection = path.partition("/{")[0]
        if "{id}" in path and collection not in ids:
            answer = client.get(collection).json()
            ids[collection] = [item["id"] for item in answer["items"] if "id" in item] if "items" in answer else []
        for record_id in ids[collection] if "{id}" in path else [""]:
            address = path.replace("{id}", record_id)
            for name in re.findall(r"\{(\w+)\}", address):
                address = address.replace(f"{{{name}}}", VALUES.get(name, "1"))
            yield f"{address}?{query}" if query else address
    yield from PAGES


def assert_neutral(where: str, text: str) -> None:
    met = FOREIGN.search(PACKAGE.sub("", text))
    assert met is None, f"{where}: {text[max(met.start() - 80, 0) : met.end() + 80]}"


def test_no_answer_of_another_data_set_speaks_of_the_shipped_one(foreign: TestClient) -> None:
    asked = list(addresses(foreign))
    assert len(asked) > 80
    assert "/v1/claims/tea-cough" in asked
    statuses = {}
    for address in asked:
        answer = foreign.get(address)
        statuses[address] = answer.status_code
        assert answer.status_code < 500, address
        assert_neutral(address, answer.text)
        assert_neutral(f"headers of {address}", str(answer.headers))
    answered = [address for address, status in statuses.items() if status == 200]
    assert len(answered) > 0.8 * len(asked), [address for address, status in statuses.items() if status != 200]


def test_name_licence_and_publisher_are_those_of_its_manifest(foreign: TestClient, tea: Path) -> None:
    manifest = yaml.safe_load((tea / "dataset.yaml").read_text(encoding="utf-8"))["dataset"]
    meta = foreign.get("/v1/meta").json()
    library = foreign.get("/fhir/r5/Library/tea-evidence").json()
    document = foreign.get("/openapi.json").json()

    assert meta["name"] == library["title"] == document["info"]["title"] == manifest["name"]
    assert meta["licences"]["data"]["name"] == manifest["licence"]["name"]
    assert manifest["licence"]["name"] in library["copyright"]
    assert meta["publisher"]["name"] == library["publisher"] == manifest["publisher"]["name"]
    contents = [
        content
        for operations in document["paths"].values()
        for operation in operations.values()
        for content in operation["responses"].get("200", {}).get("content", {}).values()
    ]
    assert contents
    assert not any("examples" in content for content in contents)


def _call(client: TestClient, *drafts: dict[str, Any], **lists: Any) -> list[dict[str, Any]]:
    answer = client.post("/cds-services/tea-order-sign", json=request(*drafts, **lists))
    assert answer.status_code == 200, answer.text
    assert_neutral("card", answer.text)
    cards: list[dict[str, Any]] = answer.json()["cards"]
    return cards


def test_its_interaction_rules_make_cards_each_with_a_claim(foreign: TestClient) -> None:
    services = foreign.get("/cds-services").json()["services"]
    assert [service["id"] for service in services] == ["tea-order-select", "tea-order-sign"]
    current = {"resourceType": "Bundle", "entry": [{"resource": active("2", "Coffee")}]}

    (critical,) = _call(foreign, order("1", "Tea"), medications=current)
    (together,) = _call(foreign, order("1", "Tea"), order("2", "Coffee"))
    (incomplete,) = _call(foreign, order("1", "Tea"), medications={"resourceType": "OperationOutcome"})

    assert critical["summary"] == "Tea with current coffee: a contraindication is recorded."
    assert critical["indicator"] == together["indicator"] == "critical"
    assert incomplete["indicator"] == "warning"
    for card in (critical, together, incomplete):
        assert card["source"]["label"] == "Tea"
        assert "/claims/tea-coffee?serial=1" in card["links"][0]["url"]
        assert [claim["id"] for claim in card["extension"]["ldn-evidence.reproduction"]["claims"]] == ["tea-coffee"]
    assert "Tea must not be drunk with coffee." in critical["detail"]
    assert _call(foreign, order("1", "Tea")) == []


def test_assistants_are_told_of_it_alone(foreign: TestClient) -> None:
    def rpc(method: str, **params: Any) -> str:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        headers = {"Accept": "application/json, text/event-stream"}
        answer = foreign.post("/mcp", json=message, headers=headers)
        assert answer.status_code == 200, answer.text
        assert_neutral(method, answer.text)
        return answer.text

    client = {"name": "test", "version": "1"}
    begun = rpc("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
    assert "Claims about tea" in begun
    assert "inputSchema" in rpc("tools/list")
