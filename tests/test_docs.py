"""What the documentation says is what the product does."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.mcp.tools import TOOLS
from app.settings import ROOT
from app.verification.vocabulary import VerificationResult

TOP = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]

PYTHON_TESTS = [path for path in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in path.parts]


def test_generated_parts_are_those_that_the_code_gives() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run: python scripts/docs.py\n{done.stdout}{done.stderr}"


def test_the_newest_version_of_the_changes_is_that_of_the_software(client: TestClient) -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", changes, re.MULTILINE)
    assert headings[0] == "Unreleased"
    versions = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})", heading) for heading in headings[1:]]
    assert versions
    assert all(versions), headings
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    newest = versions[0]
    assert newest is not None
    assert client.get("/v1/meta").json()["version"] == newest[1] == declared


def test_the_page_on_assistants_names_every_tool() -> None:
    page = (ROOT / "docs" / "interop" / "mcp.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [tool.name for tool in TOOLS]
    for shown in re.findall(r"```json\n(.*?)```", page, re.DOTALL):
        json.loads(shown)


def test_the_page_on_verification_names_every_result() -> None:
    page = (ROOT / "docs" / "interop" / "verify.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == list(VerificationResult)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_map_names_every_package_and_no_other() -> None:
    tree = (ROOT / "docs" / "map.md").read_text(encoding="utf-8").split("```")[1]
    named = set(re.findall(r"^  (\w+)/", tree, re.MULTILINE))
    there = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert named == there


def test_every_file_that_the_map_or_a_decision_names_exists() -> None:
    pages = [ROOT / "docs" / "map.md", *(ROOT / "docs" / "decisions").glob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        if "**Superseded by" in text:
            continue
        for file in re.findall(r"`((?:\w+/)+(?:\w+\.py)?)(?::\w+)?`", text):
            assert (ROOT / file).exists() or (ROOT / "app" / file).exists(), file


def test_every_test_that_a_promise_names_exists() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    files = {path.relative_to(ROOT / "tests").as_posix(): path.read_text("utf-8") for path in PYTHON_TESTS}
    assert set(re.findall(r"`([\w/]+\.py)[`:]", text)) - set(files) == set()
    defined = set(re.findall(r"def (test_\w+)", "".join(files.values())))
    assert set(re.findall(r"[`:](test_\w+)`", text)) - defined == set()


def test_every_code_word_of_the_glossary_is_defined_in_the_code() -> None:
    code_words = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("## Words of the code")[2]
    words = set(re.findall(r"^\| `(\w+)` \|", code_words, re.MULTILINE))
    assert words
    assert words - {name for file in (ROOT / "app").rglob("*.py") for name in names_defined_in(file)} == set()


def names_defined_in(file: Path) -> Iterator[str]:
    """Classes, functions and top-level variables of a module."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
    for statement in module.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_words_of_the_glossary_are_in_alphabetical_order() -> None:
    tables = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("|---|---|\n")[1:]
    for table in tables:
        words = [word.lower() for word in re.findall(r"^\| `?([^`|]+)`? \|", table.split("\n\n")[0], re.MULTILINE)]
        assert words == sorted(words)


def test_every_make_target_of_the_documentation_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    for target in re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
