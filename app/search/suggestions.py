"""Typeahead: names that go on from what was typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.registry import BY_TYPE
from app.search.analyzer import spelled, words
from app.search.index import MAX_LENGTH_NAME
from app.search.spelling import nearest_start
from app.search.term_statistics import after, fetch, lexicon

MAX_READ = 1000
"""Names that are looked at, of concepts and of the rest: one letter starts very many."""


@dataclass(frozen=True)
class Suggestion:
    type: str
    id: str
    label: str
    matched: str
    matched_on: str
    start: str
    """The folded beginning that matched, for telling the parts apart."""


def suggest(session: Session, text: str, limit: int, types: Sequence[str]) -> list[Suggestion]:
    """Names of which some word goes on from what was typed; with one slip forgiven where nothing else is found."""
    start = " ".join(words(text))
    if not start:
        return []
    found = _suggestions(session, start, limit, types)
    if not found:
        *before, last = start.split(" ")
        near = nearest_start(session, lexicon(session), last)
        if near is not None:
            found = _suggestions(session, " ".join((*before, near)), limit, types)
    return found


def _suggestions(session: Session, start: str, limit: int, types: Sequence[str]) -> list[Suggestion]:
    rows = [row for is_concept in (True, False) for row in _named(session, start[:MAX_LENGTH_NAME], is_concept, types)]
    found: dict[tuple[str, str], Suggestion] = {}
    for _, _, _, record_type, record_id, _, label, name, matched_on in sorted(rows):
        key = (record_type, record_id)
        if key not in found:
            found[key] = Suggestion(record_type, record_id, label, name, matched_on, start)
    return list(found.values())[:limit]


def _named(session: Session, start: str, is_concept: bool, types: Sequence[str]) -> list[tuple[Any, ...]]:
    """Names that start like this, with all that orders them."""
    named = (
        "SELECT e.rank, NOT n.is_start, n.folded, e.type, e.id, n.pk, e.label, n.text, n.matched_on "
        "FROM search_names n JOIN search_entries e ON e.pk = n.entry_pk "
        "WHERE n.is_concept = ? AND n.folded >= ? AND n.folded < ? AND e.type IN ? ORDER BY n.folded, n.pk LIMIT ?"
    )
    of_types = list(types or BY_TYPE)
    return [tuple(row) for row in fetch(session, named, is_concept, start, after(start), of_types, MAX_READ)]


def typed_parts(name: str, start: str) -> list[tuple[str, bool]]:
    """A suggested name in parts: what was typed, and the rest."""
    typed = start.split(" ")
    pieces = spelled(name)
    positions = [index for index, (_, is_word) in enumerate(pieces) if is_word]
    folded = [("".join(words(pieces[index][0]))) for index in positions]
    for first in range(len(folded) - len(typed) + 1):
        row = folded[first : first + len(typed)]
        if row[:-1] == typed[:-1] and row[-1].startswith(typed[-1]):
            return _split(pieces, positions[first], positions[first + len(typed) - 1], len(typed[-1]))
    return [(name, False)]


def _split(pieces: Sequence[tuple[str, bool]], first: int, last: int, typed: int) -> list[tuple[str, bool]]:
    before = "".join(text for text, _ in pieces[:first])
    whole = "".join(text for text, _ in pieces[first:last])
    word = pieces[last][0]
    after = word[typed:] + "".join(text for text, _ in pieces[last + 1 :])
    return [(text, hit) for text, hit in ((before, False), (whole + word[:typed], True), (after, False)) if text]
