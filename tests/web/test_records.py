"""The pages of records: every record has one, and each shows what it must, to people and to programs alike."""

import gzip
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.grading.wording import NO_ALL_CLEAR
from app.registry import RESOURCES
from app.storage.database import Database
from tests import neutral
from tests.conftest import serving
from tests.factories import amended, citation, content, put, record, standing

MAX_COMPRESSED_BYTES = 60_000
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""Types whose pages come from another module."""
PAIN = "ldz-murmuria-pain"


class Page(HTMLParser):
    """What a page contains, element by element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open[-1:] != ["script"]:
            self.text.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def read(client: TestClient, address: str, status: int = 200) -> Page:
    answer = client.get(address, headers=BROWSER)
    assert answer.status_code == status, (address, answer.text[:500])
    assert answer.headers["content-type"].startswith("text/html")
    return Page(answer.text)


def linked_data(client: TestClient, address: str) -> list[dict[str, Any]]:
    found = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', client.get(address, headers=BROWSER).text, re.DOTALL
    )
    return [json.loads(block) for block in found]


def items_of(client: TestClient, path: str) -> Iterator[dict[str, Any]]:
    address: str | None = path
    while address:
        page = client.get(address).json()
        yield from page["items"]
        address = page["next"]


@pytest.fixture(scope="module")
def addresses(client: TestClient) -> dict[str, set[str]]:
    """The page of every record, by type."""
    found = {}
    for resource in RESOURCES:
        every = "&all=true" if resource.type == "intervention" else ""
        items = items_of(client, f"{resource.path}?limit=200{every}")
        found[resource.type] = {item["links"]["html"] for item in items}
    return found


@pytest.fixture(scope="module")
def pages(client: TestClient, addresses: dict[str, set[str]]) -> dict[str, str]:
    """Every page of a record and every list, as it is sent."""
    chosen = {address for kind, some in addresses.items() if kind != "citation" for address in some}
    chosen |= {f"/{resource.plural}" for resource in RESOURCES if resource.part_of is None}
    found = {}
    for address in sorted(chosen):
        answer = client.get(address, headers=BROWSER)
        assert answer.status_code == 200, (address, answer.text[:500])
        found[address] = answer.text
    return found


# --- every page ---------------------------------------------------------------------------------------------------


def test_every_record_has_a_page_that_is_small_and_links_its_data(pages: dict[str, str]) -> None:
    assert len(pages) > 100
    for address, html in pages.items():
        assert len(gzip.compress(html.encode(), 6)) < MAX_COMPRESSED_BYTES, address
        data = "/v1/briefs/" if address.startswith("/conditions/") else f"/v1{address}"
        assert f'<link rel="alternate" type="application/json" href="{data}' in html, address


def test_every_citation_has_an_anchor_where_its_link_leads(
    addresses: dict[str, set[str]], pages: dict[str, str]
) -> None:
    assert addresses["citation"]
    for address in addresses["citation"]:
        page, _, anchor = address.partition("#")
        assert f'id="{anchor}"' in pages[page], address


def test_every_page_can_be_read_without_a_mouse_and_without_colours(pages: dict[str, str]) -> None:
    for address, html in pages.items():
        page = Page(html)
        assert len(page.all("h1")) == 1, address
        assert len(page.ids) == len(set(page.ids)), address
        assert len(page.all("table")) == len(page.all("caption")), address
        assert all("scope" in cell for cell in page.all("th")), address
        assert not [a for _, a in page.elements if "style" in a or any(name.startswith("on") for name in a)], address
        scripts = [script for script in page.all("script") if script.get("type") != "application/ld+json"]
        assert [script["src"] for script in scripts] == ["/static/pages.js"], address
        assert not re.search(r"\bNone\b(?! (?:of|found|known))", page.words), address


def test_no_link_of_a_page_to_this_server_leads_nowhere(
    client: TestClient, addresses: dict[str, set[str]], pages: dict[str, str]
) -> None:
    known = set(pages) | {address for some in addresses.values() for address in some}
    asked: dict[str, str] = {}
    """Of each shape of link, the first."""
    for address, html in pages.items():
        for link in sorted({a["href"] for a in Page(html).all("a")}):
            target, _, anchor = link.partition("#")
            if anchor and not target:
                assert f'id="{anchor}"' in html, (address, link)
            if target.startswith("/") and target not in known and not target.startswith(("/search?", "/conditions")):
                record_id = re.match(r"(?:/v1)?/[a-z-]+/([a-z0-9-]+)", target)
                asked.setdefault(target.replace(record_id[1], "") if record_id else target, target)
    assert len(asked) > 20
    wrong = {target: status for target in asked.values() if (status := client.get(target).status_code) != 200}
    assert wrong == {}


