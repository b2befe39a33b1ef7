"""Claims that evidence votes on stand before statements on the same question that nobody gave a source for."""

import pytest
from starlette.testclient import TestClient

QUESTIONS = (
    "does ldn help fibromyalgia pain", "low dose naltrexone crohn's disease remission", "ldn sleep fibromyalgia",
    "ldn multiple sclerosis quality of life", "ldn vivid dreams", "does ldn reduce fatigue in fibromyalgia",
    "ldn chronic fatigue syndrome", "ldn long covid", "ldn ulcerative colitis response", "ldn pain relief",
    "ldn complex regional pain syndrome", "ldn arthritis pain", "ldn depression", "ldn psoriasis", "ldn insomnia",
    "ldn nausea", "ldn headache", "does low-dose naltrexone work for lupus", "ldn hashimoto's thyroiditis",
    "ldn inflammatory markers", "ldn autoimmune disease", "ldn pain tolerance", "ldn serious adverse events",
    "ldn hailey-hailey disease", "ldn itching", "ldn dizziness", "naltrexone and opioids", "ldn cognition",
    "ldn global function fibromyalgia", "ldn discontinuation",
)  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("more", [{}, {"type": "claim"}], ids=["all types", "claims"])
def test_the_first_claim_is_not_one_without_a_source(client: TestClient, question: str, more: dict[str, str]) -> None:
    found = client.get("/v1/search", params={"q": question, "limit": 100, **more}).json()["items"]
    stands = [hit["claim"]["consensus"] for hit in found if hit["type"] == "claim"]
    assert stands
    assert stands[0] != "uncited" or set(stands) == {"uncited"}
