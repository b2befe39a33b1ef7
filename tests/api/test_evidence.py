"""The trace of a claim, and what it would be without some of the evidence."""

from typing import Any

import pytest
from starlette.testclient import TestClient

PAIN = "/v1/claims/ldz-murmuria-pain/evidence"
DISPUTING = ["elm-2023", "birch-2024", "cedar-2025"]


def trace(client: TestClient, claim: str = "ldz-murmuria-pain", **params: Any) -> dict[str, Any]:
    answer = client.get(f"/v1/claims/{claim}/evidence", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_the_trace_ends_in_what_the_claim_shows(client: TestClient) -> None:
    told = trace(client)
    claim = client.get("/v1/claims/ldz-murmuria-pain").json()
    assert told["evidence"] == told["as_published"] == claim["evidence"]
    assert told["steps"][-1]["result"] == claim["evidence"]["certainty"]
    assert claim["evidence"]["consensus"] in [step["result"] for step in told["steps"]]


def test_murmuria_pain_is_conflicting_and_leans_against(client: TestClient) -> None:
    told = trace(client)
    assert (told["evidence"]["consensus"], told["evidence"]["leaning"]) == ("conflicting", "disputes")
    assert told["supports"]["randomized_participants"] == 31
    assert told["disputes"]["randomized_participants"] == 157


def test_leaving_out_the_disputing_trials_changes_the_answer(client: TestClient) -> None:
    told = trace(client, as_if_retracted=DISPUTING)
    assert told["evidence"]["leaning"] == "supports"
    assert told["as_published"]["leaning"] == "disputes"
    assert told["what_if"] == {"as_if_retracted": DISPUTING}


def test_a_what_if_is_never_kept(client: TestClient) -> None:
    assert client.get(PAIN, params={"min_participants": 50}).headers["cache-control"] == "no-store"
    assert client.get(PAIN).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"directness": "direct"}, lambda row: row["directness"] == "direct"),
        ({"design": "randomized_parallel_trial"}, lambda row: row["study"]["design"] == "randomized_parallel_trial"),
        ({"min_participants": 90}, lambda row: (row["analysed_n"] or 0) >= 90),
        ({"exclude_evidence_source": "in_vitro"}, lambda row: row["study"]["evidence_source"] != "in_vitro"),
        ({"exclude_standing": "not_checked"}, lambda row: row["document"]["standing"] != "not_checked"),
    ],
)  # fmt: skip
def test_each_what_if_keeps_just_what_it_says(client: TestClient, params: dict[str, Any], kept: Any) -> None:
    left_out = 0
    for claim in ("ldz-murmuria-pain", "ldz-ravens-pain", "ldz-glial-glow"):
        everything = [row for row in trace(client, claim)["forest"] if row["study"] is not None]
        expected = [row["citation_id"] for row in everything if kept(row)]
        shown = [row["citation_id"] for row in trace(client, claim, **params)["forest"] if row["study"] is not None]
        assert shown == expected
        left_out += len(everything) - len(shown)
    assert left_out


def test_an_unknown_document_is_named_with_what_is_near(client: TestClient) -> None:
    answer = client.get(PAIN, params={"as_if_retracted": "birch-2042"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "as_if_retracted"
    assert "birch-2024" in error["did_you_mean"]


def test_a_design_outside_the_list_is_answered_with_the_list(client: TestClient) -> None:
    answer = client.get(PAIN, params={"design": "rct"})
    assert answer.status_code == 422
    assert "randomized_parallel_trial" in answer.json()["errors"][0]["allowed"]


def test_impact_grades_each_claim_with_and_without_the_document(client: TestClient) -> None:
    answer = client.get("/v1/documents/birch-2024/impact?limit=200").json()
    assert answer["document"] == {"id": "birch-2024", "label": "Birch 2024"}
    assert answer["total"] == len(answer["items"]) > 3
    pain = next(item for item in answer["items"] if item["claim"]["id"] == "ldz-murmuria-pain")
    without = trace(client, as_if_retracted="birch-2024")
    assert pain["before"] == without["as_published"]
    assert pain["after"] == without["evidence"]


def test_the_trace_as_it_was_is_immutable(client: TestClient) -> None:
    answer = client.get(PAIN, params={"serial": 1})
    assert answer.json() == trace(client)
    assert "immutable" in answer.headers["cache-control"]
    assert client.get(PAIN, params={"serial": 99}).status_code == 422
