"""Diagnoses of the liver, and allergies to naltrexone, as the shipped data set reads them."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.cds_hooks.settings import CdsSettings
from tests.cds_hooks.support import Json, bundle, cds_client, request, rules
from tests.cds_hooks.test_patient_checks import allergy, condition, status
from tests.conftest import Engine
from tests.content.cds_hooks.support import LDN, cards

LIVER, ALLERGY = "ldn-liver-disease", "ldn-hypersensitivity"


@pytest.fixture(scope="module")
def caller(engine: Engine) -> Iterator[TestClient]:
    with cds_client(engine.original, CdsSettings(services=(LIVER, ALLERGY))) as caller:
        yield caller


def fired(caller: TestClient, service: str, prefetch: Json, draft: Json = LDN) -> list[Json]:
    return cards(caller, {**request(draft), "prefetch": prefetch}, service)


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

    assert rules([card]) == ["naltrexone-drafted-liver-disease"]
    assert card["indicator"] == "warning"
    assert "naltrexone-liver-warning" in card["links"][0]["url"]
    assert "was taken off the injection label" in card["detail"]


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
        allergy("Naltrexone"),
        allergy("Vivitrol", **status("clinicalStatus", "active")),
        allergy("Drug allergy", reaction=[{"substance": {"text": "naltrexone hydrochloride"}}]),
    ],
)
def test_an_allergy_to_naltrexone_is_critical(caller: TestClient, found: Json) -> None:
    (card,) = fired(caller, ALLERGY, {"allergies": bundle(found)})

    assert rules([card]) == ["naltrexone-drafted-hypersensitivity"]
    assert card["indicator"] == "critical"
    assert "must not be given to people who are hypersensitive" in card["detail"]
    assert len(f"{card['summary']} {card['detail']}".split()) <= 90
    assert card["suggestions"]


@pytest.mark.parametrize(
    "found",
    [
        allergy("Penicillin"),
        allergy("Methylnaltrexone"),
        allergy("Naltrexone", type="intolerance"),
        allergy("Naltrexone", **status("verificationStatus", "entered-in-error")),
        allergy("Naltrexone", **status("clinicalStatus", "inactive")),
    ],
)
def test_other_allergies_are_not(caller: TestClient, found: Json) -> None:
    assert fired(caller, ALLERGY, {"allergies": bundle(found)}) == []
