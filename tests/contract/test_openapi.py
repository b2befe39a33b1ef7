"""The OpenAPI document says what the API does, and the API does what it says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import create_model
from starlette.testclient import TestClient

from app.api.openapi import schema_name
from app.api.presentation import LABEL
from app.core.shape import paths_of
from app.core.vocabulary import EXTENSIBLE
from app.main import create_app
from app.registry import BY_PLURAL, RESOURCES
from app.settings import ROOT, Settings
from tests.contract.breaking import METHODS, Document, breaks
from tests.contract.support import Item, objects

COMMITTED = ROOT / "openapi.json"
SCHEMAS = ROOT / "seed_data" / "schema"
REGENERATE = """What is committed is not what the code says. Write it again:
  python scripts/examples.py && ldn-evidence openapi --output openapi.json"""

Everything = dict[str, list[Item]]


@dataclass(frozen=True)
class TriedRequests:
    """What is asked of a data set, beside a few records of every type."""

    queries: dict[str, list[str]]
    """Queries beside the plain one, or instead of it where a parameter is required; by operation."""
    records: dict[str, list[str]]
    needed: dict[str, str]
    """Values of required parameters."""
    pairs: tuple[tuple[str, str], ...]
    """Interventions and conditions of briefs."""
    bodies: dict[str, list[Any]]


TRIED = TriedRequests(
    queries={
        "getCoverage": [
            "intervention=low-dose-zelvane&condition=murmuria",
            "intervention=low-dose-zelvane&condition=palewing",
            "intervention=low-dose-zelvane&side_effect=insomnia",
            "intervention=zelvane&interactant=metlort",
        ],
        "getEvidenceMap": ["intervention=low-dose-zelvane"],
        "resolve": ["identifier=pmid:99900001", "identifier=icd10cm:M98.10", "identifier=nct:NCT99900001"],
        "listClaims": [
            "intervention=low-dose-zelvane&condition=palewing",
            "dose=1.5..4.5%20mg&limit=200",
            "citations=top&facets=true",
        ],
    },
    records={"getClaimEvidence": ["ldz-murmuria-pain"], "listDocumentStatements": ["hopeful-article"]},
    needed={"q": "pain", "intervention": "low-dose-zelvane", "identifier": "pmid:99900001"},
    pairs=(("low-dose-zelvane", "murmuria"), ("low-dose-zelvane", "palewing")),
    bodies={
        "searchByBody": [{"q": "zelvane with tralort"}],
        "checkInteractions": [
            {"drugs": [{"code": "rxnorm:9990001", "dose": "4.5 mg"}, {"id": "metlort"}, {"text": "unheard of"}]}
        ],
        "verifyCitations": [
            {
                "items": [
                    {
                        "claim": "ldz-murmuria-pain",
                        "identifier": "pmid:99900001",
                        "title": "What zelvane did",
                        "quote": "much less pain was felt",
                    },
                    {"sentence": "Zelvane helps against pain in murmuria.", "identifier": "pmid:99900002"},
                ]
            }
        ],
    },
)


def test_two_who_need_the_document_at_once_get_it_whole(document: Document) -> None:
    """A server that warms itself makes it in a thread while a first request asks for it."""
    app = create_app(Settings())
    together = Barrier(2)

    def make(_: int) -> Document:
        together.wait()
        return app.openapi()

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(make, range(2))

    assert first == second
    assert json.loads(json.dumps(first)) == document


TWO_APPLICATIONS = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from app.main import create_app
from app.settings import Settings

applications = [create_app(Settings()) for _ in range(2)]
together = Barrier(2)

def make(app):
    together.wait()
    return app.openapi()

with ThreadPoolExecutor(2) as threads:
    first, second = threads.map(make, applications)
assert first == second
assert "Claim" in first["components"]["schemas"]
"""


