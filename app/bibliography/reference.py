"""A document as a reference: a frozen value, independent of any format."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Name:
    """An author: `family` and `given`, or `literal` for a group."""

    family: str | None = None
    given: str | None = None
    literal: str | None = None


class Mark(StrEnum):
    """A warning in front of the title, as publishers print it."""

    retracted = "RETRACTED"
    concern = "EXPRESSION OF CONCERN"


@dataclass(frozen=True)
class Reference:
    """A document as it is cited. What was not read is null or empty, and stays so in every format."""

    id: str
    type: str
    """A CSL item type."""
    label: str
    title: str | None = None
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
    """A full range: `1203-1209`."""
    publisher: str | None = None
    url: str | None = None
    accessed: tuple[int, ...] = ()
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    warning: Mark | None = None
    notice: str | None = None
    """A sentence: what changed the standing of the work, and where that was announced."""

    @property
    def shown_title(self) -> str:
        """The title behind its warning. A work without a title has its label in brackets, as style guides require."""
        title = self.title or f"[{self.label}]"
        return f"{self.warning}: {title}" if self.warning else title

    @property
    def note(self) -> str | None:
        """For the note field of a format: the notice, and whether authors are missing."""
        incomplete = None if self.authors_complete or not self.authors else "Only the first author is recorded."
        return " ".join(part for part in (self.notice, incomplete) if part) or None
