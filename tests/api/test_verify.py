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
CLAIM = "ldz-murmuria-pain"
ALDER = "10.5555/zelvane.1"
LARCH = "10.5555/zelvane.9"
LARCH_TITLE = "Low-dose zelvane in Raven's disease: a small, randomized, blinded crossover trial of cough at night"
Fields = dict[str, Any]


def verified(client: TestClient, *items: Fields) -> list[Fields]:
    answer = client.post(PATH, json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    found: list[Fields] = answer.json()["items"]
    assert [one["position"] for one in found] == list(range(len(items)))
    return found


def one(client: TestClient, **item: Any) -> Fields:
    return verified(client, item)[0]


# --- labelled citations -------------------------------------------------------------------------------------------

LABELLED: list[tuple[str, str, VerificationResult]] = [
    (CLAIM, ALDER, VerificationResult.supports),
    (CLAIM, "10.5555/zelvane.2", VerificationResult.disputes),
    (CLAIM, "10.5555/zelvane.4", VerificationResult.inconclusive),
    ("ldz-ravens-pain", LARCH, VerificationResult.mixed),
    ("ldz-ravens-pain", "10.5555/zelvane.4", VerificationResult.background),
    ("ldz-ravens-pain", "10.5555/zelvane.7", VerificationResult.not_assessed),
    ("ldz-ravens-pain", ALDER, VerificationResult.not_cited),
    (CLAIM, "10.5555/zelvane.8", VerificationResult.retracted),
    (CLAIM, "10.9999/there.is.no.such", VerificationResult.source_unknown),
    (CLAIM, "pmid:99999999", VerificationResult.source_unknown),
    (CLAIM, "NCT99999999", VerificationResult.source_unknown),
    (CLAIM, "NCT99900001", VerificationResult.supports),
    (CLAIM, "99900001", VerificationResult.identifier_unreadable),
    (CLAIM, "Alder et al. 2013", VerificationResult.identifier_unreadable),
    ("there-is-no-such-claim", ALDER, VerificationResult.claim_unknown),
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
        "https://doi.org/10.5555/ZELVANE.1", "doi: 10.5555/zelvane.1.", "(DOI 10.5555/zelvane.1)", "PMID: 99900001",
        "https://pubmed.ncbi.nlm.nih.gov/99900001/", "pmid:99900001",
    ],
)  # fmt: skip
def test_any_spelling_of_an_identifier_leads_to_its_document(client: TestClient, spelling: str) -> None:
    found = one(client, claim=CLAIM, identifier=spelling)
    assert (found["result"], found["source"]["id"], found["source"]["type"]) == ("supports", "alder-2013", "document")


def test_whatever_shows_a_claim_shows_what_must_travel_with_it(client: TestClient) -> None:
    found = one(client, claim=CLAIM, identifier=ALDER)
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
    recorded = next(c for c in whole["citations"] if c["document"]["id"] == "alder-2013")
    for name in ("id", "stance", "directness", "finding", "locator", "verification"):
        assert cited[name] == recorded[name]


def test_items_do_not_disturb_one_another(client: TestClient) -> None:
    good = {"claim": CLAIM, "identifier": ALDER}
    found = verified(client, good, {"claim": "no-such", "identifier": "none"}, good)
    assert [answer["result"] for answer in found] == ["supports", "identifier_unreadable", "supports"]
    assert [[fault["field"] for fault in answer["errors"]] for answer in found] == [[], ["claim", "identifier"], []]


def test_a_misspelt_claim_is_told_what_is_near(client: TestClient) -> None:
    (fault,) = one(client, claim="ldz-murmuria-pains", identifier=ALDER)["errors"]
    assert fault["did_you_mean"][0] == CLAIM


def test_a_retired_claim_is_answered_by_its_successor(client: TestClient) -> None:
    found = one(client, claim="ldz-nausea-occurs", identifier=ALDER)
    assert found["replaced"] == {"id": "ldz-nausea-occurs", "successor": "ldz-nausea"}
    assert found["claim"]["id"] == "ldz-nausea"
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
    items = [{"claim": claim, "identifier": ALDER} for claim in (CLAIM, "ldz-murmuria-pains", "ldz-ms-fatigues")]
    faults = [fault for answer in verified(client, *items) for fault in answer["errors"]]
    assert [fault["did_you_mean"][:1] for fault in faults] == [[CLAIM], []]


# --- titles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "result"),
    [
        (LARCH_TITLE, "same"),
        (LARCH_TITLE.upper().replace("-", " ") + ".", "same"),
        (f"<i>{LARCH_TITLE}</i>", "same"),
        ("Low-dose zelvane in Raven's disease", "near"),
        (LARCH_TITLE.replace("randomized", "randomised"), "near"),
        ("Low-dose zelvane", "different"),
        ("Cough in Raven's disease is reduced by low-dose zelvane: a pilot study", "different"),
        ("低用量ナルトレキソン", "different"),
    ],
)
def test_titles_are_compared_by_their_words(client: TestClient, title: str, result: str) -> None:
    found = one(client, claim="ldz-insomnia", identifier=LARCH, title=title)
    assert found["title"]["result"] == result
    assert found["title"]["recorded"] == LARCH_TITLE
    assert found["result"] == ("other_title" if result == "different" else "supports")


