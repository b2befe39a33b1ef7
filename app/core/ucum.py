"""Whether a text has the form of a UCUM code (the Unified Code for Units of Measure, case sensitive)."""

import re

SYSTEM = "http://unitsofmeasure.org"
"""The URI by which FHIR names UCUM."""

_ANNOTATION = r"\{[!-z|~]*\}"
_SYMBOL = r"(?:10[*^]|(?:[A-Za-z%'_]|\[[0-9A-Za-z'_./^*-]+\])+)(?:[+-]?[0-9]+)?"
_COMPONENT = rf"(?:(?:{_SYMBOL}|[0-9]+|\(\)(?:[+-]?[0-9]+)?)(?:{_ANNOTATION})?|{_ANNOTATION})"
_EXPRESSION = rf"/?{_COMPONENT}(?:[./]{_COMPONENT})*"
_WHOLE = re.compile(_EXPRESSION)
_IN_PARENTHESES = re.compile(rf"\({_EXPRESSION}\)")
_MAX_DEPTH = 4


def is_ucum(code: str) -> bool:
    """Whether the code follows the grammar of UCUM. Its symbols are not looked up: `tab` has the form of one."""
    if "()" in code:
        return False
    for _ in range(_MAX_DEPTH):
        code = _IN_PARENTHESES.sub("()", code)
    return _WHOLE.fullmatch(code) is not None
