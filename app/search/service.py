"""Asking and ranking: what was asked, what was found, in which order, and how it may be narrowed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.resource import Key
from app.search.match import Term, matching, parse
from app.search.models import SearchEntry, SearchFacet, SearchName, SearchWord
from app.search.text import spelled, stem, words

MOST_RANKED = 200
"""Results that can be paged through; who needs more narrows the question."""
MOST_COUNTED = 1000
FEW = 3
"""With fewer results than this for all words together, any of them will do."""

_FIELDS = (("title", 3.0), ("names", 2.0), ("body", 1.0))
_EXACT_NAME = 12.0
_COMMON = math.log(1 + 3)


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
    """Whether all words occur in each result, or only some of them."""
    facets: Mapping[str, Mapping[str, int]]
    did_you_mean: str | None
    terms: tuple[Term, ...]


def search(session: Session, query: str, narrowed: Mapping[str, Sequence[str]]) -> Results:
    """Rank what matches. `narrowed` holds, for `type` and each facet, the values of which one must be there."""
    terms = parse(query)
    if not terms:
        return Results((), 0, True, True, {}, None, ())
    correction, known = _corrected(session, query, terms)
    where = _narrowing(narrowed)
    condition, every, total = _condition(session, known or terms, where)
    if total == 0 and correction is not None:
        corrected = parse(correction)
        condition, every, total = _condition(session, corrected, where)
        terms = known = corrected
    candidates = session.execute(
        select(SearchEntry).where(condition, *where).order_by(SearchEntry.rank, SearchEntry.pk).limit(MOST_RANKED)
    ).scalars()
    hits = _ranked(session, candidates, known or terms, query)
    return Results(
        hits=hits,
        total=min(total, MOST_COUNTED + 1),
        is_exact=total <= MOST_COUNTED,
        every=every,
        facets=_facets(session, condition, where),
        did_you_mean=correction,
        terms=known or terms,
    )


def _condition(
    session: Session, terms: Sequence[Term], where: Sequence[ColumnElement[bool]]
) -> tuple[ColumnElement[bool], bool, int]:
    every = matching(session, terms, every=True)
    total = _count(session, every, where)
    if total >= FEW or len(terms) == 1:
        return every, True, total
    some = matching(session, _telling(session, terms), every=False)
    return some, False, _count(session, some, where)


def _telling(session: Session, terms: Sequence[Term]) -> Sequence[Term]:
    """Terms that tell records apart; a word that stands in every third record brings in too much by itself."""
    weights = _weights(session, terms)
    return [term for term in terms if weights[term] > _COMMON] or terms


def _count(session: Session, condition: ColumnElement[bool], where: Sequence[ColumnElement[bool]]) -> int:
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


def _facets(
    session: Session, condition: ColumnElement[bool], where: Sequence[ColumnElement[bool]]
) -> dict[str, dict[str, int]]:
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


def _ranked(session: Session, candidates: Iterable[SearchEntry], terms: Sequence[Term], query: str) -> tuple[Hit, ...]:
    """Rare words weigh more than common ones, titles more than names, names more than the rest; a name that is just
    what was asked comes first. Ties go by static rank, then by id: the same order on both engines."""
    weights = _weights(session, terms)
    whole = " ".join(words(query))
    named = _named(session, whole)
    scored = []
    for entry in candidates:
        score = sum(weights[term] * _best_field(entry, term) for term in terms)
        if entry.pk in named:
            score += _EXACT_NAME
        scored.append((-round(score - entry.rank / 400, 6), entry.rank, entry.type, entry.id))
    return tuple(Hit(record_type, record_id, -score) for score, _, record_type, record_id in sorted(scored))


def _best_field(entry: SearchEntry, term: Term) -> float:
    asked = " ".join(term.stems)
    for name, weight in _FIELDS:
        text: str = getattr(entry, name)
        padded = f" {text} "
        if f" {asked} " in padded:
            # A short title that holds the word is more about it than a long one.
            return weight * (1 + 4 / (8 + text.count(" "))) if name == "title" else weight
    if term.is_prefix and f" {term.words[0]}" in f" {entry.spelled}":
        return 0.8 * (2 if any(w.startswith(term.words[0]) for w in entry.title.split()) else 1)
    return 0.0


def _weights(session: Session, terms: Sequence[Term]) -> dict[Term, float]:
    every = session.scalar(select(func.count()).select_from(SearchEntry)) or 1
    stems = {word for term in terms for word in term.stems}
    rows = session.execute(
        select(SearchWord.word, SearchWord.entries).where(SearchWord.word.in_(stems), SearchWord.is_stem)
    )
    entries: dict[str, int] = {row[0]: row[1] for row in rows}
    return {term: math.log(1 + every / (1 + min(entries.get(word, 0) for word in term.stems))) for term in terms}


def _named(session: Session, whole: str) -> set[int]:
    statement = select(SearchName.entry_pk).where(SearchName.folded == whole[:200], SearchName.is_start)
    return set(session.scalars(statement.limit(MOST_RANKED)))


# --- spelling -----------------------------------------------------------------------------------------------------


def _corrected(session: Session, query: str, terms: Sequence[Term]) -> tuple[str | None, tuple[Term, ...]]:
    """The query with unknown words replaced by the nearest known ones, and the terms whose words are known or begun."""
    asked = {word for term in terms for word in term.words}
    stems = {stem(word) for word in asked}
    known_stems = set(session.scalars(select(SearchWord.word).where(SearchWord.word.in_(stems), SearchWord.is_stem)))
    begun = {word for word in asked if stem(word) not in known_stems and _begins(session, word)}
    unknown = {word for word in asked if stem(word) not in known_stems} - begun
    known = tuple(
        Term(term.words, is_prefix=True) if len(term.words) == 1 and term.words[0] in begun else term
        for term in terms
        if not unknown & set(term.words)
    )
    replaced = {word: near for word in unknown if (near := nearest_word(session, word)) is not None}
    if not replaced:
        return None, known
    parts = [
        replaced.get(folded[0], part) if is_word and len(folded := words(part)) == 1 else part
        for part, is_word in spelled(query)
    ]
    return "".join(parts), known


def _begins(session: Session, word: str) -> bool:
    """Whether a known word starts with this one."""
    return (
        len(word) >= 3
        and session.scalar(select(SearchWord.word).where(_from(SearchWord.word, word)).limit(1)) is not None
    )


def _from(column: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    """The column begins with the text: as a range, which an index serves on both engines."""
    return and_(column >= start, column < start[:-1] + chr(ord(start[-1]) + 1))


def nearest_word(session: Session, word: str) -> str | None:
    """The known word nearest to one that is not known: one slip in a short word, two in a longer one."""
    if len(word) < 4 or not word.isalpha():
        return None
    found = process.extractOne(word, _known_words(session), scorer=OSA.distance, score_cutoff=1 if len(word) < 7 else 2)
    return str(found[0]) if found else None


def _known_words(session: Session) -> tuple[str, ...]:
    size, most = session.execute(select(func.count(), func.max(SearchWord.entries))).one()
    return _vocabulary(session, f"{session.get_bind().engine.url!r}|{size}|{most}")


_CACHED: dict[str, tuple[str, ...]] = {}


def _vocabulary(session: Session, state: str) -> tuple[str, ...]:
    """Words that are long enough to be corrected to, kept while the index has the same size."""
    if state not in _CACHED:
        _CACHED.clear()
        _CACHED[state] = tuple(
            session.scalars(
                select(SearchWord.word)
                .where(~SearchWord.is_stem, func.length(SearchWord.word) >= 3)
                .order_by(SearchWord.entries.desc(), SearchWord.word)
            )
        )
    return _CACHED[state]


# --- showing ------------------------------------------------------------------------------------------------------


def parts(text: str, terms: Sequence[Term]) -> list[tuple[str, bool]]:
    """A text in parts, told apart by whether they are what was asked for; no markup."""
    stems = {word for term in terms for word in term.stems}
    prefixes = tuple(term.words[0] for term in terms if term.is_prefix)
    shown: list[tuple[str, bool]] = []
    for part, is_word in spelled(text):
        folded = words(part) if is_word else []
        hit = any(stem(word) in stems or (prefixes and word.startswith(prefixes)) for word in folded)
        if shown and shown[-1][1] == bool(hit):
            shown[-1] = (shown[-1][0] + part, bool(hit))
        else:
            shown.append((part, bool(hit)))
    return shown


@dataclass(frozen=True)
class Suggestion:
    type: str
    id: str
    name: str
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


def nearest_start(session: Session, typed: str) -> str | None:
    """The beginning of a known word that differs by one slip from what was typed."""
    if len(typed) < 4 or not typed.isalpha():
        return None
    starts = dict.fromkeys(word[: len(typed)] for word in _known_words(session) if len(word) >= len(typed))
    found = process.extractOne(typed, list(starts), scorer=OSA.distance, score_cutoff=1)
    return str(found[0]) if found else None


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
        .where(_from(SearchName.folded, start[:200]))
    )
    if types:
        statement = statement.where(SearchEntry.type.in_(types))
    rows = session.execute(
        statement.order_by(
            SearchEntry.rank, SearchName.is_start.desc(), SearchName.folded, SearchEntry.type, SearchEntry.id
        ).limit(limit * 10)
    )
    found: dict[tuple[str, str], Suggestion] = {}
    for record_type, record_id, name, matched_on, _, _ in rows:
        key = (record_type, record_id)
        if key not in found:
            found[key] = Suggestion(record_type, record_id, "", name, matched_on, start)
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
