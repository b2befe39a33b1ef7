"""Enumerations that carry a label and a definition: one source for code, API, documentation and `/v1/vocabularies`."""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """A value of a closed vocabulary with its label and plain definition; declaration order is display order."""

    label: str
    definition: str

    def __new__(cls, value: str, label: str = "", definition: str = "") -> Self:
        term = str.__new__(cls, value)
        term._value_ = value
        term.label = label
        term.definition = definition
        return term


class Status(Term):
    """A record's life."""

    published = "published", "Published", "Current and citable."
    retired = "retired", "Retired", "Withdrawn; its address answers 410 and names the successor, where there is one."


VOCABULARIES = (Status,)


def vocabularies_of(module: str) -> tuple[type[Term], ...]:
    """Every vocabulary that a module defines, in order of definition."""
    return tuple(vocabulary for vocabulary in Term.__subclasses__() if vocabulary.__module__ == module)
