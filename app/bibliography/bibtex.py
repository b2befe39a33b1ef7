"""BibTeX, written by pybtex, which escapes TeX commands."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from app.bibliography import markup
from app.bibliography.corrections import VERBATIM, bibtex_writer
from app.bibliography.pages import format_pages
from app.bibliography.reference import Name, Reference

_TYPES = {"article-journal": "article", "chapter": "incollection", "report": "techreport"}
"""CSL types with an entry type of their own; all others are `misc`."""
_TEX_NAMES = {
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "\\": r"{\textbackslash}",
    "^": r"{\textasciicircum}",
    "~": r"{\textasciitilde}",
    "$": r"{\$}",
}
"""Characters that pybtex does not escape."""
_LIGATURES = re.compile(r"--+|''+|``+|[?!]`")
"""Characters that TeX would join, such as two hyphens to a dash."""
_COMMANDS = {"i": "textit", "b": "textbf", "sup": "textsuperscript", "sub": "textsubscript", "sc": "textsc"}
MAX_CACHED = 4096
"""Entries in memory. A changed reference is another key."""


def render(references: Sequence[Reference], _style: str) -> str:
    return "\n".join(_entry(reference) for reference in references)


@lru_cache(maxsize=MAX_CACHED)
def _entry(reference: Reference) -> str:
    from pybtex.database import BibliographyData, Entry

    kind = "misc" if reference.is_preprint else _TYPES.get(reference.type, "misc")
    authors = [_person(author) for author in reference.authors]
    if authors and not reference.authors_complete:
        authors.append(_others())
    entry = Entry(kind, fields=_fields(reference, kind), persons={"author": authors} if authors else None)
    return str(bibtex_writer().to_string(BibliographyData({reference.id: entry})))


def _fields(reference: Reference, kind: str) -> list[tuple[str, str]]:
    year, month, day = (*reference.issued, None, None, None)[:3]
    container = {"article": "journal", "incollection": "booktitle"}.get(kind, "howpublished")
    publisher = "institution" if kind == "techreport" else "publisher"
    values = {
        "title": f"{{{_title(reference)}}}",  # the inner braces keep DNA from becoming dna
        container: reference.server or reference.container_title,
        "shortjournal": None if reference.is_preprint else reference.container_title_short,
        "type": "Preprint" if reference.is_preprint else None,
        "volume": reference.volume,
        "number": reference.issue,
        "pages": _pages(reference.page) if reference.page else None,
        publisher: _braced(reference.publisher) if reference.publisher and not reference.is_preprint else None,
        "year": year,
        "month": month,
        "day": day,
        "doi": reference.doi,
        "pmid": reference.pmid,
        "pmcid": reference.pmcid,
        "url": reference.url,
        "urldate": "-".join(f"{part:02}" for part in reference.accessed) or None,
        "note": reference.note,
    }
    as_is = ("title", publisher, "pages", *VERBATIM)
    texts = ((name, str(value)) for name, value in values.items() if value is not None)
    return [(name, text if name in as_is else _escape(text)) for name, text in texts]


def _title(reference: Reference) -> str:
    text = _escape(reference.marked_title)
    for kind, command in _COMMANDS.items():
        text = text.replace(markup.OPENING[kind], f"\\{command}{{").replace(markup.CLOSING[kind], "}")
    return text


def _person(author: Name) -> Any:
    """Set part by part: pybtex would parse a comma or `von` in a string as structure."""
    from pybtex.database import Person

    person = Person()
    alone = author.literal or (None if author.given else author.family)
    if alone and (author.literal or " " in alone):  # braces: it has no given names
        person.last_names = [f"{{{_escape(alone)}}}"]
    else:
        person.last_names = [_braced(author.family or "")]
        person.first_names = [_braced(author.given)] if author.given else []
    person.lineage_names = [_escape(author.suffix)] if author.suffix else []
    return person


def _others() -> Any:
    """How BibTeX says that there are further authors."""
    from pybtex.database import Person

    return Person("others")


def _pages(page: str) -> str:
    return _escape(format_pages(page, "\ufffd")).replace("\ufffd", "--")


def _braced(name: str) -> str:
    """Braces around a name that would be taken apart: a person's at a comma, a publisher's at `and` (BibLaTeX)."""
    return f"{{{_escape(name)}}}" if re.search(r",|\band\b|^others$", name, re.IGNORECASE) else _escape(name)


def _escape(text: str) -> str:
    """BibTeX counts braces before anything else, so braces in a text are written as commands.

    An empty group stands between characters that TeX would join; it is written after the braces of the text.
    """
    text = _LIGATURES.sub(
        lambda match: "\ufffc".join(match[0]), text
    )  # an empty group, written after the braces of the text
    return re.sub(r"[{}\\^~$]", lambda match: _TEX_NAMES[match[0]], text).replace("\ufffc", "{}")
