"""What the system must know about a type of record, as one frozen value: the `Resource`.

A record is *content* (what curators write), *derived* values (computed from the content and from what it refers to) and
the *body* (JSON rendered from both). The tables are a projection of the content, for filters and for SQL users.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core.content import Envelope, Record
from app.core.text import RuleViolation
from app.storage.filter_index import FilterSpec
from app.storage.rows import RowWriter

# Inside `Resource` the name `type` means its field.
WriteModel = type[Record]
DerivedModel = type[BaseModel]
ReadModel = type[Envelope]


class Key(NamedTuple):
    """Identifies a record; ids are unique only within their type."""

    type: str
    id: str


class FieldReference(NamedTuple):
    """A field of a record that names another record."""

    field: str
    key: Key


def named_records(fields: Mapping[str, Any], content: Any, within: str = "") -> Iterator[FieldReference]:
    """Every record that a content names. `fields` tells the type of the records that a field names or, of a field that
    contains others, their `fields`; `within` stands in front of the names of fields."""
    for name, target in fields.items():
        value = getattr(content, name)
        if value is None or value == ():
            continue
        at = f"{within}{name}"
        items = [(f"{at}[{i}]", item) for i, item in enumerate(value)] if isinstance(value, tuple) else [(at, value)]
        for place, item in items:
            if isinstance(target, str):
                yield FieldReference(place, Key(target, item))
            else:
                yield from named_records(target, item, f"{place}.")


class RecordReader(Protocol):
    """Reads records as of one moment; `app.storage.records` has the implementations."""

    def content(self, key: Key) -> Any:
        """The record's content, an instance of its type's `write` model; KeyError if there is no such record."""

    def derived(self, key: Key) -> Any:
        """The record's derived values, an instance of its type's `derived` model; KeyError if there are none."""


class Stamp(NamedTuple):
    """The fields of a record's body that describe its history."""

    version: int
    serial: int
    updated_at: str


@dataclass(frozen=True)
class Resource:
    """A type of record."""

    type: str
    plural: str
    """The segment in addresses; with `_` for `-`, also the name of the file in the seed data."""
    label: str
    write: WriteModel
    derived: DerivedModel
    read: ReadModel
    check: Callable[[Any], list[RuleViolation]]
    """Returns violations of the rules that concern the content alone."""
    references: Callable[[Any], Iterator[FieldReference]]
    apply: Callable[[RowWriter, Any], None]
    """Writes the record's own row; other records of the same type may not exist yet."""
    link: Callable[[RowWriter, Any], None]
    """Writes the rows that depend on the record's own row; all records exist by then."""
    derive: Callable[[Session, RecordReader, Sequence[Any]], Iterable[BaseModel]]
    """The derived values of several records of the type, in their order."""
    render: Callable[[RecordReader, Any, Any, Stamp], Envelope]
    filters: FilterSpec
    """The filters of its lists."""
    part_of: str | None = None
    """The type whose content contains this one's, as claims contain citations."""

    @property
    def path(self) -> str:
        return f"/v1/{self.plural}"


_RESOURCES: dict[str, Resource] = {}


def register(resources: Iterable[Resource]) -> None:
    """Make types of record known to the readers; `app.registry` calls this when it is imported."""
    _RESOURCES.update((resource.type, resource) for resource in resources)


def resource_of(record_type: str) -> Resource:
    """The registered resource of a type; KeyError for an unknown type, or if `app.registry` was not imported."""
    return _RESOURCES[record_type]
