"""One spelling for codes, identifiers, doses and short names with a number, however a question writes them."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product

from sqlalchemy.orm import Session

from app.concepts.code_systems import ICD10CM, ICD11, CodeSystems
from app.concepts.manifest import current_code_systems
from app.core.folding import fold, unify_marks, words
from app.search.analyzer import Phrase, stem
from app.search.term_statistics import TermStatistics
from app.sources.identifiers import identify

MAX_CHUNKS = 3
"""Chunks between spaces that may be one identifier or code: `EudraCT number 2019-000702-30`."""

_AFTER_SYSTEM = re.compile(r"[:| ]([^:| ]+)$")
_CODE = re.compile(r"[A-Za-z][0-9A-Za-z]{0,2} ?[0-9A-Za-z.]{1,7}")
_DOSE = re.compile(
    r"([0-9]+(?:[.,][0-9]+)*) ?(mg|mcg|kg|g|ng|pg|ml|dl|l|mmol|mol|meq|iu|hr|h|cm|mm)s?((?:/[a-z]+)*[.,;:?!)]*)"
)
MAX_CODE_LENGTH = 60
_LETTERS, _NUMBER = re.compile(r"[A-Za-z]{2,5}"), re.compile(r"[0-9]{1,2}")
_NAME = re.compile(r"[^\W_]+(?:-[^\W_]+)*[.,;:?!)]*")
_SHORT_NAME = re.compile(r"[a-z]{1,5}[0-9]{1,3}(?:(?:alpha|beta|gamma|delta|kappa|[a-z])[0-9]{0,2})?")
_PIECE = re.compile(r"[a-z]+|[0-9]+")


def normal_text(session: Session, statistics: TermStatistics, query: str) -> str:
    """The question with its identifiers and codes in normal form, and doses and names such as `TLR 4` as one chunk."""
    chunks = query.split()
    joined = {
        (start, size): " ".join(chunks[start : start + size])
        for size in range(MAX_CHUNKS, 0, -1)
        for start in range(len(chunks) - size + 1)
        if any(character.isdigit() for character in "".join(chunks[start : start + size]))
    }
    if not joined:
        return query
    systems = current_code_systems(session)
    codes = {text: [tuple(words(code)) for code in possible_codes(systems, text)] for text in joined.values()}
    names = statistics.concept_names(session, [code for some in codes.values() for code in some if code])
    counts = statistics.entry_counts(
        session, {text.replace(" ", "").lower() for text in joined.values() if text.isascii()}
    )

    def normal(text: str) -> str | None:
        if '"' in text and " " in text:
            return None
        if found := identify(text):
            return found[1]
        if code := next((code for code in codes[text] if code in names), None):
            return ".".join(code)
        if dose := _DOSE.fullmatch(fold(text)):
            return "".join(dose.groups())
        ways = spellings(tuple(words(text))) if _NAME.fullmatch(unify_marks(text)) else ()
        if len(ways) > 1 and occurring(session, statistics, ways):
            return "".join(ways[0])
        one, _, other = text.partition(" ")
        is_name = _LETTERS.fullmatch(one) and _NUMBER.fullmatch(other) and counts.get((one + other).lower())
        return one + other if is_name else None

    return " ".join(_replaced(chunks, joined, normal))


def _replaced(
    chunks: Sequence[str], joined: dict[tuple[int, int], str], normal: Callable[[str], str | None]
) -> Iterator[str]:
    start = 0
    while start < len(chunks):
        for size in range(MAX_CHUNKS, 0, -1):
            if (text := joined.get((start, size))) and (found := normal(text)):
                yield found
                break
        else:
            size = 1
            yield chunks[start]
        start += size


def possible_codes(systems: CodeSystems, text: str) -> Iterator[str]:
    """The codes that a text may be, with the name of its system before it or without."""
    code = _AFTER_SYSTEM.search(text[-MAX_CODE_LENGTH:])
    system = systems.named(text[: len(text) - len(code[0])].strip()) if code else None
    if code and system:
        yield systems.normal(system, code[1])
    elif _CODE.fullmatch(text):
        yield from (systems.normal(system, text) for system in (ICD10CM, ICD11))


def spellings(phrase: Phrase) -> list[Phrase]:
    """A short name with a number in all ways to write it as words, the most separate first: `tlr 4` and `tlr4`.
    Anything else is only itself, such as two numbers in a row, which would become one."""
    two_numbers = any(one[-1:].isdigit() and other[:1].isdigit() for one, other in pairwise(phrase))
    if two_numbers or not _SHORT_NAME.fullmatch("".join(phrase)):
        return [phrase]
    pieces = [piece for word in phrase for piece in _PIECE.findall(word)]
    ways = product((" ", ""), repeat=len(pieces) - 1)
    return [tuple("".join(a + b for a, b in zip(pieces, (*way, ""), strict=True)).split()) for way in ways]


def occurring(session: Session, statistics: TermStatistics, ways: Sequence[Phrase]) -> list[Phrase]:
    """The stems of those phrases of which records have all words."""
    stemmed = [tuple(map(stem, way)) for way in ways]
    counts = statistics.entry_counts(session, {word for way in stemmed for word in way})
    return [way for way in stemmed if all(counts[word] for word in way)]
