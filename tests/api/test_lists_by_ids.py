"""A list by ids: the order asked, on one page, with the names of those that are not there."""

import pytest
from starlette.testclient import TestClient

from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, content, put


@pytest.fixture
def known(client: TestClient) -> list[str]:
    """Ids of claims in an order that no sort gives."""
    ids = [claim["id"] for claim in client.get("/v1/claims?sort=id&limit=60").json()["items"]]
    return [*ids[1::2], *ids[::2]]


def by_ids(ids: list[str], more: str = "") -> str:
    return "/v1/claims?" + "&".join(f"id={one}" for one in ids) + more


def test_claims_come_in_the_order_asked_and_on_one_page(client: TestClient, known: list[str]) -> None:
    answer = client.get(by_ids([*known, known[0]], "&limit=2"))
    assert [claim["id"] for claim in answer.json()["items"]] == known
    assert (answer.json()["next"], answer.json()["next_cursor"], answer.json()["missing"]) == (None, None, [])
    assert (answer.json()["total"], answer.json()["total_is"]) == (len(known), "exact")
    assert "Link" not in answer.headers


def test_a_sort_that_is_named_goes_before_the_order_asked(client: TestClient, known: list[str]) -> None:
    items = client.get(by_ids(known, "&sort=-id")).json()["items"]
    assert [claim["id"] for claim in items] == sorted(known, reverse=True)


def test_unknown_ids_are_named_and_the_rest_is_given(client: TestClient, known: list[str]) -> None:
    answer = client.get(by_ids([known[1], "no-such-claim", known[0], "no-such-claim"])).json()
    assert [claim["id"] for claim in answer["items"]] == [known[1], known[0]]
    assert answer["missing"] == [{"id": "no-such-claim", "reason": "unknown", "successor": None}]
    assert answer["total"] == 2


def test_where_all_are_missing_the_list_is_empty(client: TestClient) -> None:
    answer = client.get(by_ids(["nothing", "nothing-else"]))
    assert answer.status_code == 200
    assert answer.json()["items"] == []
    assert [missing["id"] for missing in answer.json()["missing"]] == ["nothing", "nothing-else"]


def test_filters_narrow_what_is_listed_and_do_not_make_it_missing(client: TestClient, known: list[str]) -> None:
    answer = client.get(by_ids([*known, "nothing"], "&kind=safety&facets=true")).json()
    assert 0 < len(answer["items"]) < len(known)
    assert {claim["kind"] for claim in answer["items"]} == {"safety"}
    assert [missing["id"] for missing in answer["missing"]] == ["nothing"]


def test_words_narrow_them_too(client: TestClient, known: list[str]) -> None:
    items = client.get(by_ids(known, "&q=pain")).json()["items"]
    among = [claim["id"] for claim in items]
    assert 0 < len(among) < len(known)
    assert among == [one for one in known if one in among]


def test_a_retired_id_is_named_with_its_successor(small: Database) -> None:
    old = content(small, "claim", "low-dose-eases-ache")
    put(small, amended(old, status="retired", successor="drug-eases-ache", relations=[]))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        answer = client.get(by_ids(["drug-causes-insomnia", "low-dose-eases-ache", "drug-eases-ache"])).json()
    assert [claim["id"] for claim in answer["items"]] == ["drug-causes-insomnia", "drug-eases-ache"]
    assert answer["missing"] == [{"id": "low-dose-eases-ache", "reason": "retired", "successor": "drug-eases-ache"}]


@pytest.mark.parametrize("bad", ["id=Not+An+Id", "id=a&cursor=abc", "&".join(f"id=a{n}" for n in range(201))])
def test_what_cannot_be_asked_is_refused(client: TestClient, bad: str) -> None:
    assert client.get(f"/v1/claims?{bad}").status_code == 422


def test_a_cursor_beside_ids_is_told_why(client: TestClient) -> None:
    (error,) = client.get("/v1/claims?id=a&cursor=abcdefghijklmnop").json()["errors"]
    assert (error["in"], error["field"], error["code"]) == ("query", "cursor", "not_with_id")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/claims", "/v1/interventions", "/v1/conditions", "/v1/mechanisms", "/v1/side-effects", "/v1/outcomes",
        "/v1/dosing-ranges", "/v1/studies", "/v1/documents", "/v1/citations", "/v1/searches", "/v1/briefs",
        "/v1/interaction-rules", "/v1/overrides", "/v1/search?q=pain", "/v1/claims/ldz-murmuria-pain/versions",
        "/v1/claims/ldz-murmuria-pain/citations", "/v1/documents/alder-2013/impact",
        "/v1/documents/alder-2013/statements", "/v1/bibliography?condition=murmuria",
    ],
)  # fmt: skip
def test_every_list_says_that_nothing_is_missing(client: TestClient, path: str) -> None:
    assert client.get(path).json()["missing"] == []


def test_a_bibliography_is_whole_or_refused(client: TestClient) -> None:
    """BibTeX and RIS have no place to say that a claim was left out."""
    for path in ("/v1/bibliography", "/v1/bibliography.bib"):
        answer = client.get(f"{path}?id=ldz-murmuria-pain&id=ldz-murmuria-pian")
        assert answer.status_code == 422
        assert "ldz-murmuria-pain" in answer.json()["errors"][0]["did_you_mean"]
