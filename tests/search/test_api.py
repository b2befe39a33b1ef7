"""`/v1/search` and `/v1/suggest` through HTTP."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.search import FoundList, SuggestedList
from app.search.service import MAX_RANKED

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
JOINING_SIGNS = "/+,;&|\\_:·•….?!=>→×~*#@[(、／＋，；＆"  # noqa: RUF001 - wide signs are the very subject
FIBROMYALGIA_CODES = ("M797", "m797", "ICD10CM:M79.7", "icd10:M79.7", "icd10cm M797", "M 79.7")
LISTS = {
    "claims": "claim",
    "interventions": "intervention",
    "conditions": "condition",
    "mechanisms": "mechanism",
    "side-effects": "side_effect",
    "outcomes": "outcome",
    "dosing-ranges": "dosing_range",
    "studies": "study",
    "documents": "document",
}


def ask(client: TestClient, q: str, **params: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def keys(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["type"], item["id"]) for item in page["items"]]


def everything(client: TestClient, q: str, limit: int = 200, **params: Any) -> Iterator[dict[str, Any]]:
    """All items, page by page."""
    page = ask(client, q, limit=limit, **params)
    yield from page["items"]
    while page["next"]:
        page = client.get(page["next"]).json()
        yield from page["items"]


# --- questions ---------------------------------------------------------------------------------------------------


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


def test_a_word_that_no_record_has_makes_the_answer_partial(client: TestClient) -> None:
    page = ask(client, "naltrexone xylophonist")
    assert (page["matched"], page["did_you_mean"]) == ("any", None)
    assert page["total"] > 0
    assert ask(client, "xylophonist")["items"] == []


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "q",
    [
        '"', '""', '"""', "' OR 1=1 --", "a AND (", "NEAR(a b, 5)", "title:pain", "pain*", "*", "^pain", "pain NOT",
        "-", "AND OR NOT", "{title} : x", "a:*B & !c | <-> d", "\\", "%", "_", "pain'; DROP TABLE claims; --",
        "a", "x y z",
        "the of and", "?!… — ;", "😀", "😀 pain", "疼痛", "\u202epain", "١٢٣", "\u017f", "\ufb01bro",
        "\n\t", " ", "0", "1e9",
        "1.5", "-5", "a-1", "http://x.example/y", "me@example.org", "/a/b", "<b>pain</b>", "2e4mg", "0x1f", "NULL",
        "(" * 400, '"' * 399, "a " * 199, "pain " * 79, "x" * 400, "é" * 400, "ldn" * 133,
    ],
)  # fmt: skip
def test_any_text_is_answered_or_refused(client: TestClient, q: str) -> None:
    for method in ("GET", "POST"):
        answer = (
            client.get("/v1/search", params={"q": q}) if method == "GET" else client.post("/v1/search", json={"q": q})
        )
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= 20
    assert client.get("/v1/suggest", params={"q": q[:100]}).status_code == 200
    assert client.get("/v1/claims", params={"q": q}).status_code == 200


@pytest.mark.parametrize(
    "q", ["", "a" * 60_000, "(" * 5000, "pain\0", "\ud800", "pain\x07", "\x9f"], ids=lambda q: repr(q[:8])
)
def test_what_no_search_box_sends_is_refused(client: TestClient, q: str) -> None:
    body = json.dumps({"q": q})  # lone surrogates as escapes
    assert client.post("/v1/search", content=body, headers={"Content-Type": "application/json"}).status_code == 422
    if "\ud800" not in q and len(q) < 10_000:
        assert client.get("/v1/search", params={"q": q}).status_code == 422
        assert client.get("/v1/suggest", params={"q": q}).status_code == 422


def test_a_lone_surrogate_in_the_address_is_refused(client: TestClient) -> None:
    assert client.get("/v1/search?q=%ED%A0%80").status_code == 422


@pytest.mark.parametrize("cursor", ["AAAAAAAAAAAA", "x" * 400])
def test_an_altered_cursor_is_refused(client: TestClient, cursor: str) -> None:
    assert client.get("/v1/search", params={"q": "pain", "cursor": cursor}).status_code == 422


