"""`/v1/search` and `/v1/suggest` over the data set: in the words of those who ask, and over enough records to cap."""

import random
from collections import Counter

import pytest
from starlette.testclient import TestClient

from app.search.service import MAX_RANKED
from tests.search import test_api
from tests.search.test_api import (
    JOINING_SIGNS,
    LISTS,
    ask,
    everything,
    keys,
    test_answers_are_just_what_the_contract_says,
    test_parts_join_to_the_title_and_claims_bring_their_summary,
)

__all__ = [
    "test_answers_are_just_what_the_contract_says",
    "test_parts_join_to_the_title_and_claims_bring_their_summary",
]

FILTERS = {
    "type": "claim",
    "kind": "safety",
    "condition": "fibromyalgia",
    "stance": "disputes",
    "consensus": "conflicting",
    "certainty": "low",
    "design": "randomized_crossover_trial",
    "year": "2013",
}
FIBROMYALGIA_CODES = ("M797", "m797", "ICD10CM:M79.7", "icd10:M79.7", "icd10cm M797", "M 79.7")


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("CFS", ("condition", "me-cfs")),
        ("ME/CFS", ("condition", "me-cfs")),
        ("m79.7", ("condition", "fibromyalgia")),
        ("LDN", ("intervention", "low-dose-naltrexone")),
        ("10.1002/art.37734", ("document", "younger-2013")),
        ("https://doi.org/10.1002/ART.37734", ("document", "younger-2013")),
        ("pmid:23359310", ("document", "younger-2013")),
        ("23359310", ("document", "younger-2013")),
        ("NCT04270877", ("study", "final-trial")),
        ("CROHN\u2019S DISEASE", ("condition", "crohns-disease")),
        ("uçeyler 2011", ("document", "uceyler-2011")),
        ("fibromyal", ("condition", "fibromyalgia")),
    ],
)
def test_names_codes_and_identifiers_find_what_they_name(client: TestClient, q: str, first: tuple[str, str]) -> None:
    assert keys(ask(client, q))[0] == first


def test_accents_and_case_do_not_matter(client: TestClient) -> None:
    plain = ask(client, "naltrexone crohns response")["items"]
    assert plain
    assert ask(client, "NALTREXÓNE Crohn's RESPONSE")["items"] == plain


def test_words_in_quotes_stay_in_a_row(client: TestClient) -> None:
    free, quoted = ask(client, "active treatment disease crohns"), ask(client, '"active crohns disease"')
    assert quoted["matched"] == "all"
    assert 0 < quoted["total"] < free["total"]
    claims = [item["title"] for item in quoted["items"] if item["type"] == "claim"]
    assert any("active Crohn's disease" in title for title in claims)


def test_unknown_words_are_corrected_and_the_correction_is_said(client: TestClient) -> None:
    page = ask(client, "Fybromialgia, opiod")
    assert page["did_you_mean"] == "fibromyalgia, opioid"
    assert keys(page) == keys(ask(client, "fibromyalgia, opioid"))
    assert ask(client, "lowdose naltrexone")["did_you_mean"] == "low dose naltrexone"
    assert ask(client, "fibromyalgia")["did_you_mean"] is None


def test_the_parts_that_were_asked_for_are_hits(client: TestClient) -> None:
    (item,) = ask(client, "LDN spasticity multiple sclerosis", type="claim", limit=1)["items"]
    hits = [part["text"] for part in item["parts"] if part["hit"]]
    assert item["id"] == "ldn-ms-spasticity"
    assert hits == ["Low-dose naltrexone", "spasticity", "multiple sclerosis"]


@pytest.mark.parametrize("q", ["crohns", "sleep fibromyalgia", "naltrexone contraindication", "dose 4.5 mg", "younger"])
def test_facets_are_counts_of_everything_that_matches(client: TestClient, q: str) -> None:
    test_api.test_facets_are_counts_of_everything_that_matches(client, q)