def test_an_identifier_that_was_mixed_up_is_told_whose_title_it_is(client: TestClient) -> None:
    other = client.get("/v1/documents/larch-2018").json()
    found = one(client, claim=CLAIM, identifier=ALDER, title=other["title"])
    assert found["result"] == "other_title"
    assert found["title"]["other_document"] == {"id": "larch-2018", "label": other["label"]}


# --- quotations ---------------------------------------------------------------------------------------------------


def test_a_quotation_is_never_confirmed_against_a_text_that_is_not_held(client: TestClient) -> None:
    found = one(client, claim=CLAIM, identifier=ALDER, quote="the drug was well tolerated by all of them")
    assert found["quote"] == {"result": "no_text_held", "citation": None}
    assert "was not verified" in found["advice"]


def test_our_words_are_known_for_ours(client: TestClient) -> None:
    """Who takes a finding for a quotation puts words into the mouth of its authors."""
    (cited,) = one(client, claim=CLAIM, identifier=ALDER)["citations"]
    found = one(client, claim=CLAIM, identifier=ALDER, quote=cited["finding"][:80])
    assert found["quote"]["result"] == "our_words"
    assert "do not put them in quotation marks" in found["advice"]


@pytest.mark.parametrize(
    ("quote", "result"),
    [("cough at night", "too_short"), ("crossover trial of cough at night", "in_title")],
)
def test_where_a_quotation_was_found_is_said(client: TestClient, quote: str, result: str) -> None:
    assert one(client, claim="ldz-insomnia", identifier=LARCH, quote=quote)["quote"]["result"] == result


# --- sentences ----------------------------------------------------------------------------------------------------


def test_a_sentence_is_never_taken_for_a_claim_that_is_near(client: TestClient) -> None:
    """The opposite of a claim is near it: a source is not said to support it."""
    for sentence in (
        "Low-dose zelvane reduces pain in murmuria.",
        "Low-dose zelvane does not reduce pain in people with murmuria.",
    ):
        found = one(client, sentence=sentence, identifier=ALDER)
        assert (found["result"], found["claim"], found["citations"]) == ("compare_claims", None, [])
        near = {entry["claim"]["id"]: entry for entry in found["nearest"]}
        assert [cited["stance"] for cited in near[CLAIM]["citations"]] == ["supports"]
        assert all({"answer", "verdict", "caveat", "supports", "disputes"} <= n["claim"].keys() for n in near.values())


def test_the_statement_of_a_claim_is_that_claim(client: TestClient) -> None:
    statement = client.get(f"/v1/claims/{CLAIM}").json()["statement"]
    found = one(client, sentence=statement.upper(), identifier=ALDER)
    assert (found["result"], found["claim"]["id"], found["nearest"]) == ("supports", CLAIM, [])


@pytest.mark.parametrize(
    ("sentence", "identifier", "result"),
    [
        ("vorpal qzxv blades", ALDER, "no_claim_near"),
        ("Zelvane must not be taken with tralort.", ALDER, "not_cited_nearby"),
        ("Zelvane must not be taken with tralort.", "10.9999/none", "source_unknown"),
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
    for spelling in (item, item | {"identifier": ALDER}):
        answer = client.post(PATH, json={"items": [spelling]})
        assert answer.status_code in (200, 422)
        if answer.status_code == 200:
            assert answer.json()["items"][0]["result"] not in ("supports", "disputes", "mixed")


# --- bad input ----------------------------------------------------------------------------------------------------

GOOD = {"claim": CLAIM, "identifier": ALDER}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [GOOD] * 51}, "items"),
        ({}, "items"),
        ({"items": [GOOD | {"sentence": "Both."}]}, "items.0"),
        ({"items": [GOOD, {"identifier": ALDER}]}, "items.1"),
        ({"items": [{"claim": CLAIM}]}, "items.0.identifier"),
        ({"items": [GOOD | {"identifier": "x" * 401}]}, "items.0.identifier"),
        ({"items": [GOOD | {"claim": "Not An Id"}]}, "items.0.claim"),
        ({"items": [GOOD | {"colour": "red"}]}, "items.0.colour"),
        ({"items": [GOOD | {"quote": "a" * 2001}]}, "items.0.quote"),
        ({"items": [GOOD | {"title": "two\nlines"}]}, "items.0.title"),
        ({"items": [{"sentence": "s" * 401, "identifier": ALDER}]}, "items.0.sentence"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(client: TestClient, body: Fields, field: str) -> None:
    answer = client.post(PATH, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_fifty_of_the_longest_are_answered_in_order(client: TestClient) -> None:
    longest = {
        "sentence": "zelvane pain " * 25,
        "identifier": ALDER,
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
