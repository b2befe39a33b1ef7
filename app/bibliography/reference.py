"""A document as a reference: a frozen value, independent of any format."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

from pydantic_core import to_json

from app.bibliography import markup


@dataclass(frozen=True)
class Name:
    """An author: `family`, `given` and `suffix`, or `literal` for a group."""

    family: str | None = None
    given: str | None = None
    literal: str | None = None
    suffix: str | None = None
    """`Jr.`, `III`: what stands behind the given names in a list."""


class Mark(StrEnum):
    """A warning in front of the title, as publishers print it."""

    retracted = "RETRACTED"
    concern = "EXPRESSION OF CONCERN"


_ANY = markup.MARKS
_DASH = "[-\u2010-\u2015\u2212]"
_WARNING = (
    r"(?:this )?(?:(?:article|paper|chapter|editorial)\s+)?(?:has been |is )?(?:temporarily )?"
    r"(?:retracted|withdrawn|removed|(?:notice of )?retraction(?: note| notice)?|temporary removal"
    r"|expressions? of concern)(?:\s+(?:article|paper|chapter|study|publication))?"
)
_CAPITALS = r"(?-i:(?:RETRACTED|WITHDRAWN|REMOVED|RETRACTION|EXPRESSION OF CONCERN)(?:\s+(?:ARTICLE|PAPER|CHAPTER))?)"
_MIXED = r"(?-i:[^a-z\ue000-\ue01f]*[a-z])"
"""What has a small letter, so that capitals stand out."""
_PUBLISHERS_MARK = re.compile(
    rf"^{_ANY}(?:{_WARNING}{_ANY}(?:\s*[:\uff1a]|\.(?=\s)|\s+{_DASH}{{1,3}}(?=\s))"
    rf"|(?:\[{_WARNING}\]|\({_WARNING}\))(?:\s*[:\uff1a]|\s*{_DASH}(?=\s))?"
    rf"|\*{{1,5}}\s*{_WARNING}\s*\*{{1,5}}\s*[:\uff1a]?"
    rf"|{_CAPITALS}{_ANY}(?:\s*{_DASH}{{1,3}}|(?=\s{_MIXED}))){_ANY}\s*"
    rf"|(?<!\s)\s*{_ANY}(?:\[{_WARNING}[^\]]*\]|\({_WARNING}[^)]*\)|\*{{1,5}}\s*{_WARNING}\s*\*{{1,5}}"
    rf"|(?:{_DASH}{{1,3}}\s*|(?-i:(?<=[a-z.?!:\ue000-\ue01f]\s)){_ANY}){_CAPITALS}){_ANY}[.\s]*$",
    re.IGNORECASE,
)
"""A warning that the publisher wrote into the title, in front of it or behind it.

Without punctuation it is one in capitals alone: `Retracted position of the jaw` is a title.
"""
_PREPRINT_MARK = re.compile(
    rf"^preprint\s*(?:[:\uff1a]|\s{_DASH}(?=\s))\s*"
    rf"|(?<!\s)\s*(?:[\[(]preprint(?: server)?[\])]|[:\uff1a,]\s*preprint|\s{_DASH}\s*preprint)[.\s]*$",
    re.IGNORECASE,
)
_SERVERS_MARK = re.compile(r"(?<=\w)\s(?:preprint|preprint server)[.\s]*$", re.IGNORECASE)
"""`medRxiv preprint`, in the name of a server alone."""


@dataclass(frozen=True)
class Reference:
    """A document as it is cited. What was not read is null or empty, and stays so in every format."""

    id: str
    type: str
    """A CSL item type."""
    label: str
    title: str | None = None
    """As it was read, with markup and entities."""
    authors: tuple[Name, ...] = ()
    authors_complete: bool = True
    """False where only the first author is known."""
    container_title: str | None = None
    container_title_short: str | None = None
    issued: tuple[int, ...] = ()
    """Year, month and day, as far as known."""
    volume: str | None = None
    issue: str | None = None
    page: str | None = None
    """As it was read: `1203-9`, `e00123-20`, `12-15, 20-25`."""
    publisher: str | None = None
    url: str | None = None
    accessed: tuple[int, ...] = ()
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    is_preprint: bool = False
    warning: Mark | None = None
    notice: str | None = None
    """A sentence: what changed the standing of the work, and where that was announced."""

    @cached_property
    def digest(self) -> str:
        """Of all fields; equal references have the same."""
        return blake2b(to_json(self), digest_size=16).hexdigest()

    @cached_property
    def marked_title(self) -> str:
        """The title behind its warning, with its markup as `markup.marked` writes it.

        A work without a title has its label in brackets, as style guides require. What the publisher wrote into the
        title to warn of the work is not repeated.
        """
        return titled(self.title, self.label, self.warning, is_preprint=self.is_preprint)

    @property
    def shown_title(self) -> str:
        """The title behind its warning, with the markup that CSL knows."""
        return markup.as_csl(self.marked_title)

    @property
    def plain_title(self) -> str:
        """The title behind its warning, without markup."""
        return markup.plain(self.marked_title)

    @property
    def server(self) -> str | None:
        """Where a preprint was posted; null for other works."""
        named = self.container_title or self.publisher if self.is_preprint else None
        return without(_SERVERS_MARK, without(_PREPRINT_MARK, named)) if named else None

    @property
    def note(self) -> str | None:
        """For the note field of a format: the notice, and whether authors are missing."""
        incomplete = None if self.authors_complete or not self.authors else "Only the first author is recorded."
        return " ".join(part for part in (self.notice, incomplete) if part) or None


def titled(title: str | None, label: str, warning: Mark | None, *, is_preprint: bool) -> str:
    """The title, or else the label in brackets, behind the warning, with markup as `markup.marked` writes it."""
    text = markup.marked(title) if title else f"[{label}]"
    if is_preprint:
        text = without(_PREPRINT_MARK, text)
    return f"{warning}: {_without_warning(text)}" if warning else text


def _without_warning(title: str) -> str:
    shorter = markup.balanced(without(_PUBLISHERS_MARK, title))
    return shorter if title.endswith(shorter) else shorter.rstrip(" .:-\u2013\u2014*")


def without(mark: re.Pattern[str], text: str) -> str:
    """The text without any such mark; the text itself if nothing else is in it."""
    rest = text
    while (shorter := mark.sub("", rest)) != rest:
        rest = shorter
    return rest or text
