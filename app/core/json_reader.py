"""Reads JSON that comes from others but not in a request: key sets, lists from FHIR servers, files."""

import re
from typing import Any

from pydantic_core import from_json

MAX_DEPTH = 32
"""Arrays and objects in each other."""

_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{\]}]")


def read_json(raw: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """The value; ValueError if it is malformed or nested deeper."""
    value = from_json(raw)
    depth = 0
    for bracket in _BRACKETS.finditer(_TEXT.sub(b"", raw)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > max_depth:
            raise ValueError(f"nested deeper than {max_depth} levels")
    return value
