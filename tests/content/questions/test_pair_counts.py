"""The shipped data set: the counts of its pairs, and of claims that were read by hand."""

from starlette.testclient import TestClient

from tests.questions.test_counts import amounts, compare_pairs, evidence_of


def test_every_pair_of_the_shipped_data_is_counted_alike(client: TestClient) -> None:
    assert compare_pairs(client) > 10


def test_pain_in_fibromyalgia_counts_the_people_who_were_analysed(client: TestClient) -> None:
    counts = evidence_of(client, "ldn-fibromyalgia-pain")["counts"]
    assert counts["disputes"]["randomized_trials"] == counts["disputes"]["studies"] == 3
    assert counts["disputes"]["participants"] == counts["disputes"]["randomized_participants"]
    assert counts["supports"]["randomized_participants"] < counts["disputes"]["randomized_participants"]
    assert counts["voting_reviews"]["supports"]["reviews"] == 0
    assert counts["other_reviews"]["supports"]["reviews"] > 0


def test_serious_events_at_any_dose_count_reviews_and_those_analysed(client: TestClient) -> None:
    """Events were given by arm for 4,960 of the 11,194 people of the review."""
    counts = evidence_of(client, "naltrexone-serious-adverse-events")["counts"]
    assert amounts(counts) == (0, 0)
    assert counts["voting_reviews"]["supports"] == {"reviews": 1, "largest_participants": 4960}
