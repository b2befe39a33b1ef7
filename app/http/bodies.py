"""What the body of a request may be: its media types, its encoding, how much it holds, and how deep.

Checked on the bytes, before anything is parsed: a parser makes an object of every value, and a validator may make an
error of every one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message as Header

from app.core.errors import AppError, Fault, InvalidInput, MalformedJson, UnsupportedMediaType

MAX_DEPTH = 32
"""Objects and arrays inside one another."""
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_CHARSETS = ("utf-8", "utf8", "us-ascii")
_OTHERS = {kept: bytes(set(range(256)) - set(kept)) for kept in (b",[{", b"[{", b'"', b'",[]{}')}
_AS_ARRAYS = bytes.maketrans(b"{}", b"[]")


@dataclass(frozen=True)
class BodyBounds:
    """How long a body may be, what it may hold, and as what it may be sent."""

    max_bytes: int
    max_values: int = 2_000
    """Members of objects and entries of arrays, or pairs of a form."""
    media_types: tuple[str, ...] = (JSON,)
    """None: whatever it is, nothing but its length is looked at."""
    below: Mapping[str, BodyBounds] = field(default_factory=dict)
    """Other bounds, by the path below which they hold."""

    def at(self, path: str) -> BodyBounds:
        return next((bounds for prefix, bounds in self.below.items() if path.startswith(prefix)), self)


def body_fault(body: bytes, bounds: BodyBounds, content_type: str) -> AppError | None:
    """Why a body is not parsed; null if it may be. Broken JSON is left to the parser."""
    if not body or not bounds.media_types:
        return None
    if not _is_readable_type(content_type, bounds.media_types):
        return UnsupportedMediaType(bounds.media_types)
    if FORM in bounds.media_types:
        return _too_many_values(bounds) if body.count(b"&") >= bounds.max_values else None
    if not _is_utf8(body):
        fault_of_encoding = Fault("body", "body", "invalid_encoding", "Send JSON in UTF-8.")
        return MalformedJson("The body is not in UTF-8.", errors=[fault_of_encoding])
    return _structure_fault(body, bounds)


def _is_readable_type(content_type: str, allowed: Iterable[str]) -> bool:
    """An encoding other than UTF-8 is another type."""
    header = Header()
    header["Content-Type"] = content_type
    charset = str(header.get_param("charset", "utf-8")).lower()
    return bool(content_type) and header.get_content_type() in allowed and charset in _CHARSETS


def _is_utf8(body: bytes) -> bool:
    """JSON in UTF-16 or UTF-32 has NUL in it, which JSON in UTF-8 never has."""
    if b"\0" in body:
        return False
    try:
        return body.isascii() or bool(body.decode())
    except UnicodeDecodeError:
        return False


def _structure_fault(body: bytes, bounds: BodyBounds) -> AppError | None:
    """Counts commas and brackets: first all there are, which is quick, and only where these are too many those outside
    of strings. An empty array or object counts like one with an entry."""
    if len(_only(b",[{", body)) <= bounds.max_values and len(_only(b"[{", body)) <= MAX_DEPTH:
        return None
    # A backslash stands only in strings, so that the quotes that are left after this delimit them.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    structure = _only(b'",[]{}', plain)
    if len(_only(b'"', structure)) > 4 * bounds.max_values + 2:  # each string is a value or the name of one
        return _too_many_values(bounds)
    outside = b"".join(structure.split(b'"')[::2])
    if len(_only(b",[{", outside)) > bounds.max_values:
        return _too_many_values(bounds)
    if _is_too_deep(outside.translate(_AS_ARRAYS, b",")):
        fault = Fault("body", "body", "too_deep", f"At most {MAX_DEPTH} objects and arrays inside one another.")
        return MalformedJson("The body is nested too deeply.", errors=[fault])
    return None


def _only(kept: bytes, text: bytes) -> bytes:
    """The text without all other bytes: many times as quick as counting where there are many."""
    return text.translate(None, _OTHERS[kept])


def _is_too_deep(brackets: bytes) -> bool:
    for _ in range(MAX_DEPTH):
        shorter = brackets.replace(b"[]", b"")  # all that have nothing in them
        if len(shorter) == len(brackets):
            return shorter.count(b"[") > MAX_DEPTH
        brackets = shorter
    return b"[]" in brackets


def _too_many_values(bounds: BodyBounds) -> AppError:
    fault = Fault("body", "body", "too_many_values", f"At most {bounds.max_values} values.")
    return InvalidInput("The body holds too much.", errors=[fault])
