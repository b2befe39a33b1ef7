"""Asking the full-text index: one way to say what is meant, two ways to put it. User text never reaches a query
language; only words of letters and digits do, each quoted."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, text
from sqlalchemy.orm import Session

from app.search.models import SearchEntry
from app.search.question import Term, understand


def matching(session: Session, choices: Iterable[Sequence[Term]]) -> ColumnElement[bool]:
    """The condition on SearchEntry that all terms of one of the choices occur."""
    if session.get_bind().dialect.name == "postgresql":
        asked = " | ".join(f"({' & '.join(map(_tsquery, terms))})" for terms in choices)
        return literal_column("search_entries.vector").bool_op("@@")(func.to_tsquery("simple", asked))
    asked = " OR ".join(f"({' AND '.join(map(_fts5, terms))})" for terms in choices)
    found = text("SELECT rowid FROM search_fts WHERE search_fts MATCH :asked").bindparams(
        bindparam("asked", asked, unique=True)
    )
    return SearchEntry.pk.in_(found)


def _fts5(term: Term) -> str:
    ways = ['{title names body} : "' + " ".join(row) + '"' for row in term.rows]
    return _either(ways + ([f'spelled : "{term.begun}" *'] if term.begun else []), " OR ")


def _tsquery(term: Term) -> str:
    # Each field apart, so that words in a row do not match across the end of one field and the start of the next.
    ways = ["(" + " <-> ".join(f"{word}:{field}" for word in row) + ")" for row in term.rows for field in "ABC"]
    return _either(ways + ([f"{term.begun}:D*"] if term.begun else []), " | ")


def _either(ways: Iterable[str], either: str) -> str:
    return f"({either.join(ways)})"


def ids_matching(session: Session, record_type: str, query: str) -> Select[str]:
    """Ids of one type's records in which everything asked for occurs, for the `q` of lists."""
    question = understand(session, query)
    statement = select(SearchEntry.id).where(SearchEntry.type == record_type)
    if not question.terms or not question.is_whole:
        return statement.where(SearchEntry.pk < 0)
    return statement.where(matching(session, [question.required]))
