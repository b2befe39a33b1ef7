"""What the libraries of this package get wrong, each corrected in one place and tested alone.

citeproc-py 0.11 departs from CSL 1.0.2, and from what pandoc makes of the same styles, in the ways below. A link leads
to a report of the fault where one was found.
"""

import re
from functools import cache
from typing import Any

from app.bibliography.pages import format_pages, page_ranges
from app.sources.names import initials

_FIRST_LETTER = re.compile(r"^(\W*)(\w)")


@cache
def correct_citeproc() -> None:
    """Corrects the library in this process, and caches its searches in a style."""
    from citeproc import model

    _cache_searches(model)
    _join_dates(model)
    _repress_substitutes(model)
    _capitalise_marked_words()
    model.Text._process = model.Number._process = _format_number
    model.Label._is_plural = _with_plural_pages(model.Label._is_plural)
    model.Name.initialize = _initialize


def _cache_searches(model: Any) -> None:
    """Half of the time went into reading the same elements of a style again; they never change. No report found."""
    for owner, method in (
        (model.CitationStylesElement, "xpath_search"),
        (model.CitationStylesElement, "get_root"),
        (model.CitationStylesElement, "get_formatter"),  # we use one alone
        (model.CitationStylesElement, "get_locale_option"),
        (model.Locale, "get_option"),
        (model.SomewhatObjectifiedElement, "__getattr__"),
        (model.Parent, "calls_variable"),
        (model.Text, "calls_variable"),
    ):
        setattr(owner, method, cache(getattr(owner, method)))


def _join_dates(model: Any) -> None:
    """A localised date joins its parts by its own delimiter; the library takes the caller's. No report found."""

    def render_single_date(self: Any, date: Any, show_parts: Any = None, context: Any = None) -> Any:
        parts = self.parts(date, show_parts, context) if context is not self else self.parts(date, show_parts)
        if not parts:
            return None
        return (self if not self.is_locale_date() or self.get("delimiter") else context).join(parts)

    model.Date.render_single_date = render_single_date


def _repress_substitutes(model: Any) -> None:
    """A variable that stands in for the author is not repeated; the library forgets those behind a macro.

    No report found.
    """
    substitute, variable, number = model.Substitute.render, model.Text._variable, model.Number.process
    rendered: list[set[str]] = []
    """What the substitutes that are at work have shown so far."""

    def render_substitute(self: Any, item: Any, context: Any = None, **kwargs: Any) -> Any:
        rendered.append(set())
        try:
            text = substitute(self, item, context=context, **kwargs)
        finally:
            used = rendered.pop()
        if text:
            repressed = context.get_layout().repressed
            for kind in ("text", "number"):
                tag = f"{{{self.nsmap['cs']}}}{kind}"
                repressed[tag] = [*repressed.get(tag, []), *used]
        return text

    def show_variable(self: Any, item: Any, context: Any) -> Any:
        return note(self, variable(self, item, context))

    def process_number(self: Any, item: Any, context: Any = None, **kwargs: Any) -> Any:
        if self.get("variable") in (context or self).get_layout().repressed.get(self.tag, ()):
            return None
        return note(self, number(self, item, context=context, **kwargs))

    def note(element: Any, value: Any) -> Any:
        if value and rendered:
            rendered[-1].add(element.get("variable"))
        return value

    model.Substitute.render = render_substitute
    model.Text._variable = show_variable
    model.Number.process = process_number


def _capitalise_marked_words() -> None:
    """A word in italics or behind a bracket gets its capital as any other; the library looks at one character alone.

    No report found.
    """
    from citeproc.string import String

    def capitalize_first(self: Any) -> Any:
        return type(self)(_FIRST_LETTER.sub(lambda match: match[1] + match[2].upper(), self, count=1))

    String.capitalize_first = capitalize_first


# --- pages --------------------------------------------------------------------------------------------------------


def _format_number(self: Any, value: Any, variable: str) -> str:
    """Ranges of pages with both ends, or without what they have in common.

    The library compares the ends letter by letter from the left, so that `1-12` came out as `1-2`, and takes article
    numbers for ranges. What is right where letters stand before the numbers:
    https://github.com/citation-style-language/test-suite/issues/25
    """
    if not variable.startswith("page"):
        return str(value)
    shortened = self.get_root().get_option("page-range-format") == "minimal"
    term = self.get_single_term(name="page-range-delimiter")
    return format_pages(str(value), str(term) or "\u2013", shortened=shortened)


def _with_plural_pages(original: Any) -> Any:
    """`pp. xii-xxiv`: the library knows ranges of digits alone. No report found."""

    def is_plural(self: Any, item: Any) -> bool:
        if self.get("variable") != "page" or "page" not in item.reference:
            return bool(original(self, item))
        ranges = page_ranges(str(item.reference["page"]))
        return len(ranges) > 1 or ranges[0].last is not None

    return is_plural


# --- names --------------------------------------------------------------------------------------------------------


def _initialize(self: Any, given: str, mark: str, context: Any) -> str:
    """The initials of given names. Words without capitals, of scripts without capitals, and in brackets stay whole.

    The library puts the mark of an initial before and after them (`doe,. jane .`). No report found.
    """
    return initials(given, mark, with_hyphen=self.get_option("initialize-with-hyphen", context))


# --- BibTeX and RIS -----------------------------------------------------------------------------------------------

VERBATIM = ("doi", "url")
"""Fields of BibTeX that are no TeX."""


@cache
def bibtex_writer() -> Any:
    """pybtex's writer, which escapes what readers take verbatim: a DOI with `_` would no longer lead anywhere.

    The same fault elsewhere: https://github.com/papis/papis/issues/738
    """
    from pybtex.database.output.bibtex import Writer

    class VerbatimWriter(Writer):  # type: ignore[misc] # the library is not typed
        def _write_field(self, stream: Any, type: str, value: str) -> None:
            if type in VERBATIM:
                stream.write(f",\n    {type} = {{{value.replace('{', '%7B').replace('}', '%7D')}}}")
            else:
                super()._write_field(stream, type, value)

    return VerbatimWriter(encoding="UTF-8")


@cache
def ris_writer() -> Any:
    """rispy's writer without its header, a stray line in front of each record. No report found."""
    import rispy

    class HeadlessWriter(rispy.RisWriter):  # type: ignore[misc] # the library is not typed
        def set_header(self, count: int) -> str:
            return ""

    return HeadlessWriter
