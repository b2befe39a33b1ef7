"""The one abstraction to learn: what the system must know of a type of record, as a frozen value.

A record is *content* (what curators write), *derived* values (computed from it and from what it refers to) and the
*document* rendered from both. The tables are a projection of the content, for filters and for SQL users.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core.content import Envelope, Record
from app.core.text import RuleViolation
from app.storage.filter_index import FilterSpec

WriteModel = type[Record]
DerivedModel = type[BaseModel]
ReadModel = type[Envelope]


class Key(NamedTuple):
    """Names one record: ids are unique within their type only."""

    type: str
    id: str


class Reference(NamedTuple):
    """A field of a record that names another record."""

    field: str
    key: Key


class RecordReader(Protocol):
    """The records that a record refers to, as they are now or as they were at a serial."""

    def content(self, key: Key) -> Any:
        """The content of the record, in its type's write shape; KeyError where there is none."""

    def derived(self, key: Key) -> Any:
        """The derived values of the record, in its type's derived shape."""


class Stamp(NamedTuple):
    """What a record's document says of its own history."""

    version: int
    serial: int
    updated_at: str


@dataclass(frozen=True)
class Resource:
    """One type of record."""

    type: str
    plural: str
    """Its segment in addresses, and its file in the seed data with `_` for `-`."""
    label: str
    write: WriteModel
    derived: DerivedModel
    read: ReadModel
    check: Callable[[Any], list[RuleViolation]]
    """Rules that the content alone can break."""
    references: Callable[[Any], Iterator[Reference]]
    apply: Callable[[Session, Any], None]
    """Write the record's own row; records of the same type may not exist yet."""
    link: Callable[[Session, Any], None]
    """Write the rows that hang on it; every record exists by now."""
    derive: Callable[[Session, RecordReader, Any], BaseModel]
    render: Callable[[RecordReader, Any, Any, Stamp], Envelope]
    filters: FilterSpec
    """What its lists are filtered by."""
    part_of: str | None = None
    """The type whose content holds this one's, as claims hold citations."""

    @property
    def path(self) -> str:
        return f"/v1/{self.plural}"
