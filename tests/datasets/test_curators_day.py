"""A curator's day on a copy of an example data set, by the command line, while a server answers: a new trial comes as a
RIS file, is attached to three claims, previewed, published, retracted, corrected and taken out again."""

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.settings import ROOT, settings
from app.storage.database import Database
from tests.conftest import opened
from tests.datasets.test_pull import assert_agreed
from tests.serving import PATIENCE_SECONDS
from tests.test_cli import error_text, free_port, run, started

MORNING = ROOT / "examples" / "datasets" / "semaglutide"
RIS = Path(__file__).parent / "source_files" / "new_trial.ris"
TRIAL_DOI = "10.5555/semaglutide.1"
RETRACTION = (
    "Record ID,Title,OriginalPaperDOI,OriginalPaperPubMedID,RetractionDOI,RetractionDate,RetractionNature,Reason\n"
    f"1,A synthetic trial,{TRIAL_DOI},,10.5555/semaglutide.1.r,11/20/2026 0:00,Retraction,+Error in Data;\n"
)

STUDY = """
  - id: doe-2026-trial
    name: Synthetic trial of semaglutide in alcohol use disorder (Doe 2026)
    design: randomized_parallel_trial
    conditions: [alcohol-use-disorder]
    participants: 200
    analysed: 190
    comparator: placebo
    blinding: double_blind
"""
CITATIONS = {
    "semaglutide-heavy-drinking": """
      - doi: 10.5555/semaglutide.1
        study: doe-2026-trial
        stance: disputes
        stance_reason: n1c_primary_null
        directness: direct
        role: primary_result
        finding: Synthetic. The share of heavy drinking days did not differ between the groups.
        analysed_n: 190
        verification: {result: verified, basis: full_text, checked_on: 2026-11-28}""",
    "semaglutide-alcohol-intake": """
      - doi: 10.5555/semaglutide.1
        study: doe-2026-trial
        stance: disputes
        stance_reason: n1d_named_null
        directness: direct
        role: secondary_result
        finding: Synthetic. Intake over all days is named as not different.
        verification: {result: verified, basis: full_text, checked_on: 2026-11-28}""",
    "semaglutide-nausea": """
      - doi: 10.5555/semaglutide.1
        study: doe-2026-trial
        stance: supports
        directness: direct
        role: secondary_result
        finding: Synthetic. Nausea was more frequent than with placebo.
        verification: {result: verified, basis: full_text, checked_on: 2026-11-28}""",
}

Fields = dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """The curator's files, the database, and the server that reads it."""

    files: Path
    database: Database
    port: int

    def run(self, *arguments: str, code: int = 0) -> str:
        settings.cache_clear()
        return error_text(run(self.database, *arguments, SEED_DIR=str(self.files)), code)

    def get(self, address: str) -> Fields:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=PATIENCE_SECONDS) as answer:
            fields: Fields = json.load(answer)
            return fields

    def verdict(self, claim: str) -> str:
        return str(self.get(f"/v1/claims/{claim}")["evidence"]["verdict"]["label"])

    def status(self, address: str) -> int:
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.get(address)
        refused.value.close()
        return refused.value.code

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.files / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        with (self.files / file).open("a", encoding="utf-8") as opened_file:
            opened_file.write(text)

    def cite(self, claim: str, citation: str) -> None:
        """Put a citation at the end of its claim, wherever that stands."""
        for path in sorted((self.files / "claims").glob("*.yaml")):
            before, found, after = path.read_text(encoding="utf-8").partition(f"  - id: {claim}\n")
            if found:
                own, end, others = after.rstrip("\n").partition("\n\n  - id: ")
                path.write_text(before + found + own + citation + end + others + "\n", encoding="utf-8")
                return
        pytest.fail(f"{claim} stands in no file")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    files = Path(shutil.copytree(MORNING, tmp_path / "semaglutide"))
    url = f"sqlite:///{tmp_path / 'day.db'}"
    port = free_port()
    environment = {"DATABASE_URL": url, "PORT": str(port), "SEED_DIR": str(files), "SHUTDOWN_DELAY_SECONDS": "0"}
    with started("serve", "--migrate", "--seed", **environment) as server:
        assert server.stderr is not None
        assert any('"listening"' in line for line in server.stderr)
        with opened(url) as database:
            yield Desk(files, database, port)
    settings.cache_clear()


