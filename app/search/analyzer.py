"""Cuts text into folded words and stems them. Both database engines get the same stems, so they agree."""

import re
from functools import lru_cache

import Stemmer

from app.core.folding import APOSTROPHES, words

Phrase = tuple[str, ...]
"""Words or stems in sequence."""

WRITTEN_WORD = re.compile(rf"([^\W_]+(?:[{APOSTROPHES}][^\W_]+)*)")
"""A word as written. `split` gives the words at the odd positions and the text between them at the even ones."""
_STEMMER = Stemmer.Stemmer("english")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of a folded word. Short words and words with digits stay whole."""
    if len(word) < 4 or not word.isalpha():
        return word
    return str(_STEMMER.stemWord(word))


def stems(text: str) -> Phrase:
    return tuple(map(stem, words(text)))


def between_spaces(phrase: Phrase) -> str:
    """The words with a space before and after each: a phrase between spaces occurs in a text as whole words only."""
    return f" {' '.join(phrase)} "
