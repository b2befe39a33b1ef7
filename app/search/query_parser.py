"""What a question asks for: words, rows of words and names, each with the other ways to say the same."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy.orm import Session

from app.search.analyzer import DANGERS, MEANT, SAME, SOFT_WORDS, STOP_WORDS, Row, spelled, stem, words
from app.search.spelling import nearest_word, two_words
from app.search.term_statistics import Lexicon

MAX_TERMS = 16
MAX_ROWS = 12
MAX_CORRECTED = 8
"""Unknown words for which the nearest known one is looked for."""
MAX_LENGTH_NAME = 6
"""Words of a concept's name that is looked for in a question."""
SHORTEST_PREFIX = 3

_ADDRESS = re.compile(
    r"https?://(?:(?:dx\.)?doi\.org|pubmed\.ncbi\.nlm\.nih\.gov)/|\b(?:doi|pmid|pmcid|nct):", re.IGNORECASE
)
"""What stands before an identifier and is no part of it."""

_NAMED = r"(\S+(?: \S+){0,4})"
_HOW_IT_WORKS = re.compile(
    rf"\bhow (?:(?:does|do|did|would) {_NAMED} work|{_NAMED} works)(?=\W*$| in\b)", re.IGNORECASE
)
"""Asks for a mechanism, in words that no record uses."""


@dataclass(frozen=True)
class Term:
    """One thing asked for. Any of its rows of stems will do; the first is what was asked in so many words."""

    rows: tuple[Row, ...]
    begun: tuple[Row, ...] = ()
    """What its last word, which may still be being typed, may go on to."""
    pieces: tuple[Row, ...] = ()
    """The words of a name of several, apart: better than nothing where no more is found."""
    is_required: bool = True
    is_danger: bool = False
    """Whether somebody asks so who may be at risk."""

    @property
    def ways(self) -> tuple[Row, ...]:
        return self.rows + self.begun


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


def understand(session: Session, known: Lexicon, query: str) -> Question:
    """The terms of a question. Words in quotes, words joined by punctuation (`M79.7`, `ME/CFS`) and the names of
    concepts stay in a row; what no record knows is corrected or left out."""
    typed = _ADDRESS.sub(" ", query)
    asked = _pieces(_in_words_of_records(typed))
    replacements, lost = _unknown(session, known, asked)
    correction = _corrected(typed, replacements) if replacements else None
    pieces = _pieces(_in_words_of_records(correction)) if correction else asked
    terms = tuple(dict.fromkeys(_terms(session, known, [p for p in pieces if not lost & set(p.words)])))[:MAX_TERMS]
    if not any(term.is_required for term in terms):
        terms = tuple(replace(term, is_required=True) for term in terms)
    return Question(terms, correction, is_whole=not any(word not in SOFT_WORDS for word in lost))


def _in_words_of_records(query: str) -> str:
    """The question; words in quotes are asked for as they stand."""
    return query if '"' in query else _HOW_IT_WORKS.sub(r"\1\2 mechanism of action", query)


def _pieces(query: str) -> list[_Piece]:
    found: list[_Piece] = []
    for index, part in enumerate(query.split('"')):
        quoted = index % 2 == 1
        for chunk in [part] if quoted else part.split():
            row = tuple(words(chunk))[:MAX_TERMS]
            if row:
                found.append(_Piece(row, quoted))
    if not all(_is_stop(piece) for piece in found):
        last = found[-1]
        found = [piece for piece in found if not _is_stop(piece)]
        if found[-1] is not last:
            return found[: 2 * MAX_TERMS]
    if found and query[-1].strip() and query[-1] != '"' and len(found[-1].words) == 1:
        found[-1] = replace(found[-1], is_open=True)
    return found[: 2 * MAX_TERMS]


def _is_stop(piece: _Piece) -> bool:
    return len(piece.words) == 1 and not piece.is_quoted and piece.words[0] in STOP_WORDS


# --- what is known ------------------------------------------------------------------------------------------------