def test_two_applications_asked_at_once_make_the_same_document() -> None:
    """In a process of its own: FastAPI remembers what it made for a first document."""
    made = subprocess.run(
        [sys.executable, "-c", TWO_APPLICATIONS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def test_a_document_that_cannot_be_finished_is_refused_each_time() -> None:
    """The name is taken only after FastAPI has made its own document, which nobody may get instead."""
    app = create_app(Settings())
    app.add_api_route("/v1/others", _others, name="listOthers", tags=["Claims"], response_model=create_model("Claim"))

    for _ in range(2):
        with pytest.raises(ValueError, match="same name: Claim"):
            app.openapi()


async def _others() -> None: ...


@pytest.fixture(scope="module")
def document() -> Document:
    generated: Document = json.loads(json.dumps(create_app(Settings()).openapi()))
    return generated


def operations(document: Document) -> Iterator[tuple[str, str, Item]]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method, path, methods[method]


def ours(document: Document) -> Iterator[tuple[str, str, Item]]:
    """The operations whose shapes are ours; those of the other faces are prescribed by their standards."""
    for method, path, operation in operations(document):
        if path.startswith("/v1/") or path in ("/healthz", "/readyz"):
            yield method, path, operation


# --- the document itself --------------------------------------------------------------------------------------------


def test_the_document_is_valid_openapi(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_the_committed_document_is_what_the_code_says(document: Document) -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == document, REGENERATE


def test_nothing_breaks_clients_of_the_document_that_was_committed(document: Document) -> None:
    before = committed_before()

    assert breaks(before, document) == []


def committed_before() -> Document:
    """The document of the last commit; the one on disk where this is no checkout."""
    shown = subprocess.run(["git", "show", "HEAD:openapi.json"], cwd=ROOT, capture_output=True, check=False)
    text = shown.stdout if shown.returncode == 0 else COMMITTED.read_bytes()
    found: Document = json.loads(text)
    return found


def test_every_operation_has_a_name_a_summary_and_one_known_tag(document: Document) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    names = []
    for method, path, operation in operations(document):
        names.append(operation["operationId"])
        assert operation["summary"], path
        assert len(operation["tags"]) == 1, path
        assert operation["tags"][0] in tags, path
        assert method == "get" or operation["requestBody"]["required"], path
    assert len(set(names)) == len(names)
    assert tags == {operation["tags"][0] for _, _, operation in operations(document)}


def test_every_parameter_is_bounded(document: Document) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            for schema in _scalars(document, parameter["schema"]):
                where = (path, parameter["name"], schema)
                assert schema["type"] != "array", where
                if schema["type"] == "string":
                    assert "enum" in schema or "const" in schema or "maxLength" in schema or "pattern" in schema, where
                elif schema["type"] == "integer":
                    assert {"minimum", "maximum"} <= set(schema), where
                else:
                    assert schema["type"] in ("boolean", "null"), where


def _scalars(document: Document, schema: Item) -> Iterator[Item]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        for choice in schema["anyOf"]:
            yield from _scalars(document, choice)
    elif schema.get("type") == "array" and "maxItems" in schema:
        yield from _scalars(document, schema["items"])
    else:
        yield schema


def test_every_field_of_an_answer_is_always_present(document: Document) -> None:
    for name in sorted(reachable(document, (operation["responses"] for _, _, operation in ours(document)))):
        schema = document["components"]["schemas"][name]
        if "properties" in schema and not name.endswith("Partial"):
            always = {field for field in schema["properties"] if not is_asked_for(schema["properties"][field])}
            assert always == set(schema.get("required", [])), name


def is_asked_for(schema: Item) -> bool:
    """Whether a property is there only where the request asks for labels."""
    return "labels=true" in schema.get("description", "")


def reachable(document: Document, parts: Iterator[Any]) -> set[str]:
    """Names of the schemas that these parts of the document lead to."""
    found: set[str] = set()
    todo = list(parts)
    while todo:
        text = json.dumps(todo.pop())
        for name in document["components"]["schemas"]:
            if f'"#/components/schemas/{name}"' in text and name not in found:
                found.add(name)
                todo.append(document["components"]["schemas"][name])
    return found


def test_every_error_is_documented_as_a_problem(document: Document) -> None:
    for _, path, operation in ours(document):
        assert "422" in operation["responses"], path
        assert "default" not in operation["responses"], path
        for status, response in operation["responses"].items():
            if not status.startswith("2"):
                (media_type,) = response["content"]
                assert media_type == "application/problem+json", (path, status)
                schema = response["content"][media_type]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (path, status)


def test_everything_is_described(document: Document) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for property_name, part in schema.get("properties", {}).items():
            assert part.get("description"), (name, property_name)
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, parameter["name"])


def test_answers_may_grow_and_requests_are_closed(document: Document) -> None:
    schemas = document["components"]["schemas"]
    answers = reachable(document, (operation["responses"] for _, _, operation in operations(document)))
    requests = reachable(
        document,
        ([operation.get("parameters"), operation.get("requestBody")] for _, _, operation in operations(document)),
    )

    assert answers & requests == set()
    for name in answers:
        for node in objects(schemas[name]):
            assert node.get("additionalProperties") is not False, name
            assert not isinstance(node.get("enum"), list), name
    assert [name for name in requests if "x-extensible-enum" in schemas[name]] == []
    bodies = [name for name in requests if "properties" in schemas[name]]
    assert {"InteractionCheck", "SearchBody"} <= set(bodies)
    assert [name for name in bodies if schemas[name].get("additionalProperties") is not False] == []
    assert set(schemas["Stance"]["x-extensible-enum"]) == set(schemas["StanceFilter"]["enum"])


def test_dates_addresses_and_decimals_have_formats(document: Document) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["Claim"]["properties"]["updated_at"]["format"] == "date-time"
    assert schemas["OverrideEntry"]["properties"]["expires_on"]["format"] == "date"
    assert schemas["ClaimLinks"]["properties"]["self"]["format"] == "uri-reference"
    assert schemas["EmbeddedCitationLinks"]["properties"]["best"]["anyOf"][0]["format"] == "uri"
    assert schemas["Estimate"]["properties"]["p_value"]["anyOf"][0]["format"] == "double"
    assert "pattern" in schemas["CitedDocument"]["properties"]["issued"]["anyOf"][0]


def test_terms_of_open_vocabularies_have_the_form_that_is_described(document: Document) -> None:
    """So that a value with control characters, which is refused for its form, does not fit the document either."""
    schemas = document["components"]["schemas"]

    for name in ("CodeSystem", "Design", "InterventionKind", "Route", "Unit"):
        assert all(re.fullmatch(schemas[name]["pattern"], term) for term in schemas[name][EXTENSIBLE])
    assert schemas["DesignFilter"]["pattern"] == schemas["Design"]["pattern"]


def test_bounds_are_written_in_keywords_of_json_schema(document: Document) -> None:
    """Pydantic's own names of bounds make generators of clients refuse the document."""
    names = {"gt", "ge", "lt", "le", "max_digits", "decimal_places", "allow_inf_nan", "min_length", "max_length"}
    for file in (document["components"]["schemas"], *map(_parsed, sorted(SCHEMAS.glob("*.json")))):
        # the value of a property that has one of these names is a schema
        found = {name: node[name] for node in objects(file) for name in names & node.keys()}
        assert {name: value for name, value in found.items() if not isinstance(value, dict)} == {}


def _parsed(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_formats_that_are_files_have_operations_of_their_own(document: Document) -> None:
    for _, path, operation in ours(document):
        content = operation["responses"]["200"]["content"]
        if "application/json" in content:
            assert not any("bibtex" in media or "research-info" in media for media in content), path


def test_reading_needs_no_key(document: Document) -> None:
    assert document["security"] == []
    for _, path, operation in operations(document):
        assert ("security" in operation) == path.startswith("/cds-services/"), path


# --- the document and the answers -----------------------------------------------------------------------------------


@dataclass
class Inspector:
    """Holds answers against a document in which no undeclared field is allowed, and remembers what it saw."""

    document: Document
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.closed = {name: _closed(schema) for name, schema in self.document["components"]["schemas"].items()}

    def inspect(self, schema: Item, value: Any) -> None:
        for error in self._validator(schema).iter_errors(value):
            raise AssertionError(f"{error.json_path}: {error.message[:300]}")
        self._note(schema, value)

    def _validator(self, schema: Item) -> Any:
        return jsonschema.Draft202012Validator({**schema, "components": {"schemas": self.closed}})

    def _note(self, schema: Item, value: Any) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            self.seen.add(name)
            schema = self.document["components"]["schemas"][name]
        choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null" and value is not None]
        for choice in choices:
            if len(choices) == 1 or self._validator(choice).is_valid(value):
                self._note(choice, value)
        if isinstance(value, dict):
            for name, part in value.items():
                others = schema.get("additionalProperties")
                self._note(schema.get("properties", {}).get(name, others if isinstance(others, dict) else {}), part)
        elif isinstance(value, list):
            for part in value:
                self._note(schema.get("items", {}), part)


def _closed(schema: Item) -> Item:
    """The schema without room for a field that it does not declare."""
    return schema if "properties" not in schema else {**schema, "additionalProperties": False}


def addresses(path: str, operation: Item, everything: Everything, tried: TriedRequests) -> Iterator[str]:
    """Requests of an operation: for a few records of the type in its path, with the queries named above."""
    paths, name = [path], operation["operationId"]
    if "{id}" in path:
        items = everything[BY_PLURAL[path.split("/")[2]].type]
        paths = [path.format(id=item["id"]) for item in (items[0], items[len(items) // 2], items[-1])]
        paths += [path.format(id=found) for found in tried.records.get(name, [])]
    elif "{intervention}" in path:
        paths = [path.format(intervention=drug, condition=condition) for drug, condition in tried.pairs]
    required = [named for named in operation.get("parameters", []) if named["required"] and named["in"] == "query"]
    least = "&".join(f"{named['name']}={quote(tried.needed[named['name']])}" for named in required)
    for found in paths:
        if name not in tried.queries or not required:
            yield f"{found}?{least}" if least else found
        for query in tried.queries.get(name, []):
            yield f"{found}?{query}"


def test_every_answer_has_the_declared_fields_and_no_other(
    client: TestClient, everything: Everything, document: Document
) -> None:
    inspector = Inspector(document)
    inspect_all(client, everything, inspector, TRIED)
    assert {"Claim", "EvidenceTrace", "StatementList", "EvidenceMap", "Brief"} <= inspector.seen


def inspect_all(client: TestClient, everything: Everything, inspector: Inspector, tried: TriedRequests) -> None:
    """Every record, and the answers of every operation."""
    for resource in RESOURCES:
        schema = {"$ref": f"#/components/schemas/{schema_name(resource.read.__name__)}"}
        for item in everything[resource.type]:
            inspector.inspect(schema, item)
    for method, path, operation in ours(inspector.document):
        if method == "get":
            for address in addresses(path, operation, everything, tried):
                answer = client.get(address)
                assert answer.status_code == 200, address
                if answer.headers["content-type"] == "application/json":
                    inspector.inspect(_json_schema(operation, "200"), answer.json())
        for body in tried.bodies[operation["operationId"]] if method != "get" else []:
            answer = client.request(method, path, json=body)
            assert answer.status_code == 200, (path, answer.text)
            inspector.inspect(_json_schema(operation, "200"), answer.json())


def _json_schema(operation: Item, status: str) -> Item:
    schema: Item = operation["responses"][status]["content"]["application/json"]["schema"]
    return schema


def test_the_inspector_refuses_what_is_not_declared(everything: Everything, document: Document) -> None:
    claim = everything["claim"][0]
    schema = {"$ref": "#/components/schemas/Claim"}
    for altered in (
        {**claim, "surprise": 1},
        {name: value for name, value in claim.items() if name != "caveat"},
        {**claim, "version": "1"},
        {**claim, "links": {**claim["links"], "surprise": "/v1"}},
    ):
        with pytest.raises(AssertionError):
            Inspector(document).inspect(schema, altered)


def test_what_fields_leave_has_a_schema_of_its_own(client: TestClient, document: Document) -> None:
    inspector, tried = Inspector(document), 0
    for _, path, operation in ours(document):
        if not any(parameter["name"] == "fields" for parameter in operation.get("parameters", [])):
            continue
        schema = operation["responses"]["200"]["content"]["application/json"]["x-partial"]
        plural = "citations" if path.endswith("/citations") else path.split("/")[2]
        address = path.format(id=client.get(f"/v1/{path.split('/')[2]}?limit=1").json()["items"][0]["id"])
        for fields in ("id", ",".join(paths_of(BY_PLURAL[plural].read)[10:40])):
            answer = client.get(f"{address}?fields={fields}&labels=true")
            assert answer.status_code == 200, answer.text
            inspector.inspect(schema, answer.json())
            tried += 1
    assert tried > 2 * 2 * len(RESOURCES)


def test_every_label_that_is_declared_is_produced_and_the_other_way_round(
    client: TestClient, document: Document
) -> None:
    inspector = Inspector(document)
    for resource in RESOURCES:
        schema = document["components"]["schemas"][schema_name(resource.read.__name__)]
        labels = {name for name in schema["properties"] if name.endswith(LABEL)}
        for item in client.get(f"{resource.path}?limit=20&labels=true").json()["items"]:
            inspector.inspect(schema, item)
            assert {name for name in item if name.endswith(LABEL)} == labels
