"""Text as the search sees it: folded, cut into words, stemmed. Done here once, so that both engines agree."""

import re
import unicodedata
from functools import lru_cache

import Stemmer

_APOSTROPHES = "'\u2019\u02bc"
_NO_APOSTROPHES = str.maketrans("", "", _APOSTROPHES)
_WORD = re.compile(r"[0-9a-z]+")
_WRITTEN = re.compile(rf"[^\W_]+(?:[{_APOSTROPHES}][^\W_]+)*")
_STEMMER = Stemmer.Stemmer("english")

_STOP = (
    "a about after all also am an and any are as at be been before by can could did do does doe for from get give had "
    "has have how i if in into is it its ive im may me might my no not of on or should so some take that the their "
    "them there they this to too up use used using was we were what when where which while who why will with wont "
    "would you your"
)
STOP_WORDS = frozenset(_STOP.split())
"""Words that questions are made of; they are ignored unless nothing else was asked."""

_SOFT = (
    "benefit best better effective evidence ever feel good happen happens help helps helped make makes makers making "
    "many much ok okay over patient patients people person please possible recommended research result results safe "
    "safely safety studies study taken taking treat treating treatment trying want work working works worth"
)
SOFT_WORDS = frozenset(_SOFT.split())
"""Words that say what kind of answer is wanted: a record that has them comes earlier, one without them still counts."""

_SAME = (
    ("allergic", "allergy", "hypersensitive"),
    ("breastfeeding", "breast feeding", "nursing", "lactation"),
    ("children", "child", "kids", "pediatric", "paediatric"),
    ("discontinue", "discontinuation", "stop", "stopping", "quit"),
    ("doctor", "healthcare provider", "physician"),
    ("dose", "dosage"),
    ("drink", "alcohol"),
    ("heart", "cardiac"),
    ("kidney", "renal"),
    ("liver", "hepatic"),
    ("maximum", "max", "highest"),
    ("nightmare", "vivid dreams"),
    ("onset", "kick in"),
    ("prescribe", "prescription", "prescriber"),
    ("surgery", "operation", "anesthesia", "anaesthesia"),
    ("titrate", "titration", "increase the dose"),
    ("trial", "rct"),
)
"""What people say, and what records say; the names of concepts come from the records themselves."""


def fold(text: str) -> str:
    """Lower case without accents; apostrophes vanish, so that `Crohn's` and `crohns` are one word."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_NO_APOSTROPHES))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(text: str) -> list[str]:
    """The folded words of a text, in order; codes and compounds fall apart at their punctuation."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """What a word has in common with its other forms; short words and those with digits stay whole."""
    if len(word) < 4 or not word.isalpha():
        return word
    return str(_STEMMER.stemWord(word))


def stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]


def spelled(text: str) -> list[tuple[str, bool]]:
    """A text in parts, in order: `(part, is_word)`; the parts joined give the text again."""
    parts: list[tuple[str, bool]] = []
    end = 0
    for match in _WRITTEN.finditer(text):
        if match.start() > end:
            parts.append((text[end : match.start()], False))
        parts.append((match[0], True))
        end = match.end()
    if end < len(text):
        parts.append((text[end:], False))
    return parts


Row = tuple[str, ...]
"""Words or stems that stand one after the other."""

SAME: dict[str, tuple[Row, ...]] = {
    stem(word): tuple(tuple(stems(other)) for other in group if stem(other) != stem(word))
    for group in _SAME
    for word in group
    if " " not in word
}
"""Stem → other ways to say the same."""