@pytest.mark.parametrize(("name", "value"), FILTERS.items())
def test_a_filter_narrows_to_what_has_the_value(client: TestClient, name: str, value: str) -> None:
    whole = {(item["type"], item["id"]) for item in everything(client, "fibromyalgia pain")}
    narrowed = ask(client, "fibromyalgia pain", limit=200, **{name: value})
    assert narrowed["items"]
    assert {facet["value"] for facet in narrowed["facets"][name]} >= {value}
    assert narrowed["total"] == next(f["count"] for f in narrowed["facets"][name] if f["value"] == value)
    assert set(keys(narrowed)) <= whole


@pytest.mark.parametrize("limit", [3, 50])
def test_pages_lose_nothing_and_repeat_nothing(client: TestClient, limit: int) -> None:
    whole = [(item["type"], item["id"]) for item in everything(client, "naltrexone")]
    assert len(whole) == len(set(whole)) == MAX_RANKED
    assert [(item["type"], item["id"]) for item in everything(client, "naltrexone", limit)] == whole


def test_the_words_of_a_list_find_what_the_search_finds(client: TestClient, sample_questions: list[str]) -> None:
    agreed: Counter[str] = Counter()
    for q in (*sample_questions[::16], "microglia", "insomnia", "sleep", "4.5 mg", "endorphin"):
        for path, record_type in LISTS.items():
            searched = ask(client, q, type=record_type, limit=200)
            if searched["matched"] != "all" or searched["did_you_mean"] or searched["total"] > MAX_RANKED:
                continue
            listed = client.get(f"/v1/{path}", params={"q": q, "limit": 200}).json()
            assert {item["id"] for item in listed["items"]} == {item["id"] for item in searched["items"]}, (q, path)
            agreed[path] += len(listed["items"])
    assert set(agreed) == set(LISTS)
    assert min(agreed.values()) > 0


@pytest.mark.parametrize(
    ("typed", "first", "matched_on"),
    [
        ("fibrom", ("condition", "fibromyalgia"), "name"),
        ("fibo", ("condition", "fibromyalgia"), "synonym"),
        ("fibormy", ("condition", "fibromyalgia"), "name"),
        ("ldn", ("intervention", "low-dose-naltrexone"), "synonym"),
        ("M79", ("condition", "fibromyalgia"), "code"),
        ("lyr", ("intervention", "pregabalin"), "synonym"),
        ("sclerosis", ("condition", "multiple-sclerosis"), "name"),
        ("10.1002/art", ("document", "younger-2013"), "identifier"),
        ("hashimotto", ("condition", "hashimotos-thyroiditis"), "synonym"),
        *((spelling, ("condition", "fibromyalgia"), "code") for spelling in (*FIBROMYALGIA_CODES, "icd10:M79")),
        *((q, ("mechanism", "microglial-tlr4-modulation"), "synonym") for q in ("TLR4", "TLR-4", "TLR 4")),
        ("PMC 7921161", ("document", "jackson-2021"), "identifier"),
        ("DOI 10.1002/art", ("document", "younger-2013"), "identifier"),
        ("pmid 23359310", ("document", "younger-2013"), "identifier"),
        ("sleep naltrexone", ("claim", "ldn-fibromyalgia-sleep"), "statement"),
        ("moller", ("document", "bruun-2024"), "title"),
        ("bye-mol", ("document", "bruun-2024"), "title"),
        ("oxycodone", ("claim", "naltrexone-opioid-contraindication"), "statement"),
    ],
)
def test_typing_suggests(client: TestClient, typed: str, first: tuple[str, str], matched_on: str) -> None:
    items = client.get("/v1/suggest", params={"q": typed}).json()["items"]
    assert (items[0]["type"], items[0]["id"]) == first
    assert items[0]["matched_on"] == matched_on


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ldn sle", ["sle"]),
        ("ldn+sle", ["sle"]),
        ("naltrexone fib", ["naltrexone", "fib"]),
        ("fibromyalgia naltr", ["fibromyalgia", "naltr"]),
    ],
)
def test_words_of_a_record_suggest_it_in_any_order(client: TestClient, typed: str, words: list[str]) -> None:
    test_api.test_words_of_a_record_suggest_it_in_any_order(client, typed, words)


