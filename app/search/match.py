"""Asking the full-text index: one way to say what is meant, two ways to put it. User text never reaches a query
language; only words of letters and digits do, each quoted."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, text
from sqlalchemy.orm import Session

from app.search.models import SearchEntry
from app.search.text import STOP_WORDS, stem, words

MOST_TERMS = 16
SHORTEST_PREFIX = 3


@dataclass(frozen=True)
class Term:
    """One thing asked for: a word, or words in a row."""

    words: tuple[str, ...]
    is_prefix: bool = False
    """Whether the word may go on: the last one of a query, which may still be being typed."""

    @property
    def stems(self) -> tuple[str, ...]:
        return tuple(stem(word) for word in self.words)


def parse(query: str) -> tuple[Term, ...]:
    """The terms of a query. Words in quotes, and words joined by punctuation (`M79.7`, `ME/CFS`), stay in a row."""
    terms: list[Term] = []
    for index, part in enumerate(query.split('"')):
        quoted = index % 2 == 1
        for chunk in [part] if quoted else part.split():
            row = tuple(words(chunk))[:MOST_TERMS]
            if row:
                terms.append(Term(row))
    asked = [term for term in terms if len(term.words) > 1 or term.words[0] not in STOP_WORDS] or terms
    asked = list(dict.fromkeys(asked))[:MOST_TERMS]
    if asked and not query.rstrip().endswith('"') and query[-1:].strip():
        last = asked[-1]
        if len(last.words) == 1 and len(last.words[0]) >= SHORTEST_PREFIX and terms[-1] == last:
            asked[-1] = Term(last.words, is_prefix=True)
    return tuple(asked)


def matching(session: Session, terms: Sequence[Term], *, every: bool) -> ColumnElement[bool]:
    """The condition on SearchEntry that every term, or any of them, occurs."""
    if session.get_bind().dialect.name == "postgresql":
        asked = (" & " if every else " | ").join(map(_tsquery, terms))
        return literal_column("search_entries.vector").bool_op("@@")(func.to_tsquery("simple", asked))
    asked = (" AND " if every else " OR ").join(map(_fts5, terms))
    found = text("SELECT rowid FROM search_fts WHERE search_fts MATCH :asked").bindparams(
        bindparam("asked", asked, unique=True)
    )
    return SearchEntry.pk.in_(found)


def _fts5(term: Term) -> str:
    exact = '{title names body} : "' + " ".join(term.stems) + '"'
    return f'({exact} OR spelled : "{term.words[0]}" *)' if term.is_prefix else f"({exact})"


def _tsquery(term: Term) -> str:
    # Each field apart, so that words in a row do not match across the end of one field and the start of the next.
    rows = [" <-> ".join(f"{word}:{weight}" for word in term.stems) for weight in "ABC"]
    exact = " | ".join(f"({row})" for row in rows)
    return f"({exact} | {term.words[0]}:D*)" if term.is_prefix else f"({exact})"


def ids_matching(session: Session, record_type: str, query: str) -> Select[str]:
    """Ids of one type's records in which every term of the query occurs, for the `q` of lists."""
    terms = parse(query)
    statement = select(SearchEntry.id).where(SearchEntry.type == record_type)
    return statement.where(matching(session, terms, every=True)) if terms else statement.where(SearchEntry.pk < 0)
