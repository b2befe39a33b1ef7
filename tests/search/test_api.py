"""`/v1/search` and `/v1/suggest` through HTTP."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.api.search import FoundList, SuggestedList
from app.publishing.changes import Change
from app.search.service import MAX_RANKED
from tests import neutral
from tests.conftest import Engine, opened, serving
from tests.factories import put, record

FILTERS = {
    "type": "claim",
    "kind": "efficacy",
    "condition": "murmuria",
    "stance": "disputes",
    "consensus": "conflicting",
    "certainty": "low",
    "design": "randomized_crossover_trial",
    "year": "2013",
}
JOINING_SIGNS = "/+,;&|\\_:·•….?!=>→×~*#@[(、／＋，；＆"  # noqa: RUF001 - wide signs are the very subject
MURMURIA_CODES = ("M9997", "m9997", "ICD10CM:M99.97", "icd10:M99.97", "icd10cm M9997", "M 99.97")
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


MORE_CLAIMS = 100


def more() -> Iterator[Change]:
    """Names with accents, signs and digits, doses in micrograms, and more claims than are ranked."""
    yield record(
        "condition", "crinkles-disease", name="Crinkle's disease", synonyms=["crinkle"],
        codes=[neutral.coded("snomed", "99900001")],  # the digits of a PubMed id
    )  # fmt: skip
    yield record("mechanism", "tlr4-modulation", name="Modulation of a receptor", synonyms=["TLR4", "IL-6", "IL-1beta"])
    yield record("side_effect", "precipitated-withdrawal", name="Precipitated withdrawal")
    yield record(
        "document", "moller-2020", label="Bye-M\u00f8ller 2020", title="A crinkle, and what became of it",
        authors=[{"family": "Bye-M\u00f8ller", "given": "Ida"}],
        identifiers=[{"scheme": "pmcid", "value": "PMC9990001"}],
    )  # fmt: skip
    yield record(
        "dosing_range", "ldz-500-mcg", intervention=neutral.LOW_DOSE, low=500, high=500, unit="ug", dose_text="500 mcg"
    )
    statements = (
        "Low-dose zelvane may ease active Crinkle's disease.",
        "Active treatment with zelvane gave a response in people whose disease is Crinkle's.",
        *(f"Zelvane was spoken of in letter {number} of a reader." for number in range(MORE_CLAIMS)),
    )
    for number, statement in enumerate(statements):
        conditions = ["crinkles-disease" if number < 2 else neutral.CONDITION]
        yield record("claim", f"told-{number}", statement=statement, intervention=neutral.DRUG, conditions=conditions)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[TestClient]:
    """A server of the neutral data set with more to look for."""
    url = engine.copy("search")
    with opened(url) as database:
        put(database, *more())
    with serving(url) as client:
        yield client
    engine.drop(url)


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
        ("MRM", ("condition", "murmuria")),
        ("m99.97", ("condition", "murmuria")),
        ("LDZ", ("intervention", "low-dose-zelvane")),
        ("10.5555/zelvane.1", ("document", "alder-2013")),
        ("https://doi.org/10.5555/ZELVANE.1", ("document", "alder-2013")),
        ("pmid:99900002", ("document", "birch-2024")),
        ("pmid:99900001", ("document", "alder-2013")),
        ("snomed:99900001", ("condition", "crinkles-disease")),
        ("99900002", ("document", "birch-2024")),
        ("NCT99900002", ("study", "birch-trial")),
        ("CRINKLE\u2019S DISEASE", ("condition", "crinkles-disease")),
        ("bye-moller 2020", ("document", "moller-2020")),
        ("murmur", ("condition", "murmuria")),
    ],
)
def test_names_codes_and_identifiers_find_what_they_name(client: TestClient, q: str, first: tuple[str, str]) -> None:
    assert keys(ask(client, q))[0] == first


def test_accents_and_case_do_not_matter(client: TestClient) -> None:
    plain = ask(client, "zelvane crinkles response")["items"]
    assert plain
    assert ask(client, "ZELVÁNE Crinkle's RESPONSE")["items"] == plain


def test_words_in_quotes_stay_in_a_row(client: TestClient) -> None:
    free, quoted = ask(client, "active treatment disease crinkles"), ask(client, '"active crinkles disease"')
    assert quoted["matched"] == "all"
    assert 0 < quoted["total"] < free["total"]
    claims = [item["title"] for item in quoted["items"] if item["type"] == "claim"]
    assert any("active Crinkle's disease" in title for title in claims)


def test_unknown_words_are_corrected_and_the_correction_is_said(client: TestClient) -> None:
    page = ask(client, "Mumruria, oxilrt")
    assert page["did_you_mean"] == "murmuria, oxilort"
    assert keys(page) == keys(ask(client, "murmuria, oxilort"))
    assert ask(client, "lowdose zelvane")["did_you_mean"] == "low dose zelvane"
    assert ask(client, "murmuria")["did_you_mean"] is None


def test_a_word_that_no_record_has_makes_the_answer_partial(client: TestClient) -> None:
    page = ask(client, "zelvane xylophonist")
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
        "(" * 400, '"' * 399, "a " * 199, "pain " * 79, "x" * 400, "é" * 400, "ldz" * 133,
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
    for item in ask(client, "murmuria pain", type="claim", limit=30)["items"]:
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
    (item,) = ask(client, "LDZ remission gripes", type="claim", limit=1)["items"]
    hits = [part["text"] for part in item["parts"] if part["hit"]]
    assert item["id"] == "ldz-gripes-remission"
    assert hits == ["Low-dose zelvane", "remission", "gripes"]


@pytest.mark.parametrize("q", ["gripes", "sleep murmuria", "zelvane contraindication", "dose 4.5 mg", "alder"])
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
    whole = {(item["type"], item["id"]) for item in everything(client, "murmuria pain")}
    narrowed = ask(client, "murmuria pain", limit=200, **{name: value})
    assert narrowed["items"]
    assert {facet["value"] for facet in narrowed["facets"][name]} >= {value}
    assert narrowed["total"] == next(f["count"] for f in narrowed["facets"][name] if f["value"] == value)
    assert set(keys(narrowed)) <= whole


@pytest.mark.parametrize("limit", [3, 50])
def test_pages_lose_nothing_and_repeat_nothing(client: TestClient, limit: int) -> None:
    whole = [(item["type"], item["id"]) for item in everything(client, "zelvane")]
    assert len(whole) == len(set(whole)) == MAX_RANKED
    assert [(item["type"], item["id"]) for item in everything(client, "zelvane", limit)] == whole


def test_post_answers_as_get_does(client: TestClient, sample_questions: list[str]) -> None:
    for q in sample_questions[::25]:
        got = client.get("/v1/search", params={"q": q, "type": "claim", "limit": 5}).json()
        posted = client.post("/v1/search", json={"q": q, "type": ["claim"], "limit": 5})
        assert posted.headers["cache-control"] == "no-store"
        assert posted.json() | {"next": got["next"]} == got


def test_the_words_of_a_list_find_what_the_search_finds(client: TestClient, sample_questions: list[str]) -> None:
    agreed: Counter[str] = Counter()
    for q in (*sample_questions[::16], "glow", "insomnia", "sleep", "4.5 mg", "zelvane", "murmuria", "pain"):
        for path, record_type in LISTS.items():
            searched = ask(client, q, type=record_type, limit=200)
            if searched["matched"] != "all" or searched["did_you_mean"] or searched["total"] > MAX_RANKED:
                continue
            listed = client.get(f"/v1/{path}", params={"q": q, "limit": 200}).json()
            found = {item["id"] for item in searched["items"]}
            if path == "interventions":  # those that only a literature search names are not listed
                found = {one for one in found if client.get(f"/v1/{path}/{one}").json()["evidence"]["claims"]}
            assert {item["id"] for item in listed["items"]} == found, (q, path)
            agreed[path] += len(listed["items"])
    assert set(agreed) == set(LISTS)
    assert min(agreed.values()) > 0


# --- typeahead ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "first", "matched_on"),
    [
        ("murmu", ("condition", "murmuria"), "name"),
        ("mrm", ("condition", "murmuria"), "synonym"),
        ("mumruri", ("condition", "murmuria"), "name"),
        ("ldz", ("intervention", "low-dose-zelvane"), "synonym"),
        ("M99.97", ("condition", "murmuria"), "code"),
        ("zelvi", ("intervention", "zelvane"), "synonym"),
        ("disease", ("condition", "crinkles-disease"), "name"),
        ("10.5555/zelvane", ("document", "alder-2013"), "identifier"),
        *((spelling, ("condition", "murmuria"), "code") for spelling in MURMURIA_CODES),
        *((q, ("mechanism", "tlr4-modulation"), "synonym") for q in ("TLR4", "TLR-4", "TLR 4")),
        ("PMC 9990001", ("document", "moller-2020"), "identifier"),
        ("DOI 10.5555/zelvane.1", ("document", "alder-2013"), "identifier"),
        ("pmid 99900002", ("document", "birch-2024"), "identifier"),
        ("sleep zelvane", ("claim", "ldz-murmuria-sleep"), "statement"),
        ("moller", ("document", "moller-2020"), "name"),
        ("bye-mol", ("document", "moller-2020"), "name"),
        ("became", ("document", "moller-2020"), "title"),
        ("lorts receiving", ("claim", "zelvane-lort-contraindication"), "statement"),
    ],
)
def test_typing_suggests(client: TestClient, typed: str, first: tuple[str, str], matched_on: str) -> None:
    items = client.get("/v1/suggest", params={"q": typed}).json()["items"]
    assert (items[0]["type"], items[0]["id"]) == first
    assert items[0]["matched_on"] == matched_on


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ldz sle", ["sle"]),
        ("ldz+sle", ["sle"]),
        ("zelvane mur", ["zelvane", "mur"]),
        ("murmuria zelv", ["murmuria", "zelv"]),
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
    for typed in ("low", "zelv", "alder 2", "chronic pai", "M99", "s"):
        items = client.get("/v1/suggest", params={"q": typed, "limit": 20}).json()["items"]
        assert items
        for item in items:
            assert "".join(part["text"] for part in item["parts"]) == item["matched"]
            assert [part["hit"] for part in item["parts"]].count(True) == 1
        assert len({(item["type"], item["id"]) for item in items}) == len(items)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("withdraw", {"precipitated-withdrawal"}),
        ("vivid dr", {"vivid-dreams", "ldz-vivid-dreams"}),
        ("murmu", {"murmuria"}),
        ("weird dre", {"vivid-dreams", "ldz-vivid-dreams"}),
        ("ldz nightm", {"ldz-vivid-dreams"}),
        ("painkil", {"lorts"}),
    ],
)
def test_the_words_of_the_public_begin_suggestions(client: TestClient, typed: str, expected: set[str]) -> None:
    items = client.get("/v1/suggest", params={"q": typed, "limit": 10}).json()["items"]
    assert expected <= {item["id"] for item in items}


def test_one_slip_anywhere_in_a_name_is_forgiven(client: TestClient) -> None:
    dice = random.Random(7)  # noqa: S311 - the same ones every time
    names = ["murmuria", "zelvane", "insomnia", "headache", "crinkle", "weariness", "precipitated"]
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
        ("LDZ+tralort", "LDZ tralort"),
        ("LDZ/tralort", "LDZ tralort"),
        ("zelvane,oxilort", "zelvane oxilort"),
        ("zelvane/murmuria", "zelvane murmuria"),
        ("zelvan murmuria", "murmuria zelvan"),
        ("Bye-Moller", "Bye-M\u00f8ller"),
        ("http://www.ncbi.nlm.nih.gov/pubmed/99900002", "99900002"),
        ("pmid: 99900002", "99900002"),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC9990001/", "PMC9990001"),
        ("https://clinicaltrials.gov/study/NCT99900001", "NCT99900001"),
        ("https://clinicaltrials.gov/ct2/show/NCT99900001?term=ldz", "nct99900001"),
        ("https://doi.org/10.5555%2Fzelvane.1", "10.5555/zelvane.1"),
        ("(doi: 10.5555/ZELVANE.1).", "10.5555/zelvane.1"),
        ("PMC 9990001", "PMC9990001"),
        ("NCT 99900001", "NCT99900001"),
        ("DOI 10.5555/zelvane.1", "10.5555/zelvane.1"),
        ("pmid 99900002", "99900002"),
        *((spelling, "M99.97") for spelling in MURMURIA_CODES),
        ("TLR-4", "TLR4"),
        ("TLR 4", "TLR4"),
        ("IL6", "IL-6"),
        *((spelling, "il 1beta") for spelling in ("IL-1beta", "IL-1\u03b2", "IL1-beta")),
        ("50mg", "50 mg"),
        ("0.5mg", "0.5 mg"),
        ("4.5mgs", "4.5 mg"),
        ("500\u00b5g", "500 mcg"),
        ("500mcg", "500 mcg"),
        ("zelvane 50mg", "zelvane 50 mg"),
        *((f"zelvane{sign}crinkle", "zelvane crinkle") for sign in JOINING_SIGNS),
    ],
)
def test_spellings_of_one_question_find_the_same(client: TestClient, question: str, same_as: str) -> None:
    found, expected = ask(client, question), ask(client, same_as)
    assert found["total"] > 0
    assert (found["total"], keys(found)) == (expected["total"], keys(expected))


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("kappa-lort", ["kappa"]),
        ("u-lort", ["u"]),
        ("\u03b4-lort", ["delta"]),
        ("\u00df-pain", ["ss"]),
        ("q-pain", ["q"]),
        ("zelvane/zz1", ["zz1"]),
        ("zelvane+icd10", ["icd10"]),
        ("nausea&zz1", ["zz1"]),
        ('"zelvane xyzzyq"', ["xyzzyq"]),
        ("700mcg", ["700"]),
        ("nausea/9", []),
        ("headache+9", []),
        ("9+crinkle", []),
        ("il6,crinkle", []),
        ("tlr4-77", []),
        ("il6-77", []),
        ("nausea-beta", []),
        ("crinkle-beta", []),
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


@pytest.mark.parametrize("question", ["murmuria", "crinkle zelvane", "4.5 mg", "glow", '"active crinkles disease"'])
def test_an_added_word_never_leaves_nothing(client: TestClient, question: str) -> None:
    for sign in (" ", "-", "/", "_", "="):
        for added in ("xyzzyq", "77", "q", "7.7", "zz9"):
            for q in (f"{question}{sign}{added}", f"{added}{sign}{question}"):
                assert ask(client, q)["total"] > 0, q


@pytest.mark.parametrize("question", ["LDZ sleep mur", "murm zelvane", "zelv for my murmur pain"])
def test_an_unfinished_word_is_completed_wherever_it_stands(client: TestClient, question: str) -> None:
    assert ask(client, question)["total"] > 0


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("murmuria zzyzx", ["zzyzx"]),
        ("zzyzx qqqq pain", ["qqqq", "zzyzx"]),
        ("zzyzx", ["zzyzx"]),
        ("murmuria", []),
        ('"pain murmuria crinkle" sleep', ["pain murmuria crinkle"]),
    ],
)
def test_what_no_record_has_is_left_out_and_named(client: TestClient, question: str, left_out: list[str]) -> None:
    page = ask(client, question)
    assert page["left_out"] == left_out
    assert page["matched"] == ("any" if left_out else "all")
    assert bool(page["total"]) == (question != "zzyzx")


def test_a_filter_that_leaves_nothing_with_all_words_gives_what_has_some(client: TestClient) -> None:
    page = ask(client, "crinkle glia tralort", type="study")
    assert page["total"] > 0
    assert page["matched"] == "any"


def test_an_answer_says_whether_it_was_capped(client: TestClient) -> None:
    wide, narrow = ask(client, "zelvane"), ask(client, "crinkle response zelvane", type="document")
    assert (wide["total"] > MAX_RANKED) is wide["capped"] is True
    assert narrow["capped"] is (narrow["total"] > MAX_RANKED) is False


def test_typeahead_offers_claims_with_what_must_travel_with_them(client: TestClient) -> None:
    claim = client.get("/v1/claims/ldz-murmuria-pain").json()
    items = client.get("/v1/suggest", params={"q": claim["statement"][:40], "limit": 20}).json()["items"]
    suggested = next(item for item in items if item["id"] == claim["id"])
    assert (suggested["name"], suggested["matched_on"]) == (claim["statement"], "statement")
    assert suggested["claim"]["verdict"] == claim["evidence"]["verdict"]
    assert all((item["claim"] is None) == (item["type"] != "claim") for item in items)
