"""Standing of documents according to Crossref's `updated-by` records and the Retraction Watch table.

Both are files that an operator has downloaded. Notices are matched by DOI, those of Retraction Watch also by PMID. New
ones are added to a document's history in the order of their dates, and published in one transaction. What cannot be
read is named, and the rest is used.
"""

import codecs
import contextlib
import csv
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import MAINTENANCE
from app.core.errors import Fault, InvalidInput
from app.core.json_reader import read_json
from app.core.vocabulary import Status
from app.publishing.changes import Change
from app.publishing.publish import PublishResult, publish
from app.sources.identifiers import normal_or_none
from app.sources.models import DocumentIdentifier
from app.sources.rendering import identified
from app.sources.schemas import DocumentWrite, Notice, StandingEntry
from app.sources.standing import notice_doi
from app.sources.vocabulary import IdentifierScheme, Standing
from app.storage.history import StoredRecord

CROSSREF_TYPES = {
    "retraction": Standing.retracted,
    "partial_retraction": Standing.expression_of_concern,
    "withdrawal": Standing.retracted,
    "removal": Standing.retracted,
    "expression_of_concern": Standing.expression_of_concern,
    "correction": Standing.corrected,
    "corrigendum": Standing.corrected,
    "erratum": Standing.corrected,
    "addendum": Standing.corrected,
    "clarification": Standing.corrected,
    "new_version": Standing.superseded,
    "new_edition": Standing.superseded,
    "reinstatement": Standing.reinstated,
}
RETRACTION_WATCH_NATURES = {
    "retraction": Standing.retracted,
    "expression of concern": Standing.expression_of_concern,
    "correction": Standing.corrected,
    "reinstatement": Standing.reinstated,
}
_WORK_COLUMNS = {
    IdentifierScheme.doi: "OriginalPaperDOI",
    IdentifierScheme.pmid: "OriginalPaperPubMedID",
}
_SEVERAL = re.compile(r"(?<![;,\s])[;,\s]+(?=10\.)|;\s+")
"""Between two works in one cell."""
_NO_WORK = frozenset({"", "0", "unavailable", "unknown", "none", "n/a", "na", "nan"})
"""What the table says where a work has no DOI or PMID."""
_COLUMNS = (*_WORK_COLUMNS.values(), "RetractionDOI", "RetractionDate", "RetractionNature", "Reason")


@dataclass(frozen=True)
class StandingUpdate:
    """A notice about a work."""

    scheme: IdentifierScheme
    work: str
    entry: StandingEntry


@dataclass
class StandingFeed:
    """What a file says."""

    source: str
    updates: list[StandingUpdate] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)
    """DOIs that the source knows: where it has no notice for one, none was found."""
    doubts: list[tuple[str, Collection[tuple[IdentifierScheme, str]]]] = field(default_factory=list)
    """What could not be read: a sentence that names the work or the row, and the works that it is about."""

    def doubt(self, sentence: str, works: Collection[tuple[IdentifierScheme, str]] = ()) -> None:
        self.doubts.append((sentence, works))


def from_crossref(path: Path) -> StandingFeed:
    """The updates in a file of Crossref works.

    The file is a work, `message`, `message.items` or a list. A work without `updated-by` has no notice.
    """
    feed = StandingFeed("crossref")
    for number, work in enumerate(works_in(_json(path)), 1):
        doi = normal_or_none(IdentifierScheme.doi, work.get("DOI")) if isinstance(work, dict) else None
        if doi is None:
            feed.doubt(f"Work {number} has no DOI that can be read; it was left out.")
            continue
        read_crossref_work(feed, doi, work)
    return feed


def read_crossref_work(feed: StandingFeed, doi: str, work: dict[str, Any]) -> None:
    """Add the notices about one work to the feed."""
    feed.checked.add(doi)
    updates = work.get("updated-by") or []
    for update in updates if isinstance(updates, list) else [updates]:
        _read_crossref_update(feed, doi, update)


