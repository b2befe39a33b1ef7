"""The code in the documentation, as files for the tests that run it, and the requests of the OpenAPI document."""

from app.datasets.files_beside import read_manifest
from app.settings import ROOT

SERVER = "https://kb.example.org"
"""Stands in the documentation for the reader's server."""


_MANIFEST = read_manifest(ROOT / "seed_data")
assert _MANIFEST is not None
REQUESTS, POSTED = _MANIFEST.examples.requests, _MANIFEST.examples.posts
"""The requests of the OpenAPI document's examples, by operation."""


def code_blocks(page: str, language: str) -> list[str]:
    """The blocks of one language on a page of `docs/`, in its order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [part.partition("```")[0] for part in text.split(f"```{language}\n")[1:]]


def code_file(page: str, name: str) -> str:
    """The block whose first line names this file."""
    (code,) = (block for block in code_blocks(page, name.rpartition(".")[2]) if name in block.partition("\n")[0])
    return code
