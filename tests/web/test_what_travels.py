"""What must stand beside an answer stands there on every page: both sides, the caveat, and whom it is about."""

import html
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.concepts.manifest import UNDESCRIBED, Disclaimer, StoredManifest
from app.grading.wording import NO_ALL_CLEAR
from app.storage.database import Database
from tests import neutral
from tests.conftest import serving
from tests.factories import amended, citation, content, put, record, standing, tell_bands
from tests.web.reading import text_of


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def every(client: TestClient, path: str) -> list[dict[str, Any]]:
    items, address = [], f"/v1/{path}"
    while address:
        page = client.get(address).json()
        items += page["items"]
        address = page["next"]
    return items


def text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", page)).split())


def both_sides(claim: dict[str, Any]) -> str:
    """`claim` is a summary."""
    supports, disputes = (claim[side]["citations"] for side in ("supports", "disputes"))
    return claim["counts_text"] or f"Citations for it: {supports}; against it: {disputes}."


def description(client: TestClient, address: str) -> str:
    found = re.search(r'<meta name="description" content="([^"]*)">', client.get(address).text)
    assert found
    return html.unescape(found[1])


def test_a_bubble_of_the_map_says_counts_and_caveat(client: TestClient, intervention: str) -> None:
    cells = client.get(f"/v1/evidence-map?intervention={intervention}").json()["cells"]
    page = client.get("/evidence-map").text
    claims = {cell["headline_claim"]["id"]: cell["headline_claim"] for cell in cells if cell["headline_claim"]}
    bubbles = re.findall(r'href="/claims/([a-z0-9-]+)" class="bubble [^>]*aria-label="([^"]*)"', page)

    assert claims
    assert len(bubbles) == len(claims)
    for claim_id, label in bubbles:
        claim = claims[claim_id]
        for part in (claim["answer"], claim["verdict"]["label"], both_sides(claim), claim["caveat"]):
            assert part is None or part in html.unescape(label), claim_id


@pytest.fixture(scope="module")
def intervention() -> str:
    return neutral.LOW_DOSE


@pytest.fixture(scope="module")
def condition() -> str:
    return neutral.CONDITION


def test_where_nothing_was_counted_the_citations_of_both_sides_are(client: TestClient, condition: str) -> None:
    claims = [claim for claim in every(client, "claims?limit=200") if claim["effect"] == "contraindicated"]
    page = client.get(f"/conditions/{condition}").text
    short = text(page[: page.index("Does it help?")])

    assert claims
    for claim in claims:
        assert claim["evidence"]["counts_text"] is None
        sides = (claim["evidence"]["by_stance"][side]["citations"] for side in ("supports", "disputes"))
        assert claim["statement"] in short
        assert "Citations for it: {}; against it: {}.".format(*sides) in short


@pytest.mark.parametrize("claim_id", ["ldz-murmuria-pain", "ldz-vivid-dreams"])
def test_the_preview_of_a_claim_has_verdict_counts_and_caveat(client: TestClient, claim_id: str) -> None:
    claim = client.get(f"/v1/claims/{claim_id}").json()
    evidence = claim["evidence"]

    preview = description(client, f"/claims/{claim_id}")
    for part in (evidence["verdict"]["label"], evidence["counts_text"], claim["caveat"]):
        assert part is None or part in preview


def test_the_preview_of_a_condition_has_verdict_counts_and_caveat(client: TestClient, intervention: str) -> None:
    previewed = 0
    for condition in every(client, "conditions?limit=200"):
        address = f"/v1/coverage?intervention={intervention}&condition={condition['id']}"
        claim = client.get(address).json()["summary"]["headline_claim"]
        if claim is None:
            continue
        previewed += 1
        preview = description(client, f"/conditions/{condition['id']}")
        for part in (claim["answer"], claim["verdict"]["label"], both_sides(claim), claim["caveat"]):
            assert part is None or part in preview, condition["id"]
    assert previewed >= 3


