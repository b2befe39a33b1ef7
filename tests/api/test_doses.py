"""Doses of any period sort, filter and stand in the bands of their intervention exactly."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.publishing import indexes
from app.storage import schema
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, content, put, record, tell_bands

WEEKLY: dict[str, Any] = {
    "unit": "mg",
    "per": "week",
    "bands": [
        {"value": "starting", "label": "Starting", "definition": "Below 1 mg a week.", "below": 1},
        {"value": "full", "label": "Full dose", "definition": "1 mg a week and more."},
    ],
}
UNREAD = {"monthly", "by-weight", "units", "dose"}
"""Doses that cannot be compared; of one nobody read how often."""
WEEK = {"count": 1, "period": 1, "period_unit": "wk"}


def dose(dose_id: str, amount: float, unit: str = "mg", **schedule: Any) -> Any:
    return record(
        "dosing_range", dose_id, intervention="drug-low", low=amount, high=amount, unit=unit, schedule=schedule or WEEK
    )


@pytest.fixture
def doses(small: Database) -> Database:
    put(
        small,
        dose("weekly", 2.4),
        dose("weekly-start", 0.25),
        dose("daily", 0.3, count=1, period=1, period_unit="d"),
        dose("cycle", 10, count=3, period=28, period_unit="cycle"),
        dose("monthly", 300, count=1, period=1, period_unit="mo"),
        dose("by-weight", 1, "mg/kg"),
        dose("units", 100, "[iU]"),
        record(
            "study",
            "trial-a",
            participants=40,
            conditions=["ache"],
            arms=[{"name": "Weekly", "role": "intervention", "dose_low": 2.4, "dose_high": 2.4, "dose_unit": "mg/wk"}],
        ),
    )
    return small


@pytest.fixture
def reader(doses: Database) -> Iterator[TestClient]:
    with serving(doses.url.render_as_string(hide_password=False)) as client:
        yield client


def ids(client: TestClient, query: str) -> list[str]:
    return [item["id"] for item in client.get(f"/v1/dosing-ranges?limit=100&{query}").json()["items"]]


def test_doses_of_all_periods_sort_by_their_exact_totals(reader: TestClient) -> None:
    order = ids(reader, "sort=dose")
    assert order[:4] == ["weekly-start", "daily", "weekly", "cycle"]
    assert set(order[4:]) == UNREAD, "what cannot be compared comes last"
    pages: list[str] = []
    address: str | None = "/v1/dosing-ranges?sort=dose&limit=2"
    while address:
        answer = reader.get(address).json()
        pages += [item["id"] for item in answer["items"]]
        address = answer["next"]
    assert pages == order


def test_an_answer_states_the_exact_total(reader: TestClient) -> None:
    weekly = reader.get("/v1/dosing-ranges/weekly").json()
    assert weekly["low_amount"] == weekly["high_amount"] == {"picograms": 2_400_000_000, "days": 7}
    assert weekly["low_pg_per_day"] is None
    daily = reader.get("/v1/dosing-ranges/daily").json()
    assert daily["low_amount"] == {"picograms": 300_000_000, "days": 1}
    assert daily["low_pg_per_day"] == 300_000_000
    for unread in ("monthly", "by-weight", "units"):
        assert reader.get(f"/v1/dosing-ranges/{unread}").json()["low_amount"] is None
    cycle = reader.get("/v1/dosing-ranges/cycle").json()
    assert cycle["low_amount"] == {"picograms": 7_500_000_000, "days": 7}


def test_a_weekly_dose_filters_to_the_picogram(reader: TestClient) -> None:
    assert set(ids(reader, "dose=2.4%20mg/wk")) == UNREAD | {"weekly"}
    assert set(ids(reader, "dose=2.400000001..9%20mg/wk")) == UNREAD | {"cycle"}
    assert set(ids(reader, "dose=..2.399999999%20mg/wk")) == UNREAD | {"weekly-start", "daily"}
    assert set(ids(reader, "dose=0.3%20mg")) == UNREAD | {"daily"}


def test_the_dose_of_a_trial_by_the_week_chooses_claims_and_marks_citations(reader: TestClient) -> None:
    def matches(expression: str) -> list[str]:
        found = reader.get("/v1/claims", params={"id": "drug-eases-ache", "dose": expression}).json()["items"]
        return [c["dose_match"] for claim in found for c in claim["citations"] if c["id"] == "cit-a"]

    assert matches("2.4 mg/wk") == ["overlaps"]
    assert matches("2.4 mg") == matches("2.399999999 mg/wk") == [], "every dose of the claim that was read is another"
    asked = reader.get("/v1/claims?id=drug-eases-ache&dose=2.4%20mg/wk").json()["dose"]
    assert asked["low_amount"] == {"picograms": 2_400_000_000, "days": 7}


def test_bands_come_from_the_manifest_and_hold_for_regimens(doses: Database, reader: TestClient) -> None:
    assert reader.get("/v1/dosing-ranges/weekly").json()["tiers"] == []
    assert reader.get("/v1/dosing-ranges?tier=full").status_code == 422
    tell_bands(doses, "drug", **WEEKLY)
    weekly = reader.get("/v1/dosing-ranges/weekly").json()
    assert weekly["tiers"] == ["full"]
    assert weekly["bands"] == [{"value": "full", "label": "Full dose", "definition": "1 mg a week and more."}]
    assert reader.get("/v1/dosing-ranges/weekly-start").json()["tiers"] == ["starting"]
    assert reader.get("/v1/dosing-ranges/units").json()["tiers"] == []
    assert set(ids(reader, "tier=full")) == {"weekly", "daily", "cycle"}
    refused = reader.get("/v1/dosing-ranges?tier=fill")
    assert refused.json()["errors"][0]["did_you_mean"] == ["full"]
    named = {vocabulary["name"]: vocabulary for vocabulary in reader.get("/v1/vocabularies").json()["items"]}
    assert [term["label"] for term in named["dose_tier"]["terms"]] == ["Starting", "Full dose"]
    page = reader.get("/dosing-ranges").text
    assert "Full dose: 1 mg and more" in page
    assert "2.4 mg a week" in page
    tell_bands(doses, "other-drug", **WEEKLY)
    assert reader.get("/v1/dosing-ranges/weekly").json()["tiers"] == []
    assert ids(reader, "tier=full") == []


def test_bands_of_a_class_follow_who_joins_and_leaves_it(doses: Database, reader: TestClient) -> None:
    put(doses, record("intervention", "group", kind="class", members=["drug"]))
    tell_bands(doses, "group", **WEEKLY)
    assert reader.get("/v1/dosing-ranges/weekly").json()["tiers"] == ["full"]

    put(doses, amended(content(doses, "intervention", "group"), members=["other-drug"]))
    assert reader.get("/v1/dosing-ranges/weekly").json()["tiers"] == []
    assert ids(reader, "tier=full") == []

    put(doses, amended(content(doses, "intervention", "group"), members=["other-drug", "drug"]))
    assert reader.get("/v1/dosing-ranges/weekly").json()["tiers"] == ["full"]
    assert "weekly" in ids(reader, "tier=full")


def test_the_migration_keeps_doses_and_bands(doses: Database) -> None:
    tell_bands(doses, "drug")
    put(doses, amended(content(doses, "dosing_range", "daily"), dose_text="0.3 mg each day"))
    before = _stored(doses)
    schema.migrate(doses, "0014")
    with doses.engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT id, low_pg_per_day FROM dosing_ranges").all()
        assert dict(map(tuple, rows))["daily"] == 300_000_000
        assert dict(map(tuple, rows))["weekly"] is None
        (manifest,) = connection.exec_driver_sql("SELECT content FROM manifests").scalars()
        assert "dose_tiers" not in json.loads(manifest)
        derived = "SELECT derived FROM records WHERE type = 'dosing_range' AND id = 'daily'"
        assert "bands" not in json.loads(connection.exec_driver_sql(derived).scalar_one())
    indexes.migrate(doses)
    assert _stored(doses) == before


def test_a_database_of_before_gets_the_bands_that_held_then(doses: Database) -> None:
    tell_bands(doses, "drug")
    schema.migrate(doses, "0014")
    with doses.engine.begin() as connection:
        connection.execute(text("DROP TABLE set_aside"))
    indexes.migrate(doses)
    with doses.engine.connect() as connection:
        (manifest,) = connection.exec_driver_sql("SELECT content FROM manifests").scalars()
        (tiers,) = json.loads(manifest)["dose_tiers"]
        assert tiers["intervention"] == "drug"
        bands = connection.exec_driver_sql("SELECT tier FROM dosing_range_tiers").scalars().all()
        assert "very_low" in bands
    with serving(doses.url.render_as_string(hide_password=False)) as client:
        shown = client.get("/v1/dosing-ranges/daily").json()
        assert (shown["tiers"], shown["bands"][0]["label"]) == (["very_low"], "Very low")
        assert client.get("/v1/dosing-ranges/weekly").json()["tiers"] == ["very_low"]


def _stored(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        return [
            connection.exec_driver_sql(sql).all()
            for sql in (
                "SELECT id, low_amount, high_amount FROM dosing_ranges ORDER BY id",
                "SELECT id, dose_low, dose_high FROM citations ORDER BY id",
                "SELECT dosing_range_pk, tier FROM dosing_range_tiers ORDER BY dosing_range_pk, tier",
                "SELECT serial, content FROM manifests ORDER BY serial",
            )
        ]