def test_a_cursor_of_another_question_is_refused(client: TestClient) -> None:
    cursor = ask(client, "pain", limit=1)["next_cursor"]
    answer = client.get("/v1/search", params={"q": "sleep", "limit": 1, "cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "foreign_cursor"


# --- answers ------------------------------------------------------------------------------------------------------


def test_parts_join_to_the_title_and_claims_bring_their_summary(
    client: TestClient, sample_questions: list[str]
) -> None:
    hits = 0
    for q in sample_questions[::6]:
        for item in ask(client, q)["items"]:
            assert "".join(part["text"] for part in item["parts"]) == item["title"]
            assert all(part["text"] for part in item["parts"])
            hits += sum(part["hit"] for part in item["parts"])
            assert (item["claim"] is not None) == (item["type"] == "claim")
            if item["claim"]:
                assert (item["claim"]["id"], item["claim"]["statement"]) == (item["id"], item["title"])
                assert {"caveat", "consensus", "certainty"} <= item["claim"].keys()
    assert hits > 100


def test_answers_are_just_what_the_contract_says(client: TestClient, sample_questions: list[str]) -> None:
    for q in sample_questions[::20]:
        page = client.get("/v1/search", params={"q": q, "limit": 50}).content
        assert FoundList.model_validate_json(page, strict=False).model_dump_json().encode() == page
        suggested = client.get("/v1/suggest", params={"q": q[:3]}).content
        assert SuggestedList.model_validate_json(suggested).model_dump_json().encode() == suggested


def test_claims_are_shown_as_their_own_records_show_them(client: TestClient) -> None:
    for item in ask(client, "fibromyalgia pain", type="claim", limit=30)["items"]:
        claim = client.get(item["links"]["self"]).json()
        shown = item["claim"]
        assert (shown["statement"], shown["caveat"]) == (claim["statement"], claim["caveat"])
        assert {name: shown[name] for name in ("consensus", "leaning", "certainty")} == {
            name: claim["evidence"][name] for name in ("consensus", "leaning", "certainty")
        }
        assert (shown["supports"], shown["disputes"]) == (
            claim["evidence"]["by_stance"]["supports"],
            claim["evidence"]["by_stance"]["disputes"],
        )


def test_the_parts_that_were_asked_for_are_hits(client: TestClient) -> None:
    (item,) = ask(client, "LDN spasticity multiple sclerosis", type="claim", limit=1)["items"]
    hits = [part["text"] for part in item["parts"] if part["hit"]]
    assert item["id"] == "ldn-ms-spasticity"
    assert hits == ["Low-dose naltrexone", "spasticity", "multiple sclerosis"]


@pytest.mark.parametrize("q", ["crohns", "sleep fibromyalgia", "naltrexone contraindication", "dose 4.5 mg", "younger"])
def test_facets_are_counts_of_everything_that_matches(client: TestClient, q: str) -> None:
    page = ask(client, q)
    items = list(everything(client, q))
    assert len(items) == page["total"] <= 200
    types = Counter(item["type"] for item in items)
    assert {f["value"]: f["count"] for f in page["facets"]["type"]} == types
    for name, values in page["facets"].items():
        for facet in values:
            with_it = ask(client, q, **{name: facet["value"]})
            assert with_it["total"] == facet["count"], (name, facet)


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


def test_post_answers_as_get_does(client: TestClient, sample_questions: list[str]) -> None:
    for q in sample_questions[::25]:
        got = client.get("/v1/search", params={"q": q, "type": "claim", "limit": 5}).json()
        posted = client.post("/v1/search", json={"q": q, "type": ["claim"], "limit": 5})
        assert posted.headers["cache-control"] == "no-store"
        assert posted.json() | {"next": got["next"]} == got


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


# --- typeahead ----------------------------------------------------------------------------------------------------


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
    for limit in (1, 8):
        items = client.get("/v1/suggest", params={"q": typed, "limit": limit}).json()["items"]
        assert len(items) == limit
        for item in items:
            assert "".join(part["text"] for part in item["parts"]) == item["matched"]
    statements = [item for item in items if item["matched_on"] == "statement"]
    assert any(set(words) <= {p["text"].lower() for p in item["parts"] if p["hit"]} for item in statements)
    claims = client.get("/v1/suggest", params={"q": typed, "type": "claim"}).json()["items"]
    assert {item["type"] for item in claims} == {"claim"}
    assert all(item["claim"] for item in claims)


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


# --- unfinished, unknown and joined words ---------------------------------------------------------------------------


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
    page = ask(client, question)
    assert page["total"] > 0
    assert page["matched"] == "any"
    assert page["left_out"] == left_out


@pytest.mark.parametrize(
    "question", ["fibromyalgia", "crohn naltrexone", "4.5 mg", "endorphin", '"active crohns disease"']
)
def test_an_added_word_never_leaves_nothing(client: TestClient, question: str) -> None:
    for sign in (" ", "-", "/", "_", "="):
        for added in ("xyzzyq", "77", "q", "7.7", "zz9"):
            for q in (f"{question}{sign}{added}", f"{added}{sign}{question}"):
                assert ask(client, q)["total"] > 0, q


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
    page = ask(client, question)
    assert page["left_out"] == left_out
    assert page["matched"] == ("any" if left_out else "all")
    assert bool(page["total"]) == (question != "zzyzx")


def test_a_filter_that_leaves_nothing_with_all_words_gives_what_has_some(client: TestClient) -> None:
    page = ask(client, "crohn glia tramadol", type="study")
    assert page["total"] > 0
    assert page["matched"] == "any"


def test_an_answer_says_whether_it_was_capped(client: TestClient) -> None:
    wide, narrow = ask(client, "naltrexone"), ask(client, "crohn fistula naltrexone", type="document")
    assert (wide["total"] > MAX_RANKED) is wide["capped"] is True
    assert narrow["capped"] is (narrow["total"] > MAX_RANKED) is False


def test_typeahead_offers_claims_with_what_must_travel_with_them(client: TestClient) -> None:
    claim = client.get("/v1/claims/ldn-fibromyalgia-pain").json()
    items = client.get("/v1/suggest", params={"q": claim["statement"][:40], "limit": 20}).json()["items"]
    suggested = next(item for item in items if item["id"] == claim["id"])
    assert (suggested["name"], suggested["matched_on"]) == (claim["statement"], "statement")
    assert suggested["claim"]["verdict"] == claim["evidence"]["verdict"]
    assert all((item["claim"] is None) == (item["type"] != "claim") for item in items)
