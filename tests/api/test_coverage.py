"""`/v1/coverage` over the real data: every question that can be asked is answered, none of them as an all-clear."""

from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/coverage"
NO_ALL_CLEAR = "This is not evidence of no effect or of safety."


def known(client: TestClient, **asked: str) -> dict[str, Any]:
    answer = client.get(PATH, params={"intervention": "low-dose-naltrexone", **asked})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_fibromyalgia_is_found_with_both_sides_and_its_caveat(client: TestClient) -> None:
    found = known(client, condition="fibromyalgia")
    assert found["status"] == "found"
    head = found["summary"]["headline_claim"]
    assert (head["id"], head["caveat_required"]) == ("ldn-fibromyalgia-pain", True)
    assert head["caveat"]
    assert head["supports"]["citations"] > 0
    assert head["disputes"]["citations"] > 0
    assert found["summary"]["best_design"] == "randomized_parallel_trial"
    assert found["summary"]["outcomes"][0]["outcome"]["id"] == "pain"


def test_lupus_was_searched_in_a_limited_way_and_nothing_was_found(client: TestClient) -> None:
    lupus = known(client, condition="lupus")
    assert (lupus["status"], lupus["search"]["id"], lupus["search"]["depth"]) == (
        "searched_none_found", "ldn-lupus", "limited",
    )  # fmt: skip
    assert "a limited search" in lupus["sentence"]
    assert lupus["sentence"].endswith(NO_ALL_CLEAR)
    assert lupus["summary"]["studies"] == 0


def test_pending_trials_are_told(client: TestClient) -> None:
    pending = known(client, condition="me-cfs")["summary"]["pending"]
    (lift,) = (trial for trial in pending if trial["id"] == "lift-trial")
    assert (lift["id"], lift["results"]) == ("lift-trial", "none_found")
    assert lift["registry_ids"]


def test_a_code_stands_for_an_id(client: TestClient) -> None:
    assert known(client, condition="mesh:D005356") == known(client, condition="fibromyalgia")


def test_an_opioid_is_found_contraindicated_through_drug_and_class(client: TestClient) -> None:
    tramadol = known(client, interactant="tramadol")
    assert tramadol["status"] == "found"
    assert "opioid" in tramadol["summary"]["headline_claim"]["id"]


def test_every_condition_and_every_other_drug_has_an_answer(client: TestClient) -> None:
    for role, path in (("condition", "conditions"), ("interactant", "interventions"), ("side_effect", "side-effects")):
        items = client.get(f"/v1/{path}?limit=200").json()["items"]
        for item in items:
            told = known(client, **{role: item["id"]})
            assert told["status"] in ("found", "searched_none_found", "not_searched")
            for text in (told["sentence"], told["summary"]["text"]):
                for disclaimed in (NO_ALL_CLEAR, "That is not evidence of safety."):
                    text = text.replace(disclaimed, "")
                assert "safe" not in text.lower()
            if told["status"] != "found":
                assert told["sentence"].endswith(NO_ALL_CLEAR)
                assert told["summary"]["studies"] == told["summary"]["reviews"] == 0


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("condition=lupus", "intervention", "missing"),
        ("intervention=low-dose-naltrexone", "condition", "missing"),
        ("intervention=low-dose-naltrexone&condition=lupos", "condition", "unknown_value"),
        ("intervention=fibromyalgia&condition=lupus", "intervention", "unknown_value"),
        ("intervention=low-dose-naltrexone&interactant=rxnorm:0", "interactant", "unknown_value"),
        ("intervention=low-dose-naltrexone&condition=lupus&colour=red", "colour", "unknown_parameter"),
        ("intervention=low-dose-naltrexone&condition=a%20b", "condition", "wrong_format"),
    ],
)
def test_a_question_that_cannot_be_asked_names_what_is_wrong(
    client: TestClient, query: str, field: str, code: str
) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert (field, code) in [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_a_known_answer_costs_304(client: TestClient) -> None:
    address = f"{PATH}?intervention=low-dose-naltrexone&condition=lupus"
    tag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
