"""Splits texts into the parts that match a question and the rest."""

from collections.abc import Sequence
from functools import lru_cache

from app.search.analyzer import WRITTEN_WORD, Phrase, stems
from app.search.terms import QueryTerm


class Highlighter:
    """Made once for each question."""

    def __init__(self, terms: Sequence[QueryTerm]) -> None:
        phrases = {phrase for term in terms for phrase in term.alternatives}
        self._single = frozenset(phrase[0] for phrase in phrases if len(phrase) == 1)
        self._longer = [phrase for phrase in phrases if len(phrase) > 1]

    def parts(self, text: str) -> list[tuple[str, bool]]:
        """`(part, is_hit)`; the parts joined give the text."""
        pieces = WRITTEN_WORD.split(text)
        stemmed = [_stems(word) for word in pieces[1::2]]
        hits = {2 * number + 1 for number, of_word in enumerate(stemmed) if not self._single.isdisjoint(of_word)}
        if self._longer:
            positions = [(stem, 2 * number + 1) for number, of_word in enumerate(stemmed) for stem in of_word]
            for phrase in self._longer:
                hits |= _positions_of(phrase, positions)
        parts: list[tuple[str, bool]] = []
        for position, piece in enumerate(pieces):
            is_hit = position in hits
            if parts and parts[-1][1] == is_hit:
                parts[-1] = (parts[-1][0] + piece, is_hit)
            elif piece:
                parts.append((piece, is_hit))
        return parts


@lru_cache(maxsize=20_000)
def _stems(word: str) -> Phrase:
    return stems(word)


def _positions_of(phrase: Phrase, positions: Sequence[tuple[str, int]]) -> set[int]:
    """The positions of the phrase's words and of what separates them."""
    hits: set[int] = set()
    for start, (stem, position) in enumerate(positions[: len(positions) - len(phrase) + 1]):
        if stem == phrase[0] and all(positions[start + i][0] == word for i, word in enumerate(phrase)):
            hits.update(range(position, positions[start + len(phrase) - 1][1] + 1))
    return hits
