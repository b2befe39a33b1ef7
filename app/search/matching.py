"""Searches the full-text index of either engine for terms and facets. User text never reaches a query language: only
words of letters and digits do, each quoted."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic_core import from_json
from sqlalchemy import Select, bindparam, cast, func, literal_column, select, text
from sqlalchemy.orm import Session

from app.search.analyzer import Phrase
from app.search.models import SearchEntry
from app.search.term_statistics import fetch
from app.search.terms import QueryTerm

_SQLITE = "SELECT json_group_array(rowid) FROM (SELECT rowid FROM search_fts WHERE search_fts MATCH ? LIMIT ?)"
"""FTS5 returns keys in order without sorting. One row with all keys costs half of one row for each."""
_POSTGRESQL = (
    "SELECT json_agg(pk) FROM (SELECT pk FROM search_entries "
    "WHERE vector @@ (to_tsquery('simple', ?) && CAST(? AS tsquery)) ORDER BY pk LIMIT ?) found"
)
Conditions = Iterable[Sequence[QueryTerm]]
"""An entry matches if it has all terms of any one of the sequences."""
FacetFilters = Mapping[str, Sequence[str]]
"""`type` or a facet -> values, of which an entry has any. An empty sequence does not filter."""


def matching_keys(session: Session, conditions: Conditions, filters: FacetFilters, limit: int) -> list[int]:
    """Keys of the entries that match, by static rank."""
    if _is_postgresql(session):
        ((keys,),) = fetch(session, _POSTGRESQL, *_tsquery(conditions, filters), limit)
        return list(keys or ())
    ((keys,),) = fetch(session, _SQLITE, _fts5(conditions, filters), limit)
    return list(from_json(keys))


def select_ids(session: Session, record_type: str, terms: Sequence[QueryTerm]) -> Select[str]:
    """Ids of one type's records that have all terms; of none without terms."""
    statement = select(SearchEntry.id).where(SearchEntry.type == record_type)
    if not terms:
        return statement.where(SearchEntry.pk < 0)
    conditions, filters = [terms], {"type": (record_type,)}
    if _is_postgresql(session):
        from sqlalchemy.dialects.postgresql import TSQUERY  # imported here: SQLite does without the whole dialect

        words, facets = _tsquery(conditions, filters)
        tsquery = func.to_tsquery("simple", words).bool_op("&&")(cast(facets, TSQUERY))
        return statement.where(literal_column("search_entries.vector").bool_op("@@")(tsquery))
    keys = text("SELECT rowid FROM search_fts WHERE search_fts MATCH :query").bindparams(
        bindparam("query", _fts5(conditions, filters), unique=True)
    )
    return statement.where(SearchEntry.pk.in_(keys))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


# --- FTS5 ---------------------------------------------------------------------------------------------------------


def _fts5(conditions: Conditions, filters: FacetFilters) -> str:
    # The `=` in facets distinguishes them from words, so that no column need be named.
    parts = [_any_of([" AND ".join(map(_fts5_term, terms)) for terms in conditions], " OR ")]
    parts += [_any_of([f'"{name}={value}"' for value in values], " OR ") for name, values in filters.items() if values]
    return " AND ".join(parts)


def _fts5_term(term: QueryTerm) -> str:
    return _any_of([f'"{" ".join(phrase)}"' for phrase in term.alternatives], " OR ")


# --- tsvector -----------------------------------------------------------------------------------------------------


def _tsquery(conditions: Conditions, filters: FacetFilters) -> tuple[str, str]:
    """The query for words, and the one for facets, which are lexemes and must not be cut into words."""
    words = " | ".join(f"({' & '.join(map(_tsquery_term, terms))})" for terms in conditions)
    facets = [_any_of([f"'{name}={value}'" for value in values], " | ") for name, values in filters.items() if values]
    return words, " & ".join(facets)


def _tsquery_term(term: QueryTerm) -> str:
    return _any_of([part for phrase in term.alternatives for part in _tsquery_phrase(phrase)], " | ")


def _tsquery_phrase(phrase: Phrase) -> list[str]:
    """A phrase is looked for in each field (A, B, C), so that it does not match across the end of one and the start of
    the next. A single word is not: PostgreSQL would read every row to check its field."""
    if len(phrase) == 1:
        return [phrase[0]]
    return [" <-> ".join(f"{word}:{field}" for word in phrase) for field in "ABC"]


def _any_of(parts: Iterable[str], operator: str) -> str:
    return f"({operator.join(f'({part})' for part in parts)})"
