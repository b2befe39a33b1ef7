"""Every claim and document of the shipped data set as JSON-LD, and every claim as a VA-Spec Statement."""

import pytest
from starlette.testclient import TestClient

from tests.linked_data.terms import graph_of, unknown_terms
from tests.linked_data.test_va_spec import GeneralStatement

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own use of it


@pytest.mark.parametrize("kind", ["claims", "documents"])
def test_every_shipped_record_expands_to_terms_that_exist(client: TestClient, kind: str) -> None:
    ids = [item["id"] for item in client.get(f"/v1/{kind}?limit=200").json()["items"]]
    assert len(ids) > 50
    for record in ids:
        graph = graph_of(client, f"/v1/{kind}/{record}")
        assert len(graph) > 3
        assert unknown_terms(graph) == set()


def test_every_shipped_claim_loads_and_loses_nothing(client: TestClient) -> None:
    ids = [item["id"] for item in client.get("/v1/claims?limit=200").json()["items"]]
    assert len(ids) > 50
    for claim in ids:
        statement = client.get(f"/v1/claims/{claim}?format=va-spec").json()
        loaded = GeneralStatement.model_validate(statement)
        assert loaded.model_dump(mode="json", exclude_none=True) == statement
