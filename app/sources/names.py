"""Names of people as databases deliver them: their initials, and what stands behind them."""

import re

_WORDS = re.compile(r"(-?)([^\s.-]+)(\.?)")
_SUFFIX = re.compile(r"(?P<name>.*?\S)(?:\s*,\s*|\s+)(?P<suffix>(?:[JS]r|II|III|IV|2nd|3rd|4th)\.?)")
_SOLID = re.compile(r"[\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
"""Han, kana and Hangul."""


def initials(given: str, mark: str, *, with_hyphen: bool = True, keep_capitals: bool = False) -> str:
    """`Jean-Paul de la` is `J.-P. de la` with the mark `. `; what was abbreviated already keeps its letters.

    Words without capitals, of scripts without capitals, and in brackets stay whole; with `keep_capitals` those in
    capitals alone do too, such as `TMH`.
    """
    text = ""
    for hyphen, word, stop in _WORDS.findall(given):
        if stop or word[0].isupper():
            joint = "-" if hyphen and with_hyphen else ""
            text = text.rstrip() + joint if joint else text
            text += (word if stop or (keep_capitals and word.isupper()) else word[0]) + mark
        elif not (hyphen and word.islower()):
            text = f"{text.rstrip()} {word} "
    return text.strip()


def split_suffix(name: str) -> tuple[str, str | None]:
    """`Martin Luther, Jr.` is `Martin Luther` and `Jr.`"""
    match = _SUFFIX.fullmatch(name)
    return (match["name"], match["suffix"]) if match else (name, None)


def is_solid(name: str) -> bool:
    """Whether family and given names stand together and are not abbreviated: in Han characters, kana and Hangul."""
    return _SOLID.fullmatch(name) is not None
