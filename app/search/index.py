"""Updates the search index when published records change."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from app.core.folding import words
from app.core.vocabulary import Status
from app.search import facets
from app.search.analyzer import between_spaces, stem, stems
from app.search.documents import BUILDERS, CONCEPTS, SearchDocument
from app.search.models import RANK_BITS, SearchEntry, SearchName, SearchWord
from app.storage.history import RecordReference, StoredRecord
from app.storage.resource import Key, RecordReader

VERSION = 8
"""Of the entries' content and form. Raise it with every change, so that `ldn-evidence migrate` rebuilds the index."""

BATCH = 500
"""Records that are read and written together."""
MAX_WORDS = 100_000
"""Words whose counts are collected in memory before they are written."""
MAX_NAME_LENGTH = 200
MAX_NAME_STARTS = 8
"""Words of a name from which typeahead may continue."""
MAX_WORD_LENGTH = 100

COPIED_TYPES = frozenset((*CONCEPTS, "study", "document", "dosing_range"))
"""Types whose content is copied into the entries of the records that refer to them."""


@dataclass(frozen=True)
class IndexEntry:
    """The rows of one record, without their internal keys."""

    texts: dict[str, Any]
    """Columns of `SearchEntry`."""
    names: list[dict[str, Any]]
    """Rows of `SearchName`."""


def update(session: Session, records: RecordReader, changed: Iterable[Key]) -> None:
    """Index changed records, and those that copy their content. Records that are not published leave the index."""
    writer = _Writer(session)
    pending = {key for key in changed if key.type in BUILDERS}
    done = set(pending)
    while pending:
        moved = writer.replace((key, _entry(session, records, key)) for key in sorted(pending))
        pending = _copying(session, records, moved) - done
        done |= pending
    writer.finish()


def rebuild(session: Session, records_of: Callable[[Session], RecordReader]) -> None:
    """Make the whole index from the records, in batches, each with a new reader."""
    for table in (SearchName, SearchEntry, SearchWord):
        session.execute(delete(table))
    writer = _Writer(session)
    last = ("", "")
    while keys := _published_after(session, last):
        records = records_of(session)
        writer.replace((key, _entry(session, records, key)) for key in keys)
        last = keys[-1]
    writer.finish()
    facets.rebuild(session)


def _published_after(session: Session, last: tuple[str, str]) -> list[Key]:
    rows = (
        select(StoredRecord.type, StoredRecord.id)
        .where(
            StoredRecord.type.in_(BUILDERS),
            StoredRecord.status == Status.published,
            tuple_(StoredRecord.type, StoredRecord.id) > last,
        )
        .order_by(StoredRecord.type, StoredRecord.id)
        .limit(BATCH)
    )
    return [Key(*row) for row in session.execute(rows)]


def _copying(session: Session, records: RecordReader, changed: Iterable[Key]) -> set[Key]:
    """Records that refer to any of these and may copy some of their content."""
    targets = {key for key in changed if key.type in COPIED_TYPES}
    # What warns of a drug copies the names of its regimens without referring to them.
    targets |= {Key(key.type, parent) for key in targets if (parent := getattr(records.content(key), "parent", None))}
    # What warns of a class names its members.
    members = [key.id for key in targets if key.type == "intervention"]
    classes = select(RecordReference.id).where(
        RecordReference.type == "intervention",
        RecordReference.to_type == "intervention",
        RecordReference.to_id.in_(members),
    )
    targets |= {Key("intervention", class_id) for class_id in session.scalars(classes)} if members else set()
    copying: set[Key] = set()
    for record_type in {key.type for key in targets}:
        ids = sorted(key.id for key in targets if key.type == record_type)
        for start in range(0, len(ids), BATCH):
            rows = select(RecordReference.type, RecordReference.id).where(
                RecordReference.to_type == record_type, RecordReference.to_id.in_(ids[start : start + BATCH])
            )
            copying.update(Key(*row) for row in session.execute(rows) if row[0] in BUILDERS)
    return copying


def _entry(session: Session, records: RecordReader, key: Key) -> IndexEntry | None:
    content = records.content(key)
    if content.status is not Status.published:
        return None
    document = BUILDERS[key.type](session, records, content, records.derived(key))
    return None if document is None else entry_for(key, document)


def entry_for(key: Key, document: SearchDocument) -> IndexEntry:
    folded = {
        "title": words(document.title),
        "names": words(" ".join((*(name for name, role in document.names if role != "statement"), *document.about))),
        "body": words(" ".join(text for text in document.body if text)),
    }
    values = {"type": (key.type,), **document.facets}
    return IndexEntry(
        texts={
            "type": key.type,
            "id": key.id,
            "rank": document.rank,
            "warning": document.warning,
            **{field: between_spaces(tuple(map(stem, of_field))) for field, of_field in folded.items()},
            "against": "|".join(between_spaces(stems(name)) for name in document.against),
            "facets": " ".join(sorted({f"{name}={value}" for name, some in values.items() for value in some})),
            "heading": document.title,
            "label": document.label or document.title,
            "summary": document.summary,
            "spelled": " ".join(dict.fromkeys(chain(*folded.values()))),
        },
        names=[{"is_concept": key.type in CONCEPTS, **name} for name in _name_rows(document)],
    )


def _name_rows(document: SearchDocument) -> Iterator[dict[str, Any]]:
    """Each name from each of its first words on, so that `fatigue` finds `Chronic fatigue`."""
    seen = set()
    for name, matched_on in document.names:
        parts = words(name)
        for start in range(min(len(parts), MAX_NAME_STARTS)):
            folded = " ".join(parts[start:])[:MAX_NAME_LENGTH]
            if (folded, name) not in seen:
                seen.add((folded, name))
                yield {"folded": folded, "text": name, "matched_on": matched_on, "is_start": start == 0}


