"""Requests that once came out wrong, each with what should come."""

import pytest
from starlette.testclient import TestClient

CLAIM = "/v1/claims/ldz-murmuria-pain"


def search(client: TestClient, question: str) -> dict[str, int]:
    answer = client.get("/v1/search", params={"q": question, "limit": 100}).json()
    return {f"{hit['type']}/{hit['id']}": answer["total"] for hit in answer["items"]}


@pytest.mark.parametrize(
    ("question", "like"),
    [
        ("LDZ+tralort", "LDZ tralort"), ("LDZ/tralort", "LDZ tralort"),
        ("zelvane,oxilort", "zelvane oxilort"), ("zelvane/murmuria", "zelvane murmuria"),
        ("zelva murmuria", "murmuria zelva"), ("Bye-Moller", "Bye-Møller"),
    ],
)  # fmt: skip
def test_signs_and_order_do_not_decide_what_is_found(client: TestClient, question: str, like: str) -> None:
    found = search(client, question)
    assert found
    assert set(found.values()) == set(search(client, like).values())


@pytest.mark.parametrize("question", ["cough/headache", "LDZ diff placebo"])
def test_a_question_in_short_finds_something(client: TestClient, question: str) -> None:
    assert search(client, question)


@pytest.mark.parametrize(
    ("address", "record"),
    [
        ("http://www.ncbi.nlm.nih.gov/pubmed/99900002", "document/birch-2024"),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC99900009/", "document/larch-2018"),
        ("https://clinicaltrials.gov/study/NCT99900001", "study/alder-2013-trial"),
        ("https://doi.org/10.5555%2Fzelvane.1", "document/alder-2013"),
    ],
)
def test_an_address_finds_what_it_names(client: TestClient, address: str, record: str) -> None:
    assert next(iter(search(client, address))) == record


def test_media_types_are_read_from_several_headers_and_in_any_case(client: TestClient) -> None:
    for headers in (
        [("Accept", "text/html"), ("Accept", "application/x-bibtex")],
        [("Accept", "Application/X-BibTeX")],
    ):
        answer = client.get("/v1/documents/alder-2013", headers=headers)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "application/x-bibtex")


def test_a_known_tag_in_a_second_header_is_304(client: TestClient) -> None:
    tag = client.get(CLAIM).headers["etag"]
    assert client.get(CLAIM, headers=[("If-None-Match", '"z"'), ("If-None-Match", tag)]).status_code == 304


def test_a_full_stop_after_a_doi_is_no_part_of_it(client: TestClient) -> None:
    (found,) = client.get("/v1/resolve?identifier=doi:10.5555/zelvane.1.").json()["items"]
    assert found["id"] == "alder-2013"


def test_the_case_of_a_code_system_does_not_matter(client: TestClient) -> None:
    totals = [client.get(f"/v1/claims?condition={code}:M99.97").json()["total"] for code in ("ICD10CM", "icd10cm")]
    assert totals[0] == totals[1] > 0


def test_a_facet_counts_the_list_that_it_leads_to(client: TestClient) -> None:
    asked = "/v1/claims?stance=disputes&condition=murmuria&limit=1"
    designs = client.get(f"{asked}&facets=true").json()["facets"]["design"]
    assert designs
    for facet in designs:
        assert client.get(f"{asked}&design={facet['value']}").json()["total"] == facet["count"]


@pytest.mark.parametrize(
    ("criteria", "status"),
    [
        ("mainSearchCriteria.v.dn=Raven%E2%80%99s%20disease", 200),
        ("mainSearchCriteria.v.dn=Ravens%20disease", 200),
        ("mainSearchCriteria.v.c=M9997&mainSearchCriteria.v.cs=2.16.840.1.113883.6.90", 200),
        ("mainSearchCriteria.v.c=9990001", 400),
    ],
)
def test_infobutton_recognises_what_is_meant(client: TestClient, criteria: str, status: int) -> None:
    answer = client.get(f"/infobutton?knowledgeResponseType=application/json&{criteria}")
    assert answer.status_code == status
    assert status == 400 or answer.json()["groups"]


def test_infobutton_answers_as_atom(client: TestClient) -> None:
    code = "mainSearchCriteria.v.c=9990001&mainSearchCriteria.v.cs=2.16.840.1.113883.6.88"
    answer = client.get(f"/infobutton?{code}&knowledgeResponseType=application/atom+xml")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
