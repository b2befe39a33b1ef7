"""The page of a condition, in its three layers, and the list of conditions."""

import gzip
import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.core.vocabulary import Status
from app.grading.wording import NO_ALL_CLEAR
from app.storage.database import Database
from tests import neutral
from tests.conftest import serving
from tests.factories import amended, content, put, record
from tests.web.reading import grade, text_of

LOW_DOSE = "low-dose-zelvane"
MAX_GRADE = 9.0
MAX_COMPRESSED_BYTES = 60_000
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def every(client: TestClient, path: str) -> list[dict[str, Any]]:
    items, address = [], f"/v1/{path}?limit=200"
    while address:
        page = client.get(address).json()
        items += page["items"]
        address = page["next"]
    return items


@pytest.fixture(scope="module")
def conditions(client: TestClient) -> list[dict[str, Any]]:
    return every(client, "conditions")


def test_the_list_gives_every_condition_one_headline_or_says_that_there_is_none(
    client: TestClient, conditions: list[dict[str, Any]]
) -> None:
    page = client.get("/conditions").text

    assert {c["id"] for c in conditions} <= set(re.findall(r'href="/conditions/([a-z0-9-]+)"', page))
    assert page.count('class="card"') == len(conditions)
    assert page.count("No claim on a benefit is recorded. " + NO_ALL_CLEAR) > 0


def test_in_short_is_read_easily_whatever_the_condition(client: TestClient, conditions: list[dict[str, Any]]) -> None:
    """Names of drugs and conditions are left out: nobody can say them in shorter words."""
    concepts = [*conditions, *every(client, "interventions")]
    names = {name for c in concepts for name in (c["name"], *c["synonyms"]) if len(name) > 2}
    texts = {c["id"]: text_of(client.get(f"/conditions/{c['id']}").text, "in-short") for c in conditions}

    assert all(len(text.split()) > 100 for text in texts.values())
    assert {i: grade(text, names) for i, text in texts.items() if grade(text, names) > MAX_GRADE} == {}


def test_the_measure_of_reading_tells_easy_from_hard() -> None:
    easy = "The cat sat on the mat. It was a good cat."
    hard = "Institutional heterogeneity necessitates multidimensional epidemiological characterisation procedures."

    assert grade(easy) < 2
    assert grade(hard) > 20
    assert grade("Zelvane helps.", ["zelvane"]) < grade("Zelvane helps.")


def test_a_page_without_the_last_layer_is_small(client: TestClient, conditions: list[dict[str, Any]]) -> None:
    sizes = {c["id"]: len(gzip.compress(client.get(f"/conditions/{c['id']}").content)) for c in conditions}

    assert {i: size for i, size in sizes.items() if size > MAX_COMPRESSED_BYTES} == {}


def test_harm_stands_first_and_no_contraindication_is_left_out(
    client: TestClient, conditions: list[dict[str, Any]]
) -> None:
    claims = [c for c in every(client, "claims") if c["effect"] == "contraindicated"]
    assert claims

    for condition in conditions:
        page = client.get(f"/conditions/{condition['id']}").text
        before = page[: page.index("Does it help?")]
        assert [c["id"] for c in claims if f'href="/claims/{c["id"]}"' not in before] == [], condition["id"]
        text = text_of(before, "in-short")
        assert [c["id"] for c in claims if c["statement"] not in text or (c["caveat"] or "") not in text] == []


@pytest.fixture(scope="module")
def unstudied() -> str:
    return neutral.UNSTUDIED


def test_every_warning_can_be_reached_from_in_short(client: TestClient, unstudied: str) -> None:
    warnings = [c["id"] for c in every(client, "claims") if c["evidence"]["verdict"]["code"] == "official_warning"]
    page = client.get(f"/conditions/{unstudied}").text
    short = page[page.index('class="in-short"') : page.index('id="for-clinicians"')]

    assert warnings
    assert [claim for claim in warnings if f'href="/claims/{claim}"' not in short] == []


def test_key_messages_are_answers_with_verdict_counts_and_caveat(client: TestClient) -> None:
    claim = client.get("/v1/claims/ldz-murmuria-pain").json()
    short = text_of(client.get("/conditions/murmuria").text, "in-short")

    evidence = claim["evidence"]
    for text in (evidence["answer"], evidence["verdict"]["label"], evidence["counts_text"], claim["caveat"]):
        assert text in short


def test_clinicians_see_every_benefit_with_both_sides_and_the_reasons(client: TestClient) -> None:
    claims = client.get(f"/v1/claims?intervention={LOW_DOSE}&condition=murmuria&kind=efficacy&limit=200").json()[
        "items"
    ]
    voting = [c for c in claims if c["wording"]]
    part = text_of(client.get("/conditions/murmuria?layer=clinicians").text, "for-clinicians")

    assert voting
    for claim in voting:
        assert claim["evidence"]["answer"] in part
        assert claim["caveat"] is None or claim["caveat"] in part
    assert "Disputes" in part
    assert "Supports" in part
    assert "Imprecision:" in part


def test_a_difference_is_what_its_source_states_and_an_unread_interval_is_said(
    scratch: Database, scratch_client: TestClient
) -> None:
    stored = content(scratch, "claim", neutral.CONTESTED)
    citations = stored.content.model_dump(mode="json")["citations"]
    citations[0]["estimates"][0] |= {"ci_low": None, "ci_high": None, "ci_level": None}
    put(scratch, amended(stored, citations=citations))
    client = scratch_client
    part = text_of(client.get("/conditions/murmuria?layer=clinicians").text, "for-clinicians")
    claim = client.get("/v1/claims/ldz-murmuria-pain").json()
    estimate = next(
        e
        for c in claim["citations"]
        for e in c["estimates"]
        if e["ci_low"] is not None and e["primary"] and e["ci_level"]
    )

    low, high = (f"{estimate[end]:g}".replace("-", "\N{MINUS SIGN}") for end in ("ci_low", "ci_high"))
    assert f"({estimate['ci_level']:g} % CI {low} to {high})" in part
    assert "interval not reported" in part
    assert "not reported" in part


