"""Keeping the search index in step with what is published."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from app.core.vocabulary import Status
from app.search import facets
from app.search.analyzer import stem, stems, words
from app.search.documents import CONCEPTS, FOUND_BY, Found
from app.search.models import RANK_BITS, SearchEntry, SearchName, SearchWord
from app.storage.history import RecordReference, StoredRecord
from app.storage.resource import Key, RecordReader

VERSION = 2
"""Of what entries hold and how: raised with every change, so that migrating makes the index again."""

PORTION = 500
MAX_WORDS = 100_000
"""Words whose numbers are kept in memory while entries are written."""
MAX_LENGTH_NAME = 200
MAX_LENGTH_WORD = 100


COPIED_FROM = frozenset(
    ("intervention", "condition", "mechanism", "side_effect", "outcome", "study", "document", "dosing_range")
)
"""Types of which something stands in the entries of the records that name them."""


@dataclass(frozen=True)
class IndexEntry:
    """The rows by which one record is found, without their internal keys."""

    texts: dict[str, Any]
    names: list[dict[str, Any]]


def renew(session: Session, world: RecordReader, records: Iterable[tuple[Key, Any, Any]]) -> None:
    """Index records again, given as key, content and derived values, and those in which their names stand; retired
    ones leave the index."""
    writer = _Writer(session)
    pending = {key: (content, derived) for key, content, derived in records if key.type in FOUND_BY}
    seen = set(pending)
    while pending:
        entries = ((key, _entry(session, world, key, *pending[key])) for key in sorted(pending))
        changed = {key: pending[key][0] for key in writer.replace(entries)}
        pending = {key: (world.content(key), world.derived(key)) for key in sorted(_copying(session, changed) - seen)}
        seen |= set(pending)
    writer.finish()


def rebuild(session: Session, world_of: Callable[[Session], RecordReader]) -> None:
    """Make the whole index again from the records, a portion at a time, each with a fresh view of them."""
    for table in (SearchName, SearchEntry, SearchWord):
        session.execute(delete(table))
    writer = _Writer(session)
    last = ("", "")
    while keys := _published_after(session, last):
        world = world_of(session)
        writer.replace((key, _entry(session, world, key, world.content(key), world.derived(key))) for key in keys)
        last = keys[-1]
    writer.finish()
    facets.rebuild(session)


def _published_after(session: Session, last: tuple[str, str]) -> list[Key]:
    rows = (
        select(StoredRecord.type, StoredRecord.id)
        .where(
            StoredRecord.type.in_(FOUND_BY),
            StoredRecord.status == Status.published,
            tuple_(StoredRecord.type, StoredRecord.id) > last,
        )
        .order_by(StoredRecord.type, StoredRecord.id)
        .limit(PORTION)
    )
    return [Key(*row) for row in session.execute(rows)]


def _copying(session: Session, changed: Mapping[Key, Any]) -> set[Key]:
    """Records that name any of these and may hold something of them."""
    named = {key for key in changed if key.type in COPIED_FROM}
    # What warns of a drug holds the names of its regimens without naming them.
    named |= {Key(key.type, parent) for key in named if (parent := getattr(changed[key], "parent", None))}
    found: set[Key] = set()
    for record_type in {key.type for key in named}:
        ids = sorted(key.id for key in named if key.type == record_type)
        for start in range(0, len(ids), 500):
            rows = select(RecordReference.type, RecordReference.id).where(
                RecordReference.to_type == record_type, RecordReference.to_id.in_(ids[start : start + 500])
            )
            found.update(Key(*row) for row in session.execute(rows) if row[0] in FOUND_BY)
    return found


def _entry(session: Session, world: RecordReader, key: Key, content: Any, derived: Any) -> IndexEntry | None:
    if content.status is not Status.published:
        return None
    return entry_for(key, FOUND_BY[key.type](session, world, content, derived))


def entry_for(key: Key, found: Found) -> IndexEntry:
    texts = {
        "title": found.title,
        "names": " ".join((*(text for text, _ in found.names), *found.about)),
        "body": " ".join(text for text in found.body if text),
    }
    cut = {name: words(text) for name, text in texts.items()}
    stemmed = {name: _between_spaces([stem(word) for word in found_words]) for name, found_words in cut.items()}
    values = {"type": (key.type,), **found.facets}
    return IndexEntry(
        texts={
            "type": key.type,
            "id": key.id,
            "rank": found.rank,
            "warning": found.warning,
            **stemmed,
            "against": "|".join(_between_spaces(stems(name)) for name in found.against),
            "facets": " ".join(sorted({f"{name}={value}" for name, some in values.items() for value in some})),
            "heading": found.title,
            "label": found.label or found.title,
            "summary": found.summary,
            "spelled": " ".join(dict.fromkeys(chain(*cut.values()))),
        },
        names=[{"is_concept": key.type in CONCEPTS, **name} for name in _suggestions(found)],
    )


def _between_spaces(stemmed: Sequence[str]) -> str:
    """Each between two spaces, so that looking for ` word ` finds whole words only."""
    return f" {' '.join(stemmed)} "


def pk_of(rank: int, number: int) -> int:
    """The key of an entry, whose number no other has."""
    return (rank << RANK_BITS) + number


def number_of(pk: int) -> int:
    return pk & ((1 << RANK_BITS) - 1)


class _Writer:
    """Writes entries in the order of their keys, as the full-text index likes it, and what is counted of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._words: Counter[tuple[str, bool]] = Counter()
        self._moves = facets.Moves()
        self._next: int | None = None

    def replace(self, entries: Iterable[tuple[Key, IndexEntry | None]]) -> list[Key]:
        """Put each entry in the place of the one before, or take that out; the keys of those that changed."""
        rest = iter(entries)
        changed: list[Key] = []
        while portion := dict(islice(rest, PORTION)):
            before = _stored(self._session, list(portion))
            moved = [key for key, entry in portion.items() if entry != before.get(key, _NOTHING)[1]]
            self._remove([before[key] for key in moved if key in before])
            self._insert([(entry, before.get(key)) for key in moved if (entry := portion[key]) is not None])
            changed += moved
            if len(self._words) > MAX_WORDS:
                self._count()
        return changed

    def finish(self) -> None:
        self._count()
        self._moves.write(self._session)

    def _count(self) -> None:
        _count_words(self._session, self._words)
        self._words.clear()

    def _remove(self, stored: Sequence[tuple[int, IndexEntry]]) -> None:
        pks = [pk for pk, _ in stored]
        for pk, entry in stored:
            self._words.subtract(vocabulary_of(entry))
            self._moves.remove(pk, entry.texts["facets"])
        self._session.execute(delete(SearchName).where(SearchName.entry_pk.in_(pks)))
        self._session.execute(delete(SearchEntry).where(SearchEntry.pk.in_(pks)))

    def _insert(self, entries: Sequence[tuple[IndexEntry, tuple[int, IndexEntry] | None]]) -> None:
        placed = [(self._place(entry, before), entry) for entry, before in entries]
        for pk, entry in placed:
            self._words.update(vocabulary_of(entry))
            self._moves.add(pk, entry.texts["facets"])
        placed.sort(key=itemgetter(0))
        rows = [{"pk": pk, "number": number_of(pk), **entry.texts} for pk, entry in placed]
        names = [{"entry_pk": pk, **name} for pk, entry in placed for name in entry.names]
        for table, made in ((SearchEntry, rows), (SearchName, names)):
            if made:
                self._session.execute(insert(table), made)

    def _place(self, entry: IndexEntry, before: tuple[int, IndexEntry] | None) -> int:
        if before is not None:
            return pk_of(entry.texts["rank"], number_of(before[0]))
        if self._next is None:
            self._next = (self._session.scalar(select(func.max(SearchEntry.number))) or 0) + 1
        self._next += 1
        return pk_of(entry.texts["rank"], self._next - 1)


