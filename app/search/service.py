"""Asking and ranking: what was found, in which order, and how it may be narrowed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.core.resource import Key
from app.search.match import matching
from app.search.models import SearchEntry, SearchFacet, SearchName, SearchWord
from app.search.question import Term, understand
from app.search.text import Row, spelled, stem, stems, words

MOST_RANKED = 200
"""Results that can be paged through; who needs more narrows the question."""
MOST_COUNTED = 1000
FEW = 10
"""With fewer results than this, a record may lack some of what was asked for: first what tells least."""
SHARES = (0.6, 0.3)
"""How much of what was asked for, by weight, is enough when too few records have all of it."""
MOST_CHOSEN_FROM = 8

_FIELDS = (("title", 3.0, 4), ("names", 1.6, 10), ("body", 0.8, 20))
"""What a word weighs in each field, and how many words are few there."""
_OTHER_WAY = 0.85
_BEGUN = 0.8
_EXACT_NAME = 100.0
_SOFT = 0.5
_IN_A_ROW = 0.5


@dataclass(frozen=True)
class Hit:
    type: str
    id: str
    score: float

    @property
    def key(self) -> Key:
        return Key(self.type, self.id)


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


Where = Sequence[ColumnElement[bool]]
Weights = Mapping[Row, float]
"""How much each row of stems tells."""


def search(session: Session, query: str, narrowed: Mapping[str, Sequence[str]]) -> Results:
    """Rank what matches. `narrowed` holds, for `type` and each facet, the values of which one must be there."""
    question = understand(session, query)
    if not question.terms:
        return Results((), 0, True, question.is_whole, {}, question.correction, ())
    where = _narrowing(narrowed)
    weights = _weights(session, question.terms)
    levels = _levels(session, question.required, weights)
    condition, total = levels[-1]
    total = _count(session, condition, where) if where else total
    return Results(
        hits=_ranked(session, _candidates(session, levels, where), question.terms, weights, query),
        total=min(total, MOST_COUNTED + 1),
        is_exact=total <= MOST_COUNTED,
        every=len(levels) == 1 and question.is_whole,
        facets=_facets(session, condition, where),
        did_you_mean=question.correction,
        terms=question.terms,
    )


Level = tuple[ColumnElement[bool], int]
"""A condition, and how many records meet it (counted as far as the bound)."""


def _levels(session: Session, terms: Sequence[Term], weights: Weights) -> list[Level]:
    """Conditions, each looser than the one before, until enough records meet the last; the first asks for all terms.

    Filters play no part: whoever narrows by a facet gets as many records as it counted.
    """
    every = matching(session, [terms])
    levels = [(every, _count(session, every))]
    for share in SHARES if len(terms) > 1 else ():
        if levels[-1][1] >= FEW:
            break
        some = matching(session, _choices(terms, weights, share))
        total = _count(session, some)
        if total > levels[-1][1]:
            levels.append((some, total))
    return levels


def _candidates(session: Session, levels: Sequence[Level], where: Where) -> list[SearchEntry]:
    """The records to be ranked: what meets a stricter condition is among them, whatever its static rank."""
    found: dict[int, SearchEntry] = {}
    for condition, _ in levels:
        matched = select(SearchEntry).where(condition, *where).order_by(SearchEntry.rank, SearchEntry.pk)
        found.update({entry.pk: entry for entry in session.scalars(matched.limit(MOST_RANKED))})
    return list(found.values())[:MOST_RANKED]


def _choices(terms: Sequence[Term], weights: Weights, share: float) -> list[tuple[Term, ...]]:
    """The smallest sets of terms that make up so much of the weight of all."""
    weighed = {term: min(weights[row] for row in term.rows) for term in terms}
    heaviest = sorted(weighed, key=lambda term: -weighed[term])[:MOST_CHOSEN_FROM]
    enough = share * sum(weighed[term] for term in heaviest)
    chosen: list[tuple[Term, ...]] = []
    for size in range(1, len(heaviest) + 1):
        for some in combinations(heaviest, size):
            if sum(weighed[term] for term in some) >= enough and not any(set(c) <= set(some) for c in chosen):
                chosen.append(some)
    return chosen


def _count(session: Session, condition: ColumnElement[bool], where: Where = ()) -> int:
    capped = select(SearchEntry.pk).where(condition, *where).limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(capped)) or 0


def _narrowing(narrowed: Mapping[str, Sequence[str]]) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for name, values in narrowed.items():
        if not values:
            continue
        if name == "type":
            where.append(SearchEntry.type.in_(values))
        else:
            holding = select(SearchFacet.entry_pk).where(SearchFacet.name == name, SearchFacet.value.in_(values))
            where.append(SearchEntry.pk.in_(holding))
    return where


def _facets(session: Session, condition: ColumnElement[bool], where: Where) -> dict[str, dict[str, int]]:
    """Counts over everything that matches, the most frequent first; beyond the counted bound they are lower bounds."""
    found = (
        select(SearchEntry.pk, SearchEntry.type)
        .where(condition, *where)
        .order_by(SearchEntry.rank, SearchEntry.pk)
        .limit(MOST_COUNTED)
        .subquery()
    )
    counts: dict[str, Counter[str]] = {"type": Counter()}
    for record_type, number in session.execute(select(found.c.type, func.count()).group_by(found.c.type)):
        counts["type"][record_type] = number
    rows = session.execute(
        select(SearchFacet.name, SearchFacet.value, func.count())
        .where(SearchFacet.entry_pk.in_(select(found.c.pk)))
        .group_by(SearchFacet.name, SearchFacet.value)
    )
    for name, value, number in rows:
        counts.setdefault(name, Counter())[value] = number
    return {name: dict(sorted(values.items(), key=lambda v: (-v[1], v[0]))) for name, values in counts.items()}


# --- ranking ------------------------------------------------------------------------------------------------------


def _ranked(
    session: Session, candidates: Iterable[SearchEntry], terms: Sequence[Term], weights: Weights, query: str
) -> tuple[Hit, ...]:
    """Rare words weigh more than common ones, titles more than names, names more than the rest; what stands in a row
    as it was asked gains, and a name that is just what was asked comes first. Ties go by static rank, then by id: the
    same order on both engines."""
    named = _named(session, " ".join(words(query)))
    asked = stems(query)
    scored = []
    for entry in candidates:
        score = sum(_term(entry, term, weights) for term in terms) + _IN_A_ROW * _longest_run(asked, entry.title)
        if entry.pk in named:
            score += _EXACT_NAME
        scored.append((-round(score - entry.rank / 400, 6), entry.rank, entry.type, entry.id))
    return tuple(Hit(record_type, record_id, -score) for score, _, record_type, record_id in sorted(scored))


def _term(entry: SearchEntry, term: Term, weights: Weights) -> float:
    best = 0.0
    for place, row in enumerate(term.rows):
        share = _OTHER_WAY if place else 1.0
        best = max(best, share * weights[row] * _field(entry, f" {' '.join(row)} "))
    if not best and term.begun and f" {term.begun}" in f" {entry.spelled}":
        in_title = any(word.startswith(term.begun) for word in entry.title.split())
        best = _BEGUN * weights[term.rows[0]] * (2 if in_title else 1)
    return best if term.is_required else _SOFT * best


def _longest_run(asked: Sequence[str], title: str) -> int:
    """How many words beyond the first stand in the title in a row as they were asked."""
    padded = f" {title} "
    longest = 1
    for start in range(len(asked)):
        while f" {' '.join(asked[start : start + longest + 1])} " in padded and start + longest < len(asked):
            longest += 1
    return longest - 1


def _field(entry: SearchEntry, row: str) -> float:
    for name, weight, short in _FIELDS:
        text: str = getattr(entry, name)
        if row in f" {text} ":
            # What is short is more about the words that it holds than what is long.
            return weight * (1 + short / (2 * short + text.count(" ")))
    return 0.0


def _weights(session: Session, terms: Sequence[Term]) -> Weights:
    """The rarer, the heavier (as in BM25)."""
    every = session.scalar(select(func.count()).select_from(SearchEntry)) or 1
    rows = {row for term in terms for row in term.rows}
    found = session.execute(
        select(SearchWord.word, SearchWord.entries).where(
            SearchWord.word.in_({word for row in rows for word in row}), SearchWord.is_stem
        )
    )
    entries: dict[str, int] = {row[0]: row[1] for row in found}
    holding = {row: min(entries.get(word, 0) for word in row) for row in rows}
    return {row: math.log(1 + (every - number + 0.5) / (number + 0.5)) for row, number in holding.items()}


def _named(session: Session, whole: str) -> set[int]:
    statement = select(SearchName.entry_pk).where(SearchName.folded == whole[:200], SearchName.is_start)
    return set(session.scalars(statement.limit(MOST_RANKED)))


# --- showing ------------------------------------------------------------------------------------------------------


def parts(text: str, terms: Sequence[Term]) -> list[tuple[str, bool]]:
    """A text in parts, told apart by whether they are what was asked for; no markup."""
    rows = [row for term in terms for row in term.rows]
    starts = tuple(term.begun for term in terms if term.begun)
    pieces = spelled(text)
    hits = _in_rows([[stem(word) for word in words(part)] if is_word else [] for part, is_word in pieces], rows)
    shown: list[tuple[str, bool]] = []
    for index, (part, is_word) in enumerate(pieces):
        begun = is_word and bool(starts) and any(word.startswith(starts) for word in words(part))
        hit = index in hits or begun
        if shown and shown[-1][1] == hit:
            shown[-1] = (shown[-1][0] + part, hit)
        else:
            shown.append((part, hit))
    return shown


def _in_rows(stemmed: Sequence[Sequence[str]], rows: Sequence[Row]) -> set[int]:
    """Which parts stand in one of the rows, with what parts them."""
    flat = [(word, index) for index, row in enumerate(stemmed) for word in row]
    hits: set[int] = set()
    for row in rows:
        for start in range(len(flat) - len(row) + 1):
            if all(flat[start + i][0] == word for i, word in enumerate(row)):
                hits.update(range(flat[start][1], flat[start + len(row) - 1][1] + 1))
    return hits
