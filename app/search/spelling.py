"""Unknown words, and the known ones nearest to them."""

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.history import current_serial
from app.search.models import SearchWord

MOST_WORDS = 50_000
"""The most frequent words, to which slips are corrected."""


def starting(column: InstrumentedAttribute[str], start: str) -> ColumnElement[bool]:
    """The column begins with the text: as a range, which an index serves on both engines."""
    return and_(column >= start, column < start[:-1] + chr(ord(start[-1]) + 1))


def begins(session: Session, word: str) -> bool:
    """Whether a known word starts with this one."""
    if len(word) < 3:
        return False
    known = select(SearchWord.word).where(starting(SearchWord.word, word), ~SearchWord.is_stem)
    return session.scalar(known.limit(1)) is not None


def nearest_word(session: Session, word: str) -> str | None:
    """The known word nearest to one that is not known: one slip in a short word, two in a longer one."""
    if len(word) < 4 or not word.isalpha():
        return None
    slips = 1 if len(word) < 8 else 2
    found = process.extractOne(word, _known_words(session), scorer=OSA.distance, score_cutoff=slips)
    return str(found[0]) if found else None


def nearest_start(session: Session, typed: str) -> str | None:
    """The beginning of a known word that differs by one slip from what was typed."""
    if len(typed) < 4 or not typed.isalnum():
        return None
    starts = dict.fromkeys(
        word[:length] for word in _known_words(session) for length in (len(typed), len(typed) - 1, len(typed) + 1)
    )
    found = process.extractOne(typed, list(starts), scorer=OSA.distance, score_cutoff=1)
    return str(found[0]) if found else None


def two_words(session: Session, word: str) -> str | None:
    """Two known words that were written as one."""
    if len(word) < 6 or not word.isalpha():
        return None
    pairs = [(word[:cut], word[cut:]) for cut in range(3, len(word) - 2)]
    halves = {half for pair in pairs for half in pair}
    known = set(session.scalars(select(SearchWord.word).where(SearchWord.word.in_(halves), ~SearchWord.is_stem)))
    return next((" ".join(pair) for pair in pairs if known.issuperset(pair)), None)


def _known_words(session: Session) -> tuple[str, ...]:
    """Words that are long enough to be corrected to, the most frequent first; read once for each serial."""
    state = (repr(session.get_bind().engine.url), current_serial(session))
    known = _READ.get(state)
    if known is None:
        statement = (
            select(SearchWord.word)
            .where(~SearchWord.is_stem, func.length(SearchWord.word) >= 3)
            .order_by(SearchWord.entries.desc(), SearchWord.word)
        )
        known = tuple(session.scalars(statement.limit(MOST_WORDS)))
        _READ.clear()
        _READ[state] = known
    return known


_READ: dict[tuple[str, int], tuple[str, ...]] = {}
