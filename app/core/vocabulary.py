"""Enumerations that carry a label and a definition: one source for code, API, documentation and `/v1/vocabularies`.

A closed vocabulary is a `Term`: the code decides what each of its values does. The values of an `OpenVocabulary` are
text; a data set adds to those that come with the software (`app.concepts.terms`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MAX_TERM_LENGTH = 40
TERM_PATTERN = "^[!-~]+$"
"""Ids of terms, also of units (`mg/kg`). Schemas say so; what is sent is compared with the terms that there are, so
that the refusal of `randomised trial` names the nearest."""
EXTENSIBLE = "x-extensible-enum"
"""In JSON Schemas: the values known today, to which others may come."""


class Term(StrEnum):
    """A value of a closed vocabulary with its label and plain definition; declaration order is display order.

    Declared as `value, definition`, or as `value, label, definition` where the label is not the value in words.
    """

    label: str
    definition: str

    def __new__(cls, value: str, *texts: str) -> Self:
        term = str.__new__(cls, value)
        term._value_ = value
        *label, term.definition = texts or ("",)
        term.label = label[0] if label else value.replace("_", " ").capitalize()
        return term


@dataclass(frozen=True)
class OpenVocabulary:
    """Marks a text, as metadata of `Annotated`, as the id of a term: one that comes with the software, or one of the
    data set's own."""

    name: str
    """As a class would be called; fields of vocabularies have its plural, such as `code_systems`."""
    description: str
    shipped: tuple[str, ...]
    """The ids of the terms that come with the software, in their order."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.str_schema(min_length=1, max_length=MAX_TERM_LENGTH, ref=self.name)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        reference = handler(schema)
        definition = handler.resolve_ref_schema(reference)
        about = {"title": self.name, "description": self.description, EXTENSIBLE: list(self.shipped)}
        definition.update(about, pattern=TERM_PATTERN)
        return reference


class Status(Term):
    """A record's life."""

    published = "published", "Current and citable."
    retired = "retired", "Withdrawn; its address answers 410 and names the successor, where there is one."


VOCABULARIES = (Status,)


def vocabulary_name(name: str) -> str:
    """`StanceReason` → `stance_reason`: how answers and files call a vocabulary."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


@cache
def labels_of(vocabulary: type[Term]) -> Mapping[str, str]:
    """The labels of a vocabulary by value."""
    return MappingProxyType({term.value: term.label for term in vocabulary})


def vocabularies_of(module: str) -> tuple[type[Term], ...]:
    """Every vocabulary that a module defines, in order of definition."""
    return tuple(vocabulary for vocabulary in Term.__subclasses__() if vocabulary.__module__ == module)
