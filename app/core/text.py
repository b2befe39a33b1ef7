"""Bounded scalar types: the strings, numbers and dates that every model uses."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, TypeVar
from urllib.parse import unquote_to_bytes

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints

RuleViolation = tuple[str, str]
"""A field's path and the reason why it is refused."""

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SLUG_LENGTH = 64
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_PARTIAL_DATE = re.compile(r"^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$")


def printable(text: str) -> str:
    """Refuse what no database or terminal should get: control characters and lone surrogates."""
    if _UNPRINTABLE.search(text):
        raise ValueError("must not contain control characters or lone surrogates")
    return text


def is_readable(encoded: bytes) -> bool:
    """Whether percent-encoded bytes are text without NUL once their encoding is undone."""
    if b"%" not in encoded and encoded.isascii():
        return b"\0" not in encoded
    decoded = unquote_to_bytes(encoded)
    try:
        decoded.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in decoded


def _single_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be a single line")
    return printable(text)


def _partial_date(text: str) -> str:
    match = _PARTIAL_DATE.match(text)
    if not match:
        raise ValueError("must be YYYY, YYYY-MM or YYYY-MM-DD")
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        date(year, month, day)
    except ValueError as error:
        raise ValueError("must be a date that exists") from error
    return text


def _json_number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


def _number(value: object) -> object:
    value = _json_number(value)
    return Decimal(str(value)) if isinstance(value, int | float) else value


def _url(text: str) -> str:
    if not re.match(r"^https?://[^\s<>\"]+$", text):
        raise ValueError("must be an absolute http or https address")
    return _single_line(text)


Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=SLUG_LENGTH)]
"""A record's id: opaque, unique within its type, never renamed or reused."""

OneLine = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_single_line)
]
"""One line of text: names, titles, labels."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True), AfterValidator(printable)
]
"""Prose of up to 4000 characters."""

Quote = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_single_line)]
"""A verbatim quotation of at most 25 words (counted by the rules of the record that holds it)."""

Url = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_url)]

PartialDate = Annotated[
    str,
    StringConstraints(max_length=10, pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"),
    AfterValidator(_partial_date),
]
"""A date as precise as known: `2013`, `2013-02` or `2013-02-01`; never padded."""

_MAX_INTEGER = 2_147_483_647
"""That a column of the database holds."""
Count = Annotated[int, Field(ge=0, le=_MAX_INTEGER)]
Serial = Annotated[int, Field(ge=1, le=_MAX_INTEGER)]
"""A serial of the data set."""

_Bounded = TypeVar("_Bounded")
Exact = Annotated[
    _Bounded,
    Field(max_digits=15, allow_inf_nan=False),
    BeforeValidator(_number),
    PlainSerializer(float, return_type=float, when_used="json"),
]
"""A decimal of at most 15 digits, so that it is also exact as a JSON number. Further bounds stand inside, such as
`Exact[Annotated[Decimal, Field(gt=0)]]`: outside they are written into schemas as `gt`, which is no keyword there."""
Number = Exact[Annotated[Decimal, Field(decimal_places=9)]]
"""With at most 9 digits after the point."""
DoseNumber = Exact[Decimal]
"""Without a bound for the digits after the point: with 9 of them, 10,000,000,000 units would be no dose."""

JsonNumber = BeforeValidator(_json_number)
"""For a number in a body whose model is read from addresses too, where numbers are text; stands after `Field`."""

SearchText = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)]
"""Text of a search box."""

Cursor = Annotated[str, StringConstraints(min_length=8, max_length=400, pattern=r"^[A-Za-z0-9_-]+$")]

IdentifierText = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)]
"""A DOI or PMID in whatever spelling, as a filter takes it."""

IdOrCode = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
"""An id, or a code such as `icd10cm:M79.7`, as a filter takes it."""


def _instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("must be an instant that exists, such as 2026-11-22T10:00:00Z") from error
    return text


Instant = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_instant),
]
"""RFC 3339, UTC, whole seconds."""


def camel_case(name: str) -> str:
    """`side_effect` and `side-effect` as `SideEffect`."""
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_"))