def test_a_curators_day(desk: Desk) -> None:
    assert "Account anna made." in desk.run("account", "anna", "--name", "Anna")
    before = {claim: desk.verdict(claim) for claim in CITATIONS}

    # A new trial comes as a RIS file; it may be added twice without harm.
    assert "files changed: documents.yaml" in desk.run("add-source", str(RIS), "--to", str(desk.files))
    documents = (desk.files / "documents.yaml").read_text(encoding="utf-8")
    assert "is recorded as doe-2026" in desk.run("add-source", str(RIS), "--to", str(desk.files), code=1)
    assert (desk.files / "documents.yaml").read_text(encoding="utf-8") == documents
    desk.append("studies.yaml", STUDY)
    desk.append("documents.yaml", "    studies: [{study: doe-2026-trial, role: primary}]\n")

    # Attached to three claims. A slip is named with its place and the nearest right name.
    desk.cite("semaglutide-nausea", CITATIONS["semaglutide-nausea"].replace("doe-2026-trial", "doe-2026-trail"))
    slip = desk.run("check", code=1)
    assert re.search(r"claims/safety\.yaml:\d+:\d+: semaglutide-nausea: .*did you mean doe-2026-trial\b", slip)
    desk.replace("claims/safety.yaml", "doe-2026-trail", "doe-2026-trial")
    for claim in ("semaglutide-heavy-drinking", "semaglutide-alcohol-intake"):
        desk.cite(claim, CITATIONS[claim])
    assert desk.run("check").endswith("records, no fault.\n")

    # Previewed: what would change and which grades would move; nothing is written.
    preview = desk.run("seed", "--dry-run")
    assert "Would create document/doe-2026\n" in preview
    assert "Would create study/doe-2026-trial\n" in preview
    assert all(f"Would update claim/{claim}\n" in preview for claim in CITATIONS)
    assert "Grade of semaglutide-heavy-drinking: Mostly supported" in preview
    assert "2 records would be created, 3 updated" in preview
    assert {claim: desk.verdict(claim) for claim in CITATIONS} == before

    # Published with a note, by a person who is known; the server answers with it.
    assert "names no account" in desk.run("seed", "--note", "A new trial", "--author", "nobody", code=1)
    published = desk.run("seed", "--note", "A new trial of drinking", "--author", "anna")
    assert "2 records created, 3 updated" in published
    assert desk.verdict("semaglutide-heavy-drinking") == "Conflicting, leaning for"
    assert desk.verdict("semaglutide-nausea") == "Supported"
    version = desk.get("/v1/claims/semaglutide-nausea/versions")["items"][0]
    assert (version["note"], version["actor"]["id"]) == ("A new trial of drinking", "anna")
    assert desk.run("seed", "--dry-run").startswith("Nothing would change")

    # Retracted: its citations stay visible and count for nothing. The files take the notice from the database.
    notices = desk.files.parent / "retractions.csv"
    notices.write_text(RETRACTION, encoding="utf-8")
    assert "3 claims recomputed" in desk.run("standing", "--retraction-watch", str(notices))
    assert {claim: desk.verdict(claim) for claim in CITATIONS} == before
    (cited,) = (
        citation
        for citation in desk.get("/v1/claims/semaglutide-nausea")["citations"]
        if citation["document"]["id"] == "doe-2026"
    )
    assert cited["document"]["standing"] == "retracted"
    assert cited["document"]["notice"]["doi"] == "10.5555/semaglutide.1.r"
    assert "document/doe-2026" in desk.run("pull")
    assert "standing: retracted" in (desk.files / "documents.yaml").read_text(encoding="utf-8")
    assert desk.run("check").endswith("records, no fault.\n")
    assert_agreed(desk.database, desk.files)

    # Corrected: two numbers were misread.
    desk.replace("studies.yaml", "    analysed: 190\n", "    analysed: 180\n")
    desk.replace("claims/brain.yaml", "analysed_n: 190", "analysed_n: 180")
    assert "2 updated" in desk.run("seed", "--note", "Number of people corrected", "--author", "anna")
    assert desk.get("/v1/studies/doe-2026-trial")["analysed"] == 180
    serial = desk.get("/v1/studies/doe-2026-trial/versions")["items"][-1]["serial"]
    assert desk.get(f"/v1/studies/doe-2026-trial?serial={serial}")["analysed"] == 190

    # Undone: the files of the morning come back, and what they do not hold is retired, never deleted.
    shutil.rmtree(desk.files)
    shutil.copytree(MORNING, desk.files)
    undoing = desk.run("seed", "--dry-run", "--prune")
    assert "In no file: document/doe-2026\n" in undoing
    assert "In no file: study/doe-2026-trial\n" in undoing
    undone = desk.run("seed", "--prune", "--yes", "--note", "The retracted trial is taken out", "--author", "anna")
    assert "3 updated, 2 retired" in undone
    assert {claim: desk.verdict(claim) for claim in CITATIONS} == before
    assert desk.status("/v1/documents/doe-2026") == 410
    assert desk.status("/v1/citations/cit-semaglutide-nausea-doe-2026") == 410
    notes = [version["note"] for version in desk.get("/v1/claims/semaglutide-heavy-drinking/versions")["items"]]
    assert notes == [
        "The retracted trial is taken out",
        "Number of people corrected",
        "Standing of sources: retraction-watch",
        "A new trial of drinking",
        "Seed data",
    ]

    # In the evening files and database agree: the files take the retired records, and nothing is left to do.
    assert "2 records written" in desk.run("pull")
    assert desk.run("check").endswith("records, no fault.\n")
    assert_agreed(desk.database, desk.files)
    assert desk.run("seed", "--dry-run").startswith("Nothing would change")
    assert "The files hold every record that was seeded." in desk.run("seed", "--prune")
    assert desk.run("pull") == "The files hold what is stored.\n"