def test_a_statement_that_says_the_same_again_has_its_answer_and_both_sides(small: Database) -> None:
    put(small, record("claim", "again", relations=[{"type": "restates", "claim": "drug-eases-ache"}], caveat="Beware."))
    with serving(url_of(small)) as client:
        brief = client.get("/v1/briefs/drug/ache").json()
        (again,) = [again for section in brief["sections"] for s in section["statements"] for again in s["restated_by"]]
        pages = [
            client.get("/conditions/ache?intervention=drug&layer=everything").text.partition('id="everything"')[2],
            client.get("/v1/briefs/drug/ache?format=html").text,
            client.get("/v1/briefs/drug/ache?format=markdown").text,
        ]

    for page in pages:
        restated = text(page).partition("Also stated by")[2][:1000]
        for part in (again["verdict"]["label"], again["answer"], both_sides(again), "Beware."):
            assert part in restated


def test_the_disclaimers_of_a_class_stand_on_the_pages_of_its_drugs(small: Database) -> None:
    put(small, record("intervention", "the-class", kind="class", members=["drug"]))
    about = Disclaimer(intervention="the-class", text="Of the whole class.")
    manifest = UNDESCRIBED.model_copy(update={"disclaimers": (*UNDESCRIBED.disclaimers, about)})
    with small.write() as session:
        session.add(StoredManifest(serial=1, content=manifest.model_dump_json()))

    with serving(url_of(small)) as client:
        pages = [
            client.get(address).text.partition("<footer")[2]
            for address in ("/conditions/ache?intervention=drug-low", "/evidence-map?intervention=drug-low")
        ]
        other = client.get("/evidence-map?intervention=other-drug").text.partition("<footer")[2]

    assert ["Of the whole class." in page for page in pages] == [True, True]
    assert "Of the whole class." not in other


def test_the_list_shows_the_claim_that_each_condition_begins_with(client: TestClient, intervention: str) -> None:
    page = client.get("/conditions").text
    cards = dict(re.findall(r'<h2><a href="/conditions/([a-z0-9-]+)">(.*?)</li>', page, re.DOTALL))
    answered = 0
    for condition in every(client, "conditions?limit=200"):
        short = client.get(f"/conditions/{condition['id']}").text.partition('id="key"')[2].partition("</section>")[0]
        address = f"/v1/coverage?intervention={intervention}&condition={condition['id']}"
        claim = client.get(address).json()["summary"]["headline_claim"]
        card = text(cards[condition["id"]])
        if claim is None or claim["answer"] not in text(short):
            assert "No claim on a benefit is recorded." in card
            continue
        answered += 1
        for part in (claim["answer"], claim["verdict"]["label"], both_sides(claim), claim["caveat"]):
            assert part is None or part in card, condition["id"]
    assert answered >= 3


def test_the_list_of_conditions_pages_and_takes_the_filters_of_the_api(client: TestClient) -> None:
    first = client.get("/conditions?limit=3").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    cards = re.compile(r'<h2><a href="/conditions/([a-z0-9-]+)')

    assert following
    second = client.get(html.unescape(following[1])).text
    assert len(cards.findall(first)) == 3
    assert set(cards.findall(first)).isdisjoint(cards.findall(second))
    drug = {one["id"] for one in every(client, "conditions?limit=200&intervention=zelvane")}
    assert set(cards.findall(client.get("/conditions?intervention=zelvane").text)) == drug


def test_who_was_studied_names_people_alone(small: Database) -> None:
    with serving(url_of(small)) as client:
        before = client.get("/conditions/ache?intervention=drug").text
    put(small, amended(content(small, "study", "trial-b"), evidence_source="animal"))
    with serving(url_of(small)) as client:
        after = client.get("/conditions/ache?intervention=drug").text

    assert 'href="/studies/trial-b"' in before
    assert 'href="/studies/trial-b"' not in after.partition('id="who"')[2].partition('id="sure"')[0]
    assert 'href="/studies/trial-a"' in after


