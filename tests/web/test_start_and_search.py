"""The first page, the evidence map, the search, and what robots read."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app import web
from app.grading.wording import NO_ALL_CLEAR
from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import Engine

LOW_DOSE = "low-dose-zelvane"
HTML = {"Accept": "text/html"}
WEB = Path(web.__file__).parent


@pytest.mark.parametrize("path", ["/", "/conditions", "/search?q=pain", "/evidence-map", "/conditions/murmuria"])
def test_a_page_asks_no_other_host_and_holds_no_style_and_no_program(client: TestClient, path: str) -> None:
    page = client.get(path)

    assert page.status_code == 200
    assert not re.search(r'(?:src|action)="(?!/)', page.text)
    assert not re.search(r'<link [^>]*href="(?!/)', page.text)
    assert not re.search(r"<style| style=| on[a-z]+=\"", page.text)
    assert not re.search(r"<script(?! src=\"/static/)(?! type=\"application/ld\+json\")", page.text)
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-cache"
    assert len(gzip.compress(page.content)) < 60_000


def test_no_page_knows_a_drug_or_a_condition_by_name(client: TestClient) -> None:
    """Names come from the data set, so that the same pages serve any other."""
    assert names_in_files(client, {"zelvane", "lort", "ldz-"}) == set()


def names_in_files(client: TestClient, words: set[str]) -> set[tuple[str, str]]:
    """Where the program that makes the pages holds one of these words, a condition or a side effect."""
    for path in ("conditions", "side-effects"):
        words |= {one["id"] for one in client.get(f"/v1/{path}?limit=200").json()["items"]}
    files = [*WEB.glob("*.py"), *(WEB / "templates").glob("*.html"), *(WEB / "static").glob("pages.*")]

    assert len(files) > 20
    return {(file.name, word) for file in files for word in words if word in file.read_text(encoding="utf-8").lower()}


def test_the_map_draws_every_answer_and_its_table_says_the_same(client: TestClient) -> None:
    read = client.get(f"/v1/evidence-map?intervention={LOW_DOSE}").json()
    answers = [cell["headline_claim"] for cell in read["cells"] if cell["headline_claim"]]
    page = client.get("/").text
    svg, table = page[page.index("<svg role") : page.index("</svg>")], page[page.index("</svg>") :]

    assert answers
    assert svg.count('class="bubble ') == len(answers)
    assert "<title" in svg
    assert "<desc" in svg
    for claim in answers:
        assert f'href="/claims/{claim["id"]}" class="bubble {claim["verdict"]["tone"]}"' in svg
        assert f'href="/claims/{claim["id"]}"' in table
    assert NO_ALL_CLEAR in svg
    assert {c["id"] for c in read["conditions"]} <= set(re.findall(r"/conditions/([a-z0-9-]+)\?", table))


def test_more_people_make_a_larger_bubble_and_certainty_a_fuller_one(client: TestClient) -> None:
    read = client.get(f"/v1/evidence-map?intervention={LOW_DOSE}").json()
    page = client.get("/evidence-map").text
    drawn = {
        claim: (float(radius), float(fill))
        for claim, radius, fill in re.findall(
            r'href="/claims/([a-z0-9-]+)" class="bubble.*? r="([\d.]+)" fill-opacity="([\d.]+)"', page
        )
    }
    cells = {c["headline_claim"]["id"]: c for c in read["cells"] if c["headline_claim"]}
    most, fewest = (pick(cells, key=lambda i: cells[i]["participants"]) for pick in (max, min))

    assert drawn[most][0] > drawn[fewest][0]
    fills = {cells[i]["headline_claim"]["certainty"]: fill for i, (_, fill) in drawn.items()}
    assert fills["low"] > fills["very_low"] > fills["not_graded"] == 0


def test_the_first_call_is_shown_with_its_real_answer(client: TestClient) -> None:
    page = client.get("/").text
    call = re.search(r"<code>GET ([^<]+)</code>", page)
    shown = re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)

    assert call
    assert shown
    address = call[1].replace("&amp;", "&")
    answer, real = json.loads(_unescaped(shown[1])), client.get(address).json()
    assert answer["total"] == real["total"]
    assert answer["items"][0]["evidence"]["answer"] == real["items"][0]["evidence"]["answer"]
    assert answer["items"][0]["caveat"] == real["items"][0]["caveat"]
    assert answer["items"][1] == f"\N{HORIZONTAL ELLIPSIS} {len(real['items']) - 1} more"


def _unescaped(text: str) -> str:
    for entity, character in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def test_the_questions_lead_to_records_that_are_there(client: TestClient) -> None:
    page = client.get("/").text
    questions = page[page.index('class="questions"') : page.index("</ul>", page.index('class="questions"'))]
    targets = re.findall(r'href="(/[a-z-]+/[a-z0-9-]+)"', questions)

    assert targets
    assert {target: client.get(f"/v1{target}").status_code for target in targets} == dict.fromkeys(targets, 200)


def test_a_map_of_another_intervention_can_be_asked_for(client: TestClient) -> None:
    page = client.get("/evidence-map?intervention=zelvane")

    assert page.status_code == 200
    assert "Evidence map of Zelvane" in page.text
    assert client.get("/evidence-map?intervention=nothing-of-it").status_code == 422


def test_a_map_too_large_for_one_page_is_narrowed_as_the_api_says(client: TestClient) -> None:
    address = f"evidence-map?intervention={LOW_DOSE}&condition=murmuria&condition=gripes&outcome=pain"
    read, page = client.get(f"/v1/{address}").json(), client.get(f"/{address}").text

    assert len(read["cells"]) == 2
    assert set(re.findall(r'href="/conditions/([a-z-]+)\?', page)) == {cell["condition"] for cell in read["cells"]}
    assert f'href="/v1/{address}"' in html.unescape(page)
    assert client.get("/evidence-map?condition=nothing-of-it").status_code == 422


def test_a_search_shows_answers_with_all_that_travels_with_them(client: TestClient) -> None:
    found = client.get("/v1/search?q=vivid+dreams").json()["items"]
    page = client.get("/search?q=vivid+dreams").text
    claims = [one["claim"] for one in found if one["claim"]]

    assert claims
    for claim in claims:
        for text in (claim["answer"], claim["verdict"]["label"], claim["counts_text"], claim["caveat"]):
            assert text is None or text.replace("'", "&#39;") in page
    assert all(f'href="{one["links"]["self"].removeprefix("/v1")}"' in page for one in found)


def test_a_search_says_what_was_left_out_and_what_was_meant(client: TestClient) -> None:
    assert "zzqqxx" in client.get("/search?q=pain+zzqqxx").text.partition("left out of the search")[0]
    meant = client.get("/v1/search?q=zelvaen").json()["did_you_mean"]
    assert meant
    assert f"<strong>{meant}</strong>" in client.get("/search?q=zelvaen").text


def test_an_empty_search_is_no_all_clear_and_helps_on(client: TestClient) -> None:
    nothing = client.get("/search?q=zzqqxx").text
    unasked = client.get("/search")

    assert NO_ALL_CLEAR in nothing
    assert 'href="/conditions"' in nothing.partition("Nothing is recorded")[2]
    assert unasked.status_code == client.get("/search?q=").status_code == 200
    assert 'class="questions"' in unasked.text


def test_a_search_can_be_narrowed_and_gone_on_with(client: TestClient) -> None:
    page = client.get("/search?q=zelvane&type=claim").text
    following = re.search(r'rel="next" href="([^"]+)"', page)

    assert "aria-current" in page
    assert following
    address = following[1].replace("&amp;", "&")
    more = client.get(address)
    assert more.status_code == 200
    assert _results(more.text).isdisjoint(_results(page))


def _results(page: str) -> set[str]:
    return set(re.findall(r'class="answer"><a href="/claims/([a-z0-9-]+)"', page))


def test_words_of_a_search_are_text_and_no_markup(client: TestClient) -> None:
    page = client.get("/search", params={"q": "<b onclick=x>\"'</b>"}).text

    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in page


def test_the_typeahead_has_what_it_needs(client: TestClient) -> None:
    page, script = client.get("/").text, client.get("/static/pages.js").text
    form = page[page.index('<form role="search"') : page.index("</form>")]

    assert page.count('<form role="search"') == 1
    assert 'action="/search" method="get"' in form
    assert 'name="q"' in form
    for word in ("aria-activedescendant", "aria-expanded", "Escape", "ArrowDown", "role", "/v1/suggest"):
        assert word in script
    assert client.get("/v1/suggest?limit=8&q=murmu").status_code == 200


def test_errors_are_pages_for_browsers_at_addresses_of_pages_alone(client: TestClient) -> None:
    paths = {"/nothing": "text/html", "/search?foo=1": "text/html", "/v1/nothing": "application/problem"}
    paths |= {"/v1/claims/nothing": "application/problem", "/fhir/r5/Nothing": "application/fhir"}

    answers = {path: client.get(path, headers=HTML) for path in paths}
    assert {path: a.headers["content-type"].startswith(paths[path]) for path, a in answers.items()} == dict.fromkeys(
        paths, True
    )
    assert answers["/nothing"].headers["cache-control"] == "no-store"
    assert "<code>foo</code>" in answers["/search?foo=1"].text
    assert client.get("/nothing").headers["content-type"] == "application/problem+json"


def test_a_sitemap_needs_the_public_address(client: TestClient, engine: Engine) -> None:
    settings = Settings(database_url=engine.original, public_url="https://evidence.example.org")
    app = create_app(settings)
    with TestClient(in_context(app, settings, with_cache=False), base_url="http://127.0.0.1:8000") as public:
        sitemap, robots = public.get("/sitemap.xml"), public.get("/robots.txt").text
    app.state.reads.close()

    assert client.get("/sitemap.xml").status_code == 404
    assert "Sitemap:" not in client.get("/robots.txt").text
    assert sitemap.headers["content-type"] == "application/xml"
    addresses = re.findall(r"<loc>(.*?)</loc>", sitemap.text)
    assert "https://evidence.example.org/conditions/murmuria" in addresses
    assert all(address.startswith("https://evidence.example.org/") for address in addresses)
    kinds = dict.fromkeys(address.split("/")[3] for address in addresses)
    assert list(kinds)[:4] == ["", "conditions", "claims", "side-effects"]
    assert list(kinds)[-1] == "documents"
    assert "Sitemap: https://evidence.example.org/sitemap.xml" in robots


def test_llms_txt_names_every_call_without_a_placeholder(client: TestClient) -> None:
    text = client.get("/llms.txt").text
    paths = [
        path for path in client.get("/openapi.json").json()["paths"] if path.startswith("/v1/") and "{" not in path
    ]

    assert text.startswith("# ")
    assert [path for path in paths if path not in text] == []
    assert client.get("/v1/meta").json()["disclaimer"][:40] in text