def _read_crossref_update(feed: StandingFeed, doi: str, update: Any) -> None:
    fields, work = update if isinstance(update, dict) else {}, [(IdentifierScheme.doi, doi)]
    kind = str(fields.get("type") or fields.get("label") or "").lower().replace("-", "_").replace(" ", "_")
    standing = CROSSREF_TYPES.get(kind)
    if standing is None:
        feed.checked.discard(doi)
        feed.doubt(f"{doi}: a notice in `updated-by` is of no known type; look at it by hand.", work)
        return
    on = crossref_date(fields.get("updated"))
    if on is None:
        feed.doubt(f"{doi}: the date of a notice in `updated-by` cannot be read; it was taken without a date.", work)
    elif _is_less_than_given(on, fields):
        feed.doubt(f"{doi}: the date of a notice in `updated-by` is no date as a whole; it was taken as {on}.", work)
    entry = StandingEntry(
        standing=standing,
        on=on,
        source=_line(fields.get("source"), 500) or feed.source,
        notice=_notice(fields.get("DOI"), None),
    )
    feed.updates.append(StandingUpdate(IdentifierScheme.doi, doi, entry))


def from_retraction_watch(path: Path) -> StandingFeed:
    """The updates in the table that Crossref publishes as `retraction_watch.csv`."""
    feed = StandingFeed("retraction-watch")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file)
        missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            faults = [Fault("file", column, "missing_column", "is missing from the table") for column in missing]
            raise InvalidInput("This is not the Retraction Watch table.", errors=faults)
        for row in _rows(rows, feed):
            _read_retraction_watch_row(feed, f"Line {rows.line_num}", row)
    return feed


def _is_less_than_given(on: str, fields: dict[str, Any]) -> bool:
    return len(on.split("-")) < len([part for part in _date_parts(fields.get("updated")) if part is not None])


def _rows(rows: "csv.DictReader[str]", feed: StandingFeed) -> Iterator[dict[str | None, Any]]:
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            feed.doubt(f"Line {rows.line_num + 1} is no row of the table; it was left out.")
            continue
        if row is None:
            return
        yield row


def _read_retraction_watch_row(feed: StandingFeed, at: str, row: dict[str | None, Any]) -> None:
    works = []
    for scheme, column in _WORK_COLUMNS.items():
        for written in _SEVERAL.split(row[column] or ""):
            if (work := normal_or_none(scheme, written)) is not None:
                works.append((scheme, work))
            elif written.strip().lower() not in _NO_WORK:
                feed.doubt(f"{at}: `{column}` cannot be read; look at the row by hand.")
    text = "\0".join(str(value) for value in row.values() if value)
    if text.count("\n") and text.count(",") >= len(row) - 1:
        feed.doubt(f"{at}: a quotation mark that was never closed may have swallowed the rows after it.")
    if "\ufffd" in text:
        feed.doubt(f"{at} is not UTF-8; its reason was left out.", works)
        row = {**row, "Reason": ""}
    if None in row or None in row.values():
        feed.doubt(f"{at} has more or fewer columns than the table; it was read as far as it goes.", works)
    standing = RETRACTION_WATCH_NATURES.get((row["RetractionNature"] or "").strip().lower())
    if standing is None:
        if works:
            feed.doubt(f"{at}: `RetractionNature` is empty or unknown; look at the row by hand.", works)
        return
    on = _day(row["RetractionDate"] or "")
    if on is None and works:
        feed.doubt(f"{at}: `RetractionDate` cannot be read; the notice was taken without a date.", works)
    reason = _line(row["Reason"], 4000).strip("+; ").replace(";+", "; ")
    notice = _notice(row["RetractionDOI"], reason or None)
    entry = StandingEntry(standing=standing, on=on, source=feed.source, notice=notice)
    feed.updates += [StandingUpdate(scheme, work, entry) for scheme, work in works]


def doubts_to_print(session: Session, feed: StandingFeed) -> list[str]:
    """The sentences about documents that are recorded here, and about what names no work."""
    names = select(DocumentIdentifier.scheme, DocumentIdentifier.normal)
    recorded = {(scheme, normal) for scheme, normal in session.execute(names)}
    return [sentence for sentence, works in feed.doubts if not works or not recorded.isdisjoint(works)]


