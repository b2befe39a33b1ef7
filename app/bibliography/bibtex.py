"""BibTeX, by pybtex, which escapes what TeX would take for commands."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from app.bibliography.reference import Name, Reference

_TYPES = {"article-journal": "article", "chapter": "incollection", "report": "techreport"}
"""CSL types with an entry type of their own; all others are `misc`."""
_ADDRESSES = ("doi", "url")
_NAMED = {
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "\\": r"{\textbackslash}",
    "^": r"{\textasciicircum}",
    "~": r"{\textasciitilde}",
    "$": r"{\$}",
}
"""What pybtex leaves to its author to write as TeX."""
_KEPT = 4096


def render(references: Sequence[Reference], _style: str) -> str:
    return "\n".join(entry(reference) for reference in references)


@lru_cache(maxsize=_KEPT)
def entry(reference: Reference) -> str:
    from pybtex.database import BibliographyData, Entry
    from pybtex.database.output.bibtex import Writer

    class Verbatim(Writer):  # type: ignore[misc] # the library is not typed
        def _write_field(self, stream: Any, type: str, value: str) -> None:
            """Addresses are read as they stand, not as TeX."""
            if type in _ADDRESSES:
                stream.write(f",\n    {type} = {{{value.replace('{', '%7B').replace('}', '%7D')}}}")
            else:
                super()._write_field(stream, type, value)

    kind = _TYPES.get(reference.type, "misc")
    authors = [_person(author) for author in reference.authors]
    if authors and not reference.authors_complete:
        authors.append(_person(Name(family="others")))
    made = Entry(kind, fields=_fields(reference, kind), persons={"author": authors} if authors else None)
    return str(Verbatim(encoding="UTF-8").to_string(BibliographyData({reference.id: made})))


def _fields(reference: Reference, kind: str) -> list[tuple[str, str]]:
    year, month, day = (*reference.issued, None, None, None)[:3]
    container = {"article": "journal", "incollection": "booktitle"}.get(kind, "howpublished")
    publisher = "institution" if kind == "techreport" else "publisher"
    values = {
        "title": f"{{{_plain(reference.shown_title)}}}",  # the inner braces keep LDN from becoming ldn
        container: reference.container_title,
        "shortjournal": reference.container_title_short,
        "volume": reference.volume,
        "number": reference.issue,
        "pages": _pages(reference.page),
        publisher: _whole(reference.publisher) if reference.publisher else None,
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
    ready = ("title", publisher, *_ADDRESSES)
    given = ((name, str(value)) for name, value in values.items() if value is not None)
    return [(name, value if name in ready else _plain(value)) for name, value in given]


def _person(author: Name) -> Any:
    from pybtex.database import Person

    if author.literal:
        return Person(last=f"{{{_plain(author.literal)}}}")  # braces: a group has no given names
    person = Person()
    # Set as they are: parsed from a string, a comma or `von` in a name would be read as structure.
    person.last_names = [_whole(author.family or "")]
    person.first_names = [_plain(author.given)] if author.given else []
    return person


def _whole(name: str) -> str:
    """Braces around a name that would be taken apart: a person's at a comma, a publisher's at `and` (BibLaTeX)."""
    return f"{{{_plain(name)}}}" if re.search(r",| and ", name) else _plain(name)


def _pages(page: str | None) -> str | None:
    return re.sub(r"\s*[-\u2013]\s*", "--", page) if page else None


def _plain(text: str) -> str:
    """BibTeX counts braces before anything else, so those of a title are named instead of written."""
    return re.sub(r"[{}\\^~$]", lambda found: _NAMED[found[0]], text)