def _unknown(session: Session, known: Lexicon, pieces: Sequence[_Piece]) -> tuple[dict[str, str], set[str]]:
    """Words that no record has: those that can be corrected, with the correction, and those that cannot."""
    asked = {word for piece in pieces for word in piece.words}
    others = {word: [other for row in _others(word) for other in row] for word in asked}
    entries = known.entries(session, {stem(word) for word in asked}.union(*others.values()))
    phrases = _phrases(pieces)
    replacements: dict[str, str] = {}
    lost: set[str] = set()
    corrected = 0
    for word in sorted(asked):
        if entries[stem(word)] or any(entries[other] for other in others[word]) or word in phrases:
            continue
        if len(word) >= SHORTEST_PREFIX and known.begun(session, word):
            continue
        near = None
        if word not in SOFT_WORDS and corrected < MAX_CORRECTED:
            corrected += 1
            near = nearest_word(session, known, word) or two_words(session, word)
        if near is None:
            lost.add(word)
        else:
            replacements[word] = near
    return replacements, lost


def _others(word: str) -> tuple[Row, ...]:
    """Other ways to say a word, and what is meant by it."""
    return SAME.get(stem(word), ()) + MEANT.get((stem(word),), ())


def _phrases(pieces: Sequence[_Piece]) -> set[str]:
    """Words that mean something together."""
    together = (one.words + other.words for one, other in pairwise(pieces))
    return {word for row in together if _stems(row) in MEANT for word in row}


def _corrected(query: str, replacements: dict[str, str]) -> str:
    parts = [
        replacements.get(folded[0], part) if is_word and len(folded := words(part)) == 1 else part
        for part, is_word in spelled(query)
    ]
    return "".join(parts)


# --- terms --------------------------------------------------------------------------------------------------------


def _terms(session: Session, known: Lexicon, pieces: Sequence[_Piece]) -> Iterable[Term]:
    spans = {
        (start, end): _joined(pieces[start:end])
        for start in range(len(pieces))
        for end in range(start + 1, min(len(pieces), start + MAX_LENGTH_NAME) + 1)
    }
    names = known.called(session, [row for row in spans.values() if len(row) <= MAX_LENGTH_NAME])
    start = 0
    while start < len(pieces):
        for end in range(min(len(pieces), start + MAX_LENGTH_NAME), start, -1):
            row = spans[start, end]
            meant = MEANT.get(_stems(row), ())
            if row in names or (meant and len(row) > 1):
                begun = _begun(session, known, pieces[start]) if end == start + 1 else ()
                yield _term(row, (*names.get(row, ()), *meant), begun)
                start = end
                break
        else:
            yield _plain(session, known, pieces[start])
            start += 1


def _plain(session: Session, known: Lexicon, piece: _Piece) -> Term:
    if len(piece.words) > 1 or piece.is_quoted:
        return Term((_stems(piece.words),))
    return _term(piece.words, _others(piece.words[0]), _begun(session, known, piece))


def _term(row: Row, others: Iterable[Row], begun: tuple[Row, ...]) -> Term:
    stemmed = _stems(row)
    # A danger in a name stands for itself: whoever asks about liver damage must find what is said of the liver.
    apart = [(word,) for word in stemmed if word in DANGERS]
    ways = _ways(stemmed, [*others, *apart])
    return Term(
        rows=ways,
        begun=tuple(way for way in begun if way not in ways),
        pieces=tuple((word,) for word in stemmed if word not in STOP_WORDS) if len(row) > 1 else (),
        is_required=len(row) > 1 or row[0] not in SOFT_WORDS,
        is_danger=not DANGERS.isdisjoint(word for way in ways for word in way),
    )


def _begun(session: Session, known: Lexicon, piece: _Piece) -> tuple[Row, ...]:
    """What an unfinished word may go on to; one that is known is taken to be finished."""
    word = piece.words[0]
    if not piece.is_open or len(word) < SHORTEST_PREFIX or known.entries(session, [stem(word)])[stem(word)]:
        return ()
    return tuple(dict.fromkeys((stem(longer),) for longer in known.begun(session, word)))


def _ways(row: Row, others: Iterable[Row]) -> tuple[Row, ...]:
    """The row and the other rows of stems that say the same, less those in which a shorter one stands already."""
    kept = [row]
    for other in sorted(set(others) - {row}, key=lambda way: (len(way), way)):
        if not any(f" {' '.join(way)} " in f" {' '.join(other)} " for way in kept):
            kept.append(other)
    return tuple(kept[:MAX_ROWS])


def _joined(pieces: Sequence[_Piece]) -> Row:
    return tuple(word for piece in pieces for word in piece.words)


def _stems(row: Row) -> Row:
    return tuple(stem(word) for word in row)