def apply(session: Session, feed: StandingFeed, checked_on: str) -> PublishResult:
    """Add new notices to the documents' histories and publish them; dependent claims are recomputed.

    For a document that the source knows, and knows no notice of, the history says that it was checked on that day. That
    changes no standing that was stated before.
    """
    by_work: dict[tuple[str, str], list[StandingEntry]] = {}
    for update in feed.updates:
        by_work.setdefault((update.scheme, update.work), []).append(update.entry)
    contents = select(StoredRecord.content).filter_by(type="document", status=Status.published)
    changes = []
    for content in session.scalars(contents.order_by(StoredRecord.id)):
        document = DocumentWrite.model_validate_json(content)
        entries = [
            entry for scheme in _WORK_COLUMNS for entry in by_work.get((scheme, identified(document, scheme) or ""), [])
        ]
        history = _extended(document.standing, entries)
        if not entries and identified(document, IdentifierScheme.doi) in feed.checked:
            history = _checked(history, feed.source, checked_on)
        if history != document.standing:
            changes.append(Change("document", document.model_copy(update={"standing": history})))
    return publish(session, MAINTENANCE, changes, f"Standing of sources: {feed.source}")


def _checked(history: tuple[StandingEntry, ...], source: str, on: str) -> tuple[StandingEntry, ...]:
    """The history with the newest check of a source in the place of an older one."""
    former = [entry for entry in history if entry.standing is Standing.current and entry.source == source]
    if any((entry.on or "") >= on for entry in former):
        return history
    others = tuple(entry for entry in history if entry not in former)
    return _extended(others, [StandingEntry(standing=Standing.current, on=on, source=source)])


def _extended(history: tuple[StandingEntry, ...], entries: Iterable[StandingEntry]) -> tuple[StandingEntry, ...]:
    """The history with the entries that it lacks, oldest first; undated ones come before dated ones."""
    identities = {_identity(entry) for entry in history}
    fresh = []
    for entry in entries:
        if _identity(entry) not in identities:
            identities.add(_identity(entry))
            fresh.append(entry)
    return tuple(sorted((*history, *fresh), key=lambda entry: entry.on or "")) if fresh else history


def _identity(entry: StandingEntry) -> tuple[Standing, str | None, str | None]:
    return entry.standing, entry.on, notice_doi(entry)


def _json(path: Path) -> Any:
    try:
        return read_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except ValueError as error:
        raise InvalidInput(f"{path.name} is not JSON.", errors=[]) from error


def works_in(data: Any) -> Iterator[Any]:
    """The works in what Crossref answers or delivers: one, `message`, `message.items` or a list."""
    if isinstance(data, list):
        for one in data:
            yield from works_in(one)
    elif isinstance(data, dict) and (wrapper := next((name for name in ("message", "items") if name in data), None)):
        yield from works_in(data[wrapper])
    else:
        yield data


def _line(text: Any, longest: int) -> str:
    """The text in one line of at most so many characters, without what cannot be shown; empty for what is no text."""
    shown = "".join(c if c.isprintable() else " " for c in text) if isinstance(text, str) else ""
    return " ".join(shown.split())[:longest].strip()


def _notice(doi: Any, text: str | None) -> Notice | None:
    normal = normal_or_none(IdentifierScheme.doi, doi)
    return Notice(doi=normal, text=text) if normal or text else None


def crossref_date(updated: Any) -> str | None:
    """A date of Crossref as far as it is known (`2024-05`); null if there is none."""
    numbers = [str(part).zfill(2 if position else 4) for position, part in enumerate(_date_parts(updated))]
    while numbers:
        if on := _day("-".join(numbers)):
            return on
        numbers.pop()  # `[2024, 5, null]` is a month
    return _day(str(updated.get("date-time") or "")) if isinstance(updated, dict) else None


def _date_parts(updated: Any) -> list[Any]:
    """Year, month and day as Crossref gives them, which may be anything; as many as there are."""
    parts = updated.get("date-parts") if isinstance(updated, dict) else None
    while isinstance(parts, list) and parts and isinstance(parts[0], list):
        parts = parts[0]
    return parts[:3] if isinstance(parts, list) else []


def is_day(text: str) -> bool:
    """Whether the text is a whole day, such as `2026-11-25`."""
    return len(text) == 10 and _day(text) == text


def _day(text: str) -> str | None:
    """`2/16/2021 0:00`, `2021-02-16T00:00:00Z`, `2021-02` or `2021` as a partial date; null if it is none."""
    day = text.strip().replace("T", " ").partition(" ")[0]
    for form, length in (("%m/%d/%Y", 10), ("%Y-%m-%d", 10), ("%Y-%m", 7), ("%Y", 4)):
        with contextlib.suppress(ValueError):
            return datetime.strptime(day, form).date().isoformat()[:length]  # noqa: DTZ007 - a day alone
    return None
