"""Folds text, cuts it into words and stems them. Both database engines get the same stems, so they agree."""

import re
import unicodedata
from functools import lru_cache

import Stemmer

Phrase = tuple[str, ...]
"""Words or stems in sequence."""

_APOSTROPHES = "'\u2019\u02bc"
_NO_APOSTROPHES = str.maketrans("", "", _APOSTROPHES)
_FOLDED_WORD = re.compile(r"[0-9a-z]+")
WRITTEN_WORD = re.compile(rf"([^\W_]+(?:[{_APOSTROPHES}][^\W_]+)*)")
"""A word as written. `split` gives the words at the odd positions and the text between them at the even ones."""
_STEMMER = Stemmer.Stemmer("english")


def fold(text: str) -> str:
    """Lower case without accents and apostrophes: `Crohn's` and `crohns` are one word."""
    if text.isascii():
        return text.replace("'", "").lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_NO_APOSTROPHES))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str) -> list[str]:
    """The folded words of a text. Codes and compounds are split at their punctuation."""
    return _FOLDED_WORD.findall(fold(text))


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