def test_what_is_always_true_is_no_condition_of_a_sentence(client: TestClient, condition: str) -> None:
    short = text_of(client.get(f"/conditions/{condition}").text, "in-short")
    assert "if one of these is true" not in short


DAILY = {"count": 1, "period": 1, "period_unit": "d"}
ARMS = [
    {"name": "drug", "role": "intervention", "dose_low": 4.5, "dose_high": 4.5, "dose_unit": "mg",
     "dose_text": "4.5 mg", "called_low_dose": True}
]  # fmt: skip


def test_doses_of_studies_and_bands_stand_beside_the_drug_that_they_are_of(small: Database) -> None:
    put(
        small,
        amended(content(small, "study", "trial-a"), arms=ARMS),
        record(
            "dosing_range",
            "of-another",
            intervention="other-drug",
            low=4,
            high=4,
            unit="mg",
            schedule=DAILY,
            conditions=["ache"],
        ),
        record("dosing_range", "anywhere", low=3, high=3, unit="mg", schedule=DAILY),
    )
    tell_bands(small, "drug")
    with serving(url_of(small)) as client:
        of_drug, of_another, anywhere, chosen = (
            client.get(address).text
            for address in (
                "/dosing-ranges/dose",
                "/dosing-ranges/of-another",
                "/dosing-ranges/anywhere",
                "/dosing-ranges?intervention=drug",
            )
        )

    assert "Doses given in studies" in of_drug
    assert ['class="band' in page for page in (of_drug, of_another, anywhere, chosen)] == [True, False, True, True]
    assert [page for page in (of_another, anywhere, chosen) if "Doses given in studies" in page] == []
    assert "in the same conditions" not in anywhere


def test_a_study_with_a_retracted_report_is_marked_wherever_it_is_listed(small: Database) -> None:
    put(
        small,
        amended(content(small, "study", "trial-a"), arms=ARMS),
        amended(content(small, "document", "paper-a2"), **standing("current", "retracted")),
    )
    tell_bands(small, "drug")
    trial = "trial-a"
    with serving(url_of(small)) as client:
        studies, doses = client.get("/studies").text, client.get("/dosing-ranges/dose").text
        condition = client.get("/conditions/ache?intervention=drug").text
        study, other = client.get("/studies/trial-a").text, client.get("/studies/trial-b").text

    assert studies.count("A report of it was retracted") == 1
    assert "A report of it was retracted" in studies.partition('href="/studies/trial-a"')[2].partition("</th>")[0]
    assert f"{trial} (a report of it was retracted): 4.5 mg a day." in doses
    assert f"{trial} (a report of it was retracted)</a>" in doses
    assert ["A report of it was retracted" in page for page in (study, other)] == [True, False]
    assert condition.count("A report of it was retracted") == 2


def test_a_side_effect_counts_the_claims_that_it_leaves_to_another_page(small: Database) -> None:
    """Those that stand above, under their aspects, are none of them."""
    claims = [
        record("claim", f"awake-{number}", kind="safety", statement=f"It is so, {number}.", effect="causes",
               outcome=None, side_effects=["insomnia"], citations=[citation(f"cit-{number}", "paper-b", "trial-b")])
        for number in range(3)
    ]  # fmt: skip
    put(small, *claims)
    with serving(url_of(small)) as client:
        page = client.get("/side-effects/insomnia").text

    assert page.count('href="/claims/drug-causes-insomnia"') == 1
    assert 'href="/claims/awake-1"' in page
    assert ">All " not in page


def test_an_empty_list_is_no_all_clear(client: TestClient) -> None:
    for address in (
        "/claims?q=zzqqxx",
        "/side-effects?q=zzqqxx",
        "/conditions?q=zzqqxx",
        "/dosing-ranges?q=zzqqxx",
        "/searches?q=zzqqxx",
        "/studies?q=zzqqxx",
        "/documents?q=zzqqxx",
    ):
        assert NO_ALL_CLEAR in text(client.get(address).text), address
