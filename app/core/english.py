"""Pieces of English sentences: counts, lists, and names inside a sentence."""

from collections.abc import Iterable


def quantity(number: int, one: str, many: str) -> str:
    """`1 study`, `4 studies`, `3,775 people`."""
    return f"{number:,} {one if number == 1 else many}"


def join_and(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def inline(name: str) -> str:
    """A name inside a sentence: `Sore throat` gets a small letter, `Wilson's sign` does not."""
    first = name.split(" ", 1)[0]
    proper = first.endswith(("'s", "\N{RIGHT SINGLE QUOTATION MARK}s")) or any(c.isupper() for c in first[1:])
    return name if proper else name[:1].lower() + name[1:]


def join_sentences(*sentences: str | None) -> str:
    """The sentences that are there, one after the other."""
    return " ".join(sentence for sentence in sentences if sentence)


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def date_in_words(date: str) -> str:
    """`14 August 2025`, `August 2025` or `2025`, as precise as the date."""
    year, *rest = date.split("-")
    month = [_MONTHS[int(rest[0]) - 1]] if rest else []
    day = [str(int(rest[1]))] if len(rest) > 1 else []
    return " ".join((*day, *month, year))
