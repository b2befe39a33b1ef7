"""What a document states, in its order, with the evidence for each statement; and the order of claims by relevance."""

from typing import Any

from starlette.testclient import TestClient

from app.claims.rules import VOTING_FORMS

STATEMENTS = "/v1/documents/hopeful-article/statements"


def pages(client: TestClient, path: str) -> list[dict[str, Any]]:
    found = []
    while path:
        found.append(client.get(path).json())
        path = found[-1]["next"]
    return found


def items(client: TestClient, path: str) -> list[dict[str, Any]]:
    return [item for page in pages(client, path) for item in page["items"]]


def test_the_statements_of_the_article_stand_in_its_order_each_with_its_claim(client: TestClient) -> None:
    found = pages(client, f"{STATEMENTS}?limit=2")
    statements = [item for page in found for item in page["items"]]

    assert len(found) > 1
    assert {page["total"] for page in found} == {len(statements)}
    assert [statement["position"] for statement in statements] == [10, 20, 30, 40, 50]
    assert {page["document"]["id"] for page in found} == {"hopeful-article"}
    for statement in statements:
        claim = client.get(f"/v1/claims/{statement['claim']['id']}").json()
        origin = {name: value for name, value in statement.items() if name != "claim"}
        assert origin in claim["origins"]
        assert statement["claim"]["consensus"] == claim["evidence"]["consensus"]
        assert statement["claim"]["caveat"] == claim["caveat"]


def test_a_claim_that_is_stated_twice_is_listed_at_both_places(client: TestClient) -> None:
    places = [s["section"] for s in items(client, STATEMENTS) if s["claim"]["id"] == "ldz-ravens-pain"]

    assert places == ["What it does", "What else it does"]


def test_a_document_whose_statements_nobody_recorded_has_none(client: TestClient) -> None:
    page = client.get("/v1/documents/alder-2013/statements").json()

    assert (page["items"], page["total"], page["next"]) == ([], 0, None)


def test_a_document_that_is_not_there_has_no_statements(client: TestClient) -> None:
    assert client.get("/v1/documents/no-such-document/statements").status_code == 404


def test_a_known_list_of_statements_is_not_sent_again(client: TestClient) -> None:
    answer = client.get(STATEMENTS)

    again = client.get(STATEMENTS, headers={"If-None-Match": answer.headers["etag"]})

    assert again.status_code == 304


def test_a_cursor_of_another_documents_statements_is_refused(client: TestClient) -> None:
    cursor = client.get(f"{STATEMENTS}?limit=2").json()["next_cursor"]

    answer = client.get("/v1/documents/alder-2013/statements", params={"limit": 2, "cursor": cursor})

    assert answer.status_code == 422


def group(claim: dict[str, Any]) -> int:
    if not claim["citations"]:
        return 2
    return 0 if claim["form"] in VOTING_FORMS else 1


def test_claims_come_by_relevance_the_voting_ones_first_and_the_uncited_last(client: TestClient) -> None:
    claims = items(client, "/v1/claims?limit=50")

    groups = [group(claim) for claim in claims]
    assert groups == sorted(groups)
    assert set(groups) == {0, 1, 2}
    for last in (1, 2):
        ids = [claim["id"] for claim in claims if group(claim) == last]
        assert ids == sorted(ids)


def test_voting_claims_come_by_the_weight_of_both_sides(client: TestClient) -> None:
    voting = [claim["id"] for claim in items(client, "/v1/claims?limit=100") if group(claim) == 0]

    def weight(claim: str) -> float:
        steps = client.get(f"/v1/claims/{claim}/evidence").json()
        return float(steps["supports"]["weight"]) + float(steps["disputes"]["weight"])

    ranked = [(-weight(claim), claim) for claim in voting]
    assert ranked == sorted(ranked)
    assert ranked[0][0] < ranked[-1][0]


def test_filters_do_not_change_the_order(client: TestClient) -> None:
    order = [claim["id"] for claim in items(client, "/v1/claims?limit=200")]

    for filters in ("condition=murmuria", "kind=safety", "q=pain"):
        some = [claim["id"] for claim in items(client, f"/v1/claims?{filters}&limit=7")]
        assert len(some) > 7
        assert some == sorted(some, key=order.index)
