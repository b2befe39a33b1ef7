"""The known words nearest to unknown ones."""

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy.orm import Session

from app.search.term_statistics import Lexicon, fetch

MAX_LENGTH_PAIR = 60
"""Letters of two words that may have been written as one."""


def nearest_word(session: Session, lexicon: Lexicon, word: str) -> str | None:
    """The known word nearest to one that is not known: one slip in a short word, two in a longer one."""
    if len(word) < 4 or not word.isalpha():
        return None
    slips = 1 if len(word) < 8 else 2
    found = process.extractOne(word, lexicon.spellings(session), scorer=OSA.distance, score_cutoff=slips)
    return str(found[0]) if found else None


def nearest_start(session: Session, lexicon: Lexicon, typed: str) -> str | None:
    """The beginning of a known word that differs by one slip from what was typed."""
    if len(typed) < 4 or not typed.isalnum():
        return None
    starts = lexicon.starts(session, len(typed))
    found = process.extractOne(typed, starts, scorer=OSA.distance, score_cutoff=1)
    return str(found[0]) if found else None


def two_words(session: Session, word: str) -> str | None:
    """Two known words that were written as one."""
    if not 6 <= len(word) <= MAX_LENGTH_PAIR or not word.isalpha():
        return None
    pairs = [(word[:cut], word[cut:]) for cut in range(3, len(word) - 2)]
    halves = sorted({half for pair in pairs for half in pair})
    there = fetch(session, "SELECT word FROM search_words WHERE word IN ? AND is_stem = ?", halves, False)
    known = {half for (half,) in there}
    return next((" ".join(pair) for pair in pairs if known.issuperset(pair)), None)
