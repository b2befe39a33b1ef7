"""CSL-JSON, which citation processors and most reference managers read, and from which `styles` formats text."""

import json
from collections.abc import Sequence
from typing import Any

from app.bibliography.reference import Mark, Name, Reference

Item = dict[str, Any]

_NAMES = ("container_title", "container_title_short", "volume", "issue", "page", "publisher")
_IDENTIFIERS = ("doi", "pmid", "pmcid", "url")
_PLAIN = {
    **{field.replace("_", "-"): field for field in _NAMES},
    **{field.upper(): field for field in _IDENTIFIERS},
    "note": "note",
}
"""Variable → field of a reference."""


def item(reference: Reference) -> Item:
    """The reference as one CSL item. Variables without a value are left out, as CSL requires."""
    variables: Item = {"id": reference.id, "type": reference.type, "title": reference.shown_title}
    if reference.authors:
        variables["author"] = [_name(author) for author in reference.authors]
    for variable, field in _PLAIN.items():
        if (value := getattr(reference, field)) is not None:
            variables[variable] = value
    for variable, date in (("issued", reference.issued), ("accessed", reference.accessed)):
        if date:
            variables[variable] = {"date-parts": [list(date)]}
    if reference.warning is Mark.retracted:
        variables["status"] = "retracted"
    return variables


def _name(author: Name) -> dict[str, str]:
    parts = {"family": author.family, "given": author.given, "literal": author.literal}
    return {part: value for part, value in parts.items() if value}


def render(references: Sequence[Reference], _style: str) -> str:
    return json.dumps([item(reference) for reference in references], ensure_ascii=False, indent=1) + "\n"
