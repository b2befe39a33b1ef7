"""`/v1/verify`: true, mixed-up, invented and retracted citations each get their verdict, and nothing is overstated."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.storage.database import Database
from app.verification.advice import ADVICE
from app.verification.vocabulary import QuoteResult, VerificationResult
from tests import factories
from tests.conftest import serving
from tests.factories import amended, citation, put, record, standing

PATH = "/v1/verify"
CLAIM = "ldn-fibromyalgia-pain"
YOUNGER = "10.1002/art.37734"
YOUNGER_TITLE = (
    "Low-dose naltrexone for the treatment of fibromyalgia: findings of a small, randomized, double-blind, "
    "placebo-controlled, counterbalanced, crossover trial assessing daily pain levels"
)
Fields = dict[str, Any]


def verified(client: TestClient, *items: Fields) -> list[Fields]:
    answer = client.post(PATH, json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    found: list[Fields] = answer.json()["items"]
    assert [one["position"] for one in found] == list(range(len(items)))
    return found


def one(client: TestClient, **item: Any) -> Fields:
    return verified(client, item)[0]


# --- labelled citations of the real data --------------------------------------------------------------------------

LABELLED: list[tuple[str, str, VerificationResult]] = [
    (CLAIM, YOUNGER, VerificationResult.supports),
    ("ldn-fibromyalgia-fatigue", "10.1007/s40263-025-01183-7", VerificationResult.disputes),
    ("ldn-crohns-remission", "10.1002/14651858.cd010410.pub3", VerificationResult.inconclusive),
    ("ldn-autoimmune-disease", "10.1002/14651858.cd010410.pub3", VerificationResult.mixed),
    (CLAIM, "10.1002/acr.20449", VerificationResult.background),
    ("ldn-ms-fatigue", "10.1002/ana.22006", VerificationResult.not_assessed),
    ("ldn-ms-fatigue", YOUNGER, VerificationResult.not_cited),
    (CLAIM, "10.9999/there.is.no.such", VerificationResult.source_unknown),
    (CLAIM, "pmid:99999999", VerificationResult.source_unknown),
    (CLAIM, "NCT99999999", VerificationResult.source_unknown),
    (CLAIM, "NCT00568555", VerificationResult.supports),
    (CLAIM, "23359310", VerificationResult.identifier_unreadable),
    (CLAIM, "Younger et al. 2013", VerificationResult.identifier_unreadable),
    ("there-is-no-such-claim", YOUNGER, VerificationResult.claim_unknown),
]


def test_every_labelled_citation_gets_its_verdict(client: TestClient) -> None:
    items = [{"claim": claim, "identifier": identifier} for claim, identifier, _ in LABELLED]
    found = verified(client, *items)
    assert [answer["result"] for answer in found] == [label for _, _, label in LABELLED]
    assert all(
        answer["advice"].startswith(ADVICE[label]) for answer, (_, _, label) in zip(found, LABELLED, strict=True)
    )


@pytest.mark.parametrize(
    "spelling",
    [
        "https://doi.org/10.1002/ART.37734", "doi: 10.1002/art.37734.", "(DOI 10.1002/art.37734)", "PMID: 23359310",
        "https://pubmed.ncbi.nlm.nih.gov/23359310/", "pmid:23359310",
    ],
)  # fmt: skip
def test_any_spelling_of_an_identifier_leads_to_its_document(client: TestClient, spelling: str) -> None:
    found = one(client, claim=CLAIM, identifier=spelling)
    assert (found["result"], found["source"]["id"], found["source"]["type"]) == ("supports", "younger-2013", "document")


def test_whatever_shows_a_claim_shows_what_must_travel_with_it(client: TestClient) -> None:
    found = one(client, claim=CLAIM, identifier=YOUNGER)
    whole = client.get(f"/v1/claims/{CLAIM}").json()
    claim = found["claim"]
    evidence = whole["evidence"]
    assert (claim["answer"], claim["verdict"], claim["caveat"]) == (
        evidence["answer"],
        evidence["verdict"],
        whole["caveat"],
    )
    assert {"supports", "disputes", "counts_text"} <= claim.keys()
    assert claim["supports"] == evidence["by_stance"]["supports"]

    (cited,) = found["citations"]
    recorded = next(c for c in whole["citations"] if c["document"]["id"] == "younger-2013")
    for name in ("id", "stance", "directness", "finding", "locator", "verification"):
        assert cited[name] == recorded[name]


def test_items_do_not_disturb_one_another(client: TestClient) -> None:
    good = {"claim": CLAIM, "identifier": YOUNGER}
    found = verified(client, good, {"claim": "no-such", "identifier": "none"}, good)
    assert [answer["result"] for answer in found] == ["supports", "identifier_unreadable", "supports"]
    assert [[fault["field"] for fault in answer["errors"]] for answer in found] == [[], ["claim", "identifier"], []]


def test_a_misspelt_claim_is_told_what_is_near(client: TestClient) -> None:
    (fault,) = one(client, claim="ldn-fibromyalgia-pains", identifier=YOUNGER)["errors"]
    assert fault["did_you_mean"][0] == CLAIM


def test_a_retired_claim_is_answered_by_its_successor(client: TestClient) -> None:
    found = one(client, claim="naltrexone-class", identifier=YOUNGER)
    assert found["replaced"] == {"id": "naltrexone-class", "successor": "naltrexone-opioid-receptor-blockade"}
    assert found["claim"]["id"] == "naltrexone-opioid-receptor-blockade"
    assert "its successor was compared" in found["advice"]


def test_a_chain_of_retired_claims_leads_to_the_one_that_is_published(small: Database) -> None:
    """Up to ten steps; what lies beyond is a retired claim, and never answered as one that stands."""
    successors = [*(f"older-{number}" for number in range(2, 13)), "drug-eases-ache"]
    put(
        small,
        *(
            record("claim", f"older-{number}", status="retired", successor=successor)
            for number, successor in enumerate(successors, start=1)
        ),
        with_doi(changed("document", "paper-a"), "10.5555/a"),
    )
    with serving(small.url.render_as_string(hide_password=False)) as client:
        near, far = verified(
            client,
            {"claim": "older-3", "identifier": "10.5555/a"},
            {"claim": "older-2", "identifier": "10.5555/a"},
        )

    assert (near["result"], near["claim"]["id"]) == ("supports", "drug-eases-ache")
    assert near["replaced"] == {"id": "older-3", "successor": "drug-eases-ache"}
    assert (far["result"], far["claim"]) == ("claim_retired", None)
    assert far["replaced"] == {"id": "older-2", "successor": None}


def test_only_the_first_unknown_claim_is_told_what_is_near(client: TestClient) -> None:
    """It takes long to find."""
    items = [{"claim": claim, "identifier": YOUNGER} for claim in (CLAIM, "ldn-fibromyalgia-pains", "ldn-ms-fatigues")]
    faults = [fault for answer in verified(client, *items) for fault in answer["errors"]]
    assert [fault["did_you_mean"][:1] for fault in faults] == [[CLAIM], []]


# --- titles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "result"),
    [
        (YOUNGER_TITLE, "same"),
        (YOUNGER_TITLE.upper().replace("-", " ") + ".", "same"),
        (f"<i>{YOUNGER_TITLE}</i>", "same"),
        ("Low-dose naltrexone for the treatment of fibromyalgia", "near"),
        (YOUNGER_TITLE.replace("randomized", "randomised"), "near"),
        ("Low-dose naltrexone", "different"),
        ("Fibromyalgia symptoms are reduced by low-dose naltrexone: a pilot study", "different"),
        ("低用量ナルトレキソン", "different"),
    ],
)
def test_titles_are_compared_by_their_words(client: TestClient, title: str, result: str) -> None:
    found = one(client, claim=CLAIM, identifier=YOUNGER, title=title)
    assert found["title"]["result"] == result
    assert found["title"]["recorded"] == YOUNGER_TITLE
    assert found["result"] == ("other_title" if result == "different" else "supports")


def test_an_identifier_that_was_mixed_up_is_told_whose_title_it_is(client: TestClient) -> None:
    other = client.get("/v1/documents/bruun-2024").json()
    found = one(client, claim=CLAIM, identifier=YOUNGER, title=other["title"])
    assert found["result"] == "other_title"
    assert found["title"]["other_document"] == {"id": "bruun-2024", "label": other["label"]}


def test_no_two_documents_of_the_data_pass_for_one_another(client: TestClient) -> None:
    documents = client.get("/v1/documents?limit=200").json()["items"]
    titled = [d for d in documents if d["title"] and d["doi"]]
    for shift in (1, 2, 3):
        pairs = zip(titled, titled[shift:] + titled[:shift], strict=True)
        items = [{"claim": CLAIM, "identifier": d["doi"], "title": e["title"]} for d, e in pairs]
        for start in range(0, len(items), 50):
            assert {answer["result"] for answer in verified(client, *items[start : start + 50])} == {"other_title"}


# --- quotations ---------------------------------------------------------------------------------------------------


def test_a_quotation_is_never_confirmed_against_a_text_that_is_not_held(client: TestClient) -> None:
    found = one(client, claim=CLAIM, identifier=YOUNGER, quote="the drug was well tolerated by all of them")
    assert found["quote"] == {"result": "no_text_held", "citation": None}
    assert "was not verified" in found["advice"]


def test_our_words_are_known_for_ours(client: TestClient) -> None:
    """Who takes a finding for a quotation puts words into the mouth of its authors."""
    (cited,) = one(client, claim=CLAIM, identifier=YOUNGER)["citations"]
    found = one(client, claim=CLAIM, identifier=YOUNGER, quote=cited["finding"][:80])
    assert found["quote"]["result"] == "our_words"
    assert "do not put them in quotation marks" in found["advice"]


@pytest.mark.parametrize(
    ("quote", "result"),
    [("daily pain levels", "too_short"), ("crossover trial assessing daily pain levels", "in_title")],
)
def test_where_a_quotation_was_found_is_said(client: TestClient, quote: str, result: str) -> None:
    assert one(client, claim=CLAIM, identifier=YOUNGER, quote=quote)["quote"]["result"] == result


# --- sentences ----------------------------------------------------------------------------------------------------


def test_a_sentence_is_never_taken_for_a_claim_that_is_near(client: TestClient) -> None:
    """The opposite of a claim is near it: a source is not said to support it."""
    for sentence in (
        "Low-dose naltrexone reduces pain in fibromyalgia.",
        "Low-dose naltrexone does not reduce pain in people with fibromyalgia.",
    ):
        found = one(client, sentence=sentence, identifier=YOUNGER)
        assert (found["result"], found["claim"], found["citations"]) == ("compare_claims", None, [])
        near = {entry["claim"]["id"]: entry for entry in found["nearest"]}
        assert [cited["stance"] for cited in near[CLAIM]["citations"]] == ["supports"]
        assert all({"answer", "verdict", "caveat", "supports", "disputes"} <= n["claim"].keys() for n in near.values())


def test_the_statement_of_a_claim_is_that_claim(client: TestClient) -> None:
    statement = client.get(f"/v1/claims/{CLAIM}").json()["statement"]
    found = one(client, sentence=statement.upper(), identifier=YOUNGER)
    assert (found["result"], found["claim"]["id"], found["nearest"]) == ("supports", CLAIM, [])


@pytest.mark.parametrize(
    ("sentence", "identifier", "result"),
    [
        ("vorpal qzxv blades", YOUNGER, "no_claim_near"),
        ("Naltrexone must not be taken with tramadol.", YOUNGER, "not_cited_nearby"),
        ("Naltrexone must not be taken with tramadol.", "10.9999/none", "source_unknown"),
    ],
)
def test_a_sentence_without_a_source_near_it(client: TestClient, sentence: str, identifier: str, result: str) -> None:
    assert one(client, sentence=sentence, identifier=identifier)["result"] == result


# --- what the seed data have not ----------------------------------------------------------------------------------


def with_doi(change: Any, doi: str, **fields: Any) -> Any:
    return amended(change, identifiers=[{"scheme": "doi", "value": doi}], **fields)


def changed(record_type: str, record_id: str) -> Any:
    return next(c for c in factories.small_data_set() if (c.type, c.content.id) == (record_type, record_id))


def test_a_retracted_source_counts_for_nothing(small: Database) -> None:
    history = [
        {"standing": "retracted", "on": "2024-05-01", "source": "crossref", "notice": {"doi": "10.5555/notice"}},
    ]
    put(small, with_doi(changed("document", "paper-a"), "10.5555/a", standing=history))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        found = one(client, claim="drug-eases-ache", identifier="10.5555/a")
    assert found["result"] == "retracted"
    assert (found["source"]["standing"], found["source"]["notice"]["doi"]) == ("retracted", "10.5555/notice")
    assert [cited["id"] for cited in found["citations"]] == ["cit-a"]


def test_standing_and_the_day_of_the_last_look_are_told(small: Database) -> None:
    put(small, with_doi(changed("document", "paper-a"), "10.5555/a", **standing("current", "expression_of_concern")))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        found = one(client, claim="drug-eases-ache", identifier="10.5555/a")
    assert found["result"] == "supports"
    assert (found["source"]["standing"], found["source"]["standing_checked_on"]) == (
        "expression_of_concern",
        "2024-01-01",
    )
    assert "warned of problems" in found["advice"]


def test_another_report_of_the_same_study_is_named(small: Database) -> None:
    put(small, with_doi(changed("document", "paper-a2"), "10.5555/a2"))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        found = one(client, claim="drug-eases-ache", identifier="10.5555/a2")
    assert (found["result"], found["citations"]) == ("other_report", [])
    assert [cited["id"] for cited in found["related"]] == ["cit-a"]


def test_a_recorded_quotation_is_found(small: Database) -> None:
    quoted: Fields = {"locator": {"section": "Abstract", "quote": "Pain was lower in every one of them."}}
    claim = changed("claim", "drug-eases-ache")
    put(
        small,
        with_doi(changed("document", "paper-a"), "10.5555/a"),
        amended(claim, citations=[citation("cit-a", "paper-a", "trial-a", **quoted)]),
    )
    with serving(small.url.render_as_string(hide_password=False)) as client:
        found = one(client, claim="drug-eases-ache", identifier="10.5555/a", quote="pain was lower in EVERY one")
    assert found["quote"] == {"result": "in_recorded_quote", "citation": "cit-a"}


def test_a_document_that_was_retired_is_answered_by_its_successor(small: Database) -> None:
    twin = record("document", "paper-twin", status="retired", successor="paper-a")
    put(small, with_doi(twin, "10.5555/twin"))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        found = one(client, claim="drug-eases-ache", identifier="10.5555/twin")
    assert (found["result"], found["source"]["id"]) == ("supports", "paper-a")


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_is_answered(
    client: TestClient, sentence: str, identifier: str, title: str, quote: str
) -> None:
    item = {"sentence": sentence, "identifier": identifier, "title": title, "quote": quote}
    for spelling in (item, item | {"identifier": YOUNGER}):
        answer = client.post(PATH, json={"items": [spelling]})
        assert answer.status_code in (200, 422)
        if answer.status_code == 200:
            assert answer.json()["items"][0]["result"] not in ("supports", "disputes", "mixed")


# --- bad input ----------------------------------------------------------------------------------------------------

GOOD = {"claim": CLAIM, "identifier": YOUNGER}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [GOOD] * 51}, "items"),
        ({}, "items"),
        ({"items": [GOOD | {"sentence": "Both."}]}, "items.0"),
        ({"items": [GOOD, {"identifier": YOUNGER}]}, "items.1"),
        ({"items": [{"claim": CLAIM}]}, "items.0.identifier"),
        ({"items": [GOOD | {"identifier": "x" * 401}]}, "items.0.identifier"),
        ({"items": [GOOD | {"claim": "Not An Id"}]}, "items.0.claim"),
        ({"items": [GOOD | {"colour": "red"}]}, "items.0.colour"),
        ({"items": [GOOD | {"quote": "a" * 2001}]}, "items.0.quote"),
        ({"items": [GOOD | {"title": "two\nlines"}]}, "items.0.title"),
        ({"items": [{"sentence": "s" * 401, "identifier": YOUNGER}]}, "items.0.sentence"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(client: TestClient, body: Fields, field: str) -> None:
    answer = client.post(PATH, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_fifty_of_the_longest_are_answered_in_order(client: TestClient) -> None:
    longest = {
        "sentence": "naltrexone pain " * 25,
        "identifier": YOUNGER,
        "title": "t" * 500,
        "quote": "pain fell " * 190,
    }
    answer = client.post(PATH, json={"items": [longest] * 50})
    assert answer.status_code == 200
    assert len(answer.content) < 1_000_000
    assert len({str({**item, "position": 0}) for item in answer.json()["items"]}) == 1
    assert answer.headers["cache-control"] == "no-store"


def test_every_result_has_advice_and_is_in_the_vocabularies(client: TestClient) -> None:
    assert ADVICE.keys() == set(VerificationResult)
    listed = {v["name"]: [t["value"] for t in v["terms"]] for v in client.get("/v1/vocabularies").json()["items"]}
    assert listed["verification_result"] == list(VerificationResult)
    assert listed["quote_result"] == list(QuoteResult)
