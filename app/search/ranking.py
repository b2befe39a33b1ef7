"""Ranks entries: rare words weigh more than common ones, titles more than names, names more than the rest; where the
question names a risk, warnings weigh most."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.search.analyzer import Phrase, between_spaces, stems
from app.search.term_statistics import TermStatistics
from app.search.terms import QueryTerm

# docs/performance.md says what each is worth.
_NAMES_WEIGHT = 2.0
_BODY_WEIGHT = 1.0
_ALTERNATIVE_WEIGHT = 0.85
_OPTIONAL_WEIGHT = 0.5
_ADJACENT_BONUS = 0.5
_EXACT_NAME_BONUS = 100.0
_WARNING_BONUS = (0.0, 0.7, 2.0, 3.0, 4.0)
"""By severity (`SearchEntry.warning`), times the weight of the term that names what the entry warns of."""

_UNCITED_SHARE = 0.75
"""Of the score of a statement without a citation: it stands before evidence on the question only if it matches clearly
better."""
UNCITED_RANK = 500
"""The static rank of such a statement."""

Weights = Mapping[Phrase, float]
"""The weight of each alternative of the terms."""


class Hit(NamedTuple):
    type: str
    id: str
    score: float
    pk: int


def weigh(session: Session, statistics: TermStatistics, terms: Sequence[QueryTerm]) -> Weights:
    """Inverse document frequency as in BM25. A phrase has the frequency of its rarest word."""
    phrases = {phrase for term in terms for phrase in term.alternatives}
    counts = statistics.entry_counts(session, {word for phrase in phrases for word in phrase})
    frequencies = {phrase: min(counts[word] for word in phrase) for phrase in phrases}
    return {phrase: math.log(1 + (statistics.entry_count - n + 0.5) / (n + 0.5)) for phrase, n in frequencies.items()}


def weight_of(term: QueryTerm, weights: Weights) -> float:
    """The weight of the term's most common alternative."""
    return min(weights[phrase] for phrase in term.alternatives)


COLUMNS = "pk, type, id, rank, warning, title, names, body, against"
"""What `rank` needs of an entry."""


def rank(
    entries: Iterable[Sequence[Any]], terms: Sequence[QueryTerm], weights: Weights, named: set[int], query: str
) -> tuple[Hit, ...]:
    """Entries, given as `COLUMNS`, the best first. `named` are the keys of those whose name is the whole question.
    Static rank, type and id break ties, so that both engines give the same order."""
    scorers = [_TermScorer(term, weights) for term in terms]
    query_stems = stems(query)
    scored = []
    for pk, record_type, record_id, static_rank, warning, title, names, body, against in entries:
        score = _ADJACENT_BONUS * (_longest_run(query_stems, title) - 1)
        if pk in named:
            score += _EXACT_NAME_BONUS
        for scorer in scorers:
            matched = scorer.score(title, names, body)
            score += matched
            if warning and scorer.is_warned_of(matched, against):
                score += _WARNING_BONUS[warning] * scorer.weight
        if static_rank == UNCITED_RANK and pk not in named:
            score *= _UNCITED_SHARE
        scored.append((round(static_rank / 200 - score, 6), static_rank, record_type, record_id, pk))
    scored.sort()
    return tuple(Hit(record_type, record_id, -cost, pk) for cost, _, record_type, record_id, pk in scored)


class _TermScorer:
    def __init__(self, term: QueryTerm, weights: Weights) -> None:
        share = 1.0 if term.is_required else _OPTIONAL_WEIGHT
        texts = [between_spaces(phrase) for phrase in term.alternatives]
        shares = [share, *[share * _ALTERNATIVE_WEIGHT] * (len(texts) - 1)]
        weighted = zip(shares, term.alternatives, texts, strict=True)
        self.alternatives = sorted(((part * weights[phrase], text) for part, phrase, text in weighted), reverse=True)
        self.max = self.alternatives[0][0]
        self.weight = weight_of(term, weights)
        self.is_risk = term.is_risk

    def score(self, title: str, names: str, body: str) -> float:
        """The best of all alternatives in all fields. Short titles weigh more than long ones: 4.5 to 3 times."""
        best = 0.0
        for weight, text in ((3 + 12 / (6 + title.count(" ")), title), (_NAMES_WEIGHT, names), (_BODY_WEIGHT, body)):
            if self.max * weight <= best:
                break
            for value, phrase in self.alternatives:
                if phrase in text:
                    best = max(best, weight * value)
                    break
        return best

    def is_warned_of(self, score: float, against: str) -> bool:
        return (self.is_risk and score > 0) or (against != "" and any(name in against for _, name in self.alternatives))


def _longest_run(query_stems: Phrase, title: str) -> int:
    """The largest number of adjacent words of the question that are adjacent in the title as well; at least 1."""
    longest = 1
    for start in range(len(query_stems)):
        while (end := start + longest + 1) <= len(query_stems) and between_spaces(query_stems[start:end]) in title:
            longest += 1
    return longest
