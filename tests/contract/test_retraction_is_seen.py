"""A retracted source is marked wherever it is shown: in chosen fields, on pages, in searches, by verification."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.storage.database import Database
from tests.conftest import Engine, opened, serving
from tests.factories import amended, content, put

PAPER, CLAIM, TRIAL = "alder-2013", "ldz-murmuria-pain", "NCT99900001"


@pytest.fixture(scope="module")
def retracted(engine: Engine) -> Iterator[TestClient]:
    """The data set with one of its trials retracted."""
    url = engine.copy("retraction_is_seen")
    with opened(url) as database:
        retract(database)
    with serving(url) as client:
        yield client
    engine.drop(url)


def retract(database: Database) -> None:
    statement = {"standing": "retracted", "on": "2026-03-01", "source": "pubmed"}
    put(database, amended(content(database, "document", PAPER), standing=[statement]))


def test_chosen_fields_keep_the_standing(retracted: TestClient) -> None:
    (citation, *_) = retracted.get(f"/v1/citations?document={PAPER}&fields=stance,finding").json()["items"]
    assert citation["document"]["standing"] == "retracted"
    claim = retracted.get(f"/v1/claims/{CLAIM}?fields=citations.stance").json()
    assert "retracted" in {one["document"]["standing"] for one in claim["citations"]}


def test_what_is_left_out_is_not_taken_for_nothing(retracted: TestClient) -> None:
    claim = retracted.get(f"/v1/claims/{CLAIM}?fields=citations.id&citations=none").json()
    assert (claim["citations"], claim["citations_truncated"]) == ([], True)


def test_a_search_says_it(retracted: TestClient) -> None:
    hits = retracted.get("/v1/search?q=alder+2013&type=document").json()["items"]
    (hit,) = [hit for hit in hits if hit["id"] == PAPER]
    assert hit["title"].startswith("RETRACTED: ")
    assert "RETRACTED: " in retracted.get("/search?q=alder+2013").text


@pytest.mark.parametrize("cited", ["pmid:99900001", TRIAL])
@pytest.mark.parametrize("claim", [{"claim": CLAIM}, {"sentence": "Low-dose zelvane reduces pain in murmuria."}])
def test_verification_says_it_by_whatever_identifier(retracted: TestClient, cited: str, claim: dict[str, str]) -> None:
    (answer,) = retracted.post("/v1/verify", json={"items": [{"identifier": cited, **claim}]}).json()["items"]
    assert (answer["result"], answer["source"]["standing"]) == ("retracted", "retracted")


def test_its_figures_are_marked_on_the_page_of_the_condition(retracted: TestClient) -> None:
    page = retracted.get("/conditions/murmuria").text
    figures = page.split('<ul class="figures">')[1:]
    own = [line for part in figures for line in part.split("<li>") if f'href="/documents/{PAPER}"' in line]
    assert own
    assert all("RETRACTED, counts for nothing." in line for line in own)


@pytest.mark.parametrize("path", [f"/documents/{PAPER}", f"/claims/{CLAIM}", f"/embed/claims/{CLAIM}"])
def test_pages_mark_it(retracted: TestClient, path: str) -> None:
    assert "retracted" in retracted.get(path).text.lower()
