"""Answers that list only so many say that there is more."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, content, put, record

COUNT = 60


@pytest.fixture
def crowded(small: Database) -> Iterator[TestClient]:
    """A claim on sixty conditions, and three hundred open questions on one of them."""
    conditions = [record("condition", f"swelling-{number}") for number in range(COUNT)]
    claim = content(small, "claim", "drug-eases-ache")
    questions = [
        record("search", f"open-{number}", intervention="drug", conditions=["swelling-1"]) for number in range(210)
    ]
    put(small, *conditions, *questions, amended(claim, conditions=["ache", *(c.content.id for c in conditions)]))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        yield client


def test_facets_of_claims_say_how_many_values_there_are(crowded: TestClient) -> None:
    answer = crowded.get("/v1/claims?facets=true&intervention=drug").json()
    assert len(answer["facets"]["condition"]) == 50
    assert answer["facet_totals"]["condition"] == COUNT + 1
    assert answer["facet_totals"]["kind"] == len(answer["facets"]["kind"])
    assert set(answer["facet_totals"]) == set(answer["facets"])
    assert crowded.get("/v1/claims").json()["facet_totals"] is None


def test_facets_of_claims_by_their_citations_do_too(crowded: TestClient) -> None:
    answer = crowded.get("/v1/claims?facets=true&stance=supports&directness=direct").json()
    for name in ("stance", "design", "condition"):
        assert min(50, answer["facet_totals"][name]) == len(answer["facets"][name])


def test_facets_of_searches_say_how_many_values_there_are(crowded: TestClient) -> None:
    answer = crowded.get("/v1/search?q=ache").json()
    assert len(answer["facets"]["condition"]) == 50
    assert answer["facet_totals"]["condition"] == COUNT + 1
    assert answer["facet_totals"]["type"] == len(answer["facets"]["type"])


def test_suggestions_say_whether_there_are_more(crowded: TestClient) -> None:
    cut = crowded.get("/v1/suggest?q=swell&limit=20").json()
    assert (len(cut["items"]), cut["capped"]) == (20, True)
    whole = crowded.get("/v1/suggest?q=insom").json()
    assert (bool(whole["items"]), whole["capped"]) == (True, False)


@pytest.mark.parametrize(("count", "is_truncated"), [(10, False), (11, True)])
def test_the_coverage_of_an_empty_list_says_whether_pairs_are_left_out(
    crowded: TestClient, count: int, is_truncated: bool
) -> None:
    conditions = "".join(f"&condition=swelling-{number}" for number in range(count))
    answer = crowded.get(f"/v1/claims?intervention=other-drug{conditions}").json()
    assert (answer["total"], len(answer["coverage"])) == (0, 10)
    assert answer["coverage_truncated"] is is_truncated


def test_a_brief_says_whether_questions_are_left_out(crowded: TestClient) -> None:
    brief = crowded.get("/v1/briefs/drug/swelling-1").json()
    assert (len(brief["open_questions"]), brief["open_questions_truncated"]) == (200, True)
    for form in ("markdown", "html"):
        assert "There are more;" in crowded.get(f"/v1/briefs/drug/swelling-1?format={form}").text
    brief = crowded.get("/v1/briefs/drug/swelling-2").json()
    assert brief["open_questions_truncated"] is False
