"""What a source states of one document, in the words of the seed files; what it does not state is missing here too."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from app.bibliography.pages import format_pages
from app.sources.identifiers import IdentifierError, normalise
from app.sources.schemas import Author, StandingEntry
from app.sources.vocabulary import DocumentKind, IdentifierScheme, Standing

MAX_LINE = 500
"""Characters in a title, name or number."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_PARTS = re.compile(r"[^\W\d_]+|[0-9]+")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


@dataclass
class StatedSource:
    """One document as a source states it. `doubts` are sentences on what could not be taken as it stands there."""

    at: str
    """How the record is named in messages."""
    source: str
    """Who states it: `crossref`, `pubmed`, or the format of a file."""
    kind: DocumentKind | None = None
    type_text: str | None = None
    """The type as the source words it."""
    fields: dict[str, str] = field(default_factory=dict)
    """Bibliographic fields of a document, verbatim but for line breaks and double spaces."""
    authors: list[Author] = field(default_factory=list)
    authors_complete: bool = True
    identifiers: dict[IdentifierScheme, str] = field(default_factory=dict)
    """In normal form."""
    registrations: list[tuple[IdentifierScheme, str]] = field(default_factory=list)
    """Of trials that the source names, in normal form."""
    publication_types: list[str] = field(default_factory=list)
    """As PubMed words them."""
    subjects: set[str] = field(default_factory=set)
    """`humans` and `animals`, as far as the source is indexed so."""
    standing: list[StandingEntry] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def doubt(self, sentence: str) -> None:
        self.doubts.append(f"{self.at}: {sentence}")

    def state(self, name: str, value: object) -> None:
        """Take a field; nothing happens for what is empty, or was taken before."""
        text = one_line(value)
        if not text or name in self.fields:
            return
        if len(text) > MAX_LINE:
            self.doubt(f"its {name} has more than {MAX_LINE} characters; it was left out.")
        elif name == "url" and not _ADDRESS.fullmatch(text):
            self.doubt("its address is no http or https address; it was left out.")
        else:
            self.fields[name] = text

    def state_pages(self, value: object) -> None:
        """Pages with both ends in full: `305-10` is `305-310`."""
        text = one_line(value)
        self.state("page", format_pages(text) if text else None)

    def state_date(self, value: object) -> None:
        """The day of publication as precise as the source has it."""
        text = one_line(value)
        if not text or "issued" in self.fields:
            return
        day, is_exact = partial_date(text)
        if day is None:
            self.doubt("its date of publication cannot be read; it was left out.")
            return
        self.fields["issued"] = day
        if not is_exact:
            self.doubt(f"its date of publication is a range, a season or no day that exists; it was taken as {day}.")

    def identify(self, scheme: IdentifierScheme, value: object) -> None:
        """Take an identifier; a second one of the scheme that differs, or one that cannot be read, is a doubt."""
        text = one_line(value)
        if not text:
            return
        try:
            normal = normalise(scheme, text)
        except IdentifierError as error:
            self.doubt(f"its {scheme.label} {error}; it was left out.")
            return
        if self.identifiers.setdefault(scheme, normal) != normal:
            self.doubt(f"it names a second {scheme.label}, {normal}; the first was taken.")

    def register(self, scheme: IdentifierScheme, value: object) -> None:
        """Take the registration of a trial that the source names."""
        try:
            registration = scheme, normalise(scheme, one_line(value))
        except IdentifierError as error:
            self.doubt(f"its {scheme.label} {error}; it was left out.")
        else:
            if registration not in self.registrations:
                self.registrations.append(registration)

    def name_author(self, family: object = None, given: object = None, literal: object = None) -> None:
        """Add an author: a person by both names, a group or a person of one name by `literal`."""
        names = [one_line(name)[:MAX_LINE] or None for name in (family, given, literal)]
        if names[0]:
            self.authors.append(Author(family=names[0], given=names[1]))
        elif only := names[2] or names[1]:
            self.authors.append(Author(literal=only))

    def name_author_in_one(self, name: object) -> None:
        """Add an author whose names stand in one text, `Family, Given`; without a comma it is a group."""
        text = one_line(name)
        if text.lower().rstrip(".") in ("et al", "others", "and others"):
            self.authors_complete = False
            return
        family, comma, given = text.partition(",")
        if comma:
            self.name_author(family=family, given=given)
        else:
            self.name_author(literal=text)

    def state_preprint(self) -> None:
        self.kind = self.kind or DocumentKind.article_journal
        if all(entry.standing is not Standing.preprint for entry in self.standing):
            self.standing.append(StandingEntry(standing=Standing.preprint, source=self.source))


@dataclass
class SourceFile:
    """What a file or an answer holds. `doubts` are about what is no record."""

    records: list[StatedSource] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def one_line(value: object) -> str:
    """The text in one line, without what cannot be shown; empty for what is neither text nor a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def partial_date(text: str) -> tuple[str | None, bool]:
    """`2013 Feb 15`, `2013/02/15/` or `2013-02` as a partial date, and whether it says all that the text says.

    A range is as precise as what its ends share, a season is its year.
    """
    words = _DATE_PARTS.findall(text.partition("T")[0] if "T0" in text or "T1" in text or "T2" in text else text)
    if len(words) > 1 and _month(words[0]) and not words[0].isdigit():  # `Apr 2019`, `April 5, 2019`
        words = [words[-1], *words[:-1]]
    if not words or len(words[0]) != 4 or not words[0].isdigit():
        return None, False
    year, month, day, rest = words[0], *[*words[1:], "", ""][:2], words[3:]
    number = _month(month)
    parts = [year, *([f"{number:02}"] if number else [])]
    if number and day.isdigit() and len(day) <= 2 and int(day):
        parts.append(f"{int(day):02}")
    if rest or (day and len(parts) < 3):  # `2013 Feb-Mar`, `2012 Dec-2013 Jan`
        same_month = len(parts) == 3 and all(word.isdigit() and len(word) <= 2 for word in rest)
        parts = parts[: 2 if same_month else 1]
    if not _exists(parts):
        parts = parts[:2]
    return ("-".join(parts), len(parts) == len(words)) if _exists(parts) else (None, False)


def _month(word: str) -> int:
    if word.isdigit():
        return int(word) if len(word) <= 2 and 1 <= int(word) <= 12 else 0
    return _MONTHS.index(word[:3].lower()) + 1 if word[:3].lower() in _MONTHS else 0


def _exists(parts: Iterable[str]) -> bool:
    numbers = [int(part) for part in parts]
    try:
        date(*[*numbers, 1, 1][:3])
    except ValueError:
        return False
    return True


def merge(record: StatedSource, other: StatedSource) -> None:
    """Fill the gaps of a record with what another source states of the same document."""
    for scheme, normal in other.identifiers.items():
        if record.identifiers.get(scheme, normal) != normal:
            record.doubt(f"{other.source} gives another {scheme.label}, {normal}; nothing was taken from it.")
            return
    record.identifiers = {**other.identifiers, **record.identifiers}
    record.fields = {**other.fields, **record.fields}
    record.kind = record.kind or other.kind
    record.authors = record.authors or other.authors
    record.publication_types = record.publication_types or other.publication_types
    record.subjects |= other.subjects
    record.registrations += [trial for trial in other.registrations if trial not in record.registrations]
    stated = {entry.standing for entry in record.standing}
    record.standing += [entry for entry in other.standing if entry.standing not in stated]
    record.doubts += [doubt for doubt in other.doubts if doubt not in record.doubts]
