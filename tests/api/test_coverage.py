"""`/v1/coverage` over a data set: every question that can be asked is answered, none of them as an all-clear."""

from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/coverage"
NO_ALL_CLEAR = "This is not evidence of no effect or of safety."


def known(client: TestClient, **asked: str) -> dict[str, Any]:
    answer = client.get(PATH, params={"intervention": "low-dose-zelvane", **asked})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_murmuria_is_found_with_both_sides_and_its_caveat(client: TestClient) -> None:
    found = known(client, condition="murmuria")
    assert found["status"] == "found"
    head = found["summary"]["headline_claim"]
    assert (head["id"], head["caveat_required"]) == ("ldz-murmuria-pain", True)
    assert head["caveat"]
    assert head["supports"]["citations"] > 0
    assert head["disputes"]["citations"] > 0
    assert found["summary"]["best_design"] == "randomized_parallel_trial"
    assert found["summary"]["outcomes"][0]["outcome"]["id"] == "pain"


def test_palewing_was_searched_in_a_limited_way_and_nothing_was_found(client: TestClient) -> None:
    palewing = known(client, condition="palewing")
    assert (palewing["status"], palewing["search"]["id"], palewing["search"]["depth"]) == (
        "searched_none_found", "ldz-palewing", "limited",
    )  # fmt: skip
    assert "a limited search" in palewing["sentence"]
    assert palewing["sentence"].endswith(NO_ALL_CLEAR)
    assert palewing["summary"]["studies"] == 0


def test_pending_trials_are_told(client: TestClient) -> None:
    pending = known(client, condition="weariness")["summary"]["pending"]
    (lift,) = (trial for trial in pending if trial["id"] == "lift-trial")
    assert (lift["id"], lift["results"]) == ("lift-trial", "none_found")
    assert lift["registry_ids"]


def test_a_code_stands_for_an_id(client: TestClient) -> None:
    assert known(client, condition="mesh:D999001") == known(client, condition="murmuria")


def test_a_lort_is_found_contraindicated_through_drug_and_class(client: TestClient) -> None:
    tralort = known(client, interactant="tralort")
    assert tralort["status"] == "found"
    assert "lort" in tralort["summary"]["headline_claim"]["id"]


def test_every_condition_and_every_other_drug_has_an_answer(client: TestClient) -> None:
    statuses = set()
    for role, path in (("condition", "conditions"), ("interactant", "interventions"), ("side_effect", "side-effects")):
        items = client.get(f"/v1/{path}?limit=200").json()["items"]
        assert len(items) >= 5
        for item in items:
            told = known(client, **{role: item["id"]})
            statuses.add(told["status"])
            assert told["status"] in ("found", "searched_none_found", "not_searched")
            for text in (told["sentence"], told["summary"]["text"]):
                for disclaimed in (NO_ALL_CLEAR, "That is not evidence of safety."):
                    text = text.replace(disclaimed, "")
                assert "safe" not in text.lower()
            if told["status"] != "found":
                assert told["sentence"].endswith(NO_ALL_CLEAR)
                assert told["summary"]["studies"] == told["summary"]["reviews"] == 0
    assert statuses == {"found", "searched_none_found", "not_searched"}


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("condition=palewing", "intervention", "missing"),
        ("intervention=low-dose-zelvane", "condition", "missing"),
        ("intervention=low-dose-zelvane&condition=palewin", "condition", "unknown_value"),
        ("intervention=murmuria&condition=palewing", "intervention", "unknown_value"),
        ("intervention=low-dose-zelvane&interactant=rxnorm:0", "interactant", "unknown_value"),
        ("intervention=low-dose-zelvane&condition=palewing&colour=red", "colour", "unknown_parameter"),
        ("intervention=low-dose-zelvane&condition=a%20b", "condition", "wrong_format"),
    ],
)
def test_a_question_that_cannot_be_asked_names_what_is_wrong(
    client: TestClient, query: str, field: str, code: str
) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert (field, code) in [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_a_known_answer_costs_304(client: TestClient) -> None:
    address = f"{PATH}?intervention=low-dose-zelvane&condition=palewing"
    tag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
