"""Texts in parts, told apart by whether they are what was asked for."""

from collections.abc import Sequence
from functools import lru_cache

from app.search.analyzer import WRITTEN, Row, stems
from app.search.query_parser import Term


class Highlighter:
    """Finds what was asked for in texts; made once for each question."""

    def __init__(self, terms: Sequence[Term]) -> None:
        rows = {row for term in terms for row in term.ways}
        self._alone = frozenset(row[0] for row in rows if len(row) == 1)
        self._longer = [row for row in rows if len(row) > 1]

    def parts(self, text: str) -> list[tuple[str, bool]]:
        """The text in parts, told apart by whether they are what was asked for; no markup."""
        pieces = WRITTEN.split(text)  # words at the odd places, and what parts them at the even ones
        stemmed = [_stems(word) for word in pieces[1::2]]
        hits = {2 * number + 1 for number, found in enumerate(stemmed) if not self._alone.isdisjoint(found)}
        if self._longer:
            flat = [(stem, 2 * number + 1) for number, found in enumerate(stemmed) for stem in found]
            for row in self._longer:
                hits |= _in_a_row(flat, row)
        shown: list[tuple[str, bool]] = []
        end = 0
        for place in sorted(hits):
            if place > end:
                shown.append(("".join(pieces[end:place]), False))
            if shown and shown[-1][1]:
                shown[-1] = (shown[-1][0] + pieces[place], True)
            else:
                shown.append((pieces[place], True))
            end = place + 1
        shown.append(("".join(pieces[end:]), False))
        return [part for part in shown if part[0]]


@lru_cache(maxsize=20_000)
def _stems(word: str) -> Row:
    return tuple(stems(word))


def _in_a_row(flat: Sequence[tuple[str, int]], row: Row) -> set[int]:
    """The places of what stands in the row, with what parts it."""
    hits: set[int] = set()
    for start, (stem, index) in enumerate(flat[: len(flat) - len(row) + 1]):
        if stem == row[0] and all(flat[start + i][0] == word for i, word in enumerate(row)):
            hits.update(range(index, flat[start + len(row) - 1][1] + 1))
    return hits
