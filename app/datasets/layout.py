"""Which files a directory of seed data may hold, and what stands in each."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import Fault, nearest
from app.registry import RESOURCES
from app.storage.resource import Resource

MANIFEST = "dataset.yaml"
"""What the data set says of itself."""
EXAMPLES = "examples.json"
"""Requests that the documentation shows, and their answers: a part of the manifest."""
READING_NOTES = "reading_notes.yaml"
"""What was read of each document; checked, and not published."""
SCHEMAS = "schema"
"""The folder of the JSON Schemas that `ldn-evidence schema` writes."""
DRUGS = "drugs.yaml"
MORE_FILES: Mapping[str, tuple[str, ...]] = {"intervention": (DRUGS,)}
"""Further files of a type: drugs have many names and codes, and are easier to edit apart from dose regimens."""
FILE_RESOURCES = tuple(resource for resource in RESOURCES if resource.part_of is None)
"""The types that have files, parents first."""
PLACEHOLDER = "FILL"
"""Stands in a skeleton wherever a person has to write something."""
_PROSE = (".md", ".txt")
"""What may lie beside the files for a reader."""


@dataclass(frozen=True)
class SeedPath:
    """A file of records."""

    path: Path
    name: str
    """Path below its directory."""
    key: str
    """The field that holds the list."""


def stem(resource: Resource) -> str:
    """`side_effects`: the name of the type's file without its ending, of its folder, and of the list in both."""
    return resource.plural.replace("-", "_")


def file_name(resource: Resource) -> str:
    return f"{stem(resource)}.yaml"


def files_of(directory: Path, resource: Resource, more: Collection[Path] = ()) -> Iterator[SeedPath]:
    """The files of a type: the one of its name, the further ones, then its folder's by name.

    Those that are there, and those of `more`, which are about to be written.
    """
    for name in (file_name(resource), *MORE_FILES.get(resource.type, ())):
        path = directory / name
        if path in more or path.exists():
            yield SeedPath(path, name, path.stem)
    folder = directory / stem(resource)
    there = folder.iterdir() if folder.is_dir() else ()
    for path in sorted({*there, *(path for path in more if path.parent == folder)}):
        if path.suffix == ".yaml" and not _is_ignored(path):
            yield SeedPath(path, f"{folder.name}/{path.name}", folder.name)


def unknown_files(directory: Path) -> Iterator[Fault]:
    """A fault for each file or folder that no part of a data set has, with the nearest right name."""
    files = {MANIFEST, EXAMPLES, READING_NOTES, *(file_name(resource) for resource in FILE_RESOURCES)}
    files.update(name for names in MORE_FILES.values() for name in names)
    folders = {stem(resource) for resource in FILE_RESOURCES}
    for path in sorted(directory.iterdir()):
        if _is_ignored(path) or path.name in files or (path.name == SCHEMAS and path.is_dir()):
            continue
        if path.name in folders and path.is_dir():
            for inner in sorted(path.iterdir()):
                if not _is_ignored(inner) and (inner.suffix != ".yaml" or inner.is_dir()):
                    same = (f"{path.name}/{inner.stem}.yaml",) if inner.suffix in (".yml", ".json") else None
                    reason = "is no file of records; the names of those end in .yaml"
                    yield Fault("file", f"{path.name}/{inner.name}", "unknown_file", reason, did_you_mean=same)
            continue
        known = sorted(folders if path.is_dir() else files)
        reason = "is no folder of a data set" if path.is_dir() else "is no file of a data set"
        guesses = nearest(path.name, known, 1) or None
        yield Fault("file", path.name, "unknown_file", reason, allowed=tuple(known), did_you_mean=guesses)


def _is_ignored(path: Path) -> bool:
    """Hidden files, backups of editors, prose and licences."""
    name = path.name
    return name.startswith((".", "#", "LICENSE")) or name.endswith(("~", *_PROSE))
