"""Compares titles as people write them: case, accents, punctuation and markup do not matter."""

import re

from rapidfuzz.distance import Indel

from app.bibliography.markup import marked, plain
from app.core.folding import words
from app.verification.vocabulary import TitleResult

NEAR = 0.9
"""From this similarity on, titles are almost the same. Of the real titles here, no two are as alike as 0.83."""
_FEWEST_WORDS = 5
"""A main title of fewer words, such as the name of a drug, may be that of several works."""
_SUBTITLE = re.compile(r"[:?.]\s|\s[\u2013\u2014-]\s")


def compare(given: str, recorded: str) -> tuple[TitleResult, float]:
    """How the title given stands to the recorded one, and their similarity from 0 to 1."""
    ours, theirs = title_words(recorded), title_words(given)
    similarity = round(Indel.normalized_similarity(" ".join(theirs), " ".join(ours)), 3)
    if ours == theirs:
        return TitleResult.same, 1.0
    is_short_form = _main_part(recorded) == theirs or _main_part(given) == ours
    if similarity >= NEAR or (is_short_form and min(len(ours), len(theirs)) >= _FEWEST_WORDS):
        return TitleResult.near, similarity
    return TitleResult.different, similarity


def title_words(title: str) -> list[str]:
    """The folded words of a title without its markup. A title in letters that do not fold is its own single word."""
    bare = plain(marked(title))
    return words(bare) or bare.casefold().split()


def _main_part(title: str) -> list[str]:
    """The words in front of the subtitle."""
    return title_words(_SUBTITLE.split(plain(marked(title)), maxsplit=1)[0])
