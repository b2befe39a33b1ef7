"""The definitions of what grades say, with the numbers of the method in force."""

from fractions import Fraction

from app.claims.vocabulary import Consensus, InsufficientReason, Leaning, VerdictCode
from app.core.vocabulary import Term
from app.grading.method import METHOD, Method

NUMBERED: tuple[type[Term], ...] = (Consensus, Leaning, VerdictCode, InsufficientReason)
"""Vocabularies whose definitions hold numbers of the method."""
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth"}


def definition_of(term: Term, method: Method) -> str:
    """What a value means by the method."""
    return by_method(term.definition, method) if isinstance(term, NUMBERED) else term.definition


def by_method(text: str, method: Method) -> str:
    """A text that speaks of the method of the software, with the numbers of another method."""
    for words, own in zip(_phrases(METHOD), _phrases(method), strict=True):
        text = text.replace(words, own)
    return text


def _phrases(method: Method) -> tuple[str, ...]:
    units = method.informative_units
    return (
        share_in_words(method.conflict_share),
        share_in_words(method.leaning_share),
        "one study" if units == 1 else f"{_count(units)} studies",
    )


def share_in_words(share: Fraction) -> str:
    """`three fifths`; in per cent where people would not say it so."""
    part, count = _PARTS.get(share.denominator), share.numerator
    if part is None or count == 0:
        return f"{float(share * 100):g} %"
    return f"{_count(count)} {part}{'s' if count > 1 else ''}" if part != "half" else "half"


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