_NOTHING = (0, None)


def _stored(session: Session, keys: Sequence[Key]) -> dict[Key, tuple[int, IndexEntry]]:
    """Entries as they are, with their internal keys."""
    columns = [column for column in SearchEntry.__table__.columns if column.name not in ("pk", "number")]
    found: dict[int, IndexEntry] = {}
    for record_type, some in groupby(sorted(keys), key=lambda key: key.type):
        rows = select(SearchEntry.pk, *columns).where(
            SearchEntry.type == record_type, SearchEntry.id.in_([key.id for key in some])
        )
        for pk, *values in session.execute(rows):
            texts = dict(zip((column.name for column in columns), values, strict=True))
            found[pk] = IndexEntry(texts, [])
    names = select(
        SearchName.entry_pk,
        SearchName.is_concept,
        SearchName.folded,
        SearchName.text,
        SearchName.matched_on,
        SearchName.is_start,
    ).where(SearchName.entry_pk.in_(found))
    for row in session.execute(names.order_by(SearchName.pk)).mappings() if found else ():
        name = dict(row)
        found[name.pop("entry_pk")].names.append(name)
    return {Key(entry.texts["type"], entry.texts["id"]): (pk, entry) for pk, entry in found.items()}


def _suggestions(found: Found) -> Iterator[dict[str, Any]]:
    """Each name once from every word on, so that `naltrexone` finds `Low-dose naltrexone`."""
    seen = set()
    for name, matched_on in found.names:
        parts = words(name)
        for start in range(len(parts)):
            folded = " ".join(parts[start:])[:MAX_LENGTH_NAME]
            if (folded, name) not in seen and (start < 8):
                seen.add((folded, name))
                yield {"folded": folded, "text": name, "matched_on": matched_on, "is_start": start == 0}


def vocabulary_of(entry: IndexEntry) -> Counter[tuple[str, bool]]:
    stemmed = {word for field in ("title", "names", "body") for word in entry.texts[field].split()}
    spelled = set(entry.texts["spelled"].split())
    return Counter(
        {(word[:MAX_LENGTH_WORD], is_stem) for is_stem in (True, False) for word in (stemmed if is_stem else spelled)}
    )


def _count_words(session: Session, counts: Counter[tuple[str, bool]]) -> None:
    moved = sorted((key, number) for key, number in counts.items() if number)
    if moved:
        added = [{"w": word, "s": is_stem, "n": number} for (word, is_stem), number in moved]
        session.execute(_ADD_WORDS, added)
    gone = [{"w": word, "s": is_stem} for (word, is_stem), number in moved if number < 0]
    if gone:
        here = (SearchWord.word == bindparam("w"), SearchWord.is_stem == bindparam("s"), SearchWord.entries <= 0)
        session.connection().execute(delete(SearchWord).where(*here), gone)


_ADD_WORDS = text(
    "INSERT INTO search_words (word, is_stem, entries) VALUES (:w, :s, :n) "
    "ON CONFLICT (word, is_stem) DO UPDATE SET entries = search_words.entries + excluded.entries"
)
"""The same on both engines."""
