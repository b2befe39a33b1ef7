"""What a question asks for: words, rows of words and names, each with the other ways to say the same."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.search.models import SearchEntry, SearchName, SearchWord
from app.search.spelling import begins, nearest_word, two_words
from app.search.text import SAME, SOFT_WORDS, STOP_WORDS, Row, spelled, stem, words

MOST_TERMS = 16
MOST_ROWS = 12
LONGEST_NAME = 6
"""Words of a concept's name that is looked for in a question."""
SHORTEST_PREFIX = 3
CONCEPTS = ("intervention", "condition", "mechanism", "side_effect", "outcome")

_ADDRESS = re.compile(
    r"https?://(?:(?:dx\.)?doi\.org|pubmed\.ncbi\.nlm\.nih\.gov)/|\b(?:doi|pmid|pmcid|nct):", re.IGNORECASE
)
"""What stands before an identifier and is no part of it."""


@dataclass(frozen=True)
class Term:
    """One thing asked for. Any of its rows of stems will do; the first is what was asked in so many words."""

    rows: tuple[Row, ...]
    begun: str | None = None
    """A word that may go on from here: the last one of a question, which may still be being typed."""
    is_required: bool = True


@dataclass(frozen=True)
class Question:
    terms: tuple[Term, ...]
    correction: str | None = None
    """The question with unknown words replaced by the nearest known ones, if there were any."""
    is_whole: bool = True
    """Whether nothing had to be left out because no record knows it."""

    @property
    def required(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.is_required)


@dataclass(frozen=True)
class _Piece:
    """Words in a row, as typed."""

    words: Row
    is_quoted: bool = False
    is_open: bool = False


def understand(session: Session, query: str) -> Question:
    """The terms of a question. Words in quotes, words joined by punctuation (`M79.7`, `ME/CFS`) and the names of
    concepts stay in a row; what no record knows is corrected or left out."""
    typed = _ADDRESS.sub(" ", query)
    asked = _pieces(typed)
    replacements, lost = _unknown(session, asked)
    correction = _corrected(typed, replacements) if replacements else None
    pieces = _pieces(correction) if correction else asked
    known = [piece for piece in pieces if not lost & set(piece.words)]
    terms = tuple(dict.fromkeys(_terms(session, known)))[:MOST_TERMS]
    if not any(term.is_required for term in terms):
        terms = tuple(replace(term, is_required=True) for term in terms)
    return Question(terms, correction, is_whole=not lost)


def _pieces(query: str) -> list[_Piece]:
    found: list[_Piece] = []
    for index, part in enumerate(query.split('"')):
        quoted = index % 2 == 1
        for chunk in [part] if quoted else part.split():
            row = tuple(words(chunk))[:MOST_TERMS]
            if row:
                found.append(_Piece(row, quoted))
    if not all(_is_stop(piece) for piece in found):
        last = found[-1]
        found = [piece for piece in found if not _is_stop(piece)]
        if found[-1] is not last:
            return found[: 2 * MOST_TERMS]
    if found and query[-1].strip() and query[-1] != '"' and len(found[-1].words) == 1:
        found[-1] = replace(found[-1], is_open=True)
    return found[: 2 * MOST_TERMS]


def _is_stop(piece: _Piece) -> bool:
    return len(piece.words) == 1 and not piece.is_quoted and piece.words[0] in STOP_WORDS


# --- what is known ------------------------------------------------------------------------------------------------


def _unknown(session: Session, pieces: Sequence[_Piece]) -> tuple[dict[str, str], set[str]]:
    """Words that no record has: those that can be corrected, with the correction, and those that cannot."""
    asked = {word for piece in pieces for word in piece.words}
    same = {row[0] for word in asked for row in SAME.get(stem(word), ())}
    looked_for = {stem(word) for word in asked} | same
    known = set(session.scalars(select(SearchWord.word).where(SearchWord.word.in_(looked_for), SearchWord.is_stem)))
    replacements, lost = {}, set()
    for word in sorted(asked):
        others = (row[0] for row in SAME.get(stem(word), ()))
        if stem(word) in known or any(other in known for other in others) or begins(session, word):
            continue
        near = nearest_word(session, word) or two_words(session, word)
        if near is None:
            lost.add(word)
        else:
            replacements[word] = near
    return replacements, lost


def _corrected(query: str, replacements: dict[str, str]) -> str:
    parts = [
        replacements.get(folded[0], part) if is_word and len(folded := words(part)) == 1 else part
        for part, is_word in spelled(query)
    ]
    return "".join(parts)


# --- terms --------------------------------------------------------------------------------------------------------


def _terms(session: Session, pieces: Sequence[_Piece]) -> Iterable[Term]:
    names = _names(session, pieces)
    start = 0
    while start < len(pieces):
        for end in range(min(len(pieces), start + LONGEST_NAME), start, -1):
            row = _joined(pieces[start:end])
            if row in names:
                yield Term(_ways(row, names[row]), _begun(pieces[end - 1]) if end == start + 1 else None)
                start = end
                break
        else:
            yield _plain(pieces[start])
            start += 1


def _plain(piece: _Piece) -> Term:
    if len(piece.words) > 1 or piece.is_quoted:
        return Term((_stems(piece.words),))
    word = piece.words[0]
    return Term(_ways(piece.words, SAME.get(stem(word), ())), _begun(piece), is_required=word not in SOFT_WORDS)


def _begun(piece: _Piece) -> str | None:
    word = piece.words[0]
    return word if piece.is_open and len(piece.words) == 1 and len(word) >= SHORTEST_PREFIX else None


def _names(session: Session, pieces: Sequence[_Piece]) -> dict[Row, list[Row]]:
    """Rows of the question that are names of concepts, each with the other names of the same concepts."""
    rows = {
        row
        for start in range(len(pieces))
        for end in range(start + 1, min(len(pieces), start + LONGEST_NAME) + 1)
        if len(row := _joined(pieces[start:end])) <= LONGEST_NAME
    }
    if not rows:
        return {}
    named = (
        select(SearchName.entry_pk, SearchName.folded)
        .join(SearchEntry, SearchEntry.pk == SearchName.entry_pk)
        .where(
            SearchName.folded.in_([" ".join(row) for row in sorted(rows)]),
            SearchName.is_start,
            SearchEntry.type.in_(CONCEPTS),
        )
    )
    entries = [(pk, tuple(folded.split())) for pk, folded in session.execute(named)]
    others = select(SearchName.entry_pk, SearchName.folded).where(
        SearchName.entry_pk.in_({pk for pk, _ in entries}),
        SearchName.is_start,
        SearchName.matched_on.in_(("name", "synonym")),
    )
    called: dict[int, list[Row]] = {}
    for pk, folded in session.execute(others):
        called.setdefault(pk, []).append(_stems(tuple(folded.split())))
    found: dict[Row, list[Row]] = {}
    for pk, row in entries:
        found.setdefault(row, []).extend(called[pk])
    return found


def _ways(row: Row, others: Iterable[Row]) -> tuple[Row, ...]:
    """The row and the other rows of stems that say the same, less those in which a shorter one stands already."""
    kept = [_stems(row)]
    for other in sorted(set(others), key=lambda way: (len(way), way)):
        if not any(f" {' '.join(way)} " in f" {' '.join(other)} " for way in kept):
            kept.append(other)
    return tuple(kept[:MOST_ROWS])


def _joined(pieces: Sequence[_Piece]) -> Row:
    return tuple(word for piece in pieces for word in piece.words)


def _stems(row: Row) -> Row:
    return tuple(stem(word) for word in row)
