"""Facets of the list of claims: what narrowing by a value would give."""

import pytest
from starlette.testclient import TestClient

from app.claims.queries import CLAIM_FACETS


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "condition=murmuria&",
        "kind=efficacy&kind=safety&stance=supports&",
        "q=pain&",
        "stance=disputes&condition=murmuria&",
        "stance=disputes&directness=direct&",
        "stance=supports&stance=disputes&design=randomized_crossover_trial&",
        "stance=supports&document=alder-2013&",
        "pmid=99900001&condition=murmuria&",
    ],
)
def test_each_count_is_the_total_of_the_list_narrowed_by_it(client: TestClient, asked: str) -> None:
    answer = client.get(f"/v1/claims?{asked}facets=true&limit=1").json()
    facets = answer["facets"]
    assert set(facets) == set(CLAIM_FACETS)
    for name in ("kind", "consensus", "condition", "outcome", "stance", "design", "evidence_source", "standing"):
        if f"{name}=" in asked:
            continue  # repeating a parameter widens the list instead
        counts = [facet["count"] for facet in facets[name]]
        assert counts == sorted(counts, reverse=True)
        for facet in facets[name][:4]:
            narrowed = client.get(f"/v1/claims?{asked}{name}={facet['value']}&limit=1").json()
            assert narrowed["total"] == facet["count"], facet


def test_they_come_only_when_asked_for(client: TestClient) -> None:
    assert client.get("/v1/claims?limit=1").json()["facets"] is None


def test_what_counts_nothing_is_left_out(client: TestClient) -> None:
    facets = client.get("/v1/claims?condition=palewing&facets=true").json()["facets"]
    assert all(facet["count"] > 0 for values in facets.values() for facet in values)