def test_suggestions_are_told_in_parts(client: TestClient) -> None:
    for typed in ("low", "naltr", "younger 2", "chronic fat", "G35", "s"):
        items = client.get("/v1/suggest", params={"q": typed, "limit": 20}).json()["items"]
        assert items
        for item in items:
            assert "".join(part["text"] for part in item["parts"]) == item["matched"]
            assert [part["hit"] for part in item["parts"]].count(True) == 1
        assert len({(item["type"], item["id"]) for item in items}) == len(items)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("withdraw", {"precipitated-opioid-withdrawal", "naltrexone-precipitated-withdrawal"}),
        ("vivid dr", {"vivid-dreams", "ldn-vivid-dreams"}),
        ("hashi", {"hashimotos-thyroiditis", "ldn-hashimotos"}),
        ("fibro", {"fibromyalgia"}),
        ("weird dre", {"vivid-dreams", "ldn-vivid-dreams"}),
        ("ldn nightm", {"ldn-vivid-dreams"}),
        ("coming off", {"ldn-stopping"}),
        ("booze", {"ldn-alcohol"}),
        ("painkil", {"opioid-analgesics", "naltrexone-opioid-contraindication"}),
    ],
)
def test_the_words_of_the_public_begin_suggestions(client: TestClient, typed: str, expected: set[str]) -> None:
    items = client.get("/v1/suggest", params={"q": typed, "limit": 10}).json()["items"]
    assert expected <= {item["id"] for item in items}


def test_one_slip_anywhere_in_a_name_is_forgiven(client: TestClient) -> None:
    dice = random.Random(7)  # noqa: S311 - the same ones every time
    names = ["fibromyalgia", "naltrexone", "insomnia", "headache", "buprenorphine", "neuroinflammation", "thioridazine"]
    for name in names:
        for _ in range(6):
            at = dice.randrange(1, len(name) - 1)
            slip = dice.choice(
                (name[:at] + name[at + 1 :], name[:at] + "q" + name[at + 1 :], name[:at] + "q" + name[at:])
            )
            items = client.get("/v1/suggest", params={"q": slip}).json()["items"]
            assert any(name in item["matched"].lower() for item in items), slip


