"""`/v1/verify` over the shipped data: labelled citations get their verdict; no document passes for another."""

from starlette.testclient import TestClient

from app.verification.vocabulary import VerificationResult
from tests.api.test_verify import verified

CLAIM = "ldn-fibromyalgia-pain"
YOUNGER = "10.1002/art.37734"
LABELLED: list[tuple[str, str, VerificationResult]] = [
    (CLAIM, YOUNGER, VerificationResult.supports),
    ("ldn-fibromyalgia-fatigue", "10.1007/s40263-025-01183-7", VerificationResult.disputes),
    ("ldn-crohns-remission", "10.1002/14651858.cd010410.pub3", VerificationResult.inconclusive),
    ("ldn-autoimmune-disease", "10.1002/14651858.cd010410.pub3", VerificationResult.mixed),
    (CLAIM, "10.1002/acr.20449", VerificationResult.background),
    ("ldn-ms-fatigue", "10.1002/ana.22006", VerificationResult.not_assessed),
    ("ldn-ms-fatigue", YOUNGER, VerificationResult.not_cited),
    (CLAIM, "NCT00568555", VerificationResult.supports),
]


def test_every_labelled_citation_of_the_data_gets_its_verdict(client: TestClient) -> None:
    found = verified(client, *({"claim": claim, "identifier": identifier} for claim, identifier, _ in LABELLED))
    assert [answer["result"] for answer in found] == [label for _, _, label in LABELLED]


def test_a_claim_that_was_retired_is_answered_by_its_successor(client: TestClient) -> None:
    (found,) = verified(client, {"claim": "naltrexone-class", "identifier": YOUNGER})
    assert found["replaced"] == {"id": "naltrexone-class", "successor": "naltrexone-opioid-receptor-blockade"}
    assert found["claim"]["id"] == "naltrexone-opioid-receptor-blockade"


def test_the_claim_that_a_sentence_is_near_is_offered(client: TestClient) -> None:
    sentence = "Low-dose naltrexone reduces pain in fibromyalgia."
    (found,) = verified(client, {"sentence": sentence, "identifier": YOUNGER})
    near = {entry["claim"]["id"]: entry for entry in found["nearest"]}
    assert [cited["stance"] for cited in near[CLAIM]["citations"]] == ["supports"]


def test_no_two_documents_of_the_data_pass_for_one_another(client: TestClient) -> None:
    documents = client.get("/v1/documents?limit=200").json()["items"]
    titled = [d for d in documents if d["title"] and d["doi"]]
    assert len(titled) > 40
    for shift in (1, 2, 3):
        pairs = zip(titled, titled[shift:] + titled[:shift], strict=True)
        items = [{"claim": CLAIM, "identifier": d["doi"], "title": e["title"]} for d, e in pairs]
        for start in range(0, len(items), 50):
            assert {answer["result"] for answer in verified(client, *items[start : start + 50])} == {"other_title"}
