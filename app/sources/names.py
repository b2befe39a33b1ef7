"""Names of people as databases deliver them: their initials, and what stands behind them."""

import re

_WORDS = re.compile(r"([-\u2010\u2011]?)([^\s.\u2010\u2011-]+)(\.?)")
_SUFFIX = re.compile(r"(?:[JSjs]r|II|III|IV|2nd|3rd|4th)\.?")
_SUFFIX_BEHIND_COMMA = re.compile(r"(?:[JS]r|II|III|IV|2nd|3rd|4th)\.?", re.IGNORECASE)
_DEGREE = re.compile(
    r"MD|PhD|PHD|DO|DDS|DMD|DVM|DPhil|MPhil|DSc|ScD|EdD|PsyD|PharmD|DrPH|DPT|DNP|MPH|MSPH|MHS|MSc|MSC|MS"
    r"|MA|MBA|MEd|MMed|MM|MSN|MB|MBBS|MBChB|MBBCh|MBBChir|BM|BMBS|BMBCh|ChB|BCh|BChir|BSc|BSN|BS|BA|RN|NP"
    r"|CRNP|CRNA|PA|PA-C|PT|JD|LLM|FACP|FACR|FACS|FACC|FAAN|FAHA|FRCP|FRCPC|FRCPath|FRCS|FRACP|FRCA|MRCP"
    r"|MRCS|MRCGP"
)
"""Without full stops. References leave them out where they stand behind a comma, as their styles ask for."""
_SOLID = re.compile(r"[\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+")
"""Han, kana and Hangul."""


def initials(given: str, mark: str, *, with_hyphen: bool = True, keep_capitals: bool = False) -> str:
    """`Jean-Paul de la` is `J.-P. de la` with the mark `. `; what was abbreviated already keeps its letters.

    Words without capitals, of scripts without capitals, and in brackets stay whole; with `keep_capitals` those in
    capitals alone do too, such as `TMH`.
    """
    text, is_whole = "", False
    for hyphen, word, stop in _WORDS.findall(given):
        if stop or word[0].isupper():
            joint = "-" if hyphen and with_hyphen else ""
            text = text.rstrip() + joint if joint else text
            text += (word if stop or (keep_capitals and word.isupper()) else word[0]) + mark
            is_whole = False
        elif hyphen and is_whole:
            text = f"{text.rstrip()}-{word} "
        elif not (hyphen and word.islower()):
            text = f"{text.rstrip()} {word} "
            is_whole = True
    return text.strip()


def split_suffix(name: str) -> tuple[str, str | None]:
    """`Martin Luther, Jr.` is `Martin Luther` and `Jr.`; academic degrees, as in `John, III, MD`, are left out."""
    rest, *behind = (part.strip() for part in name.split(","))
    if not rest or not all(_SUFFIX_BEHIND_COMMA.fullmatch(part) or _is_degree(part) for part in behind):
        return name, None
    suffixes = [part for part in behind if _SUFFIX_BEHIND_COMMA.fullmatch(part)]
    words = rest.split()
    while len(words) > 1 and _SUFFIX.fullmatch(words[-1]):
        suffixes.insert(0, words.pop())
    if not suffixes and not behind:
        return name, None
    return " ".join(words), " ".join(map(_with_capital, suffixes)) or None


def _is_degree(text: str) -> bool:
    return all(_DEGREE.fullmatch(word) for word in text.replace(".", "").split() or [""])


def _with_capital(suffix: str) -> str:
    return suffix.capitalize() if suffix.rstrip(".").lower() in ("jr", "sr") else suffix


def is_solid(name: str) -> bool:
    """Whether family and given names stand together and are not abbreviated: in Han characters, kana and Hangul."""
    return _SOLID.fullmatch(name) is not None
