"""In which order: rare words weigh more than common ones, titles more than names, names more than the rest, and where
somebody may be at risk, what warns comes first."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.search.analyzer import Row, stems
from app.search.query_parser import Term
from app.search.term_statistics import Lexicon

_OTHER_WAY = 0.85
_BEGUN = 0.8
_PIECE = 0.5
_EXACT_NAME = 100.0
_SOFT = 0.5
_IN_A_ROW = 0.5
_WARNING = (0.0, 0.7, 2.0, 3.0, 4.0)
"""What a warning gains, by how loud it is, where the question names what it warns of; times the weight of the name."""

Weights = Mapping[Row, float]
"""How much each row of stems tells."""


class Hit(NamedTuple):
    type: str
    id: str
    score: float
    pk: int


def weigh(known: Lexicon, session: Session, terms: Sequence[Term]) -> Weights:
    """The rarer, the heavier (as in BM25)."""
    rows = {row for term in terms for row in (*term.ways, *term.pieces)}
    entries = known.entries(session, {word for row in rows for word in row})
    holding = {row: min(entries[word] for word in row) for row in rows}
    return {row: math.log(1 + (known.size - number + 0.5) / (number + 0.5)) for row, number in holding.items()}


COLUMNS = "pk, type, id, rank, warning, title, names, body, against"
"""Of an entry, what its rank follows from."""


def rank(
    candidates: Iterable[Sequence[Any]], terms: Sequence[Term], weights: Weights, named: set[int], query: str
) -> tuple[Hit, ...]:
    """Entries, given as `COLUMNS`, in order. What stands in a row as it was asked gains, and a name that is just what
    was asked comes first. Ties go by static rank, then by id: the same order on both engines."""
    wanted = [_Wanted(term, weights) for term in terms]
    asked = stems(query)
    scored = []
    for pk, record_type, record_id, static, warning, title, names, body, against in candidates:
        score = _IN_A_ROW * _longest_run(asked, title) if len(asked) > 1 else 0.0
        for want in wanted:
            found = want.score(title, names, body)
            score += found
            if warning and want.is_warned_of(found, against):
                score += _WARNING[warning] * want.weight
        if pk in named:
            score += _EXACT_NAME
        scored.append((round(static / 200 - score, 6), static, record_type, record_id, pk))
    scored.sort()
    return tuple(Hit(record_type, record_id, -score, pk) for score, _, record_type, record_id, pk in scored)


class _Wanted:
    """A term, ready to be looked for: its rows with what each is worth, the best first."""

    def __init__(self, term: Term, weights: Weights) -> None:
        shares = [(row, _OTHER_WAY if place else 1.0) for place, row in enumerate(term.rows)]
        shares += [(row, _BEGUN) for row in term.begun] + [(row, _PIECE) for row in term.pieces]
        soft = 1.0 if term.is_required else _SOFT
        self.rows = sorted(((soft * share * weights[row], f" {' '.join(row)} ") for row, share in shares), reverse=True)
        self.most = self.rows[0][0]
        self.weight = min(weights[row] for row in term.rows)
        self.names = [f" {' '.join(row)} " for row in term.ways]
        self.is_danger = term.is_danger

    def score(self, title: str, names: str, body: str) -> float:
        """The most that any row is worth in any field: what is short is more about the words that it holds than what
        is long."""
        best = 0.0
        for worth, row in self.rows:
            if row in title:
                best = worth * (3.0 + 12 / (6 + title.count(" ")))  # 3 to 4.5
                break
        if self.most * 2.4 > best:
            for worth, row in self.rows:
                if row in names:
                    best = max(best, worth * (1.6 + 16 / (18 + names.count(" "))))  # 1.6 to 2.4
                    break
        if self.most * 1.2 > best:
            for worth, row in self.rows:
                if row in body:
                    best = max(best, worth * (0.8 + 16 / (38 + body.count(" "))))  # 0.8 to 1.2
                    break
        return best

    def is_warned_of(self, found: float, against: str) -> bool:
        return (self.is_danger and found > 0) or (against != "" and any(name in against for name in self.names))


def _longest_run(asked: Sequence[str], title: str) -> int:
    """How many words beyond the first stand in the title in a row as they were asked."""
    longest = 1
    for start in range(len(asked)):
        while f" {' '.join(asked[start : start + longest + 1])} " in title and start + longest < len(asked):
            longest += 1
    return longest - 1
