"""Harm is inherited by regimens from their drug and by members from their class, each step marked; benefit never."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.publishing.changes import Change
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, citation, content, put, record, wording
from tests.publishing.test_filters import assert_in_step

SAFETY: dict[str, Any] = {"kind": "safety", "effect": "causes", "outcome": None, "conditions": []}


def harm(claim_id: str, about: str, **fields: Any) -> Change:
    cited = [citation(f"cit-{claim_id}", "paper-b", "trial-b")]
    chosen = {**SAFETY, "intervention": about, "side_effects": ["insomnia"], "citations": cited, **fields}
    return record("claim", claim_id, **chosen)


@pytest.fixture
def family(small: Database) -> Database:
    """drug-low → drug → group → wide, and claims of harm on each of the upper three."""
    put(
        small,
        record("intervention", "group", name="Blockers", kind="class", members=["drug"], parent="wide"),
        record("intervention", "wide", name="Agents", kind="class"),
    )
    put(
        small,
        harm("harm-of-group", "group"),
        harm("harm-of-wide", "wide", conditions=["ache"]),
        record("claim", "benefit-of-group", intervention="group", wording=wording()),
    )
    return small


@pytest.fixture
def reader(family: Database) -> Any:
    with serving(family.url.render_as_string(hide_password=False)) as client:
        yield client


def harms(client: TestClient, intervention: str) -> dict[str, Any]:
    """Claims that the list for the intervention holds beside its own → how they are inherited."""
    items = client.get("/v1/claims", params={"intervention": intervention, "limit": 200}).json()["items"]
    return {item["id"]: item["inheritance"] for item in items if item["intervention"]["id"] != intervention}


def test_a_list_holds_the_harms_of_all_above_each_step_marked(reader: TestClient) -> None:
    inherited = harms(reader, "drug-low")
    assert inherited.keys() == {"drug-causes-insomnia", "harm-of-group", "harm-of-wide"}
    assert inherited["drug-causes-insomnia"] == {
        "text": "Said of drug, the drug, at its usual doses.",
        "steps": [
            {
                "relation": "drug_of_regimen",
                "intervention": {"id": "drug", "name": "drug"},
                "text": "Said of drug, the drug, at its usual doses.",
            }
        ],
    }
    assert [step["relation"] for step in inherited["harm-of-wide"]["steps"]] == [
        "drug_of_regimen",
        "class_of_drug",
        "wider_class",
    ]
    assert [step["intervention"]["id"] for step in inherited["harm-of-wide"]["steps"]] == ["drug", "group", "wide"]
    assert inherited["harm-of-group"]["text"] == (
        "Said of blockers, a class of drugs that includes drug, at their usual doses."
    )
    assert harms(reader, "drug")["harm-of-group"]["text"] == "Said of blockers, a class of drugs that includes drug."
    assert harms(reader, "drug").keys() == {"harm-of-group", "harm-of-wide"}
    assert harms(reader, "group").keys() == {"harm-of-wide"}
    assert harms(reader, "wide") == {}
    assert harms(reader, "other-drug") == {}


def test_what_was_asked_for_itself_is_not_inherited(reader: TestClient) -> None:
    both = reader.get("/v1/claims?intervention=drug-low&intervention=drug&limit=200").json()["items"]
    marked = {item["id"]: item["inheritance"] for item in both}
    assert marked["drug-causes-insomnia"] is None
    assert [step["relation"] for step in marked["harm-of-group"]["steps"]] == ["class_of_drug"]
    assert reader.get("/v1/claims/harm-of-group").json()["inheritance"] is None


def test_the_mark_stays_whatever_is_left_out(reader: TestClient) -> None:
    items = reader.get("/v1/claims?intervention=drug-low&fields=id&dose=4.5%20mg&limit=200").json()["items"]
    assert {item["id"] for item in items if item["inheritance"]} == {
        "drug-causes-insomnia",
        "harm-of-group",
        "harm-of-wide",
    }


def test_a_record_lists_the_warnings_that_it_inherits_the_nearest_first(reader: TestClient) -> None:
    warned = reader.get("/v1/interventions/drug-low").json()["inherited_warnings"]
    assert [warning["id"] for warning in warned] == ["drug-causes-insomnia", "harm-of-group", "harm-of-wide"]
    assert warned[2]["inheritance"] == harms(reader, "drug-low")["harm-of-wide"]
    page = reader.get("/interventions/drug-low").text
    assert "Said of blockers, a class of drugs that includes drug, at their usual doses." in page


def test_a_brief_and_a_page_on_the_regimen_show_them(reader: TestClient) -> None:
    brief = reader.get("/v1/briefs/drug-low/ache").json()
    shown = {s["claim_id"]: s for section in brief["sections"] for s in section["statements"]}
    assert shown["harm-of-group"]["inherited_from"] == {"id": "group", "name": "Blockers"}
    assert [step["intervention"]["id"] for step in shown["harm-of-group"]["inheritance"]["steps"]] == ["drug", "group"]
    assert "benefit-of-group" not in shown
    said = "Said of blockers, a class of drugs that includes drug, at their usual doses."
    assert said in reader.get("/v1/briefs/drug-low/ache?format=markdown").text
    assert said in reader.get("/conditions/ache?intervention=drug-low").text
    coverage = reader.get("/v1/coverage?intervention=drug-low&condition=ache").json()
    assert "harm-of-wide" in str(coverage)


def test_fhir_says_for_whom_a_warning_of_a_class_holds(reader: TestClient) -> None:
    use = reader.get("/fhir/r5/ClinicalUseDefinition/harm-of-group").json()
    assert [subject["reference"] for subject in use["subject"]] == [
        "Substance/group",
        "Substance/drug",
        "Substance/drug-low",
    ]
    assert "members inherit the harms of their class" in use["text"]["div"]
    issues = reader.get("/fhir/r5/MedicationKnowledge/drug-low").json()["clinicalUseIssue"]
    assert {"reference": "ClinicalUseDefinition/harm-of-wide"} in issues


def test_an_interaction_names_the_steps_on_both_sides(family: Database, reader: TestClient) -> None:
    put(
        family,
        record("intervention", "met", name="Met drugs", kind="class", members=["other-drug"]),
        harm("no-met", "group", kind="interaction", effect="interacts", side_effects=[], interactants=["met"]),
    )
    drugs = {"drugs": [{"id": "other-drug"}, {"id": "drug-low"}]}
    (pair,) = reader.post("/v1/interaction-checks", json=drugs).json()["pairs"]
    (claim,) = pair["claims"]
    assert [step["relation"] for step in claim["inheritance"]["steps"]] == ["drug_of_regimen", "class_of_drug"]
    assert [step["relation"] for step in claim["interactant_inheritance"]["steps"]] == ["class_of_drug"]


def test_filters_and_warnings_follow_who_joins_and_leaves_a_class(family: Database, reader: TestClient) -> None:
    assert_in_step(family)
    put(family, amended(content(family, "intervention", "group"), members=["other-drug"]))
    assert_in_step(family)
    assert harms(reader, "drug-low").keys() == {"drug-causes-insomnia"}
    assert harms(reader, "other-drug").keys() == {"harm-of-group", "harm-of-wide"}
    assert len(reader.get("/v1/interventions/other-drug").json()["inherited_warnings"]) == 2
    assert len(reader.get("/v1/interventions/drug-low").json()["inherited_warnings"]) == 1
    put(family, amended(content(family, "intervention", "group"), parent=None))
    assert_in_step(family)
    assert harms(reader, "other-drug").keys() == {"harm-of-group"}


def test_a_retired_class_passes_nothing_on(family: Database, reader: TestClient) -> None:
    assert "harm-of-wide" in harms(reader, "drug-low")
    put(
        family,
        *(amended(content(family, "claim", one), status="retired") for one in ("harm-of-group", "benefit-of-group")),
    )
    put(family, amended(content(family, "intervention", "group"), status="retired"))

    assert harms(reader, "drug-low").keys() == {"drug-causes-insomnia"}
    assert harms(reader, "drug") == {}
    warnings = reader.get("/v1/interventions/drug-low").json()["inherited_warnings"]
    assert [warning["id"] for warning in warnings] == ["drug-causes-insomnia"]
    assert_in_step(family)


def test_a_new_claim_on_a_class_reaches_what_is_below(family: Database, reader: TestClient) -> None:
    put(family, harm("another", "wide"))
    assert_in_step(family)
    assert "another" in harms(reader, "drug-low")
    warned = reader.get("/v1/interventions/drug-low").json()["inherited_warnings"]
    assert "another" in {warning["id"] for warning in warned}


def test_a_search_for_the_drug_finds_the_warning_of_its_class(reader: TestClient) -> None:
    found = reader.get("/v1/search?q=drug-low+insomnia&type=claim").json()["items"]
    assert {"harm-of-group", "harm-of-wide"} <= {item["id"] for item in found}
