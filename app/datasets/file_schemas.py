"""JSON Schemas of the seed files, from the models that check them: editors complete and explain fields from these.

The first line of a file names its schema (`seed_text.schema_line`).
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from app.concepts.manifest import Manifest
from app.concepts.terms import SHIPPED
from app.core.vocabulary import EXTENSIBLE, Term, vocabulary_name
from app.datasets.files_beside import ReadingNote
from app.datasets.layout import FILE_RESOURCES, MANIFEST, MORE_FILES, READING_NOTES, stem
from app.datasets.shorthands import IDENTIFIER_LISTS, OWN_FIELDS, SCHEMES
from app.sources.vocabulary import IdentifierScheme
from app.storage.resource import Resource

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DERIVED = {"CitationWrite": ("id", "document"), "Origin": ("document",), "DocumentWrite": ("label",)}
"""Required fields of models that a file need not hold, because they follow from others or are said in short."""


def schemas() -> dict[str, str]:
    """The text of each schema by its file's name."""
    found: dict[str, dict[str, Any]] = {}
    for resource in FILE_RESOURCES:
        names = (stem(resource), *(name.removesuffix(".yaml") for name in MORE_FILES.get(resource.type, ())))
        for name in names:
            found[name] = _records(name, resource)
    manifest, notes = MANIFEST.removesuffix(".yaml"), READING_NOTES.removesuffix(".yaml")
    found[manifest] = _file(manifest, _of(Manifest))
    found[notes] = _file(notes, _list_of(_of(ReadingNote)))
    return {f"{name}.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in found.items()}


def write_schemas(directory: Path) -> int:
    """Write every schema into the directory; their number."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = schemas()
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return len(texts)


def _records(name: str, resource: Resource) -> dict[str, Any]:
    """A file of records: one list, and defaults for all of it."""
    record = _of(resource.write)
    if resource.type in IDENTIFIER_LISTS:
        record["properties"] |= _identifiers()
    fields = {field: value for field, value in record["properties"].items() if field in resource.write.model_fields}
    defaults = {field: value for field, value in fields.items() if field not in OWN_FIELDS}
    for part, required in _DERIVED.items():
        model = record if part == resource.write.__name__ else record.get("$defs", {}).get(part)
        if model is not None:
            model["required"] = [field for field in model["required"] if field not in required]
            if part != resource.write.__name__:
                model["properties"] |= _identifiers("of the document, in the place of its id")
    # A required field may come from the file's defaults, which a schema cannot tell: `check` finds what is missing.
    record["required"] = ["id"]
    schema = _file(name, _list_of(record))
    schema["properties"]["defaults"] = {
        "type": "object",
        "description": "Fields of every record in this file that does not say otherwise.",
        "additionalProperties": False,
        "properties": defaults,
    }
    return schema


def _of(model: type[BaseModel]) -> dict[str, Any]:
    return TypeAdapter(model).json_schema(mode="validation")


def _list_of(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _file(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """The schema of a file that holds the value under the key of its name; definitions go to the top."""
    item = value.get("items", value)
    definitions: dict[str, Any] = item.pop("$defs", {})
    terms = {term.__name__: term for term in Term.__subclasses__()}
    for part, definition in definitions.items():
        if EXTENSIBLE in definition:
            _offer_terms(definition)
        if part in terms and "enum" in definition:
            meanings = {member.value: member.definition for member in terms[part]}
            definition["enumDescriptions"] = [meanings[value] for value in definition["enum"]]
    return {
        "$schema": _DRAFT,
        "title": f"Seed file of {name.replace('_', ' ')}",
        "type": "object",
        "required": [name],
        "additionalProperties": False,
        "properties": {name: value},
        "$defs": definitions,
    }


def _offer_terms(definition: dict[str, Any]) -> None:
    """Complete and explain the terms that come with the software; those of a data set may stand too."""
    meanings = {term.id: term.definition for term in SHIPPED.terms(vocabulary_name(definition["title"]))}
    ids = definition.pop(EXTENSIBLE)
    own = {key: definition.pop(key) for key in ("type", "minLength", "maxLength")}
    definition["anyOf"] = [{"enum": ids, "enumDescriptions": [meanings[term] for term in ids]}, own]


def _identifiers(whose: str = "as it was read") -> dict[str, Any]:
    """A field for each scheme; what is all digits may be written as a number."""
    return {
        name: {"type": ["string", "integer"], "description": f"{IdentifierScheme(name).label}, {whose}."}
        for name in SCHEMES
    }