def test_plots_are_drawn_with_the_table_of_what_they_show(client: TestClient) -> None:
    page = client.get("/conditions/murmuria").text

    assert page.count('<figure class="plot">') == page.count("The figures as a table") > 0


def test_everything_is_loaded_only_when_it_is_asked_for(client: TestClient) -> None:
    brief = client.get(f"/v1/briefs/{LOW_DOSE}/murmuria").json()
    statements = [s["claim_id"] for section in brief["sections"] for s in section["statements"]]
    without = client.get("/conditions/murmuria").text
    page = client.get("/conditions/murmuria?layer=everything").text

    assert 'id="everything-content"' not in without
    assert 'href="/conditions/murmuria?layer=everything#everything"' in without
    assert [claim for claim in statements if f'id="claim-{claim}"' not in page] == []
    assert all(reference["text"].split(".")[0] in page.replace("&amp;", "&") for reference in brief["references"][:3])


@pytest.mark.parametrize(
    ("layer", "part"), [("short", "in-short"), ("clinicians", "for-clinicians"), ("everything", "everything")]
)
def test_one_layer_stands_open_and_prints(client: TestClient, layer: str, part: str) -> None:
    page = client.get(f"/conditions/murmuria?layer={layer}").text
    layers = re.findall(r'<details class="layer" name="layer" id="([a-z-]+)"( open)?>', page)

    assert [name for name, is_open in layers if is_open] == [part]


def test_a_condition_without_data_says_that_this_is_no_all_clear(client: TestClient) -> None:
    short = text_of(client.get("/conditions/palewing").text, "in-short")

    assert client.get(f"/v1/coverage?intervention={LOW_DOSE}&condition=palewing").json()["sentence"] in short
    assert NO_ALL_CLEAR in short
    assert "Reasons not to take it:" in short


def test_a_warning_is_no_answer_to_whether_it_helps(scratch: Database, scratch_client: TestClient) -> None:
    """The claim that tells most about this pair is a contraindication."""
    put(scratch, amended(content(scratch, "claim", "zelvane-liver-warning"), effect="contraindicated"))
    client = scratch_client
    pair = f"intervention={LOW_DOSE}&condition=liver-disease"
    headline = client.get(f"/v1/coverage?{pair}").json()["summary"]["headline_claim"]
    short = text_of(client.get("/conditions/liver-disease").text, "in-short")
    before, _, after = short.partition("Does it help?")

    assert headline["verdict"]["code"] == "official_warning"
    assert headline["statement"] in before
    assert headline["statement"] not in after
    assert f"No claim on a benefit in this condition is recorded. {NO_ALL_CLEAR}" in after


def test_the_disclaimers_are_those_of_the_interventions_on_the_page(client: TestClient) -> None:
    of_drug = neutral.DRUG_TEXT
    page = client.get("/conditions/murmuria").text
    other = client.get("/conditions/murmuria?intervention=comparine").text

    assert of_drug in page.partition("<footer")[2]
    assert of_drug not in other.partition("<footer")[2]
    assert "not medical advice" in other


def test_the_page_tells_search_engines_what_it_is_about(client: TestClient) -> None:
    page = client.get("/conditions/murmuria").text
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)

    assert block
    node = json.loads(block[1])
    assert node["@type"] == "MedicalWebPage"
    assert {about["@type"] for about in node["about"]} == {"MedicalCondition", "MedicalTherapy"}
    assert '<meta property="og:type" content="article">' in page


def test_the_page_has_an_etag_and_is_not_sent_twice(client: TestClient) -> None:
    first = client.get("/conditions/murmuria")
    again = client.get("/conditions/murmuria", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_an_unknown_condition_is_a_page_with_near_ones_for_browsers_and_a_problem_for_programs(
    client: TestClient,
) -> None:
    page = client.get("/conditions/murmurya", headers=HTML)
    problem = client.get("/conditions/murmurya")

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'href="/conditions/murmuria"' in page.text
    assert "murmurya" not in page.text
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


def test_a_retired_condition_is_gone_and_names_its_successor(scratch: Database, scratch_client: TestClient) -> None:
    put(scratch, record("condition", "old-name", name="Old name"))
    put(scratch, amended(content(scratch, "condition", "old-name"), status=Status.retired, successor="palewing"))
    page = scratch_client.get("/conditions/old-name", headers=HTML)

    assert page.status_code == 410
    assert 'href="/conditions/palewing"' in page.text


def test_without_an_intervention_of_its_own_the_most_studied_is_shown(small: Database) -> None:
    """The small data set has no manifest."""
    with serving(small.url.render_as_string(hide_password=False)) as client:
        pair = client.get("/v1/briefs").json()["items"][0]
        page = client.get(f"/conditions/{pair['condition']['id']}")
        start = client.get("/")

    assert page.status_code == 200
    assert pair["intervention"]["name"] in page.text
    assert (start.status_code, '<svg role="group"' in start.text) == (200, False)


def test_every_condition_can_be_read_for_a_drug(client: TestClient) -> None:
    """Whatever groups of warnings there are, or are not."""
    conditions = [item["id"] for item in client.get("/v1/conditions?limit=200").json()["items"]]
    assert len(conditions) > 5
    for condition in conditions:
        answer = client.get(f"/conditions/{condition}?intervention={neutral.DRUG}")
        assert answer.status_code == 200, condition
