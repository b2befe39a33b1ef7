"""Searches: finds entries, ranks them and counts their facets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.core.folding import words
from app.search import facets
from app.search.analyzer import stem, stems
from app.search.index import MAX_NAME_LENGTH
from app.search.matching import Conditions, FacetFilters, matching_keys, select_ids
from app.search.query_parser import parse_query
from app.search.ranking import COLUMNS, Hit, Weights, rank, weigh, weight_of
from app.search.spellings import spellings
from app.search.term_statistics import fetch, term_statistics
from app.search.terms import QueryTerm
from app.sources.identifiers import identify

MAX_RANKED = 120
"""Results that can be paged through."""
MAX_COUNTED = 1000
ENOUGH = 20
"""If fewer entries have all required terms than a page holds, entries that have some of them are results as well: a few
that have the words by chance must not hide the answers that lack one."""
SUFFICIENT_SHARE = 0.3
"""The share of the question, by weight, that these entries must have."""
MAX_COMBINED = 6
"""The heaviest terms, of which combinations with that share are made."""
WARNINGS = QueryTerm(tuple(stems(word) for word in ("contraindicated", "interaction", "warns")))
"""Entries that warn of a risk are results, whatever the other terms are."""


@dataclass(frozen=True)
class SearchResults:
    hits: tuple[Hit, ...]
    total: int
    """At most one more than MAX_COUNTED."""
    is_exact: bool
    has_all_terms: bool
    """Whether each result has all required terms."""
    left_out: tuple[str, ...]
    """Words of the question, folded, on which the results do not depend: no record has them."""
    facets: Mapping[str, Mapping[str, int]]
    did_you_mean: str | None
    terms: tuple[QueryTerm, ...]


def search(session: Session, query: str, filters: FacetFilters) -> SearchResults:
    statistics = term_statistics(session)
    question = parse_query(session, statistics, query)
    if not question.terms:
        return SearchResults((), 0, True, not question.is_relaxed, question.unknown, {}, question.correction, ())
    terms = question.terms
    weights = weigh(session, statistics, terms)
    levels = _levels(session, question.required, weights, {name: v for name, v in filters.items() if v})
    if not levels[-1]:
        terms = tuple(dict.fromkeys((*terms, *_single_words(terms))))
        weights = weigh(session, statistics, terms)
        levels = [[], matching_keys(session, [(term,) for term in terms], filters, MAX_COUNTED + 1)]
    keys = levels[-1]
    closest = _closest(session, terms, weights, filters) if len(levels) == 1 and len(keys) > MAX_RANKED else []
    # Entries that have all terms are candidates, whatever their static rank.
    candidates = list(dict.fromkeys(key for level in (*closest, *levels) for key in level[:MAX_RANKED]))[:MAX_RANKED]
    named = _named(session, query, [" ".join(one)[:MAX_NAME_LENGTH] for one in spellings(tuple(words(question.text)))])
    return SearchResults(
        hits=rank(_read(session, candidates), terms, weights, named, question.text),
        total=len(keys),
        is_exact=len(keys) <= MAX_COUNTED,
        has_all_terms=len(levels) == 1 and not question.is_relaxed,
        left_out=(*question.unknown, *_absent(session, question.required if len(levels) > 1 else ())),
        facets=facets.count(statistics.bitmaps, keys[:MAX_COUNTED]),
        did_you_mean=question.correction,
        terms=terms,
    )


def ids_matching(session: Session, record_type: str, query: str) -> Select[str]:
    """Ids of one type's records that match everything in the question, for the `q` of lists."""
    question = parse_query(session, term_statistics(session), query)
    return select_ids(session, record_type, () if question.is_relaxed else question.required)


def _single_words(terms: Sequence[QueryTerm]) -> Iterator[QueryTerm]:
    """The words of phrases, to be found where the phrases are not."""
    return (QueryTerm(((stem(word),),), text=word) for term in terms for word in term.text.split() if " " in term.text)


