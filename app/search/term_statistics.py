"""What the index knows, remembered for as long as the data set stays at its serial: words and how many entries hold
them, names of concepts, facets. Memory is bounded whatever is asked; what is forgotten is read again."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Pool
from sqlalchemy.orm import Session

from app.search import facets
from app.search.analyzer import Row, stem
from app.search.facets import Facet, FacetBitmaps
from app.storage.read_view import view_of

MAX_REMEMBERED = 20_000
"""Answers about single words or names, of each kind."""
MAX_WORDS = 50_000
"""The most frequent words, to which slips are corrected."""
MAX_BEGUN = 32
"""Words that a beginning may go on to."""

Answer = TypeVar("Answer")


def fetch(session: Session, statement: str, *values: Any) -> Sequence[Any]:
    """Rows of a statement that holds `?` for values, and for lists of values after `IN`. The text goes to the driver as
    it is, which is what makes a search cheap."""
    return view_of(session).spread(statement, *values)


@dataclass
class Lexicon:
    """The index at one serial. Asked by threads at the same time, which at worst read the same twice."""

    serial: int
    bitmaps: FacetBitmaps
    _entries: dict[str, int] = field(default_factory=dict)
    _begun: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _called: dict[Row, tuple[Row, ...]] = field(default_factory=dict)
    _spellings: tuple[str, ...] | None = None
    _starts: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """How many entries there are."""
        return sum(len(entries) for facet, entries in self.bitmaps.items() if facet.name == "type") or 1

    def entries(self, session: Session, stems: Iterable[str]) -> dict[str, int]:
        """In how many entries each stem occurs."""

        def read(missing: list[str]) -> dict[str, int]:
            known = "SELECT word, entries FROM search_words WHERE word IN ? AND is_stem = ?"
            return dict(tuple(row) for row in fetch(session, known, missing, True))

        return _remembered(self._entries, stems, read, 0)

    def begun(self, session: Session, start: str) -> tuple[str, ...]:
        """Known words that start like this, the most frequent ones."""

        def read(missing: list[str]) -> dict[str, tuple[str, ...]]:
            found = {}
            for begun in missing:
                rows = fetch(
                    session,
                    "SELECT word FROM search_words WHERE word >= ? AND word < ? AND is_stem = ? "
                    "ORDER BY entries DESC, word LIMIT ?",
                    begun,
                    after(begun),
                    False,
                    MAX_BEGUN,
                )
                found[begun] = tuple(word for (word,) in rows)
            return found

        return _remembered(self._begun, [start], read, ())[start]

    def called(self, session: Session, rows: Iterable[Row]) -> dict[Row, tuple[Row, ...]]:
        """Rows of words that are names of concepts, each with the other names of the same concepts as stems."""

        def read(missing: list[Row]) -> dict[Row, tuple[Row, ...]]:
            folded = {" ".join(row): row for row in missing}
            named = fetch(
                session,
                "SELECT folded, entry_pk FROM search_names WHERE is_concept = ? AND folded IN ? AND is_start = ?",
                True,
                list(folded),
                True,
            )
            others: dict[int, list[Row]] = {pk: [] for _, pk in named}
            called = (
                "SELECT entry_pk, folded FROM search_names WHERE entry_pk IN ? AND is_start = ? "
                "AND matched_on IN ('name', 'synonym') ORDER BY pk"
            )
            for pk, name in fetch(session, called, sorted(others), True) if others else ():
                others[pk].append(tuple(map(stem, name.split())))
            found: dict[Row, tuple[Row, ...]] = {}
            for name, pk in sorted(named):
                row = folded[name]
                found[row] = (*found.get(row, ()), *others[pk])
            return found

        return {row: names for row, names in _remembered(self._called, rows, read, ()).items() if names}

    def spellings(self, session: Session) -> tuple[str, ...]:
        """Words of letters alone that are long enough to be corrected to, the most frequent first."""
        if self._spellings is None:
            rows = fetch(
                session,
                "SELECT word FROM search_words WHERE is_stem = ? AND length(word) > 2 "
                "ORDER BY entries DESC, word LIMIT ?",
                False,
                2 * MAX_WORDS,
            )
            self._spellings = tuple(word for (word,) in rows if word.isalpha())[:MAX_WORDS]
        return self._spellings

    def starts(self, session: Session, length: int) -> tuple[str, ...]:
        """The beginnings of those words that are of this length, or longer or shorter by a letter."""
        if length not in self._starts:
            lengths = (length, length - 1, length + 1)
            self._starts = {
                length: tuple(dict.fromkeys(word[:some] for word in self.spellings(session) for some in lengths))
            }
        return self._starts[length]


def after(start: str) -> str:
    """The first text behind all that start like this."""
    return start[:-1] + chr(ord(start[-1]) + 1)


Asked = TypeVar("Asked")


def _remembered(
    memory: dict[Asked, Answer],
    asked: Iterable[Asked],
    read: Callable[[list[Asked]], dict[Asked, Answer]],
    nothing: Answer,
) -> dict[Asked, Answer]:
    answers: dict[Asked, Answer] = {}
    missing: list[Asked] = []
    for one in dict.fromkeys(asked):
        answer = memory.get(one)
        if answer is None:
            missing.append(one)
        else:
            answers[one] = answer
    if missing:
        fresh = dict.fromkeys(missing, nothing) | read(missing)
        if len(memory) + len(fresh) > MAX_REMEMBERED:
            memory.clear()
        memory.update(fresh)
        answers |= fresh
    return answers


def lexicon(session: Session) -> Lexicon:
    """The lexicon of the database at the serial that the session sees."""
    pool = session.get_bind().engine.pool
    serial = view_of(session).serial
    known = _KNOWN.get(pool)
    if known is None or known.serial != serial:
        with _READING:  # one reads for all: the bitmaps of a million claims are tens of megabytes
            known = _KNOWN.get(pool)
            if known is None or known.serial != serial:
                known = _KNOWN[pool] = Lexicon(serial, _bitmaps(session, known, serial))
    return known


def _bitmaps(session: Session, known: Lexicon | None, serial: int) -> FacetBitmaps:
    """What is known of an older state, with what changed since. A replica may be behind what another one showed."""
    older = known if known is not None and known.serial < serial else None
    changed = facets.changed_since(session, older.serial if older else -1)
    whole: dict[Facet, Any] = {**(older.bitmaps if older else {}), **changed}
    return {facet: entries for facet, entries in whole.items() if entries}


_READING = threading.Lock()
_KNOWN: WeakKeyDictionary[Pool, Lexicon] = WeakKeyDictionary()
