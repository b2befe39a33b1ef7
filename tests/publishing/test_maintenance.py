"""Overrides with a reason and an end, and what the calendar brings: published, never by the clock alone."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.models import MAINTENANCE
from app.core.errors import InvalidInput
from app.publishing.changes import Change
from app.publishing.maintenance import NewOverride, maintain, override
from app.publishing.publish import publish
from app.storage.database import Database
from app.storage.records import CurrentRecords
from app.storage.resource import Key

CLAIM = "ldz-murmuria-pain"
SOUND = {
    "claim_id": CLAIM, "field": "certainty", "value": "very_low", "reason": "Two trials were read again.",
    "expires_on": "2999-01-01",
}  # fmt: skip


def evidence(client: TestClient) -> dict[str, Any]:
    return client.get(f"/v1/claims/{CLAIM}").json()["evidence"]  # type: ignore[no-any-return]


def test_an_override_shows_its_value_beside_the_computed_one(scratch: Database, scratch_client: TestClient) -> None:
    before = evidence(scratch_client)
    with scratch.write() as session:
        override(session, MAINTENANCE, NewOverride(**SOUND))
    after = evidence(scratch_client)
    assert after["certainty"] == "very_low"
    assert after["overrides"] == [
        {
            "field": "certainty", "value": "very_low", "computed": before["certainty"], "reason": SOUND["reason"],
            "author": "maintenance", "expires_on": "2999-01-01",
        }
    ]  # fmt: skip
    (listed,) = scratch_client.get("/v1/overrides").json()["items"]
    assert (listed["claim_id"], listed["is_active"]) == (CLAIM, True)


def test_an_override_ends_by_maintenance_and_not_before(scratch: Database, scratch_client: TestClient) -> None:
    before = evidence(scratch_client)
    with scratch.write() as session:
        override(session, MAINTENANCE, NewOverride(**SOUND))
    with scratch.write() as session:
        assert maintain(session, "2998-12-31").ended_overrides == 0
    assert evidence(scratch_client)["certainty"] == "very_low"
    with scratch.write() as session:
        assert maintain(session, "2999-01-01").ended_overrides == 1
    assert evidence(scratch_client) == before
    assert scratch_client.get("/v1/overrides?is_active=true").json()["items"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reason", " "),
        ("expires_on", "2020-01-01"),
        ("expires_on", "soon"),
        ("field", "statement"),
        ("value", "excellent"),
        ("claim_id", "no-such-claim"),
    ],
)
def test_an_incomplete_override_is_refused_and_names_the_field(scratch: Database, field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refusal, scratch.write() as session:
        override(session, MAINTENANCE, NewOverride(**{**SOUND, field: value}))
    assert {fault.field for fault in refusal.value.errors} == {"claim" if field == "claim_id" else field}
    with scratch.read() as session:
        assert CurrentRecords(session).derived(Key("claim", CLAIM)).evidence.overrides == ()


def test_claims_fall_due_for_review_by_maintenance(scratch: Database, scratch_client: TestClient) -> None:
    with scratch.write() as session:
        content = CurrentRecords(session).content(Key("claim", CLAIM))
        due = content.model_copy(update={"stale_on": "2027-01-01"})
        publish(session, MAINTENANCE, [Change("claim", due)], "a day for review")
    overdue = "/v1/claims?stale=true"
    already = {c["id"] for c in scratch_client.get(overdue).json()["items"]}
    with scratch.write() as session:
        maintain(session, "2026-12-31")
    assert CLAIM not in {c["id"] for c in scratch_client.get(overdue).json()["items"]}
    with scratch.write() as session:
        done = maintain(session, "2027-01-01")
    assert done.serial is not None
    now_due = {c["id"] for c in scratch_client.get(overdue).json()["items"]}
    assert CLAIM in now_due
    assert CLAIM not in already


def test_maintenance_of_the_same_day_again_publishes_nothing(scratch: Database) -> None:
    with scratch.write() as session:
        maintain(session, "2026-12-31")
    with scratch.write() as session:
        assert maintain(session, "2026-12-31").serial is None
