"""What the documentation says is what the product does."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.settings import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_generated_parts_are_those_that_the_code_gives() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run: python scripts/docs.py\n{done.stdout}{done.stderr}"


def test_first_call_of_the_readme_answers_what_it_shows(client: TestClient) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    call = re.search(r"curl -s 'localhost:8000(/[^']+)'", readme)
    shown = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert call is not None
    assert shown is not None
    answer = client.get(call[1]).json()
    assert_shown(json.loads(shown[1]), answer)


def assert_shown(shown: Any, answer: Any, at: str = "answer") -> None:
    """Everything shown stands in the answer; the answer may hold more fields."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answer, f"{at}.{name}"
            assert_shown(value, answer[name], f"{at}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(answer), at
        for index, value in enumerate(shown):
            assert_shown(value, answer[index], f"{at}[{index}]")
    else:
        assert shown == answer, at


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_map_names_every_package_and_no_other() -> None:
    tree = (ROOT / "docs" / "map.md").read_text(encoding="utf-8").split("```")[1]
    named = set(re.findall(r"^  (\w+)/", tree, re.MULTILINE))
    there = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert named == there


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
