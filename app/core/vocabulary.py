"""Enumerations that carry a label and a definition: one source for code, API, documentation and `/v1/vocabularies`."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Self


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


class Status(Term):
    """A record's life."""

    published = "published", "Current and citable."
    retired = "retired", "Withdrawn; its address answers 410 and names the successor, where there is one."


VOCABULARIES = (Status,)


@cache
def labels_of(vocabulary: type[Term]) -> Mapping[str, str]:
    """The labels of a vocabulary by value."""
    return MappingProxyType({term.value: term.label for term in vocabulary})


def vocabularies_of(module: str) -> tuple[type[Term], ...]:
    """Every vocabulary that a module defines, in order of definition."""
    return tuple(vocabulary for vocabulary in Term.__subclasses__() if vocabulary.__module__ == module)
