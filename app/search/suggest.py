"""Typeahead: names that go on from what was typed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.search.models import SearchEntry, SearchName
from app.search.spelling import nearest_start, starting
from app.search.text import spelled, words


@dataclass(frozen=True)
class Suggestion:
    type: str
    id: str
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
        near = nearest_start(session, last)
        if near is not None:
            found = _suggestions(session, " ".join((*before, near)), limit, types)
    return found


def _suggestions(session: Session, start: str, limit: int, types: Sequence[str]) -> list[Suggestion]:
    statement = (
        select(
            SearchEntry.type,
            SearchEntry.id,
            SearchName.text,
            SearchName.matched_on,
            SearchEntry.rank,
            SearchName.is_start,
        )
        .join(SearchEntry, SearchEntry.pk == SearchName.entry_pk)
        .where(starting(SearchName.folded, start[:200]))
    )
    if types:
        statement = statement.where(SearchEntry.type.in_(types))
    rows = session.execute(
        statement.order_by(
            SearchEntry.rank,
            SearchName.is_start.desc(),
            SearchName.folded,
            SearchEntry.type,
            SearchEntry.id,
            SearchName.pk,
        ).limit(limit * 10)
    )
    found: dict[tuple[str, str], Suggestion] = {}
    for record_type, record_id, name, matched_on, _, _ in rows:
        key = (record_type, record_id)
        if key not in found:
            found[key] = Suggestion(record_type, record_id, name, matched_on, start)
    return list(found.values())[:limit]


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
