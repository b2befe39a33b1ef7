"""Finds the known words nearest to unknown ones."""

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy.orm import Session

from app.search.term_statistics import TermStatistics, fetch

MAX_PAIR_LENGTH = 60


def nearest_word(session: Session, statistics: TermStatistics, word: str) -> str | None:
    """The nearest known word: within one slip for words of up to seven letters, within two for longer ones."""
    if len(word) < 4 or not word.isalpha():
        return None
    slips = 1 if len(word) < 8 else 2
    nearest = process.extractOne(word, statistics.spellings(session), scorer=OSA.distance, score_cutoff=slips)
    return str(nearest[0]) if nearest else None


def nearest_prefix(session: Session, statistics: TermStatistics, typed: str) -> str | None:
    """The beginning of a known word that differs by one slip from what was typed."""
    if len(typed) < 4 or not typed.isalnum():
        return None
    prefixes = statistics.prefixes(session, len(typed))
    nearest = process.extractOne(typed, prefixes, scorer=OSA.distance, score_cutoff=1)
    return str(nearest[0]) if nearest else None


def two_words(session: Session, word: str) -> str | None:
    """Two known words that were written as one: `lowdose` becomes `low dose`."""
    if not 6 <= len(word) <= MAX_PAIR_LENGTH or not word.isalpha():
        return None
    pairs = [(word[:cut], word[cut:]) for cut in range(3, len(word) - 2)]
    halves = sorted({half for pair in pairs for half in pair})
    rows = fetch(session, "SELECT word FROM search_words WHERE word IN ? AND is_stem = ?", halves, False)
    known = {half for (half,) in rows}
    return next((" ".join(pair) for pair in pairs if known.issuperset(pair)), None)
