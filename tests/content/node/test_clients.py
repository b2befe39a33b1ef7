"""The TypeScript client: generated, packed, installed from its package, compiled strictly and run against a server."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.browser.live import live_server
from tests.examples import REQUESTS

pytestmark = pytest.mark.node

SOURCE = ROOT / "clients" / "typescript"
PAGE = """
import { createEvidenceClient, EvidenceError, items } from "ldn-evidence-client";

const base = process.argv[2]!;
const client = createEvidenceClient(base);
const ids: string[] = [];
for await (const claim of items(client, "/v1/claims", { condition: ["fibromyalgia"], limit: 7 })) {
  ids.push(claim.id);
}
const { data } = await client.GET("/v1/claims/{id}", { params: { path: { id: ids[0]! } } });
let refused = "";
try {
  await client.GET("/v1/claims/{id}", { params: { path: { id: "no-such-claim" } } });
} catch (error) {
  refused = error instanceof EvidenceError ? `${error.status} ${error.problem?.code}` : "another error";
}
const statuses: Record<string, number> = {};
for (const address of JSON.parse(process.argv[3]!) as string[]) {
  statuses[address] = (await fetch(base + address)).status;
}
console.log(JSON.stringify({ ids, answer: data?.evidence.answer, refused, statuses }));
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project into which the packed client was installed, as `npm install FILE` would."""
    folder = tmp_path_factory.mktemp("typescript")
    source = folder / "client"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("node_modules", "dist", "schema.d.ts"))
    run(source, "npm", "ci", "--loglevel", "error", "--no-audit", "--no-fund")
    run(source, "node_modules/.bin/openapi-typescript", str(ROOT / "openapi.json"), "--output", "src/schema.d.ts")
    run(source, "npm", "run", "build")
    run(source, "npm", "pack", "--silent")
    (packed,) = source.glob("*.tgz")
    modules = folder / "page" / "node_modules"
    installed = modules / "ldn-evidence-client"
    installed.mkdir(parents=True)
    run(installed, "tar", "xzf", str(packed), "--strip-components", "1")
    for dependency in ("openapi-fetch", "openapi-typescript-helpers"):
        (modules / dependency).symlink_to(source / "node_modules" / dependency)
    page = folder / "page"
    (page / "package.json").write_text('{"type": "module"}')
    (page / "page.ts").write_text(PAGE)
    (page / "node_modules" / "@types").symlink_to(ROOT / "tests" / "node" / "node_modules" / "@types")
    (page / "node_modules" / "undici-types").symlink_to(ROOT / "tests" / "node" / "node_modules" / "undici-types")
    return page


def run(folder: Path, *command: str) -> str:
    finished = subprocess.run(
        command, cwd=folder, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, f"{finished.stdout}{finished.stderr}"
    return finished.stdout


def test_a_page_compiles_strictly_and_runs(project: Path, url: str) -> None:
    compiler = str(project.parent / "client" / "node_modules" / ".bin" / "tsc")
    options = ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node", "--skipLibCheck"]
    run(project, compiler, *options, "page.ts")
    told = json.loads(run(project, "node", "page.js", url, json.dumps(list(REQUESTS.values()))))
    assert len(told["ids"]) == len(set(told["ids"])) > 7
    assert told["answer"]
    assert told["refused"] == "404 not_found"
    assert set(told["statuses"].values()) == {200}


def test_a_wrong_field_or_parameter_does_not_compile(project: Path) -> None:
    wrong = PAGE.replace("claim.id)", "claim.sentence)").replace('condition: ["fibro', 'conditions: ["fibro')
    (project / "wrong.ts").write_text(wrong)
    compiler = str(project.parent / "client" / "node_modules" / ".bin" / "tsc")
    with pytest.raises(AssertionError, match=r"(?s)'conditions' does not exist.*|'sentence' does not exist"):
        run(project, compiler, "--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "wrong.ts")


def test_the_lock_file_names_no_host_to_download_from() -> None:
    assert '"resolved"' not in (SOURCE / "package-lock.json").read_text()