def pk_of(rank: int, number: int) -> int:
    """The key of an entry (see RANK_BITS)."""
    return (rank << RANK_BITS) + number


def number_of(pk: int) -> int:
    return pk & ((1 << RANK_BITS) - 1)


class _Writer:
    """Writes entries in the order of their keys, as is fastest for the full-text index, and counts words and facets."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._words: Counter[tuple[str, bool]] = Counter()
        self._facets = facets.FacetChanges()
        self._next_number: int | None = None

    def replace(self, entries: Iterable[tuple[Key, IndexEntry | None]]) -> list[Key]:
        """Replace the entry of each key, or remove it if there is no new one; the keys of entries that changed."""
        remaining = iter(entries)
        changed: list[Key] = []
        while batch := dict(islice(remaining, BATCH)):
            stored = _stored(self._session, list(batch))
            moved = [key for key, entry in batch.items() if entry != stored.get(key, (0, None))[1]]
            # Numbered before any is removed: the highest number may be one that is kept.
            numbered = [(self._pk(entry, stored.get(key)), entry) for key in moved if (entry := batch[key])]
            self._remove([stored[key] for key in moved if key in stored])
            self._insert(numbered)
            changed += moved
            if len(self._words) > MAX_WORDS:
                self._write_counts()
        return changed

    def finish(self) -> None:
        self._write_counts()
        self._facets.write(self._session)

    def _write_counts(self) -> None:
        _add_counts(self._session, self._words)
        self._words.clear()

    def _remove(self, stored: Sequence[tuple[int, IndexEntry]]) -> None:
        pks = [pk for pk, _ in stored]
        for pk, entry in stored:
            self._words.subtract(vocabulary_of(entry))
            self._facets.remove(pk, entry.texts["facets"])
        self._session.execute(delete(SearchName).where(SearchName.entry_pk.in_(pks)))
        self._session.execute(delete(SearchEntry).where(SearchEntry.pk.in_(pks)))

    def _insert(self, entries: list[tuple[int, IndexEntry]]) -> None:
        for pk, entry in entries:
            self._words.update(vocabulary_of(entry))
            self._facets.add(pk, entry.texts["facets"])
        entries.sort(key=itemgetter(0))
        rows = [{"pk": pk, "number": number_of(pk), **entry.texts} for pk, entry in entries]
        names = [{"entry_pk": pk, **name} for pk, entry in entries for name in entry.names]
        for table, values in ((SearchEntry, rows), (SearchName, names)):
            if values:
                self._session.execute(insert(cast("Table", table.__table__)), values)

    def _pk(self, entry: IndexEntry, stored: tuple[int, IndexEntry] | None) -> int:
        """Of the entry's rank, and the number that it had before or a new one."""
        if stored is not None:
            return pk_of(entry.texts["rank"], number_of(stored[0]))
        if self._next_number is None:
            self._next_number = (self._session.scalar(select(func.max(SearchEntry.number))) or 0) + 1
        self._next_number += 1
        return pk_of(entry.texts["rank"], self._next_number - 1)


def _stored(session: Session, keys: Sequence[Key]) -> dict[Key, tuple[int, IndexEntry]]:
    """The stored entries, with their internal keys."""
    columns = [column for column in SearchEntry.__table__.columns if column.name not in ("pk", "number")]
    entries: dict[int, IndexEntry] = {}
    for record_type, some in groupby(sorted(keys), key=lambda key: key.type):
        rows = select(SearchEntry.pk, *columns).where(
            SearchEntry.type == record_type, SearchEntry.id.in_([key.id for key in some])
        )
        for pk, *values in session.execute(rows):
            entries[pk] = IndexEntry(dict(zip((column.name for column in columns), values, strict=True)), [])
    names = select(*(column for column in SearchName.__table__.columns if column.name != "pk"))
    in_order = names.where(SearchName.entry_pk.in_(entries)).order_by(SearchName.pk)
    for row in session.execute(in_order).mappings() if entries else ():
        name = dict(row)
        entries[name.pop("entry_pk")].names.append(name)
    return {Key(entry.texts["type"], entry.texts["id"]): (pk, entry) for pk, entry in entries.items()}


def vocabulary_of(entry: IndexEntry) -> set[tuple[str, bool]]:
    """The entry's `(word, is_stem)`, each once."""
    stemmed = {word for field in ("title", "names", "body") for word in entry.texts[field].split()}
    by_form = {True: stemmed, False: set(entry.texts["spelled"].split())}
    return {(word[:MAX_WORD_LENGTH], is_stem) for is_stem, some in by_form.items() for word in some}


_ADD_COUNTS = text(
    "INSERT INTO search_words (word, is_stem, entries) VALUES (:w, :s, :n) "
    "ON CONFLICT (word, is_stem) DO UPDATE SET entries = search_words.entries + excluded.entries"
)
"""An upsert that both engines understand."""


def _add_counts(session: Session, counts: Counter[tuple[str, bool]]) -> None:
    changed = sorted((key, n) for key, n in counts.items() if n)
    if changed:
        session.execute(_ADD_COUNTS, [{"w": word, "s": is_stem, "n": n} for (word, is_stem), n in changed])
    fewer = [{"w": word, "s": is_stem} for (word, is_stem), n in changed if n < 0]
    if fewer:
        unused = (SearchWord.word == bindparam("w"), SearchWord.is_stem == bindparam("s"), SearchWord.entries <= 0)
        session.connection().execute(delete(SearchWord).where(*unused), fewer)
