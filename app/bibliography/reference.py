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
_WARNING = (
    r"(?:this )?(?:(?:article|paper|chapter|editorial)\s+)?(?:has been |is )?(?:temporarily )?"
    r"(?:retracted|withdrawn|removed|notice of retraction|temporary removal|expressions? of concern)"
    r"(?:\s+(?:article|paper|chapter|study|publication))?"
)
_PUBLISHERS_MARK = re.compile(
    rf"^{_ANY}(?:{_WARNING}{_ANY}\s*:|\[{_WARNING}\]\s*:?|\({_WARNING}\)\s*:?){_ANY}\s*"
    rf"|(?<!\s)\s*{_ANY}(?:\[{_WARNING}[^\]]*\]|\({_WARNING}[^)]*\)){_ANY}[.\s]*$",
    re.IGNORECASE,
)
"""A warning that the publisher wrote into the title, in front of it or behind it."""
_PREPRINT_MARK = re.compile(r"^preprint\s*:\s*|(?<!\s)\s*[\[(]preprint[\])][.\s]*$", re.IGNORECASE)


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
        title = markup.marked(self.title) if self.title else f"[{self.label}]"
        if self.is_preprint:
            title = without(_PREPRINT_MARK, title)
        return f"{self.warning}: {without(_PUBLISHERS_MARK, title)}" if self.warning else title

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
        return without(_PREPRINT_MARK, named) if named else None

    @property
    def note(self) -> str | None:
        """For the note field of a format: the notice, and whether authors are missing."""
        incomplete = None if self.authors_complete or not self.authors else "Only the first author is recorded."
        return " ".join(part for part in (self.notice, incomplete) if part) or None


def without(mark: re.Pattern[str], text: str) -> str:
    """The text without any such mark; the text itself if nothing else is in it."""
    rest = text
    while (shorter := mark.sub("", rest)) != rest:
        rest = shorter
    return rest or text
