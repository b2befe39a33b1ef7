"""CSL-JSON, which citation processors and most reference managers read, and from which `styles` formats text."""

import json
from collections.abc import Sequence
from typing import Any

from app.bibliography.pages import format_pages
from app.bibliography.reference import Name, Reference

Item = dict[str, Any]

_NAMES = ("container_title", "container_title_short", "volume", "issue", "page", "publisher")
_IDENTIFIERS = ("doi", "pmid", "pmcid", "url")
_PLAIN = {
    **{field.replace("_", "-"): field for field in _NAMES},
    **{field.upper(): field for field in _IDENTIFIERS},
    "note": "note",
}
"""Variable → field of a reference."""

_TEXTS = (
    "title", "container-title", "container-title-short", "volume", "issue", "page", "publisher", "genre", "note", "DOI",
    "PMID", "PMCID", "URL",
)  # fmt: skip
_DATE = {
    "type": "object",
    "required": ["date-parts"],
    "additionalProperties": False,
    "properties": {
        "date-parts": {
            "description": "One date: year, month and day, as far as known.",
            "type": "array",
            "items": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3},
        }
    },
}
_NAME = {
    "type": "object",
    "additionalProperties": False,
    "properties": {part: {"type": "string"} for part in ("family", "given", "suffix", "literal")},
}
SCHEMA = {
    "type": "array",
    "items": {
        "title": "CslItem",
        "description": "A reference as CSL-JSON 1.0.2 describes it; what is not known is left out.",
        "type": "object",
        "required": ["id", "type", "title"],
        "additionalProperties": False,
        "properties": {
            "id": {"description": "Id of the document.", "type": "string"},
            "type": {
                "enum": ["article", "article-journal", "chapter", "webpage", "report", "dataset"],
                "type": "string",
            },
            **{variable: {"type": "string"} for variable in _TEXTS},
            "author": {"type": "array", "items": _NAME},
            "issued": _DATE,
            "accessed": _DATE,
        },
    },
}
"""JSON schema of what `render` writes."""


def item(reference: Reference) -> Item:
    """The reference as one CSL item. Variables without a value are left out, as CSL requires.

    A preprint is an `article` of the genre `Preprint`, its server the publisher, as in Zotero
    (https://github.com/zotero/zotero-bits/issues/88).
    """
    variables: Item = {"id": reference.id, "type": reference.type, "title": reference.shown_title}
    if reference.authors:
        variables["author"] = [_name(author) for author in reference.authors]
    for variable, field in _PLAIN.items():
        if (value := getattr(reference, field)) is not None:
            variables[variable] = value
    if reference.page is not None:
        variables["page"] = format_pages(reference.page)
    for variable, date in (("issued", reference.issued), ("accessed", reference.accessed)):
        if date:
            variables[variable] = {"date-parts": [list(date)]}
    return _as_preprint(reference, variables) if reference.is_preprint else variables


def _as_preprint(reference: Reference, variables: Item) -> Item:
    kept = {name: value for name, value in variables.items() if not name.startswith("container-title")}
    server = {"publisher": reference.server} if reference.server else {}
    return kept | {"type": "article", "genre": "Preprint"} | server


def _name(author: Name) -> dict[str, str]:
    parts = {"family": author.family, "given": author.given, "suffix": author.suffix, "literal": author.literal}
    return {part: value for part, value in parts.items() if value}


def render(references: Sequence[Reference], _style: str) -> str:
    return json.dumps([item(reference) for reference in references], ensure_ascii=False, indent=1) + "\n"
