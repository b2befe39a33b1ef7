"""Drugs without claims are recognised everywhere, and listed only where somebody asks for all."""

import pytest
from starlette.testclient import TestClient


def test_lists_show_interventions_with_claims_unless_all_are_asked_for(client: TestClient) -> None:
    shown = {item["id"] for item in client.get("/v1/interventions", params={"limit": 200}).json()["items"]}
    every = {item["id"] for item in client.get("/v1/interventions", params={"limit": 200, "all": True}).json()["items"]}
    assert {"naltrexone", "methadone", "opioid-analgesics"} <= shown
    assert every - shown >= {"oxycodone", "kratom", "opioid-antidiarrheals"}
    by_code = client.get("/v1/interventions", params={"code": "rxnorm:1049621"}).json()["items"]
    assert [item["id"] for item in by_code] == ["oxycodone"]


def test_typeahead_suggests_them_likewise(client: TestClient) -> None:
    def suggested(text: str, **parameters: bool) -> list[str]:
        answer = client.get("/v1/suggest", params={"q": text, **parameters})
        return [item["id"] for item in answer.json()["items"]]

    assert "oxycodone" not in suggested("oxycon")
    assert suggested("oxycon", all=True) == ["oxycodone"]
    assert suggested("naltr", all=True)[0] == "naltrexone"


@pytest.mark.parametrize(
    ("identifier", "drug"),
    [
        ("rxnorm:1049621", "oxycodone"),
        ("RxNorm:7804", "oxycodone"),
        ("ndc:70040-0167-01", "benzhydrocodone"),
        ("ATC:N02AX97", "opioid-analgesics"),
        ("unii:76i7g6d29c", "morphine"),
    ],
)
def test_resolve_sees_all(client: TestClient, identifier: str, drug: str) -> None:
    answer = client.get("/v1/resolve", params={"identifier": identifier})
    assert [item["id"] for item in answer.json()["items"]] == [drug]


def test_a_class_lists_its_members_and_a_rule_its_claims(client: TestClient) -> None:
    opioids = client.get("/v1/interventions/opioid-analgesics").json()
    assert opioids["kind"] == "class"
    assert {"id": "oxycodone", "name": "Oxycodone"} in opioids["members"]
    (rule,) = client.get(
        "/v1/interaction-rules", params={"severity": "contraindicated", "intervention": "naltrexone"}
    ).json()["items"]
    assert rule["override_reasons"][0]["code"] == "opioid-already-stopped"
    assert all(entry["claims"] for entry in rule["claims"])
