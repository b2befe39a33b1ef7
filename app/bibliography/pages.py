"""Page numbers as they are recorded, in whatever way: ranges, shortened ranges, article numbers, several ranges.

A record says `1203-9; discussion 1210-2`, `e1-e10`, `S1--S12`, `xii-xxiv` or `e00123-20`; the last is one article
number, not a range, because pages never run backwards and never begin with zero.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_SEPARATOR = re.compile(r"(?<!\s)\s*([,;&+])\s*(?=[^\s,;&+])")
_LABEL = re.compile(
    r"(?:[pP]p?(?:\.\s*|\s+)(?=\S)|pp?(?=\d)|P[pP](?=\d)|(?:[pP]ages?|[pP]gs?|[sS]eiten?)(?:[.:]\s*|\s+)(?=\S)|[sS]\.\s*(?=\d))"
)
_THOUSANDS = re.compile(
    rf"(?<![\d,])(\d{{1,3}}),(\d{{3}})(?: {{0,2}}[{_DASHES}]{{1,3}} {{0,2}})(\d{{1,3}}),(\d{{3}})(?![\d,])"
)
_MAX_THOUSANDS = 1000
"""Pages of a range whose numbers have commas; `12,140-150,160` is a list."""
_RANGE = re.compile(
    rf"(?P<before>(?:[^\W\d]+\.?\s+)*)(?P<first>\w+(?:\.[a-zA-Z]+\d+)?)\s*[{_DASHES}]+\s*(?:pp?\.?(?=\d))?"
    rf"(?P<last>\w[\w.]*)(?:[{_DASHES}]+(?P<end>\w+))?(?P<after>\s.*)?"
)
_NUMBERED = re.compile(r"([^\W\d]*)(\d+)(.*)")
_ROMAN = re.compile(r"m{0,3}(cm|cd|d?c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})")
_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_MIN_ARTICLE_DIGITS = 5
"""A number with a prefix and this many digits counts articles (`e12345-20`), unless its end has the prefix as well."""


class PageRange(NamedTuple):
    """A range of pages with both ends in full, or one page or article number; with the words around it."""

    first: str
    last: str | None = None
    before: str = ""
    after: str = ""
    separator: str = ""
    """What stands between this range and the one before it."""
    inner: str = ""
    """Where the pages behind the last one begin: `e1` of `523-532.e1-e4`, whose last page is `532.e4`."""

    def text(self, delimiter: str, *, shortened: bool = False) -> str:
        if self.last is None:
            return f"{self.before}{self.first}{self.after}"
        last = self._last(delimiter, shorten=_without_common_digits if shortened else _in_full)
        return f"{self.before}{self.first}{delimiter}{last}{self.after}"

    def _last(self, delimiter: str, shorten: Callable[[str, str], str]) -> str:
        stem, stop, part = (self.last or "").rpartition(".")
        if stop and self.first.startswith(f"{stem}."):
            return shorten(self.first.removeprefix(f"{stem}."), part) if shorten is not _in_full else self.last or ""
        if self.inner:
            part = f"{self.inner}{delimiter}{shorten(self.inner, part)}"
        return f"{shorten(self.first, stem)}.{part}" if stop else shorten(self.first, part)


def page_ranges(text: str) -> list[PageRange]:
    """The ranges in their order; what is no range stands as it was recorded."""
    parts = _SEPARATOR.split(_THOUSANDS.sub(_without_thousands, text.strip()).rstrip(" ,;&"))
    separators = ["", *(mark + " " if mark in ",;" else f" {mark} " for mark in parts[1::2])]
    parts = [part[match.end() :] if (match := _LABEL.match(part)) else part for part in parts]
    return [_range(part)._replace(separator=mark) for part, mark in zip(parts[::2], separators, strict=True)]


def format_pages(text: str, delimiter: str = "-", *, shortened: bool = False) -> str:
    """The pages with their ends in full, or without the digits that both ends have in common."""
    return "".join(part.separator + part.text(delimiter, shortened=shortened) for part in page_ranges(text))


def _without_thousands(match: re.Match[str]) -> str:
    """`1234-1240` for `1,234-1,240`."""
    first, last = int(match[1] + match[2]), int(match[3] + match[4])
    return f"{first}-{last}" if first <= last < first + _MAX_THOUSANDS else match[0]


def _range(text: str) -> PageRange:
    match = _RANGE.fullmatch(text)
    if match is None:
        return PageRange(text)
    first, last, inner_end = match["first"], match["last"], match["end"]
    around = match["before"], match["after"] or ""
    end = _full_end(first, last)
    if inner_end is None and end is not None:
        return PageRange(first, end if end != first else None, *around)
    stem, stop, inner = (end or "").rpartition(".")
    inner_last = _full_end(inner, inner_end) if stop and inner_end else None
    if inner_last is not None:
        return PageRange(first, f"{stem}.{inner_last}", *around, inner=inner)
    return PageRange("-".join(part for part in (first, last, inner_end) if part), None, *around)


def _full_end(first: str, last: str) -> str | None:
    """The last page in full; null where the two are no range."""
    stem, point, part = first.rpartition(".")
    if point:  # `523.e1-e4`
        end = _full_end(part, last.removeprefix(f"{stem}."))
        return f"{stem}.{end}" if end else None
    start, stop = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if start is None or stop is None:
        roman = [_roman(page) for page in (first, last)]
        if roman[0] and roman[1]:
            return last if roman[0] <= roman[1] else None
        return last if roman[0] and last.isdecimal() else None
    (prefix, digits, _), (second, others, tail) = start.groups(), stop.groups()
    if second and second != prefix:
        return last
    is_zero_led = digits.startswith("0")
    if is_zero_led and not prefix and len(others) == len(digits):  # `0001-0012`
        return last if int(others) >= int(digits) else None
    is_number = len(digits) >= _MIN_ARTICLE_DIGITS or is_zero_led
    if (is_zero_led and not second) or (prefix and not second and is_number):
        return None
    whole = digits[: -len(others)] + others if len(others) < len(digits) else others
    return f"{prefix}{whole}{tail}" if int(whole) >= int(digits) else None


def _in_full(_first: str, last: str) -> str:
    return last


def _without_common_digits(first: str, last: str) -> str:
    """`529` and `538` give `38`: only numbers of one length and prefix are shortened, and no Roman numerals."""
    start, stop = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if start is None or stop is None or start[1] != stop[1] or start[3] or stop[3]:
        return last
    if start[2].startswith("0"):
        return last
    if len(start[2]) != len(stop[2]):
        return stop[2]
    common = next((at for at, (one, other) in enumerate(zip(start[2], stop[2], strict=True)) if one != other), 0)
    return stop[2][common:]


def _roman(text: str) -> int | None:
    """The value of a Roman numeral; null where the text is none."""
    letters = text.lower()
    if not letters or not _ROMAN.fullmatch(letters):
        return None
    return sum(_signed(letters))


def _signed(letters: str) -> Iterator[int]:
    values = [_DIGITS[letter] for letter in letters]
    for value, following in zip(values, [*values[1:], 0], strict=True):
        yield -value if value < following else value
