"""The quiet card: what is on record on low doses, both ways, and how it can be made again."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from app.storage.database import Database
from tests.cds_hooks.support import (
    LDZ,
    OXILORT,
    Json,
    active,
    because,
    bundle,
    cards,
    cds_client,
    daily,
    order,
    request,
    rules,
)
from tests.factories import amended, citation, content, put, record


def _card(clinic: TestClient, draft: Json) -> Json:
    found = cards(clinic, request(draft))
    assert rules(found) == ["zelvane-evidence"]
    return found[0]


def test_the_card_shows_both_sides_with_caveat_certainty_and_permalinks(clinic: TestClient) -> None:
    card = _card(clinic, LDZ)
    claim = clinic.get("/v1/claims/ldz-murmuria-pain").json()
    detail = card["detail"].replace("\\", "")

    assert card["indicator"] == "info"
    assert "overrideReasons" not in card
    for text in (claim["statement"], claim["caveat"]):
        assert text in detail
    sides = claim["evidence"]["by_stance"]
    assert sides["supports"]["studies"] == 1
    assert f"supporting 1 study ({sides['supports']['participants']} people)" in detail
    assert f"disputing {sides['disputes']['studies']} studies" in detail
    assert "- Supports:" in detail
    assert "- Disputes:" in detail
    assert detail.index(claim["evidence"]["answer"]) < detail.index(f"What is claimed: {claim['statement']}")
    assert "not medical advice" in detail
    assert "4.5 mg a day; band: low" in detail
    for link in card["links"]:
        parts = urlsplit(link["url"])
        assert link["type"] == "absolute"
        assert clinic.get(f"{parts.path}?{parts.query}").status_code == 200


@pytest.fixture
def outnumbered(scratch: Database) -> Iterator[TestClient]:
    """Counting studies would say the contrary here: the large trials are few."""
    claim = content(scratch, "claim", "ldz-murmuria-pain")
    fields = claim.content.model_dump(mode="json")
    for number in range(2):
        study, document = f"small-{number}", f"small-{number}-2015"
        cited = citation(f"cit-small-{number}", document, study)
        put(
            scratch,
            record("study", study, design="uncontrolled_trial", participants=8, conditions=["murmuria"]),
            record("document", document, studies=[{"study": study, "role": "primary"}]),
        )
        fields["citations"].append(cited)
        fields["caveat_basis"].append({"citation": cited["id"], "stance": "supports"})
    put(scratch, amended(claim, citations=fields["citations"], caveat_basis=fields["caveat_basis"]))
    with cds_client(scratch.url.render_as_string(hide_password=False)) as caller:
        yield caller


def test_the_summary_gives_the_verdict_with_its_direction(outnumbered: TestClient) -> None:
    assert _card(outnumbered, LDZ)["summary"] == (
        "Off-label. Low-dose zelvane may make little or no difference to pain in people with murmuria."
    )


def test_the_side_with_more_weight_comes_first(outnumbered: TestClient) -> None:
    detail = _card(outnumbered, LDZ)["detail"]

    assert detail.index("disputing 2 studies") < detail.index("supporting 3 studies")
    assert detail.index("- Disputes:") < detail.index("- Supports: Alder")


@pytest.mark.parametrize(
    ("draft", "shown"),
    [
        (order("d", "Zelvane 5 mg", **daily(5)), True),
        (order("d", "Zelvane 0.5 mg", **daily(0.5)), False),
        (order("d", "LDZ"), True),
        (order("d", "Zelvane, low dose"), True),
        (order("d", "Zelvane"), False),
        (order("d", "Zelvane 50 mg", **daily(50)), False),
        (order("d", "LDZ 50 mg", **daily(50)), False),
        (order("d", "Zelvane", **daily(0.5, "ug")), False),
        (order("d", "Zelcomp", **daily(4.5)), False),
        (order("d", "comparine 90 mg / zelvane 8 mg", **daily(8)), False),
        (order("d", "Oxizel", **daily(0.8)), False),
    ],
)
def test_evidence_on_low_doses_is_shown_for_low_doses_only(clinic: TestClient, draft: Json, shown: bool) -> None:
    assert rules(cards(clinic, request(draft))) == (["zelvane-evidence"] if shown else [])


@pytest.mark.parametrize(
    ("reason", "claim"),
    [
        (because("K99.10"), "ldz-gripes-remission"),
        (because("88800001", "http://snomed.info/sct"), "ldz-murmuria-pain"),
        (because("0", "urn:own", "Murmuria (disorder)"), "ldz-murmuria-pain"),
        ({"reasonReference": [{"display": "Weariness"}]}, "ldz-weariness-fatigue"),
        ({}, "ldz-murmuria-pain"),
    ],
)
def test_the_reason_of_the_order_chooses_the_claims(clinic: TestClient, reason: Json, claim: str) -> None:
    card = _card(clinic, order("d", "LDZ", **daily(4.5), **reason))

    used = [entry["id"] for entry in card["extension"]["ldn-evidence.reproduction"]["claims"]]
    assert used[:2] == ["ldz-not-approved", claim]


def test_a_reason_without_claims_is_not_taken_for_another_one(clinic: TestClient) -> None:
    card = _card(clinic, order("d", "LDZ", **daily(4.5), **because("L40.0")))

    assert "This is not evidence of no effect." in card["detail"]
    assert [entry["id"] for entry in card["extension"]["ldn-evidence.reproduction"]["claims"]] == ["ldz-not-approved"]


def test_those_who_take_it_get_the_card_when_their_chart_is_opened(clinic: TestClient) -> None:
    listed = active("5", "LDZ", **daily(4.5))

    assert rules(cards(clinic, request(hook="patient-view", medications=bundle(listed)), "zelvane-patient-view")) == [
        "zelvane-evidence"
    ]
    assert cards(clinic, request(hook="patient-view"), "zelvane-patient-view") == []


def test_a_card_says_what_is_needed_to_make_it_again(clinic: TestClient) -> None:
    told = _card(clinic, LDZ)["extension"]["ldn-evidence.reproduction"]

    assert told["serial"] == 1
    assert told["service"] == "zelvane-order-sign"
    assert told["service_version"]
    assert told["dose"] == {
        "low_pg_per_day": 4_500_000_000,
        "high_pg_per_day": 4_500_000_000,
        "tiers": ["low"],
        "read_from": "doseAndRate",
    }
    assert {"id", "version", "permalink"} == set(told["claims"][0])


def test_the_same_request_gets_the_same_bytes(clinic: TestClient) -> None:
    body = request(LDZ, medications=bundle(OXILORT))

    first, second = (clinic.post("/cds-services/zelvane-order-sign", json=body) for _ in range(2))

    assert first.content == second.content
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["dataset-serial"] == "1"
    assert "etag" not in first.headers


def test_the_same_request_with_a_serial_is_answered_as_it_was(scratch: Database) -> None:
    body = request(LDZ, medications=bundle(OXILORT))
    with cds_client(scratch.url.render_as_string(hide_password=False)) as caller:
        before = cards(caller, body)
        claim = content(scratch, "claim", "zelvane-lort-contraindication")
        put(scratch, amended(claim, statement="The label was reworded."))

        now = cards(caller, body)
        assert "The label was reworded." in now[0]["detail"]
        assert now[0]["extension"]["ldn-evidence.reproduction"]["serial"] == 2
        assert cards(caller, body, serial=1) == before


def test_a_contraindication_is_told_even_where_its_claim_was_retired(scratch: Database) -> None:
    claim = content(scratch, "claim", "zelvane-lort-contraindication")
    rule = content(scratch, "interaction_rule", "zelvane-with-lorts")
    put(
        scratch,
        amended(claim, status="retired"),
        amended(rule, claims=[{"situation": "first_starts", "claims": ["zelvane-lort-free-interval"]}]),
    )
    with cds_client(scratch.url.render_as_string(hide_password=False)) as caller:
        card = cards(caller, request(LDZ, medications=bundle(OXILORT)))[0]

    assert card["indicator"] == "critical"
    assert "50 mg product" in card["detail"]
    assert "zelvane-lort-contraindication" not in str(card["links"])


def test_a_retracted_source_says_so_once(scratch: Database) -> None:
    claim = content(scratch, "claim", "ldz-murmuria-pain").content.model_dump()
    for document in {cited["document"] for cited in claim["citations"]}:
        put(scratch, amended(content(scratch, "document", document), standing=[{"standing": "retracted"}]))
    with cds_client(scratch.url.render_as_string(hide_password=False)) as caller:
        (card,) = cards(caller, request(LDZ))

    sources = [line for line in card["detail"].splitlines() if line.startswith("- Supports:")]
    assert any("RETRACTED:" in line for line in sources)
    assert "[RETRACTED" not in card["detail"].replace("\\", "")


def test_a_serial_that_does_not_exist_yet_is_refused(clinic: TestClient) -> None:
    answer = clinic.post("/cds-services/zelvane-order-sign", params={"serial": 99}, json=request(LDZ))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "unknown_serial"


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(member for part in value.values() for member in _members(part))]
    if isinstance(value, list):
        return [value, *(member for part in value for member in _members(part))]
    return [value]


def test_nothing_empty_is_ever_sent(clinic: TestClient) -> None:
    body = request(LDZ, order("e", "Oxilort"), medications=bundle(active("5", "LDZ")))

    assert not [member for card in cards(clinic, body) for member in _members(card) if member in (None, "", [], {})]
