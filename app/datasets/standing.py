"""Standing of documents according to Crossref's `updated-by` records and the Retraction Watch table.

Both are files that an operator has downloaded. Notices are matched by DOI, those of Retraction Watch also by PMID. New
ones are added to a document's history in the order of their dates, and published in one transaction.
"""

import csv
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
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
from app.sources.identifiers import IdentifierError, normalise
from app.sources.rendering import identified
from app.sources.schemas import DocumentWrite, Notice, StandingEntry
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
_COLUMNS = (*_WORK_COLUMNS.values(), "RetractionDOI", "RetractionDate", "RetractionNature", "Reason")


@dataclass(frozen=True)
class StandingUpdate:
    """A notice about a work."""

    scheme: IdentifierScheme
    work: str
    entry: StandingEntry


def from_crossref(path: Path) -> tuple[list[StandingUpdate], set[str]]:
    """The updates in a file of Crossref works, and the DOIs of all works in it.

    The file is a work, `message`, `message.items` or a list. A work without `updated-by` has no notice.
    """
    updates, dois = [], set()
    for work in _works(_json(path)):
        doi = _normal(IdentifierScheme.doi, work.get("DOI"))
        if doi is None:
            continue
        dois.add(doi)
        for update in work.get("updated-by") or []:
            standing = CROSSREF_TYPES.get(str(update.get("type", "")).lower().replace("-", "_").replace(" ", "_"))
            if standing is not None:
                entry = StandingEntry(
                    standing=standing,
                    on=_crossref_date(update.get("updated") or {}),
                    source=str(update.get("source") or "crossref"),
                    notice=_notice(update.get("DOI"), None),
                )
                updates.append(StandingUpdate(IdentifierScheme.doi, doi, entry))
    return updates, dois


def from_retraction_watch(path: Path) -> list[StandingUpdate]:
    """The updates in the table that Crossref publishes as `retraction_watch.csv`."""
    updates = []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.DictReader(file)
        missing = [column for column in _COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            faults = [Fault("file", column, "missing_column", "is missing from the table") for column in missing]
            raise InvalidInput("This is not the Retraction Watch table.", errors=faults)
        for row in rows:
            standing = RETRACTION_WATCH_NATURES.get(row["RetractionNature"].strip().lower())
            if standing is None:
                continue
            entry = StandingEntry(
                standing=standing,
                on=_us_date(row["RetractionDate"]),
                source="retraction-watch",
                notice=_notice(row["RetractionDOI"], row["Reason"].strip("+; ").replace(";+", "; ") or None),
            )
            for scheme, column in _WORK_COLUMNS.items():
                work = _normal(scheme, row[column])
                if work is not None:
                    updates.append(StandingUpdate(scheme, work, entry))
    return updates


def apply(
    session: Session,
    updates: Iterable[StandingUpdate],
    *,
    checked: Set[str] = frozenset(),
    checked_on: str,
    source: str,
) -> PublishResult:
    """Add new notices to the documents' histories and publish them; dependent claims are recomputed.

    Documents with a DOI in `checked`, and no notice, become current as of `checked_on`.
    """
    by_work: dict[tuple[str, str], list[StandingEntry]] = {}
    for update in updates:
        by_work.setdefault((update.scheme, update.work), []).append(update.entry)
    contents = select(StoredRecord.content).filter_by(type="document", status=Status.published)
    changes = []
    for content in session.scalars(contents.order_by(StoredRecord.id)):
        document = DocumentWrite.model_validate_json(content)
        entries = [
            entry for scheme in _WORK_COLUMNS for entry in by_work.get((scheme, identified(document, scheme) or ""), [])
        ]
        history = _extended(document.standing, entries)
        doi = identified(document, IdentifierScheme.doi)
        if history[-1].standing is Standing.not_checked and doi in checked:
            history = (*history, StandingEntry(standing=Standing.current, on=checked_on, source=source))
        if history != document.standing:
            changes.append(Change("document", document.model_copy(update={"standing": history})))
    return publish(session, MAINTENANCE, changes, f"Standing of sources: {source}")


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
    return entry.standing, entry.on, entry.notice.doi if entry.notice else None


def _json(path: Path) -> Any:
    try:
        return read_json(path.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{path.name} is not JSON.", errors=[]) from error


def _works(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, list):
        for one in data:
            yield from _works(one)
    elif isinstance(data, dict):
        wrapper = next((name for name in ("message", "items") if name in data), None)
        if wrapper:
            yield from _works(data[wrapper])
        else:
            yield data


def _normal(scheme: IdentifierScheme, value: Any) -> str | None:
    try:
        return normalise(scheme, str(value))
    except IdentifierError:
        return None


def _notice(doi: Any, text: str | None) -> Notice | None:
    normal = _normal(IdentifierScheme.doi, doi)
    return Notice(doi=normal, text=text) if normal or text else None


def _crossref_date(updated: dict[str, Any]) -> str | None:
    parts = (updated.get("date-parts") or [[]])[0]
    if parts and parts[0]:
        return "-".join(f"{part:04d}" if index == 0 else f"{part:02d}" for index, part in enumerate(parts))
    stamp = updated.get("date-time")
    return str(stamp)[:10] if stamp else None


def _us_date(text: str) -> str | None:
    """`2/16/2021 0:00` → `2021-02-16`; null if it is no date."""
    try:
        return datetime.strptime(text.partition(" ")[0], "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 - a day alone
    except ValueError:
        return None
