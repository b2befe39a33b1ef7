"""The components of the documentation compile strictly, and show all that must stand beside a claim."""

import html
import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.live import live_server
from tests.examples import code_file
from tests.node.test_typescript_client import HERE, TOOLS, run

pytestmark = pytest.mark.node

PAGE = "build-on-it.md"
OPTIONS = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "module": "nodenext",
    "target": "es2022",
    "jsx": "react-jsx",
    "types": ["node"],
    "skipLibCheck": True,
    "outDir": "built",
}
COMPILE_VUE = """
import { readFileSync, writeFileSync } from "node:fs";
import { compileScript, parse } from "vue/compiler-sfc";

const { descriptor, errors } = parse(readFileSync("ClaimCard.vue", "utf-8"), { filename: "ClaimCard.vue" });
if (errors.length) throw errors[0];
const script = compileScript(descriptor, { id: "claim", inlineTemplate: true, fs: undefined });
writeFileSync("VueCard.ts", script.content);
"""
RENDER = """
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";
import { ClaimCard } from "./ClaimCard.js";
import { claims } from "./evidence.js";
import VueCard from "./VueCard.js";

const [server = ""] = process.argv.slice(2);
for await (const claim of claims(server, { condition: ["murmuria"], limit: 2 })) {
  const react = renderToStaticMarkup(createElement(ClaimCard, { claim, server }));
  const vue = await renderToString(createSSRApp(VueCard, { claim, server }));
  console.log(JSON.stringify({ claim, react, vue }));
}
"""


@pytest.fixture(scope="module")
def url(seed_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("server"), SEED_DIR=str(seed_files)) as url:
        yield url


@pytest.fixture(scope="module")
def project(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the documentation, built beside the types of the running server's own OpenAPI document."""
    assert TOOLS.is_dir(), "the Node packages are not installed: run make test-node"
    folder = tmp_path_factory.mktemp("project")
    for name in ("package.json", "redocly.yaml"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    with urllib.request.urlopen(f"{url}/openapi.json") as response:  # noqa: S310 - our own server
        (folder / "openapi.json").write_bytes(response.read())
    for name in ("evidence.ts", "ClaimCard.tsx", "ClaimCard.vue"):
        (folder / name).write_text(code_file(PAGE, name))
    (folder / "compile_vue.js").write_text(COMPILE_VUE)
    (folder / "render.ts").write_text(RENDER)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": ["render.ts"]}))
    run(folder, "openapi-typescript", "openapi.json", "--output", "schema.d.ts")
    run(folder, "node", "compile_vue.js")
    run(folder, "tsc")
    return folder


@pytest.fixture(scope="module")
def rendered(project: Path, url: str) -> list[dict[str, Any]]:
    """Every claim about a condition with what the components make of it."""
    return [json.loads(line) for line in run(project, "node", "built/render.js", url).splitlines()]


def test_the_walk_over_pages_finds_every_claim_once(rendered: list[dict[str, Any]], url: str) -> None:
    with urllib.request.urlopen(f"{url}/v1/claims?condition=murmuria&limit=200") as response:  # noqa: S310
        expected = [claim["id"] for claim in json.load(response)["items"]]
    assert len(expected) > 2
    assert [line["claim"]["id"] for line in rendered] == expected


@pytest.mark.parametrize("library", ["react", "vue"])
def test_components_show_all_that_must_stand_beside_a_claim(rendered: list[dict[str, Any]], library: str) -> None:
    for line in rendered:
        claim, evidence = line["claim"], line["claim"]["evidence"]
        text = text_of(line[library])
        stances = evidence["by_stance"]
        words = [
            evidence["answer"],
            f"{evidence['verdict']['label']} ({evidence['verdict']['tone']})",
            claim["statement"],
            f"Sources for it: {stances['supports']['documents']}, against it: {stances['disputes']['documents']}",
            *(words for words in (evidence["counts_text"], claim["caveat"]) if words),
        ]
        assert [word for word in words if " ".join(word.split()) not in text] == []
        for citation in claim["citations"]:
            links = citation["document"]["links"]
            assert f'href="{html.escape(links["doi"])}"' in line[library] if links["doi"] else links["self"]


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", "", page)).split())


def test_the_compiler_refuses_a_field_that_the_api_does_not_have(project: Path) -> None:
    (project / "Wrong.tsx").write_text(code_file(PAGE, "ClaimCard.tsx").replace("claim.statement", "claim.sentence"))
    options = json.dumps({"compilerOptions": OPTIONS, "files": ["Wrong.tsx"]})
    (project / "wrong.json").write_text(options)

    with pytest.raises(AssertionError, match=r"TS2339.*'sentence' does not exist"):
        run(project, "tsc", "--noEmit", "--project", "wrong.json")
