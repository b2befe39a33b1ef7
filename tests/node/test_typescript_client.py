"""A TypeScript developer's first hour: generate types, write a page with footnotes, compile it strictly, run it."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.live import live_server

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
TOOLS = HERE / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def url(seed_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("server"), SEED_DIR=str(seed_files)) as url:
        yield url


@pytest.fixture(scope="module")
def project(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page beside the types that were generated from the running server's own OpenAPI document."""
    assert TOOLS.is_dir(), "the Node packages are not installed: run make test-node"
    folder = tmp_path_factory.mktemp("project")
    for name in ("package.json", "tsconfig.json", "redocly.yaml", "spectral.yaml", "footnotes.ts"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    with urllib.request.urlopen(f"{url}/openapi.json") as response:  # noqa: S310 - our own server
        (folder / "openapi.json").write_bytes(response.read())
    run(folder, "openapi-typescript", "openapi.json", "--output", "schema.d.ts")
    return folder


def run(folder: Path, tool: str, *arguments: str) -> str:
    """What one of the Node tools prints; a failure shows all of it. None of them may call home."""
    environment = {**os.environ, "NO_COLOR": "1", "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    finished = subprocess.run(
        [shutil.which(tool, path=TOOLS) or tool, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, f"{finished.stdout}{finished.stderr}"
    return finished.stdout


def test_page_compiles_strictly(project: Path) -> None:
    run(project, "tsc", "--strict", "--noEmit")


def test_compiler_refuses_a_field_the_api_does_not_have(project: Path) -> None:
    page = (project / "footnotes.ts").read_text()
    wrong = project / "wrong.ts"
    wrong.write_text(page.replace("claim.statement", "claim.sentence"))

    with pytest.raises(AssertionError, match=r"TS2339.*'sentence' does not exist"):
        run(project, "tsc", "--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "wrong.ts")


def test_page_shows_both_stances_with_numbered_footnotes(project: Path, url: str) -> None:
    run(project, "tsc")

    page = run(project, "node", "footnotes.js", url, "murmuria")

    assert {"supports", "disputes"} <= set(re.findall(r'<li value="\d+" class="(\w+)">', page))
    assert re.search(r'<a href="https://doi\.org/10\.[^"]+">[^<]+</a> \(supports\): ', page)
    assert '<p class="caveat">' in page
    cited, listed = set(re.findall(r"<sup>(\d+)</sup>", page)), set(re.findall(r'<li value="(\d+)"', page))
    assert cited == listed == {str(number) for number in range(1, len(cited) + 1)}


def test_the_document_keeps_the_recommended_rules_of_redocly(project: Path) -> None:
    found = run(project, "redocly", "lint", "--config", "redocly.yaml", "--format", "json", "openapi.json")

    assert json.loads(found)["problems"] == []


def test_the_document_keeps_the_recommended_rules_of_spectral(project: Path) -> None:
    rules = ("--ruleset", "spectral.yaml", "--fail-severity", "hint", "--format", "json", "--quiet")

    assert json.loads(run(project, "spectral", "lint", "openapi.json", *rules)) == []


def test_lock_file_names_no_host_to_download_from() -> None:
    assert '"resolved"' not in (HERE / "package-lock.json").read_text()
