"""What HL7's definitions forbid and `fhir.resources` lets pass, read from the models' own metadata."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

PROSE = frozenset({"CapabilityStatement.format"})
"""Elements whose metadata lists words for people instead of codes."""


def violations(resource: BaseModel, path: str | None = None) -> Iterator[str]:
    """Codes outside a required value set, references to a type that may not stand there, empty arrays."""
    path = path or type(resource).__name__
    for name, field in type(resource).model_fields.items():
        value = getattr(resource, name, None)
        if value is None:
            continue
        metadata: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        place = f"{path}.{field.alias or name}"
        if value == []:
            yield f"{place}: empty array"
        for item in value if isinstance(value, list) else [value]:
            codes = metadata.get("enum_values")
            if codes and isinstance(item, str) and item not in codes and place not in PROSE:
                yield f"{place}: not one of {codes}"
            yield from _wrong_target(item, metadata.get("enum_reference_types"), place)
            if isinstance(item, BaseModel):
                yield from violations(item, place)


def _wrong_target(item: object, allowed: list[str] | None, place: str) -> Iterator[str]:
    reference = getattr(item, "reference", None)
    if not allowed or "Resource" in allowed or not isinstance(reference, str):
        return
    if reference.startswith(("#", "urn:")) or "/" not in reference:
        return
    target = reference.split("/")[-2]
    if target not in allowed:
        yield f"{place}: refers to {target}, allowed are {allowed}"