def test_wherever_a_claim_is_named_stand_its_verdict_and_both_sides(pages: dict[str, str], client: TestClient) -> None:
    claims = {claim["id"]: claim for claim in items_of(client, "/v1/claims?citations=top&limit=200")}
    shown = 0
    for address, html in pages.items():
        for card in re.findall(r'<article class="card claim">(.*?)</article>', html, re.DOTALL):
            words = Page(card).words
            match = re.search(r'href="/claims/([a-z0-9-]+)', card)
            assert match, address
            claim = claims[match[1]]
            evidence = claim["evidence"]
            parts = [evidence["answer"], evidence["verdict"]["label"], claim["caveat"], evidence["counts_text"]]
            for part in parts:
                assert part is None or " ".join(part.split()) in words, (address, part)
            assert f'badge {evidence["verdict"]["tone"]}"' in card
            if evidence["counts_text"] is None:
                stances = evidence["by_stance"]
                counts = stances["supports"]["citations"], stances["disputes"]["citations"]
                assert "Citations for it: {}; against it: {}.".format(*counts) in words
            shown += 1
    assert shown > 100


def test_a_page_is_revalidated_and_sent_once(client: TestClient) -> None:
    first = client.get(f"/claims/{PAIN}")
    again = client.get(f"/claims/{PAIN}", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


# --- a claim ------------------------------------------------------------------------------------------------------


def test_a_claim_begins_with_the_answer_and_the_weightier_side(client: TestClient) -> None:
    claim = client.get(f"/v1/claims/{PAIN}").json()
    page = read(client, f"/claims/{PAIN}")
    disputes, supports = (claim["evidence"]["by_stance"][side] for side in ("disputes", "supports"))

    words = page.words
    against = words.index(f"Against the claim: {disputes['studies']} studies, {disputes['participants']} people")
    in_favour = words.index(f"For the claim: {supports['studies']} study, {supports['participants']} people; 1 review")
    assert words.index(claim["evidence"]["answer"]) < words.index("What is claimed") < against < in_favour
    assert claim["statement"] in words
    assert claim["caveat"] in words
    anchors = [i for i in page.ids if i.startswith("cit-")]
    assert sorted(anchors) == sorted(citation["id"] for citation in claim["citations"])


def test_a_side_without_citations_is_named_as_well(client: TestClient) -> None:
    claims = items_of(client, "/v1/claims?limit=200&kind=safety")
    one_sided = next(c for c in claims if c["citations"] and not c["evidence"]["by_stance"]["disputes"]["citations"])
    assert "Against the claim: no citation is recorded" in read(client, f"/claims/{one_sided['id']}").words


def test_a_claim_shows_its_plots_its_origins_its_steps_and_its_history(client: TestClient) -> None:
    trace = client.get(f"/v1/claims/{PAIN}/evidence").json()
    page = read(client, f"/claims/{PAIN}")
    plots = [svg["class"] for svg in page.all("svg")]
    assert plots == ["plot directions", "plot forest"]
    assert [a for a in page.all("li") if a.get("class") == "step"] == [{"class": "step"}] * len(trace["steps"])
    assert "overstates" in page.words
    assert {"href": f"/claims/{PAIN}?serial=1"} in page.all("a")


def test_an_usage_claim_has_no_plot(client: TestClient) -> None:
    usage = next(items_of(client, "/v1/claims?form=usage&citations=top"), None) or next(
        claim for claim in items_of(client, "/v1/claims?limit=200&citations=top") if claim["wording"] is None
    )
    assert read(client, f"/claims/{usage['id']}").all("svg") == []


def test_a_claim_that_somebody_states_is_a_claim_review_in_words(client: TestClient) -> None:
    claim = client.get(f"/v1/claims/{PAIN}").json()
    (review,) = linked_data(client, f"/claims/{PAIN}")
    assert review["@type"] == "ClaimReview"
    assert review["claimReviewed"] == claim["statement"]
    assert review["reviewRating"]["alternateName"] == claim["evidence"]["verdict"]["label"]
    assert claim["caveat"] in review["reviewRating"]["ratingExplanation"]
    assert "ratingValue" not in review["reviewRating"]


def test_what_a_claim_says_cannot_leave_its_data_block(small: Database) -> None:
    put(
        small,
        amended(
            content(small, "claim", "drug-eases-ache"),
            statement="</script><script>alert(1)</script> & more",
            origins=[
                {"document": "paper-a2", "position": 1, "section": "One", "paragraph": 1, "asserts": "It eases.",
                 "hedge": "states", "fit": "not_checked"}
            ],
        ),
    )  # fmt: skip
    with serving(url_of(small)) as client:
        html = client.get("/claims/drug-eases-ache").text
        (review,) = linked_data(client, "/claims/drug-eases-ache")
    assert "<script>alert" not in html
    assert review["claimReviewed"] == "</script><script>alert(1)</script> & more"


def test_a_claim_is_shown_as_it_was_at_a_serial(small: Database) -> None:
    put(small, amended(content(small, "claim", "drug-eases-ache"), statement="It eases the ache, says who sells it."))
    with serving(url_of(small)) as client:
        then = client.get("/claims/drug-eases-ache?serial=1")
        future = client.get("/claims/drug-eases-ache?serial=999", headers={"Accept": "text/html"})
        problem = client.get("/claims/drug-eases-ache?serial=999")
    assert "says who sells it" not in then.text
    assert "serial 1 of the data set" in then.text
    assert 'href="/v1/claims/drug-eases-ache?serial=1"' in then.text
    assert (future.status_code, future.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "The newest serial is 2." in future.text
    assert "says who sells it" not in future.text
    assert (problem.status_code, problem.json()["errors"][0]["field"]) == (422, "serial")


def test_a_doi_with_signs_of_its_own_leads_where_it_should(small: Database) -> None:
    doi = "10.1002/1097-0258(200011)19:22<3127::aid-sim784>3.0.co;2-m"
    put(small, amended(content(small, "document", "paper-a"), identifiers=[{"scheme": "doi", "value": doi}]))
    with serving(url_of(small)) as client:
        links = read(client, "/claims/drug-eases-ache").all("a")
    address = "https://doi.org/10.1002/1097-0258(200011)19:22%3C3127::aid-sim784%3E3.0.co;2-m"
    assert {"href": address} in links


def test_a_retracted_source_stands_apart_and_marked_wherever_it_is_shown(small: Database) -> None:
    put(small, amended(content(small, "document", "paper-b"), **standing("not_checked", "retracted")))
    with serving(url_of(small)) as client:
        claim, document, sources = (
            read(client, address) for address in ("/claims/drug-eases-ache", "/documents/paper-b", "/documents")
        )
    assert claim.words.index("Retracted: counts for nothing") > claim.words.index("For the claim")
    assert "Against the claim: no citation is recorded" in claim.words
    assert "Retracted. Withdrawn from the record: it counts for nothing." in document.words
    assert {"class": "standing retracted"} in sources.all("strong")


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


# --- sources ------------------------------------------------------------------------------------------------------


def test_a_document_shows_what_it_found_and_how_to_cite_it(client: TestClient) -> None:
    document = client.get("/v1/documents/birch-2024").json()
    page = read(client, "/documents/birch-2024")
    links = [a["href"] for a in page.all("a")]
    assert {"/v1/documents/birch-2024.ris", "/v1/documents/birch-2024.bib"} <= set(links)
    for style in ("ama", "apa", "vancouver", "bmj"):
        reference = client.get(f"/v1/documents/birch-2024.txt?style={style}").text.strip()
        assert " ".join(reference.split()).removeprefix("1. ").removeprefix("1 ") in page.words
    (node,) = linked_data(client, "/documents/birch-2024")
    assert node["@type"] == "MedicalScholarlyArticle"
    assert node["name"] == document["title"]
    assert f"/claims/{PAIN}#cit-murmuria-pain-birch-2024" in links
    assert page.words.count("Birch 2024: ") >= document["evidence"]["claims"]


def test_harms_come_first_in_what_a_source_found(client: TestClient) -> None:
    documents = {c["document"]["id"] for c in items_of(client, "/v1/citations?limit=200") if "nausea" in c["id"]}
    html = [client.get(f"/documents/{document}", headers=BROWSER).text for document in sorted(documents)]
    both = [text for text in html if ">Other claims<" in text]
    assert both
    assert all(text.index(">Harms and interactions<") < text.index(">Other claims<") for text in both)


def test_an_article_is_read_statement_by_statement_and_page_by_page(
    scratch: Database, scratch_client: TestClient
) -> None:
    origin = {"document": "hopeful-article", "section": "More", "paragraph": 2, "asserts": "It is so."}
    origin |= {"hedge": "states", "fit": "not_checked"}
    put(
        scratch,
        *(
            record(
                "claim",
                f"stated-{at}",
                intervention=neutral.DRUG,
                conditions=[neutral.CONDITION],
                origins=[origin | {"position": at}],
            )
            for at in range(100, 200)
        ),
    )
    client = scratch_client
    (article,) = {
        origin["document"]["id"]
        for claim in items_of(client, "/v1/claims?limit=200&citations=top")
        for origin in claim["origins"]
    }
    statements = list(items_of(client, f"/v1/documents/{article}/statements?limit=200"))
    seen: list[str] = []
    address: str | None = f"/documents/{article}/statements"
    while address:
        page = read(client, address)
        seen += [i for i in page.ids if i.startswith("statement-")]
        address = next((a["href"] for a in page.all("a") if a.get("rel") == "next"), None)
    assert seen == [f"statement-{statement['position']}" for statement in statements]
    assert len(statements) > 100


def test_lists_page_by_the_cursors_of_the_api(client: TestClient) -> None:
    seen: list[str] = []
    address: str | None = "/documents?limit=4&sort=-year"
    while address:
        page = read(client, address)
        seen += [a["href"].removeprefix("/documents/") for a in page.all("a") if a["href"].startswith("/documents/")]
        address = next((a["href"] for a in page.all("a") if a.get("rel") == "next"), None)
    assert seen == [document["id"] for document in items_of(client, "/v1/documents?limit=200&sort=-year")]


def test_a_study_shows_its_arms_its_registration_and_its_documents(client: TestClient) -> None:
    study = client.get("/v1/studies/birch-trial").json()
    words = read(client, "/studies/birch-trial").words
    for text in ("Randomized parallel-group trial", *(arm["name"] for arm in study["arms"]), "NCT99900002"):
        assert text in words
    assert all(entry["document"]["label"] in words for entry in study["documents"])
    assert "People who took part 99" in words


def test_what_is_unknown_is_not_reported(client: TestClient) -> None:
    study = next(s for s in items_of(client, "/v1/studies?limit=200") if s["participants"] is None)
    assert "People who took part not reported" in read(client, f"/studies/{study['id']}").words


# --- side effects, doses and concepts -----------------------------------------------------------------------------


def test_a_side_effect_says_what_was_counted_and_what_nobody_reported(
    scratch: Database, scratch_client: TestClient
) -> None:
    stored = content(scratch, "claim", "ldz-vivid-dreams")
    citations = stored.content.model_dump(mode="json")["citations"]
    citations[0]["estimates"] = [
        {
            "measure": "proportion",
            "unit": "%",
            "arms": [
                {"name": "LDZ", "role": "intervention", "events": 11, "total": 49},
                {"name": "Placebo", "role": "comparator", "value": 4.5},
            ],
        }
    ]
    put(scratch, amended(stored, citations=citations))
    client = scratch_client
    page = read(client, "/side-effects/vivid-dreams")
    assert "Whether it happens, and how often" in page.words
    assert "Not recorded here:" in page.words
    assert NO_ALL_CLEAR in page.words
    counted = [a["href"] for a in page.all("a") if "#cit-" in a["href"]]
    claims = client.get("/v1/side-effects/vivid-dreams").json()["frequency"]
    references = [(c["claim_id"], ref) for c in claims for ref in c["references"] if ref["frequencies"]]
    assert counted == [f"/claims/{claim}#{ref['citation_id']}" for claim, ref in references]
    assert references
    for _, reference in references:
        first = reference["frequencies"][0]
        amount = first["events"] if first["events"] is not None else f"{first['percent']:g}"
        arm = f"{first['arm']}: " if first["arm"] else ""
        assert f"{reference['stance'].capitalize()} {arm}{amount}" in page.words, reference


def test_doses_stand_on_a_scale_and_each_has_its_claims(client: TestClient) -> None:
    page = read(client, "/dosing-ranges")
    assert [svg["class"] for svg in page.all("svg")] == ["plot doses"]
    dose = next(d for d in items_of(client, "/v1/dosing-ranges") if d["claims"])
    words = read(client, f"/dosing-ranges/{dose['id']}").words
    assert dose["claims"][0]["answer"] in words
    assert "Never advice." in words


def test_a_drug_shows_its_warnings_before_everything_else(client: TestClient) -> None:
    drug = client.get("/v1/interventions/low-dose-zelvane").json()
    words = read(client, "/interventions/low-dose-zelvane").words
    assert drug["inherited_warnings"]
    assert words.index(drug["inherited_warnings"][0]["answer"]) < words.index("Other claims")
    assert words.index("Harms and interactions") < words.index("Other claims")


def test_a_search_that_nobody_made_is_no_sign_of_safety(client: TestClient) -> None:
    unsearched = next(s for s in items_of(client, "/v1/searches?coverage=not_searched"))
    words = read(client, f"/searches/{unsearched['id']}").words
    assert "Nobody has looked yet." in words
    assert NO_ALL_CLEAR in words


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/claims/nothing", "/documents/nothing", "/nothing", "/claims/NOTHING", "/documents/nothing/statements"]
)
def test_what_is_not_there_is_a_page_for_readers_and_a_problem_for_programs(client: TestClient, address: str) -> None:
    assert "There is nothing at this address" in read(client, address, 404).words
    problem = client.get(address)
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert "Accept" in problem.headers["vary"].split(", ")


@pytest.mark.parametrize("address", ["/v1/claims/nothing", "/v1/nothing", "/static/nothing"])
def test_addresses_of_programs_stay_with_problems(client: TestClient, address: str) -> None:
    answer = client.get(address, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_retired_record_is_gone_and_its_page_names_the_successor(small: Database) -> None:
    put(small, amended(content(small, "outcome", "pain"), name="Pain of any kind"), record("outcome", "soreness"))
    put(small, amended(content(small, "outcome", "soreness"), status="retired", successor="pain"))
    claim = record("claim", "old", citations=[citation("cit-old", "paper-a", "trial-a")])
    put(small, claim)
    put(small, amended(content(small, "claim", "old"), status="retired", successor="drug-eases-ache"))
    with serving(url_of(small)) as client:
        for address, successor in (
            ("/outcomes/soreness", "/outcomes/pain"),
            ("/claims/old", "/claims/drug-eases-ache"),
        ):
            page = read(client, address, 410)
            assert {"href": successor} in page.all("a")
            assert client.get(address).headers["content-type"] == "application/problem+json"
        assert client.get("/claims/old?serial=4").status_code == 200
        assert "was retired" in client.get("/claims/old?serial=5").text


def test_a_parameter_that_is_unknown_is_named_on_a_page(client: TestClient) -> None:
    page = read(client, "/documents?colour=red", 422)
    assert "colour" in page.words
    assert "red" not in page.words.replace("retired", "").split()


def test_an_error_is_a_whole_page_for_a_client_that_has_any_page_already(client: TestClient) -> None:
    answer = client.get("/claims/nothing", headers=BROWSER | {"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text
    assert "etag" not in answer.headers
    assert answer.headers["content-security-policy"] == client.get("/claims").headers["content-security-policy"]


@pytest.mark.parametrize("address", [f"/claims/{PAIN}", f"/embed/claims/{PAIN}"])
def test_a_serial_that_is_not_published_yet_is_a_fault_on_every_page_that_takes_one(
    client: TestClient, address: str
) -> None:
    assert "serial" in read(client, f"{address}?serial=2000000000", 422).words


def test_an_address_that_is_at_fault_is_not_kept(client: TestClient) -> None:
    assert client.get("/claims/nothing", headers=BROWSER).headers["cache-control"] == "no-store"
