"""The example page: installed, checked, built, and rendered from a live server, with its calls and bytes counted."""

import html
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.settings import ROOT
from tests.browser.live import live_server
from tests.content.node.example_page import MAX_BYTES, MAX_CALLS, installed, run

pytestmark = pytest.mark.node

SOURCE = ROOT / "examples" / "web"
RENDER = """
import { renderToStaticMarkup } from "react-dom/server";
import { loadEvidence, type Evidence } from "./src/evidence";
import { Page } from "./src/Page";

const [server = ""] = process.argv.slice(2);
const calls: number[] = [];
const send = globalThis.fetch;
globalThis.fetch = async (...request: Parameters<typeof fetch>) => {
  const answer = await send(...request);
  calls.push((await answer.clone().arrayBuffer()).byteLength);
  return answer;
};
const page = (evidence: Evidence) => renderToStaticMarkup(<Page evidence={evidence} server={server} />);

const evidence = await loadEvidence(server, "fibromyalgia");
const mark = "<img src=x onerror=alert(1)>";
const told = JSON.stringify(evidence, (name, value) =>
  name === "doi" || name === "pubmed" ? "javascript:alert(1)" : name === "standing" ? "retracted" : value,
);
const hostile = JSON.parse(told.replaceAll("fibromyalgia", mark).replaceAll('"caution"', '"constructor"'));
const empty = { ...evidence, claims: [], sideEffects: [] };
console.log(JSON.stringify({ evidence, calls, page: page(evidence), hostile: page(hostile), empty: page(empty) }));
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(scope="module")
def rendered(project: Path, url: str) -> dict[str, Any]:
    """What the page asked for and shows of fibromyalgia; also of a server that was taken over, and of no claims."""
    (project / "render.tsx").write_text(RENDER)
    run(project, "node_modules/.bin/vite", "build", "--ssr", "render.tsx", "--outDir", "rendered")
    result: dict[str, Any] = json.loads(run(project, "node", "rendered/render.js", url))
    return result


def test_page_compiles_strictly_and_builds(project: Path) -> None:
    run(project, "npm", "run", "build")

    assert (project / "dist" / "index.html").is_file()


def test_compiler_refuses_fields_that_were_not_asked_for(project: Path) -> None:
    evidence = project / "src" / "evidence.ts"
    source = evidence.read_text()
    fewer = source.replace('"citations.finding",', "").replace('"onset.answer",', "")
    assert len(fewer) < len(source) - 30
    evidence.write_text(fewer)
    try:
        with pytest.raises(AssertionError, match=r"error TS\d+") as told:
            run(project, "npm", "run", "check")
    finally:
        evidence.write_text(source)
    assert "'finding' does not exist" in str(told.value)
    assert "onset" in str(told.value)


def test_one_condition_takes_few_calls_and_bytes(rendered: dict[str, Any]) -> None:
    assert len(rendered["calls"]) <= MAX_CALLS
    assert sum(rendered["calls"]) <= MAX_BYTES


def test_all_that_travels_with_a_claim_is_shown(rendered: dict[str, Any]) -> None:
    claims, effects = rendered["evidence"]["claims"], rendered["evidence"]["sideEffects"]
    aspects = ("frequency", "onset", "course", "severity", "mitigation")
    said = [part for effect in effects for aspect in aspects for part in effect[aspect]]
    expected = [(shown["id"], shown["caveat"], shown["evidence"], shown["evidence"]["by_stance"]) for shown in claims]
    expected += [(shown["claim_id"], shown["caveat"], shown, shown) for shown in said]
    articles = re.findall(r"<article.*?</article>", rendered["page"], re.DOTALL)
    shown_of = {re.search(r'/claims/([\w-]+)"', article)[1]: text_of(article) for article in articles}  # type: ignore[index]

    assert len(claims) > 5
    assert len(said) > 15
    assert len(articles) == len(expected)
    for claim, caveat, evidence, sides in expected:
        text = shown_of[claim]
        verdict = evidence["verdict"]
        assert evidence["answer"] in text
        assert f"{verdict['label']} ({verdict['tone']})" in text
        assert (evidence["counts_text"] or "") in text
        supports, disputes = sides["supports"]["documents"], sides["disputes"]["documents"]
        assert f"Sources for the claim: {supports}, against it: {disputes}" in text
        assert (f"Caveat: {caveat}" if caveat else "") in text


def test_headline_is_the_one_that_the_server_names(rendered: dict[str, Any], url: str) -> None:
    address = f"{url}/v1/coverage?intervention=low-dose-naltrexone&condition=fibromyalgia"
    with urllib.request.urlopen(address) as response:  # noqa: S310 - our own server
        headline = json.load(response)["summary"]["headline_claim"]

    first = re.search(r'<article class="headline".*?<p class="answer">(.*?)</p>', rendered["page"])

    assert first is not None
    assert html.unescape(first[1]) == headline["answer"]


def test_footnotes_are_numbered_in_order_and_lead_to_doi_and_pubmed(rendered: dict[str, Any]) -> None:
    page = rendered["page"]
    cited = [int(number) for number in re.findall(r'<sup><a href="#source-(\d+)"', page)]
    listed = [int(number) for number in re.findall(r'<li id="source-(\d+)"', page)]
    links = [shown["links"] for claim in rendered["evidence"]["claims"] for shown in claim["citations"]]

    assert listed == list(range(1, len(listed) + 1)) == list(dict.fromkeys(cited))
    assert set(re.findall(r'href="([^"]+)" rel="noopener">DOI', page)) == {one["doi"] for one in links} - {None}
    assert set(re.findall(r'href="([^"]+)" rel="noopener">PubMed', page)) == {one["pubmed"] for one in links} - {None}


def test_side_effects_and_the_disclaimer_are_shown(rendered: dict[str, Any]) -> None:
    evidence, text = rendered["evidence"], text_of(rendered["page"])

    assert evidence["disclaimer"] in text
    assert len(evidence["sideEffects"]) > 10
    for effect in evidence["sideEffects"]:
        assert f"<h3>{html.escape(effect['name'])}</h3>" in rendered["page"]


def test_nothing_that_a_server_sends_becomes_markup_or_a_script(rendered: dict[str, Any]) -> None:
    page = rendered["hostile"]

    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page
    assert "javascript:" not in page
    assert "RETRACTED: " in page
    assert "(constructor)" in page


def test_no_claims_are_not_read_as_safety(rendered: dict[str, Any]) -> None:
    assert "That does not mean that there is none" in text_of(rendered["empty"])


def test_figures_of_its_readme_were_measured(rendered: dict[str, Any]) -> None:
    """The bytes follow the data: the readme may be off by a tenth."""
    readme = (SOURCE / "README.md").read_text(encoding="utf-8")
    figures = re.search(
        r"\| calls \| (\d+) \|\n\| JSON, not compressed \| (\d+) KB \|\n\| lines of glue[^|]* \| (\d+) \|", readme
    )

    assert figures is not None
    calls, kilobytes, lines = map(int, figures.groups())
    assert calls == len(rendered["calls"])
    assert kilobytes == pytest.approx(sum(rendered["calls"]) / 1000, rel=0.1)
    assert lines == sum(map(lines_of_code, ("evidence.ts", "footnotes.ts")))


def test_lock_file_names_no_host() -> None:
    assert "://" not in (SOURCE / "package-lock.json").read_text()


def lines_of_code(name: str) -> int:
    """Lines that are neither blank nor comments."""
    lines = (line.strip() for line in (SOURCE / "src" / name).read_text().splitlines())
    return sum(1 for line in lines if line and not line.startswith(("//", "/*", "*")))


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))
