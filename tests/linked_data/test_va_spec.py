"""Every claim as a VA-Spec Statement, read by the classes of GA4GH's reference implementation."""

import warnings
from typing import Any

import pytest
from starlette.testclient import TestClient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own making
    from ga4gh.va_spec.base.core import Document, EvidenceLine, Method, Proposition, Statement

CLAIM = "/v1/claims/ldz-murmuria-pain"


class GeneralStatement(Statement):  # type: ignore[misc] # the library is not typed
    """The library's Statement takes propositions on variants alone; the standard takes any, as this does."""

    proposition: Proposition


@pytest.fixture(scope="module")
def statements(client: TestClient) -> dict[str, dict[str, Any]]:
    ids = [item["id"] for item in client.get("/v1/claims?limit=200").json()["items"]]
    return {claim: client.get(f"/v1/claims/{claim}?format=va-spec").json() for claim in ids}


def test_every_claim_loads_and_loses_nothing(statements: dict[str, dict[str, Any]]) -> None:
    assert len(statements) >= 50
    for statement in statements.values():
        loaded = GeneralStatement.model_validate(statement)
        assert loaded.model_dump(mode="json", exclude_none=True) == statement


def test_its_parts_are_what_they_say(statements: dict[str, dict[str, Any]]) -> None:
    statement = statements["ldz-murmuria-pain"]
    Method.model_validate(statement["specifiedBy"])
    for line in statement["hasEvidenceLines"]:
        EvidenceLine.model_validate(line)
        for document in line["reportedIn"]:
            Document.model_validate(document)


def test_direction_and_strength_are_those_of_the_grade(client: TestClient, statements: dict[str, Any]) -> None:
    evidence = client.get(CLAIM).json()["evidence"]
    statement = statements["ldz-murmuria-pain"]
    assert statement["direction"] == evidence["leaning"]
    assert statement["strength"]["primaryCoding"]["code"] == evidence["certainty"]
    assert statement["classification"]["primaryCoding"]["code"] == evidence["verdict"]["code"]
    extensions = {entry["name"]: entry["value"] for entry in statement["extensions"]}
    assert extensions["answer"] == evidence["answer"]
    assert extensions["tone"] == evidence["verdict"]["tone"]


def test_caveat_and_both_sides_travel_with_the_statement(client: TestClient, statements: dict[str, Any]) -> None:
    shown = client.get(CLAIM).json()
    extensions = {entry["name"]: entry["value"] for entry in statements["ldz-murmuria-pain"]["extensions"]}
    assert extensions["caveat"] == shown["caveat"]
    assert extensions["supports"] == shown["evidence"]["by_stance"]["supports"]
    assert extensions["disputes"] == shown["evidence"]["by_stance"]["disputes"]
    lines = statements["ldz-murmuria-pain"]["hasEvidenceLines"]
    assert {line["directionOfEvidenceProvided"] for line in lines} >= {"supports", "disputes"}
