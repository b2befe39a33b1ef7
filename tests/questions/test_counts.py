"""A pair has one set of counts, whichever answer shows them."""

from typing import Any

from starlette.testclient import TestClient

from tests.serving import read_json

VOTING = ("supports", "disputes", "mixed")


def amounts(counts: dict[str, Any]) -> tuple[int, int]:
    """Studies and people that vote."""
    sides = [counts[side] for side in VOTING]
    return sum(side["studies"] for side in sides), sum(side["participants"] for side in sides)


def evidence_of(client: TestClient, claim_id: str) -> Any:
    return read_json(client, f"/v1/claims/{claim_id}")["evidence"]


def shown(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["studies"], answer["reviews"], answer["participants"]


def of_claim(evidence: dict[str, Any]) -> tuple[int, int, int]:
    return evidence["study_count"], evidence["review_count"], evidence["participant_count"]


def pairs(client: TestClient) -> list[tuple[str, str]]:
    listed = read_json(client, "/v1/briefs", limit="100")
    assert listed["next"] is None
    return [(pair["intervention"]["id"], pair["condition"]["id"]) for pair in listed["items"]]


def test_claims_maps_coverage_and_briefs_count_every_pair_alike(client: TestClient) -> None:
    assert compare_pairs(client) == 7


def compare_pairs(client: TestClient) -> int:
    """How many pairs have a claim that answers for them."""
    maps = {i: read_json(client, "/v1/evidence-map", intervention=i) for i in {i for i, _ in pairs(client)}}
    counted = 0
    for intervention, condition in pairs(client):
        known = read_json(client, "/v1/coverage", intervention=intervention, condition=condition)["summary"]
        headline = known["headline_claim"]
        expected = of_claim(evidence_of(client, headline["id"])) if headline else (0, 0, 0)
        rows = {row["id"]: row for row in maps[intervention]["conditions"]}
        brief = read_json(client, f"/v1/briefs/{intervention}/{condition}")
        assert shown(known) == shown(rows[condition]) == expected, (intervention, condition)
        assert (brief["notice"]["claim"] or {}).get("counts") == (headline or {}).get("counts")
        counted += bool(headline)
    return counted


def test_every_cell_shows_the_counts_of_its_first_claim(client: TestClient) -> None:
    filled = 0
    for intervention in {i for i, _ in pairs(client)}:
        for cell in read_json(client, "/v1/evidence-map", intervention=intervention)["cells"]:
            headline = cell["headline_claim"]
            evidence = evidence_of(client, headline["id"]) if headline else None
            assert shown(cell) == (of_claim(evidence) if evidence else (0, 0, 0)), cell
            filled += evidence is not None
    assert filled > 5


def test_a_claim_and_its_sentence_in_a_brief_count_alike(client: TestClient) -> None:
    sentences = 0
    for intervention, condition in pairs(client):
        for section in read_json(client, f"/v1/briefs/{intervention}/{condition}")["sections"]:
            for sentence in section["statements"]:
                evidence = evidence_of(client, sentence["claim_id"])
                assert sentence["counts"] == evidence["counts"]
                assert amounts(sentence["counts"]) == (evidence["study_count"], evidence["participant_count"])
                sentences += 1
    assert sentences > 30


def test_pain_in_murmuria_counts_the_people_who_were_analysed(client: TestClient) -> None:
    counts = evidence_of(client, "ldz-murmuria-pain")["counts"]
    assert counts["disputes"]["randomized_trials"] == counts["disputes"]["studies"] == 2
    assert counts["disputes"]["participants"] == counts["disputes"]["randomized_participants"]
    assert counts["supports"]["randomized_participants"] < counts["disputes"]["randomized_participants"]
    assert counts["voting_reviews"]["supports"]["reviews"] == 0
    assert counts["other_reviews"]["supports"]["reviews"] > 0
