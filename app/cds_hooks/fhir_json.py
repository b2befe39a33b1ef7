"""Reads FHIR JSON that no validator would accept: what has another type than expected counts as missing."""

from itertools import islice
from typing import Any


def objects(value: Any, most: int | None = None) -> list[dict[str, Any]]:
    """The objects among the first `most` items of a list, or among all; empty for anything but a list."""
    return [item for item in islice(value, most) if isinstance(item, dict)] if isinstance(value, list) else []


def member(value: Any, *path: str) -> Any:
    """The value at a path of member names; null if a member or its parent is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_member(value: Any, *path: str) -> str:
    """The text at a path of member names; empty if there is none."""
    text = member(value, *path)
    return text if isinstance(text, str) else ""
