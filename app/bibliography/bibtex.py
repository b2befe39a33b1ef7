"""BibTeX, written by pybtex, which escapes TeX commands."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from app.bibliography.reference import Name, Reference

_TYPES = {"article-journal": "article", "chapter": "incollection", "report": "techreport"}
"""CSL types with an entry type of their own; all others are `misc`."""
_VERBATIM = ("doi", "url")
_TEX_NAMES = {
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "\\": r"{\textbackslash}",
    "^": r"{\textasciicircum}",
    "~": r"{\textasciitilde}",
    "$": r"{\$}",
}
"""Characters that pybtex does not escape."""
MAX_CACHED = 4096
"""Entries in memory. A changed reference is another key."""


def render(references: Sequence[Reference], _style: str) -> str:
    return "\n".join(_entry(reference) for reference in references)


@lru_cache(maxsize=MAX_CACHED)
def _entry(reference: Reference) -> str:
    from pybtex.database import BibliographyData, Entry
    from pybtex.database.output.bibtex import Writer

    class Verbatim(Writer):  # type: ignore[misc] # the library is not typed
        def _write_field(self, stream: Any, type: str, value: str) -> None:
            """BibTeX readers take addresses verbatim, not as TeX."""
            if type in _VERBATIM:
                stream.write(f",\n    {type} = {{{value.replace('{', '%7B').replace('}', '%7D')}}}")
            else:
                super()._write_field(stream, type, value)

    kind = _TYPES.get(reference.type, "misc")
    authors = [_person(author) for author in reference.authors]
    if authors and not reference.authors_complete:
        authors.append(_person(Name(family="others")))
    entry = Entry(kind, fields=_fields(reference, kind), persons={"author": authors} if authors else None)
    return str(Verbatim(encoding="UTF-8").to_string(BibliographyData({reference.id: entry})))


def _fields(reference: Reference, kind: str) -> list[tuple[str, str]]:
    year, month, day = (*reference.issued, None, None, None)[:3]
    container = {"article": "journal", "incollection": "booktitle"}.get(kind, "howpublished")
    publisher = "institution" if kind == "techreport" else "publisher"
    values = {
        "title": f"{{{_escape(reference.shown_title)}}}",  # the inner braces keep LDN from becoming ldn
        container: reference.container_title,
        "shortjournal": reference.container_title_short,
        "volume": reference.volume,
        "number": reference.issue,
        "pages": _pages(reference.page),
        publisher: _braced(reference.publisher) if reference.publisher else None,
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
    escaped = ("title", publisher, *_VERBATIM)
    texts = ((name, str(value)) for name, value in values.items() if value is not None)
    return [(name, text if name in escaped else _escape(text)) for name, text in texts]


def _person(author: Name) -> Any:
    from pybtex.database import Person

    if author.literal:
        return Person(last=f"{{{_escape(author.literal)}}}")  # braces: a group has no given names
    person = Person()
    # Set directly: pybtex would parse a comma or `von` in a string as structure.
    person.last_names = [_braced(author.family or "")]
    person.first_names = [_escape(author.given)] if author.given else []
    return person


def _braced(name: str) -> str:
    """Braces around a name that would be taken apart: a person's at a comma, a publisher's at `and` (BibLaTeX)."""
    return f"{{{_escape(name)}}}" if re.search(r",| and ", name) else _escape(name)


def _pages(page: str | None) -> str | None:
    return re.sub(r"(?:(?<!\s)\s*)?[-\u2013]\s*", "--", page) if page else None


def _escape(text: str) -> str:
    """BibTeX counts braces before anything else, so braces in a text are written as commands."""
    return re.sub(r"[{}\\^~$]", lambda match: _TEX_NAMES[match[0]], text)
