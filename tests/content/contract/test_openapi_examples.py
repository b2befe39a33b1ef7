"""The OpenAPI document as it is served with the shipped data set: its examples are real, every field is produced."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from tests.contract.breaking import Document
from tests.contract.support import Item
from tests.contract.test_openapi import (
    REGENERATE,
    Everything,
    Inspector,
    TriedRequests,
    addresses,
    inspect_all,
    ours,
    reachable,
)  # fmt: skip
from tests.examples import POSTED, REQUESTS

TRIED = TriedRequests(
    queries={
        "getCoverage": [
            "intervention=low-dose-naltrexone&condition=fibromyalgia",
            "intervention=low-dose-naltrexone&condition=lupus",
            "intervention=low-dose-naltrexone&side_effect=insomnia",
            "intervention=naltrexone&interactant=methadone",
        ],
        "getEvidenceMap": ["intervention=low-dose-naltrexone"],
        "resolve": ["identifier=pmid:23359310", "identifier=icd10cm:G35.A", "identifier=nct:NCT00568555"],
        "listClaims": [
            "intervention=low-dose-naltrexone&condition=lupus",
            "dose=1.5..4.5%20mg&limit=200",
            "citations=top&facets=true",
        ],
    },
    records={
        "getClaimEvidence": ["ldn-fibromyalgia-pain"],
        "listDocumentStatements": ["swing-care-ldn-fibromyalgia"],
    },
    needed={"q": "ldn fibromyalgia pain", "intervention": "low-dose-naltrexone", "identifier": "pmid:23359310"},
    pairs=(("low-dose-naltrexone", "fibromyalgia"), ("low-dose-naltrexone", "lupus")),
    bodies={},
)
ELSEWHERE = {
    "Override", "OverrideEntry", "Notice", "Sentence", "MissingRecord", "Subgroup", "SubgroupRef", "SubgroupBasis",
    "SubgroupFinding", "Extent", "CitationStrength", "CitationQuote", "QuoteLocator",
}  # fmt: skip
"""Schemas of what the seed data does not hold: nothing is overridden, no document has a notice, no claim restates or is
about a subgroup, no citation has qualifiers or quotations; no address of the test asks for an id that is missing."""


def test_the_served_document_is_what_the_code_says(client: TestClient, document: Document) -> None:
    assert client.get("/openapi.json").json() == document


def test_every_answer_has_the_declared_fields_and_every_declared_field_is_produced(
    client: TestClient, everything: Everything, document: Document
) -> None:
    inspector = Inspector(document)
    bodies = {operation["operationId"]: _body_examples(operation) for _, _, operation in ours(document)}
    inspect_all(client, everything, inspector, replace(TRIED, bodies=bodies))
    declared = reachable(document, (operation["responses"] for _, _, operation in ours(document)))

    partial = {name for name in declared if name.endswith(("Partial", "PartialList"))}  # a test of their own
    assert declared - inspector.seen - partial - {"Problem", "ProblemError"} <= ELSEWHERE


def _body_examples(operation: Item) -> list[Any]:
    contents = operation.get("requestBody", {}).get("content", {}).values()
    return [example["value"] for content in contents for example in content.get("examples", {}).values()]


def test_every_example_of_a_parameter_works(client: TestClient, everything: Everything, document: Document) -> None:
    tried = 0
    for method, path, operation in ours(document):
        if method != "get":
            continue
        address, _, query = next(addresses(path, operation, everything, TRIED)).partition("?")
        for parameter in operation.get("parameters", []):
            others = [part for part in query.split("&") if part and not part.startswith(f"{parameter['name']}=")]
            for example in _examples(parameter):
                for value in example if isinstance(example, list) else [example]:
                    asked = "&".join([*others, f"{parameter['name']}={quote(str(value))}"])
                    answer = client.get(f"{address}?{asked}")
                    assert answer.status_code == 200, (path, asked, answer.text)
                    tried += 1
    assert tried


def _examples(parameter: Item) -> list[Any]:
    named = (
        [example["value"] for example in parameter.get("examples", {}).values()] if parameter.get("examples") else []
    )
    single = [parameter["example"]] if "example" in parameter else []
    return [*named, *single, *parameter["schema"].get("examples", [])]


def test_every_required_parameter_and_body_has_an_example(document: Document) -> None:
    for _, path, operation in ours(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query" and parameter["required"]:
                assert _examples(parameter), (path, parameter["name"])
        if "requestBody" in operation:
            assert _body_examples(operation), path


def test_every_example_of_an_answer_is_a_real_one(client: TestClient, document: Document) -> None:
    """Its summary is the request that it answers; only the times of publication may differ."""
    shown = 0
    for _, path, operation in ours(document):
        for content in operation["responses"]["200"]["content"].values():
            for example in content.get("examples", {}).values():
                method, _, address = example["summary"].partition(" ")
                body = POSTED[operation["operationId"]].body if method == "POST" else None
                answer = client.request(method, address, json=body)
                assert answer.status_code == 200, (path, address)
                assert _timeless(answer.json()) == _timeless(example["value"]), f"{path}: {REGENERATE}"
                shown += 1
    assert shown == len(REQUESTS) + len(POSTED)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        times = ("updated_at", "published_at", "how_to_cite")
        return {name: _timeless(part) for name, part in value.items() if name not in times}
    return [_timeless(part) for part in value] if isinstance(value, list) else value
