"""The page for newcomers, docs/datasets.md, done as it says: its files become a data set of five claims."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import ROOT, Settings, settings
from tests.test_cli import error_text, free_port, run

PAGE = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`tea/([a-z_/]+\.yaml)`[^\n]*:\n\n```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_the_path_of_the_page_ends_at_five_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    url = f"sqlite:///{tmp_path / 'tea.db'}"
    monkeypatch.chdir(tmp_path)
    assert "conditions.yaml" in error_text(run(url, "new", "dataset", "tea"))
    assert "is still to be filled in" in error_text(run(url, "check", "--from", "tea"), 1)
    begun = {path.relative_to("tea").as_posix() for path in Path("tea").rglob("*.yaml")}
    assert set(FILES) == begun
    for name, text in FILES.items():
        (Path("tea") / name).write_text(text, encoding="utf-8")
    said = error_text(run(url, "check", "--from", "tea"))
    assert said.startswith("12 records, no fault.")
    assert "12 records, no fault." in PAGE
    error_text(run(url, "migrate"))
    settings.cache_clear()
    assert "12 records created" in error_text(run(url, "seed", SEED_DIR="tea"))
    with TestClient(create_app(Settings(database_url=url, seed_dir=(Path("tea"),)))) as client:
        answer = client.get("/v1/claims", params={"condition": "cold"}).json()
        assert answer["total"] == 5
    settings.cache_clear()


def test_make_run_serves_the_data_set_from_a_database_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "make run SEED_DIR=tea\n" in PAGE
    directory = tmp_path / "tea set"
    for name, text in FILES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database = ROOT / "var" / Path(Settings(seed_dir=(directory,)).database_url).name
    assert database.name.startswith("tea-set-")
    port = free_port()
    installed = ("--old-file=install-run", f"BIN={Path(sys.executable).parent}")
    process = subprocess.Popen(
        ["make", *installed, "run", f"SEED_DIR={directory}", f"PORT={port}"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if '"listening"' in line:
                break
        assert '"listening"' in said[-1], said
        assert database.exists()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/claims?condition=cold", timeout=20) as answer:
            assert json.load(answer)["total"] == 5
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
        for path in database.parent.glob(f"{database.name}*"):
            path.unlink()


KEEP = PAGE.partition("## Keep\n")[2].partition("\n## ")[0]
SOURCE_FILES = Path(__file__).parent / "source_files"
RETRACTIONS = (
    "Record ID,Title,OriginalPaperDOI,OriginalPaperPubMedID,RetractionDOI,RetractionDate,RetractionNature,Reason\n"
    "1,A synthetic trial,10.5555/semaglutide.1,,10.5555/semaglutide.1.r,11/20/2026 0:00,Retraction,+Error in Data;\n"
)


def test_every_command_to_keep_a_data_set_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'tea.db'}"
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        path = Path("tea") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copyfile(SOURCE_FILES / "new_trial.ris", "paper.ris")
    Path("retractions.csv").write_text(RETRACTIONS, encoding="utf-8")

    def keep(*arguments: str, code: int = 0) -> str:
        settings.cache_clear()
        return error_text(run(url, *arguments, SEED_DIR="tea"), code)

    keep("migrate")
    keep("seed")
    claims = Path("tea/claims/tea.yaml")
    before = claims.read_text(encoding="utf-8")
    said = {}
    for command in re.findall(r"`ldn-evidence ([^`]+)`", KEEP.partition("\n\n`add-source`")[0]):
        said[command] = keep(*shlex.split(command))
        if command.startswith("new claim"):
            assert "FILL" in claims.read_text(encoding="utf-8")
            claims.write_text(before, encoding="utf-8")
    assert "document/doe-2026" in said["seed --dry-run"]
    assert "1 record" in said['seed --note "A second trial"']
    assert "1 document" in said["standing --retraction-watch retractions.csv"]
    assert "document/doe-2026" in said["pull"]
    assert "standing: retracted" in Path("tea/documents.yaml").read_text(encoding="utf-8")
    assert said["seed --prune"].endswith("The files hold every record that was seeded.\n")
    assert said["schema --output tea/schema"].endswith("schemas written.\n")
    assert keep("check") == "13 records, no fault.\n"
    settings.cache_clear()