@pytest.mark.parametrize(
    ("question", "same_as"),
    [
        ("LDN+tramadol", "LDN tramadol"),
        ("LDN/tramadol", "LDN tramadol"),
        ("naltrexone,oxycodone", "naltrexone oxycodone"),
        ("naltrexone/fibromyalgia", "naltrexone fibromyalgia"),
        ("naltrex fibromyalgia", "fibromyalgia naltrex"),
        ("Bye-Moller", "Bye-Møller"),
        ("http://www.ncbi.nlm.nih.gov/pubmed/23359310", "23359310"),
        ("pmid: 23359310", "23359310"),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC7921161/", "PMC7921161"),
        ("https://clinicaltrials.gov/study/NCT00568555", "NCT00568555"),
        ("https://clinicaltrials.gov/ct2/show/NCT00568555?term=ldn", "nct00568555"),
        ("https://doi.org/10.1002%2Fart.37734", "10.1002/art.37734"),
        ("(doi: 10.1002/ART.37734).", "10.1002/art.37734"),
        ("PMC 7921161", "PMC7921161"),
        ("NCT 00568555", "NCT00568555"),
        ("DOI 10.1002/art.37734", "10.1002/art.37734"),
        ("pmid 23359310", "23359310"),
        *(
            (spelling, "M79.7")
            for spelling in ("M797", "m797", "ICD10CM:M79.7", "icd10:M79.7", "icd10cm M797", "M 79.7")
        ),
        ("TLR-4", "TLR4"),
        ("TLR 4", "TLR4"),
        ("IL6", "IL-6"),
        ("IL-1β", "IL-1beta"),
        ("3mg", "3 mg"),
        ("1.5mg", "1.5 mg"),
        ("4.5mgs", "4.5 mg"),
        ("500µg", "500 mcg"),
        ("500mcg", "500 mcg"),
        ("10ng", "10 ng"),
        ("naltrexone 50mg", "naltrexone 50 mg"),
        *((f"naltrexone{sign}crohn", "naltrexone crohn") for sign in JOINING_SIGNS),
    ],
)
def test_spellings_of_one_question_find_the_same(client: TestClient, question: str, same_as: str) -> None:
    found, expected = ask(client, question), ask(client, same_as)
    assert found["total"] > 0
    assert (found["total"], keys(found)) == (expected["total"], keys(expected))


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("kappa-opioid", ["kappa"]),
        ("u-opioid", ["u"]),
        ("δ-opioid", ["delta"]),
        ("ß-endorphin", ["ss"]),
        ("q-pain", ["q"]),
        ("naltrexone/zz1", ["zz1"]),
        ("naltrexone+icd10", ["icd10"]),
        ("nausea&zz1", ["zz1"]),
        ('"naltrexone xyzzyq"', ["xyzzyq"]),
        ("500mcg", ["500"]),
        ("nausea/77", []),
        ("headache+77", []),
        ("9+crohn", []),
        ("il6,sjogren", []),
        ("nausea-α", []),  # noqa: RUF001
        ("sjogren–α", []),  # noqa: RUF001
        ("thyroid-9", []),
        ("b-crohn", []),
        ("amoxicillin treatment", ["amoxicillin"]),
    ],
)
def test_words_that_are_joined_are_found_where_the_whole_is_not(
    client: TestClient, question: str, left_out: list[str]
) -> None:
    test_api.test_words_that_are_joined_are_found_where_the_whole_is_not(client, question, left_out)


@pytest.mark.parametrize(
    "question", ["fibromyalgia", "crohn naltrexone", "4.5 mg", "endorphin", '"active crohns disease"']
)
def test_an_added_word_never_leaves_nothing(client: TestClient, question: str) -> None:
    test_api.test_an_added_word_never_leaves_nothing(client, question)


@pytest.mark.parametrize("question", ["LDN diff placebo", "fibro naltrexone", "naltrex for my fibromyalg pain"])
def test_an_unfinished_word_is_completed_wherever_it_stands(client: TestClient, question: str) -> None:
    assert ask(client, question)["total"] > 0


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("fibromyalgia zzyzx", ["zzyzx"]),
        ("zzyzx qqqq pain", ["qqqq", "zzyzx"]),
        ("zzyzx", ["zzyzx"]),
        ("fibromyalgia", []),
        ('"pain fibromyalgia crohn" sleep', ["pain fibromyalgia crohn"]),
    ],
)
def test_what_no_record_has_is_left_out_and_named(client: TestClient, question: str, left_out: list[str]) -> None:
    test_api.test_what_no_record_has_is_left_out_and_named(client, question, left_out)


def test_a_filter_that_leaves_nothing_with_all_words_gives_what_has_some(client: TestClient) -> None:
    page = ask(client, "crohn glia tramadol", type="study")
    assert page["total"] > 0
    assert page["matched"] == "any"


def test_an_answer_says_whether_it_was_capped(client: TestClient) -> None:
    wide, narrow = ask(client, "naltrexone"), ask(client, "crohn fistula naltrexone", type="document")
    assert (wide["total"] > MAX_RANKED) is wide["capped"] is True
    assert narrow["capped"] is (narrow["total"] > MAX_RANKED) is False
