"""Asking: what was found, in which order, and how it may be narrowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy.orm import Session

from app.search import facets
from app.search.analyzer import stem, words
from app.search.index import MAX_LENGTH_NAME
from app.search.matching import Narrowed, keys_matching
from app.search.query_parser import Term, understand
from app.search.ranking import COLUMNS, Hit, Weights, rank, weigh
from app.search.term_statistics import fetch, lexicon

MAX_RANKED = 120
"""Results that can be paged through; who needs more narrows the question."""
MAX_COUNTED = 1000
FEW = 10
"""With fewer results than this, a record may lack some of what was asked for: first what tells least."""
SHARES = (0.6, 0.3)
"""How much of what was asked for, by weight, is enough when too few records have all of it."""
MAX_CHOSEN_FROM = 6
WARNS = Term(tuple((stem(word),) for word in ("contraindicated", "interaction", "warns")))
"""What warns of a danger is found, however much else was asked for."""


@dataclass(frozen=True)
class Results:
    hits: tuple[Hit, ...]
    total: int
    is_exact: bool
    every: bool
    """Whether everything asked for occurs in each result, or only a part of it."""
    facets: Mapping[str, Mapping[str, int]]
    did_you_mean: str | None
    terms: tuple[Term, ...]


def search(session: Session, query: str, narrowed: Narrowed) -> Results:
    """Rank what matches. `narrowed` holds, for `type` and each facet, the values of which one must be there."""
    known = lexicon(session)
    question = understand(session, known, query)
    if not question.terms:
        return Results((), 0, True, question.is_whole, {}, question.correction, ())
    weights = weigh(known, session, question.terms)
    levels = _levels(session, question.required, weights, {name: v for name, v in narrowed.items() if v})
    found = levels[-1]
    # What meets a stricter condition is among the candidates, whatever its static rank.
    candidates = list(dict.fromkeys(pk for level in levels for pk in level[:MAX_RANKED]))[:MAX_RANKED]
    named = _named(session, " ".join(words(query)))
    return Results(
        hits=rank(_read(session, candidates), question.terms, weights, named, query),
        total=len(found),
        is_exact=len(found) <= MAX_COUNTED,
        every=len(levels) == 1 and question.is_whole,
        facets=facets.count(known.bitmaps, found[:MAX_COUNTED]),
        did_you_mean=question.correction,
        terms=question.terms,
    )


def _levels(session: Session, terms: Sequence[Term], weights: Weights, narrowed: Narrowed) -> list[list[int]]:
    """Keys of what meets a condition, for conditions each looser than the one before, until enough records meet the
    last; the first asks for all terms. Counted as far as the bound, after narrowing.

    Filters play no part in how loose the last one is: whoever narrows by a facet gets as many records as it counted.
    """
    most = MAX_COUNTED + 1

    def found(choices: Sequence[Sequence[Term]]) -> tuple[list[int], int]:
        keys = keys_matching(session, choices, narrowed, most)
        if not narrowed or len(keys) >= FEW:
            return keys, len(keys)
        return keys, len(keys_matching(session, choices, {}, most))

    keys, number = found([terms])
    levels = [keys]
    for choices in _looser(terms, weights) if number < FEW else ():
        keys, more = found(choices)
        if more > number:
            number = more
            levels.append(keys)
        if number >= FEW:
            break
    return levels


def _looser(terms: Sequence[Term], weights: Weights) -> list[list[tuple[Term, ...]]]:
    """Conditions that ask for less and less: names in their words alone, then less of all that was asked for."""
    loose = [Term(term.ways + term.pieces) if term.pieces else term for term in terms]
    conditions = [[tuple(loose)]] if any(term.pieces for term in terms) else []
    if len(terms) > 1:
        weighed = {wide: min(weights[row] for row in term.rows) for wide, term in zip(loose, terms, strict=True)}
        conditions += [_choices(weighed, share) for share in SHARES]
    warnings = [(term, WARNS) for term in loose if term.is_danger]
    return [[*condition, *warnings] for condition in conditions]


def _choices(weighed: Mapping[Term, float], share: float) -> list[tuple[Term, ...]]:
    """The smallest sets of terms that make up so much of the weight of all."""
    heaviest = sorted(weighed, key=lambda term: -weighed[term])[:MAX_CHOSEN_FROM]
    enough = share * sum(weighed[term] for term in heaviest)
    chosen: list[tuple[Term, ...]] = []
    for size in range(1, len(heaviest) + 1):
        for some in combinations(heaviest, size):
            if sum(weighed[term] for term in some) >= enough and not any(set(c) <= set(some) for c in chosen):
                chosen.append(some)
    return chosen


def _read(session: Session, pks: list[int]) -> Sequence[Any]:
    return fetch(session, f"SELECT {COLUMNS} FROM search_entries WHERE pk IN ?", pks) if pks else []  # noqa: S608


def _named(session: Session, whole: str) -> set[int]:
    """Entries that are called just what was asked for."""
    called = "SELECT entry_pk FROM search_names WHERE folded = ? AND is_start ORDER BY entry_pk LIMIT ?"
    return {pk for (pk,) in fetch(session, called, whole[:MAX_LENGTH_NAME], MAX_RANKED)}


@dataclass(frozen=True)
class Shown:
    """What is shown of a record that was found."""

    heading: str
    summary: str | None
    """Of a claim, what must travel with its text, as JSON."""


def shown(session: Session, hits: Sequence[Hit]) -> list[Shown]:
    """What is shown of each hit, as it was written when the record was published."""
    pks = [hit.pk for hit in hits]
    read = "SELECT pk, heading, summary FROM search_entries WHERE pk IN ?"
    found = {pk: Shown(heading, summary) for pk, heading, summary in fetch(session, read, pks)} if pks else {}
    return [found[pk] for pk in pks]
