"""Statistics of the index about words and names, cached in memory for one serial of the data set."""

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Pool
from sqlalchemy.orm import Session

from app.search import facets
from app.search.analyzer import Phrase, stems
from app.search.facets import FacetBitmaps
from app.search.word_lists import WordLists, word_lists
from app.storage.read_view import PUBLICATION, DatasetState, view_of

MAX_REMEMBERED = 20_000
"""Entries of each memory. A memory that would exceed it is cleared; what is missing is read again."""
MAX_SPELLINGS = 50_000
"""The most frequent words, to which slips are corrected."""
MAX_WITH_PREFIX = 32

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def fetch(session: Session, statement: str, *values: Any) -> Sequence[Any]:
    """Rows of a statement that has `?` for a value, or for a list of values after `IN`. The statement goes to the
    driver unchanged, because building it with SQLAlchemy costs more than running it."""
    return view_of(session).spread(statement, *values)


@dataclass
class TermStatistics:
    """The index at one serial. Threads may use it at the same time; at worst two read the same values."""

    state: DatasetState
    """`ReadView.state`."""
    bitmaps: FacetBitmaps
    lists: WordLists
    """Words that mean the same in this data set."""
    _entry_counts: dict[str, int] = field(default_factory=dict)
    _with_prefix: dict[str, Sequence[str]] = field(default_factory=dict)
    _concept_names: dict[Phrase, Sequence[Phrase]] = field(default_factory=dict)
    _prefixes: dict[int, Sequence[str]] = field(default_factory=dict)
    _spellings: Sequence[str] | None = None

    @cached_property
    def entry_count(self) -> int:
        """The number of entries, at least 1."""
        return sum(len(entries) for facet, entries in self.bitmaps.items() if facet.name == "type") or 1

    def entry_counts(self, session: Session, words: Collection[str]) -> dict[str, int]:
        """The number of entries in which each stem occurs."""

        def read(missing: list[str]) -> dict[str, int]:
            counts = "SELECT word, entries FROM search_words WHERE word IN ? AND is_stem = ?"
            return dict.fromkeys(missing, 0) | dict(fetch(session, counts, missing, True))

        return _recall(self._entry_counts, words, read)

    def words_with_prefix(self, session: Session, prefix: str) -> Sequence[str]:
        """The most frequent words that start with the prefix."""

        def read(_missing: list[str]) -> dict[str, Sequence[str]]:
            words = (
                "SELECT word FROM search_words WHERE word >= ? AND word < ? AND is_stem = ? "
                "ORDER BY entries DESC, word LIMIT ?"
            )
            rows = fetch(session, words, prefix, after_prefix(prefix), False, MAX_WITH_PREFIX)
            return {prefix: [word for (word,) in rows]}

        return _recall(self._with_prefix, [prefix], read)[prefix]

    def concept_names(self, session: Session, phrases: Collection[Phrase]) -> dict[Phrase, Sequence[Phrase]]:
        """Those of the phrases that are names of concepts, each with all names of the same concepts, as stems."""

        def read(missing: list[Phrase]) -> dict[Phrase, Sequence[Phrase]]:
            rows = fetch(
                session,
                "SELECT typed.folded, other.folded FROM search_names typed "
                "JOIN search_names other ON other.entry_pk = typed.entry_pk "
                "WHERE typed.is_concept = ? AND typed.is_start = ? AND typed.folded IN ? "
                "AND other.is_start = ? AND other.matched_on IN ('name', 'synonym')",
                True,
                True,
                [" ".join(phrase) for phrase in missing],
                True,
            )
            names: dict[Phrase, list[Phrase]] = {phrase: [] for phrase in missing}
            for typed, other in rows:
                names[tuple(typed.split())].append(stems(other))
            return dict(names)

        return {phrase: names for phrase, names in _recall(self._concept_names, phrases, read).items() if names}

    def spellings(self, session: Session) -> Sequence[str]:
        """Words of at least three letters, the most frequent first."""
        if self._spellings is None:
            words = (
                "SELECT word FROM search_words WHERE is_stem = ? AND length(word) > 2 "
                "ORDER BY entries DESC, word LIMIT ?"
            )
            rows = fetch(session, words, False, 2 * MAX_SPELLINGS)
            self._spellings = [word for (word,) in rows if word.isalpha()][:MAX_SPELLINGS]
        return self._spellings

    def prefixes(self, session: Session, length: int) -> Sequence[str]:
        """The beginnings of those words that have this length, or one letter more or less."""
        if length not in self._prefixes:
            lengths = (length, length - 1, length + 1)
            # One length only: the prefixes of each are as many as the words.
            self._prefixes = {
                length: list(dict.fromkeys(word[:n] for word in self.spellings(session) for n in lengths))
            }
        return self._prefixes[length]


def after_prefix(prefix: str) -> str:
    """The first text that sorts after all texts with the prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _recall(
    memory: dict[Key, Value], keys: Iterable[Key], read: Callable[[list[Key]], dict[Key, Value]]
) -> dict[Key, Value]:
    """The values of the keys, from memory where they are there; the others are read together."""
    unique = dict.fromkeys(keys)
    values = {key: value for key in unique if (value := memory.get(key)) is not None}
    missing = [key for key in unique if key not in values]
    if missing:
        fresh = read(missing)
        if len(memory) + len(fresh) > MAX_REMEMBERED:
            memory.clear()
        memory.update(fresh)
        values |= fresh
    return values


_lock = threading.Lock()
_by_pool: WeakKeyDictionary[Pool, TermStatistics] = WeakKeyDictionary()
"""The newest statistics of each database. A connection pool stands for its database, and they are freed with it."""


def term_statistics(session: Session) -> TermStatistics:
    """The statistics of the database at the serial that the session sees."""
    pool = session.get_bind().engine.pool
    state = view_of(session).state
    statistics = _by_pool.get(pool)
    if statistics is None or statistics.state != state:
        with _lock:  # One thread reads for all: the bitmaps of a million claims take tens of megabytes.
            statistics = _by_pool.get(pool)
            if statistics is None or statistics.state != state:
                statistics = _by_pool[pool] = TermStatistics(
                    state, _bitmaps(session, statistics, state), word_lists(session)
                )
    return statistics


def _is_older(session: Session, known: DatasetState, state: DatasetState) -> bool:
    """Whether the one is of the history of the other, which a data set that was restored is not."""
    if known.generation != state.generation or known.serial >= state.serial:
        return False
    rows = fetch(session, f"{PUBLICATION} WHERE serial = ?", known.serial)
    return [publication for (publication,) in rows] == [known.publication]


def _bitmaps(session: Session, known: TermStatistics | None, state: DatasetState) -> FacetBitmaps:
    """All bitmaps. Only those that changed since older statistics are read; a replica may be behind newer ones."""
    bitmaps: FacetBitmaps = {}
    since = -1
    if known is not None and _is_older(session, known.state, state):
        bitmaps, since = known.bitmaps, known.state.serial
    changed = facets.changed_since(session, since)
    return {facet: entries for facet, entries in {**bitmaps, **changed}.items() if entries}
