"""Asking the full-text index: one way to say what is meant, two ways to put it. User text never reaches a query
language; only words of letters and digits do, each quoted."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic_core import from_json
from sqlalchemy import Select, bindparam, cast, func, literal_column, select, text
from sqlalchemy.orm import Session

from app.search.analyzer import Row
from app.search.models import SearchEntry
from app.search.query_parser import Term, understand
from app.search.term_statistics import fetch, lexicon

_SQLITE = "SELECT json_group_array(rowid) FROM (SELECT rowid FROM search_fts WHERE search_fts MATCH ? LIMIT ?)"
"""FTS5 walks its keys in order by itself; one row with all of them costs half of what a row for each does."""
_POSTGRESQL = (
    "SELECT json_agg(pk) FROM (SELECT pk FROM search_entries "
    "WHERE vector @@ (to_tsquery('simple', ?) && CAST(? AS tsquery)) ORDER BY pk LIMIT ?) found"
)
Narrowed = Mapping[str, Sequence[str]]
"""For `type` and each facet, the values of which one must be there; none given, none needed."""


def keys_matching(session: Session, choices: Iterable[Sequence[Term]], narrowed: Narrowed, most: int) -> list[int]:
    """Keys of the entries in which all terms of one of the choices occur, in the order of their ranks."""
    if _is_postgresql(session):
        ((found,),) = fetch(session, _POSTGRESQL, *_tsquery(choices, narrowed), most)
        return list(found or ())
    ((found,),) = fetch(session, _SQLITE, _fts5(choices, narrowed), most)
    return list(from_json(found))


def ids_matching(session: Session, record_type: str, query: str) -> Select[str]:
    """Ids of one type's records in which everything asked for occurs, for the `q` of lists."""
    question = understand(session, lexicon(session), query)
    statement = select(SearchEntry.id).where(SearchEntry.type == record_type)
    if not question.terms or not question.is_whole:
        return statement.where(SearchEntry.pk < 0)
    choices, narrowed = [question.required], {"type": (record_type,)}
    if _is_postgresql(session):
        from sqlalchemy.dialects.postgresql import TSQUERY  # brings all of that dialect, which SQLite does without

        words, facets = _tsquery(choices, narrowed)
        asked = func.to_tsquery("simple", words).bool_op("&&")(cast(facets, TSQUERY))
        return statement.where(literal_column("search_entries.vector").bool_op("@@")(asked))
    found = text("SELECT rowid FROM search_fts WHERE search_fts MATCH :asked").bindparams(
        bindparam("asked", _fts5(choices, narrowed), unique=True)
    )
    return statement.where(SearchEntry.pk.in_(found))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


# --- FTS5 ---------------------------------------------------------------------------------------------------------


def _fts5(choices: Iterable[Sequence[Term]], narrowed: Narrowed) -> str:
    # Facets are told from words by the `=` in them, so that no word need be looked for in named columns.
    wanted = [_either([" AND ".join(map(_fts5_term, terms)) for terms in choices], " OR ")]
    wanted += [
        _either([f'"{name}={value}"' for value in values], " OR ") for name, values in narrowed.items() if values
    ]
    return " AND ".join(wanted)


def _fts5_term(term: Term) -> str:
    return _either(['"' + " ".join(row) + '"' for row in term.ways], " OR ")


# --- tsvector -----------------------------------------------------------------------------------------------------


def _tsquery(choices: Iterable[Sequence[Term]], narrowed: Narrowed) -> tuple[str, str]:
    """Words, and facets: these are lexemes as they are, and must not be cut into words."""
    words = " | ".join(f"({' & '.join(map(_tsquery_term, terms))})" for terms in choices)
    facets = [_either([f"'{name}={value}'" for value in values], " | ") for name, values in narrowed.items() if values]
    return words, " & ".join(facets)


def _tsquery_term(term: Term) -> str:
    return _either([way for row in term.ways for way in _tsquery_ways(row)], " | ")


def _tsquery_ways(row: Row) -> list[str]:
    """Words in a row are looked for in each field apart, lest they match across the end of one and the start of the
    next. A word alone is not: the index knows words but no fields, and would have every row read to tell."""
    if len(row) == 1:
        return [row[0]]
    return [" <-> ".join(f"{word}:{field}" for word in row) for field in "ABC"]


def _either(ways: Iterable[str], either: str) -> str:
    return f"({either.join(f'({way})' for way in ways)})"
