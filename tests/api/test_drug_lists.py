"""Drugs without claims are recognised everywhere, and listed only where somebody asks for all."""

import pytest
from starlette.testclient import TestClient


def test_lists_show_interventions_with_claims_unless_all_are_asked_for(client: TestClient) -> None:
    shown = {item["id"] for item in client.get("/v1/interventions", params={"limit": 200}).json()["items"]}
    every = {item["id"] for item in client.get("/v1/interventions", params={"limit": 200, "all": True}).json()["items"]}
    assert {"zelvane", "metlort", "lorts"} <= shown
    assert every - shown >= {"oxilort", "pondine", "ponds"}
    by_code = client.get("/v1/interventions", params={"code": "rxnorm:9990100"}).json()["items"]
    assert [item["id"] for item in by_code] == ["oxilort"]


def test_typeahead_suggests_them_likewise(client: TestClient) -> None:
    def suggested(text: str, **parameters: bool) -> list[str]:
        answer = client.get("/v1/suggest", params={"q": text, **parameters})
        return [item["id"] for item in answer.json()["items"]]

    assert "oxilort" not in suggested("oxine")
    assert suggested("oxine", all=True) == ["oxilort"]
    assert suggested("zelva", all=True)[0] == "zelvane"


@pytest.mark.parametrize(
    ("identifier", "drug"),
    [
        ("rxnorm:9990100", "oxilort"),
        ("RxNorm:9990201", "pondine"),
        ("ndc:99990-0167-01", "pondine"),
        ("ATC:N97AX97", "ponds"),
        ("unii:9x9x9x9x9x", "pondine"),
    ],
)
def test_resolve_sees_all(client: TestClient, identifier: str, drug: str) -> None:
    answer = client.get("/v1/resolve", params={"identifier": identifier})
    assert [item["id"] for item in answer.json()["items"]] == [drug]


def test_a_class_lists_its_members_and_a_rule_its_claims(client: TestClient) -> None:
    lorts = client.get("/v1/interventions/lorts").json()
    assert lorts["kind"] == "class"
    assert {"id": "oxilort", "name": "Oxilort"} in lorts["members"]
    (rule,) = client.get(
        "/v1/interaction-rules", params={"severity": "contraindicated", "intervention": "zelvane"}
    ).json()["items"]
    assert rule["override_reasons"][0]["code"] == "lort-already-stopped"
    assert all(entry["claims"] for entry in rule["claims"])
