"""Two services that an operator may switch on: diagnoses of the liver, and allergies to zelvane."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.cds_hooks.settings import CdsSettings
from tests.cds_hooks.support import LDZ, Json, bundle, cards, cds_client, order, request, rules
from tests.conftest import Engine

LIVER, ALLERGY = "zelvane-liver-disease", "zelvane-hypersensitivity"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


@pytest.fixture(scope="module")
def caller(engine: Engine) -> Iterator[TestClient]:
    with cds_client(engine.original, CdsSettings(services=(LIVER, ALLERGY))) as caller:
        yield caller


def condition(code: str | None = None, text: str | None = None, **fields: Any) -> Json:
    concept: Json = ({"coding": [{"system": ICD, "code": code}]} if code else {}) | ({"text": text} if text else {})
    return {"resourceType": "Condition", "id": "1", "code": concept, **fields}


def allergy(text: str, **fields: Any) -> Json:
    return {"resourceType": "AllergyIntolerance", "id": "1", "code": {"text": text}, **fields}


def status(name: str, code: str) -> Json:
    return {name: {"coding": [{"code": code}]}}


def fired(caller: TestClient, service: str, prefetch: Json, draft: Json = LDZ) -> list[Json]:
    return cards(caller, {**request(draft), "prefetch": prefetch}, service)


def test_they_are_off_unless_an_operator_names_them(engine: Engine, caller: TestClient) -> None:
    services = {service["id"]: service for service in caller.get("/cds-services").json()["services"]}
    assert set(services[LIVER]["prefetch"]) == {"conditions"}
    assert set(services[ALLERGY]["prefetch"]) == {"allergies"}
    with cds_client(engine.original, CdsSettings()) as other:
        assert other.post(f"/cds-services/{LIVER}", json=request(LDZ)).status_code == 404


@pytest.mark.parametrize(
    "found",
    [
        condition("K74.60"),
        condition("B18.2"),
        condition(text="Acute hepatitis"),
        condition(text="Liver failure"),
        condition("K72", **status("clinicalStatus", "active")),
    ],
)
def test_a_disease_of_the_liver_is_told(caller: TestClient, found: Json) -> None:
    (card,) = fired(caller, LIVER, {"conditions": bundle(found)})

    assert rules([card]) == ["zelvane-drafted-liver-disease"]
    assert card["indicator"] == "warning"
    assert "zelvane-liver-warning" in card["links"][0]["url"]
    assert "The label warns of injury to the liver." in card["detail"]


@pytest.mark.parametrize(
    "found",
    [
        condition("I10"),
        condition("K80.20"),
        condition(text="Hepatitis B vaccination"),
        condition(text="Family history of cirrhosis"),
        condition("K74.60", **status("clinicalStatus", "resolved")),
        condition("K74.60", **status("verificationStatus", "refuted")),
    ],
)
def test_other_diagnoses_are_not(caller: TestClient, found: Json) -> None:
    assert fired(caller, LIVER, {"conditions": bundle(found)}) == []


@pytest.mark.parametrize(
    "found",
    [
        allergy("Zelvane"),
        allergy("Zelstay", **status("clinicalStatus", "active")),
        allergy("Drug allergy", reaction=[{"substance": {"text": "zelvane hydrochloride"}}]),
    ],
)
def test_an_allergy_to_zelvane_is_critical(caller: TestClient, found: Json) -> None:
    (card,) = fired(caller, ALLERGY, {"allergies": bundle(found)})

    assert rules([card]) == ["zelvane-drafted-hypersensitivity"]
    assert card["indicator"] == "critical"
    assert "must not be given to people allergic to it" in card["detail"]
    assert len(f"{card['summary']} {card['detail']}".split()) <= 90
    assert card["suggestions"]


@pytest.mark.parametrize(
    "found",
    [
        allergy("Penicillin"),
        allergy("Methylzelvane"),
        allergy("Zelvane", type="intolerance"),
        allergy("Zelvane", **status("verificationStatus", "entered-in-error")),
        allergy("Zelvane", **status("clinicalStatus", "inactive")),
    ],
)
def test_other_allergies_are_not(caller: TestClient, found: Json) -> None:
    assert fired(caller, ALLERGY, {"allergies": bundle(found)}) == []


@pytest.mark.parametrize(("service", "name"), [(LIVER, "conditions"), (ALLERGY, "allergies")])
def test_a_list_that_is_missing_is_told(caller: TestClient, service: str, name: str) -> None:
    refused = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}

    assert fired(caller, service, {name: None}) == []
    assert rules(fired(caller, service, {name: refused})) == ["record-check-incomplete"]
    assert caller.post(f"/cds-services/{service}", json={**request(LDZ), "prefetch": {}}).status_code == 412
    assert fired(caller, service, {}, order("d", "Ibuprofen")) == []