def _levels(session: Session, terms: Sequence[QueryTerm], weights: Weights, filters: FacetFilters) -> list[list[int]]:
    """Keys of the entries that have all terms; where these are few, also keys of those that have enough of them.

    Filters do not decide whether they are few: narrowing by a facet gives as many results as the facet counted.
    """

    def find(conditions: Conditions) -> tuple[list[int], int]:
        keys = matching_keys(session, conditions, filters, MAX_COUNTED + 1)
        if not filters or len(keys) >= ENOUGH:
            return keys, len(keys)
        return keys, len(matching_keys(session, conditions, {}, MAX_COUNTED + 1))

    strict, strict_count = find([terms])
    if strict_count >= ENOUGH or len(terms) == 1:
        return [strict]
    loose, loose_count = find(_loose_conditions(terms, weights))
    if not loose:  # the rarest words are in no record, or in none that the filters keep: any word will do
        loose, loose_count = find([(term,) for term in terms])
    return [strict, loose] if loose_count > strict_count else [strict]


def _closest(session: Session, terms: Sequence[QueryTerm], weights: Weights, filters: FacetFilters) -> list[list[int]]:
    """Where more entries have all terms than are ranked, keys of those among them that have optional words too, or the
    very words of the question where other words for them are more common. The fewest first; too many are none."""
    required = tuple(term for term in terms if term.is_required)
    literal = tuple(
        replace(term, alternatives=term.alternatives[:1])
        if weights[term.alternatives[0]] > weight_of(term, weights)
        else term
        for term in required
    )
    with_optional = [(*required, term) for term in terms if not term.is_required]
    conditions = [some for some in (with_optional, [literal] if literal != required else []) if some]
    levels = (matching_keys(session, some, filters, MAX_RANKED + 1) for some in conditions)
    return sorted((keys for keys in levels if len(keys) <= MAX_RANKED), key=len)


def _absent(session: Session, terms: Sequence[QueryTerm]) -> Iterator[str]:
    return (term.text for term in terms if not matching_keys(session, [[term]], {}, 1))


def _loose_conditions(terms: Sequence[QueryTerm], weights: Weights) -> list[tuple[QueryTerm, ...]]:
    """The smallest combinations of terms that have a sufficient share of the weight, and warnings of each risk."""
    weight = {term: weight_of(term, weights) for term in terms}
    heaviest = sorted(weight, key=lambda term: -weight[term])[:MAX_COMBINED]
    sufficient = SUFFICIENT_SHARE * sum(weight[term] for term in heaviest)
    conditions: list[tuple[QueryTerm, ...]] = []
    for size in range(1, len(heaviest) + 1):
        for some in combinations(heaviest, size):
            if sum(weight[term] for term in some) >= sufficient and not any(set(c) <= set(some) for c in conditions):
                conditions.append(some)
    return conditions + [(term, WARNINGS) for term in terms if term.is_risk]


def _read(session: Session, pks: list[int]) -> Sequence[Any]:
    return fetch(session, f"SELECT {COLUMNS} FROM search_entries WHERE pk IN ?", pks) if pks else []  # noqa: S608


def _named(session: Session, query: str, folded: Sequence[str]) -> set[int]:
    """Keys of the entries that have exactly one of these names. Where the question says that it is an identifier
    (`pmid:23359310`), a code of the same digits is another name."""
    named = "SELECT entry_pk, matched_on FROM search_names WHERE folded IN ? AND is_start ORDER BY entry_pk LIMIT ?"
    rows = fetch(session, named, folded, MAX_RANKED)
    identified = {pk for pk, matched_on in rows if matched_on == "identifier"}
    return identified if identified and identify(query) else {pk for pk, _ in rows}


@dataclass(frozen=True)
class HitText:
    """What a list of results shows of a record."""

    heading: str
    summary: str | None
    """Of a claim, a `ClaimSummary` as JSON."""


def hit_texts(session: Session, hits: Sequence[Hit]) -> list[HitText]:
    """What to show of each hit, as rendered when the record was published."""
    pks = [hit.pk for hit in hits]
    texts = "SELECT pk, heading, summary FROM search_entries WHERE pk IN ?"
    by_pk = {pk: HitText(heading, summary) for pk, heading, summary in fetch(session, texts, pks)} if pks else {}
    return [by_pk[pk] for pk in pks]
