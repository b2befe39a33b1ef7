"""Wherever harm of the drug or of its class is shown for somebody else, it says of whom it is said."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.conftest import Engines, serving

OF_THE_DRUG = "Said of zelvane, the drug, at its usual doses."
OF_THE_CLASS = "Said of vanes, a class of drugs that includes zelvane, at their usual doses."
INHERITED = {"zelvane-liver-warning": OF_THE_DRUG, "vanes-pregnancy-warning": OF_THE_CLASS}


@pytest.fixture(scope="module")
def reader(engines: Engines) -> Iterator[TestClient]:
    with serving(engines("sqlite").original) as client:
        yield client


def _tool(reader: TestClient, name: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    answer = reader.post("/mcp", json=message, headers={"Accept": "application/json, text/event-stream"})
    result = answer.json()["result"]
    return result["structuredContent"], result["content"][0]["text"]


def test_in_a_table_of_claims(reader: TestClient) -> None:
    def inheritances(intervention: str) -> dict[str, str]:
        answer = reader.get("/v1/claims.csv", params={"intervention": intervention})
        return {row["id"]: row["inheritance"] for row in csv.DictReader(io.StringIO(answer.text))}

    low_dose, drug = inheritances("low-dose-zelvane"), inheritances("zelvane")
    assert {claim: low_dose[claim] for claim in INHERITED} == INHERITED
    assert low_dose["ldz-nausea"] == ""
    assert drug["zelvane-liver-warning"] == ""
    assert drug["vanes-pregnancy-warning"] == "Said of vanes, a class of drugs that includes zelvane."


def test_to_an_assistant_that_asks_for_a_brief(reader: TestClient) -> None:
    brief, text = _tool(reader, "get_brief", intervention="low-dose-zelvane", condition="murmuria")
    marked = {claim["id"]: claim["inheritance"] for claim in brief["claims"] if claim["inheritance"]}
    assert marked
    assert set(marked.values()) <= {OF_THE_DRUG, OF_THE_CLASS}
    for line in marked.values():
        assert f"Must be said: {line}" in text
    assert brief["headline"]["inheritance"] is None


def test_to_an_assistant_that_checks_drugs(reader: TestClient) -> None:
    checked, text = _tool(reader, "check_interactions", drugs=[{"id": "low-dose-zelvane"}, {"id": "oxilort"}])
    (warning, *_) = [claim for claim in checked["claims"] if claim["id"] == "zelvane-lort-contraindication"]
    assert warning["inheritance"] == f"{OF_THE_DRUG} Said of lorts, a class of drugs that includes oxilort."
    assert warning["inheritance"] in text


def test_in_a_record_system(reader: TestClient) -> None:
    params = {"mainSearchCriteria.v.dn": "low-dose zelvane", "knowledgeResponseType": "application/json"}
    answer = reader.get("/infobutton", params=params)
    assert answer.status_code == 200, answer.text
    shown = str(answer.json())
    for line in INHERITED.values():
        assert line in shown
    page = reader.get("/infobutton", params={**params, "knowledgeResponseType": "text/html"})
    assert all(line in page.text for line in INHERITED.values())
