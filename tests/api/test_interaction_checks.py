"""`/v1/interaction-checks` over a data set: no pair is lost, order is nothing, and no answer is an all-clear."""

import json
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

PATH = "/v1/interaction-checks"
NO_ALL_CLEAR = "This is not evidence of no effect or of safety."
CALLED: tuple[dict[str, str], ...] = (
    {"code": "rxnorm:9990001", "dose": "4.5 mg"},
    {"id": "zelvane"},
    {"text": "LDZ", "dose": "0.5..4.5 mg"},
    {"id": "metlort"},
    {"text": "TRALORT"},
    {"text": "Lortstay"},
    {"text": "lort painkillers"},
    {"id": "cider"},
    {"text": "Pondex"},
    {"id": "comparine"},
    {"text": "never recorded_statements of"},
    {"code": "rxnorm:0"},
)


def checked(client: TestClient, drugs: list[dict[str, str]]) -> dict[str, Any]:
    answer = client.post(PATH, json={"drugs": drugs})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def faults(client: TestClient, body: bytes) -> list[tuple[str, str]]:
    answer = client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def outcomes(drugs: list[dict[str, str]], answer: dict[str, Any]) -> list[Any]:
    """What is said of each pair, by how the two were called."""
    return sorted(
        json.dumps(
            [
                sorted((drugs[position] for position in pair["positions"]), key=json.dumps),
                {name: value for name, value in pair.items() if name not in ("positions", "drugs")},
            ]
        )
        for pair in answer["pairs"]
    )


@given(st.lists(st.sampled_from(CALLED), min_size=2, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_no_pair_is_absent_and_order_is_irrelevant(
    client: TestClient, drugs: list[dict[str, str]], chance: Random
) -> None:
    answer = checked(client, drugs)
    assert sorted(tuple(pair["positions"]) for pair in answer["pairs"]) == list(combinations(range(len(drugs)), 2))
    shuffled = chance.sample(drugs, len(drugs))
    assert outcomes(shuffled, checked(client, shuffled)) == outcomes(drugs, answer)


def test_a_contraindication_travels_with_caveats_counts_and_doses(client: TestClient) -> None:
    (pair,) = checked(client, [{"text": "low dose zelvane", "dose": "4.5 mg"}, {"text": "tralort"}])["pairs"]
    assert (pair["status"], pair["crosses_dose_tiers"]) == ("contraindicated", True)
    assert pair["dose_note"]
    first = pair["claims"][0]
    assert (first["effect"], first["on"]["id"], first["inherited"]) == ("contraindicated", "zelvane", True)
    assert {"caveat", "consensus", "supports", "disputes"} <= first["claim"].keys()


def test_nothing_empty_reads_as_an_all_clear(client: TestClient) -> None:
    answer = checked(client, list(CALLED))
    told = {"contraindicated", "interaction"}
    for pair in answer["pairs"]:
        assert (pair["status"] in told) or NO_ALL_CLEAR in pair["sentence"]
        assert "safe" not in pair["sentence"].replace(NO_ALL_CLEAR, "").lower()
    assert "has not been cleared" in answer["notice"]
    assert "not medical advice" in answer["disclaimer"]


def test_the_answer_is_kept_nowhere(client: TestClient) -> None:
    answer = client.post(PATH, json={"drugs": [{"id": "cider"}, {"text": "a person's own note"}]})
    assert answer.headers["cache-control"] == "no-store"
    assert "own note" not in answer.text


def test_the_most_drugs_are_answered_and_one_more_is_refused(client: TestClient) -> None:
    thirty = [{"id": "zelvane"}, {"id": "tralort"}] * 15
    assert len(checked(client, thirty)["pairs"]) == 435
    assert faults(client, json.dumps({"drugs": [*thirty, {"id": "cider"}]}).encode()) == [("drugs", "too_long")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", ("drugs", "missing")),
        (b"[]", ("body", "wrong_type")),
        (b'{"drugs": [{"id": "cider"}]}', ("drugs", "too_short")),
        (b'{"drugs": [{"id": "cider"}, {}]}', ("drugs.1", "invalid_value")),
        (b'{"drugs": [{"id": "cider", "text": "cider"}, {"id": "cider"}]}', ("drugs.0", "invalid_value")),
        (b'{"drugs": [{"id": "cider"}, {"id": "Alcohol!"}]}', ("drugs.1.id", "wrong_format")),
        (b'{"drugs": [{"id": "cider"}, {"code": "7243"}]}', ("drugs.1.code", "wrong_format")),
        (b'{"drugs": [{"id": "cider"}, {"text": ""}]}', ("drugs.1.text", "too_short")),
        (b'{"drugs": [{"id": "cider"}, {"text": "a\\u0000"}]}', ("drugs.1.text", "invalid_value")),
        (b'{"drugs": [{"id": "cider"}, {"text": "a\\ud800"}]}', ("drugs.1.text", "wrong_format")),
        (b'{"drugs": [{"id": "cider"}, {"text": "' + b"a" * 201 + b'"}]}', ("drugs.1.text", "too_long")),
        (b'{"drugs": [{"id": "cider"}, {"id": NaN}]}', ("drugs.1.id", "wrong_type")),
        (b'{"drugs": [{"id": "cider"}, {"id": "cider", "dose": 4.5}]}', ("drugs.1.dose", "wrong_type")),
        (b'{"drugs": [{"id": "cider"}, {"id": "cider", "dose": "9 mcg"}]}', ("drugs.1.dose", "unknown_unit")),
        (b'{"drugs": [{"id": "cider"}, {"id": "cider", "dose": "9"}]}', ("drugs.1.dose", "unit_missing")),
        (b'{"drugs": [{"id": "cider"}, {"id": "cider"}], "patient": 1}', ("patient", "unknown_field")),
        (b'{"drugs": [{"id": "cider"}, {"id": "cider", "age": 1}]}', ("drugs.1.age", "unknown_field")),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_by_field(
    client: TestClient, body: bytes, expected: tuple[str, str]
) -> None:
    assert expected in faults(client, body)


def test_every_unreadable_dose_is_named_with_its_right_unit(client: TestClient) -> None:
    body = {"drugs": [{"id": "cider", "dose": "9 mcg"}, {"id": "cider", "dose": "9 MG"}]}
    errors = client.post(PATH, json=body).json()["errors"]
    assert [(error["in"], error["field"], error["did_you_mean"]) for error in errors] == [
        ("body", "drugs.0.dose", ["ug"]),
        ("body", "drugs.1.dose", ["mg"]),
    ]


def test_what_is_not_json_is_400_and_what_is_too_large_413(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post(PATH, content=b"{", headers=headers).status_code == 400
    assert client.post(PATH, content=b" " * 1_000_001, headers=headers).status_code == 413
    assert client.post(f"{PATH}?drugs=1", json={"drugs": list(CALLED[:2])}).status_code == 422
