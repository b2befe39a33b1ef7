"""What was read from seed files: each record with the place where it stands, and what was found wrong."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.concepts.manifest import Manifest
from app.core.content import Record
from app.core.errors import Fault, nearest
from app.datasets.layout import PLACEHOLDER
from app.datasets.shorthands import KnownDocuments
from app.datasets.validation import validation_faults
from app.datasets.yaml_files import PathInFile, YamlFile, field_of, json_number, path_of, top_fields
from app.publishing.changes import Change
from app.storage.resource import Key

_UNFILLED = Fault("file", "", "unfilled", "is still to be filled in")
Part = TypeVar("Part", bound=BaseModel)


@dataclass(frozen=True)
class SeedEntry:
    """Where a record stands in the files."""

    directory: Path
    """Of the seed files among which it stands."""
    file: YamlFile
    path: PathInFile
    id: Any
    """As it is written, which need not be text."""
    moved: Mapping[PathInFile, PathInFile]
    defaults: Mapping[str, Any]
    """Of the file."""

    def place(self, path: PathInFile = ()) -> str:
        for length in range(len(path), 0, -1):
            if path[:length] in self.moved:
                path = (*self.moved[path[:length]], *path[length:])
                break
        if path and path[0] in self.defaults and not self.file.holds((*self.path, path[0])):
            return self.file.place(("defaults", *path))
        return self.file.place((*self.path, *path))

    def fault(self, path: PathInFile, fault: Fault) -> Fault:
        """The fault with its place, the record's id and the field."""
        named = self.id if isinstance(self.id, str) else f"record {int(self.path[1]) + 1}"
        at = f"{self.place(path)}: {named}: {field_of(path) or 'record'}"
        return replace(fault, field=at)


@dataclass
class Bundle:
    """What the directories hold together; `contents` has parents first."""

    contents: dict[Key, Record] = field(default_factory=dict)
    sources: dict[Key, SeedEntry] = field(default_factory=dict)
    copies: dict[Key, list[SeedEntry]] = field(default_factory=dict)
    """Where a record stands again, with the same content, in later directories."""
    manifest: Manifest | None = None
    manifest_file: YamlFile | None = None
    faults: list[Fault] = field(default_factory=list)
    unreadable: set[str | Key] = field(default_factory=set)
    """Types and records that cannot be judged."""
    documents: KnownDocuments = field(default_factory=KnownDocuments)

    @property
    def changes(self) -> list[Change]:
        """The records as the input of a publication."""
        return [Change(key.type, content) for key, content in self.contents.items()]

    def fault(self, key: Key, field: str, code: str, reason: str, guesses: tuple[str, ...] | None = None) -> None:
        """Note a fault of a record that was read."""
        self.faults.append(self.sources[key].fault(path_of(field), Fault("file", "", code, reason, None, guesses)))


def shown_name(name: str, directory: Path, directories: Sequence[Path]) -> str:
    """A file as faults name it: below its directory where there is one, else with the directory."""
    return name if len(directories) == 1 else f"{directory}/{name}"


def shape_fault(file: YamlFile, key: str, kind: type[list[Any]] | type[dict[str, Any]]) -> Fault | None:
    """A fault unless the file holds one list, or fields, under the key, and at most `defaults` beside the list."""
    optional = {"defaults"} if kind is list else set()
    fields = top_fields(file)
    if isinstance(fields.get(key), kind) and set(fields) <= {key, *optional}:
        return None
    unknown = next((name for name in fields if name not in (key, *optional)), None)
    what = "one list" if kind is list else "fields"
    beside = ", and nothing beside it but 'defaults'" if kind is list else ""
    guesses = nearest(str(unknown), (key, *optional), 1) or None if unknown is not None else None
    at = file.place(() if unknown is None else (unknown,))
    return Fault("file", at, "shape", f"must hold {what} under the key {key!r}{beside}", did_you_mean=guesses)


def model_of(
    model: type[Part], fields: Any, faults: list[tuple[PathInFile, Fault]], more_fields: Sequence[str] = ()
) -> Part | None:
    """The fields as a model; null where faults were added, each with the part that it is about."""
    try:
        # As JSON, because strict validation of JSON accepts no string for a number and no number for a string.
        text = json.dumps(fields, default=json_number)
        if PLACEHOLDER not in text or not (marks := list(_marks(fields))):
            return model.model_validate_json(text, strict=True)
        faults += ((path, _UNFILLED) for path in marks)
    except ValidationError as error:  # a ValueError too, so it stands first
        faults += validation_faults(model, fields, error, more_fields)
    except (RecursionError, TypeError, ValueError):
        reason = "holds a value that is neither text, number, truth value, list nor fields, or that holds itself"
        faults.append(((), Fault("file", "", "unreadable", reason)))
    return None


def _marks(value: Any, path: PathInFile = ()) -> Iterator[PathInFile]:
    """Where a skeleton still waits for a person."""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for name, part in parts:
        if part == PLACEHOLDER:
            yield (*path, name)
        else:
            yield from _marks(part, (*path, name))


def is_judged(unreadable: Collection[str | Key], key: Key) -> bool:
    return key not in unreadable and key.type not in unreadable
