"""What citation-js, which reference managers in browsers are made of, imports from a running server."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.bibliography import csl_json
from app.bibliography.reference import Reference
from tests.browser.live import live_server

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
PACKAGES = HERE.parent / "node" / "node_modules"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def url(seed_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("server"), SEED_DIR=str(seed_files)) as url:
        yield url


@pytest.fixture(scope="module")
def imported(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Json]]:
    """Format → id → what was read, as CSL."""
    assert (PACKAGES / "@citation-js").is_dir(), "the Node packages are not installed: run make test-node"
    folder = tmp_path_factory.mktemp("citations")
    (folder / "node_modules").symlink_to(PACKAGES)
    shutil.copy(HERE / "citations.mjs", folder)
    finished = subprocess.run(
        ["node", "citations.mjs", url], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    read: dict[str, list[Json]] = json.loads(finished.stdout)
    return {name: {item["id"]: item for item in items} for name, items in read.items()}


@pytest.mark.parametrize("name", ["bibtex", "ris", "csl-json"])
def test_citation_js_imports_every_document_whole(
    imported: dict[str, dict[str, Json]], documents: list[Reference], name: str
) -> None:
    assert imported[name].keys() == {document.id for document in documents}
    for document in documents:
        read, ours = imported[name][document.id], csl_json.item(document)
        kept = ["title", "DOI", "PMCID", "page", "volume", "issue", "issued", "container-title", "publisher", "note"]
        assert {field: read.get(field) for field in kept} == {field: ours.get(field) for field in kept}
        assert _authors(read) == _authors(ours) + _further(name, document)


@pytest.mark.parametrize("name", ["bibtex", "csl-json"])
def test_citation_js_finds_the_pmid(
    imported: dict[str, dict[str, Json]], documents: list[Reference], name: str
) -> None:
    assert {key: item.get("PMID") for key, item in imported[name].items()} == {
        document.id: document.pmid for document in documents
    }


def test_ris_leads_to_pubmed_where_it_cannot_hold_the_pmid(
    imported: dict[str, dict[str, Json]], documents: list[Reference]
) -> None:
    for document in documents:
        if document.pmid:
            assert f"https://pubmed.ncbi.nlm.nih.gov/{document.pmid}/" in imported["ris"][document.id]["URL"]


def _authors(item: Json) -> list[tuple[str, str | None]]:
    """Family and given names; `van der` and the like, which BibTeX readers take off, put back."""
    return [
        (
            author.get("literal") or " ".join(filter(None, (author.get("non-dropping-particle"), author["family"]))),
            author.get("given"),
        )
        for author in item.get("author", [])
    ]


def _further(name: str, document: Reference) -> list[tuple[str, str | None]]:
    """Authors that exist and are not recorded, as BibTeX says it."""
    return [("others", None)] if name == "bibtex" and document.authors and not document.authors_complete else []
