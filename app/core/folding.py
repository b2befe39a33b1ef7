"""Folds text for comparison: what people write in different ways and mean the same becomes the same.

Names of drugs, words of a search, display names and codes are all compared as `fold` returns them.
"""

# ruff: noqa: RUF001, RUF002 - the letters that look alike are the very subject

import re
import unicodedata

APOSTROPHES = "'’‘ʼʹ´`′＇"
_DROPPED = "".join(map(chr, (0xAD, 0x34F, 0x61C, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF)))
"""Soft hyphen, joiners and marks without width."""
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t",
    "ŋ": "n", "ĸ": "k",
}  # fmt: skip
"""Letters that Unicode does not take apart."""
_DASHES = "‐‑‒–—―−﹘﹣－⁃"

_BEFORE = str.maketrans(
    dict.fromkeys(APOSTROPHES + _DROPPED)
    | dict.fromkeys(_DASHES, "-")
    | _LETTERS
    | {letter.upper(): plain for letter, plain in _LETTERS.items() if len(letter.upper()) == 1}
)
_MARKS = str.maketrans(dict.fromkeys(_DROPPED) | dict.fromkeys(_DASHES, "-") | dict.fromkeys(APOSTROPHES, "'"))
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron", "π": "pi", "ρ": "rho",
    "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_GREEK_LETTER = re.compile(r"(?<![α-ως])[α-ως](?![α-ως])")
"""One alone: words in Greek stay as they are."""
_MICROGRAM = re.compile(r"(?<![a-z])(?:[μu]g|mcg|mikrogramm|microgrammes?|microgram|mikrogram)s?(?![a-z])")
_NUMBER_AND_UNIT = re.compile(
    r"(?<=[0-9])(?=(?:mg|mcg|g|kg|ng|pg|l|ml|dl|mmol|mol|meq|iu|ie|ui|hr?|cm|mm|mcl|tab|tabs|cap|caps)(?![a-z0-9]))"
)
_WORD = re.compile(r"[0-9a-z]+")


def fold(text: str) -> str:
    """Lower case without accents and apostrophes; one plain space, hyphen and spelling for what has several.

    `Wilson's` and `Wilsons`, `teIN` and `tein`, `4.5mg` and `4.5 mg`, `5 µg` and `5 mcg`, `TNF-α` and
    `TNF-alpha` are the same afterwards.
    """
    if text.isascii():
        plain = text.replace("'", "").replace("`", "").lower()
    else:
        decomposed = unicodedata.normalize("NFKD", text.translate(_BEFORE)).casefold().translate(_BEFORE)
        plain = "".join(c for c in unicodedata.normalize("NFKD", decomposed) if not unicodedata.combining(c))
    plain = _MICROGRAM.sub("mcg", plain)
    if not plain.isascii():
        plain = _GREEK_LETTER.sub(_name_of_greek_letter, plain)
    return _NUMBER_AND_UNIT.sub(" ", plain)


def unify_marks(text: str) -> str:
    """One hyphen and one apostrophe for the many, no marks without width; letters, numbers and case stay as they are.

    For text whose punctuation matters, such as the thousands separators of a dose.
    """
    return text.translate(_MARKS)


def _name_of_greek_letter(match: re.Match[str]) -> str:
    """The letter's name, as a word of its own where it touches a Latin one."""
    text, start, end = match.string, match.start(), match.end()
    before = " " if start and text[start - 1].isalnum() else ""
    after = " " if end < len(text) and text[end].isalnum() else ""
    return f"{before}{_GREEK[match[0]]}{after}"


def words(text: str) -> list[str]:
    """The folded words of a text. Codes and compounds are split at their punctuation."""
    return _WORD.findall(fold(text))


def fold_code(code: str) -> str:
    """A code in capitals without spaces and marks that have no width."""
    plain = unicodedata.normalize("NFKC", code.translate(_BEFORE))
    return "".join(plain.split()).upper()
