"""Seed files: YAML that curators edit, one file or one folder for each type of record, read and checked as a whole.

Directories stack: what an earlier one holds, a later one may name. Which files a directory may hold: `layout`; what a
file need not say: `shorthands`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.claims.schemas import ClaimWrite
from app.concepts.manifest import Manifest
from app.concepts.terms import SHIPPED, Vocabularies
from app.core.content import ContentModel, Record
from app.core.errors import Fault, InvalidInput, nearest
from app.core.text import OneLine, Slug, Text
from app.core.vocabulary import Status
from app.datasets.layout import (
    EXAMPLES,
    FILE_RESOURCES,
    MANIFEST,
    PLACEHOLDER,
    READING_NOTES,
    SeedPath,
    files_of,
    unknown_files,
)
from app.datasets.shorthands import IDENTIFIER_LISTS, OWN_FIELDS, SCHEMES, KnownDocuments, expand
from app.datasets.validation import validation_faults
from app.datasets.yaml_files import PathInFile, YamlFile, field_of, json_number, load, parsed, path_of, top_fields
from app.publishing.changes import Change, content_violations
from app.publishing.loops import loops
from app.publishing.terms import term_faults
from app.registry import BY_TYPE
from app.sources.rules import taken_identifiers
from app.sources.schemas import DocumentWrite
from app.storage.history import text_of
from app.storage.resource import FieldReference, Key, Resource

_UNFILLED = Fault("file", "", "unfilled", "is still to be filled in")
Part = TypeVar("Part", bound=BaseModel)


class ReadingNote(ContentModel):
    """What was read of a document, where, and the numbers that a finding may use; not published."""

    document: Slug
    read: tuple[OneLine, ...]
    """The parts that were read, such as `abstract`."""
    read_at: tuple[OneLine, ...] = ()
    """Addresses and places."""
    notes: Text
    """In our own words, with every number that a finding may use."""


@dataclass(frozen=True)
class SeedEntry:
    """Where a record stands in the files, and what it says there."""

    directory: Path
    """Of the seed files among which it stands."""
    file: YamlFile
    path: PathInFile
    fields: Mapping[str, Any]
    """Written out: with defaults and everything that follows from what it says."""
    moved: Mapping[PathInFile, PathInFile]
    defaults: Mapping[str, Any]
    """Of the file."""

    def place(self, path: PathInFile = ()) -> str:
        for length in range(len(path), 0, -1):
            if path[:length] in self.moved:
                path = (*self.moved[path[:length]], *path[length:])
                break
        written = self.file.data[self.path[0]][self.path[1]]
        if path and path[0] in self.defaults and path[0] not in written:
            return self.file.place(("defaults", *path))
        return self.file.place((*self.path, *path))

    def fault(self, path: PathInFile, fault: Fault) -> Fault:
        """The fault with its place, the record's id and the field."""
        name = self.fields.get("id")
        named = name if isinstance(name, str) else f"record {int(self.path[1]) + 1}"
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


def read(*directories: Path) -> list[Change]:
    """Every record of the directories' files, parents first; InvalidInput lists all faults of all files."""
    return load_bundle(directories).changes


def load_bundle(directories: Sequence[Path], texts: Mapping[Path, str] | None = None) -> Bundle:
    """The records with the places where they stand; InvalidInput lists all faults of all files.

    `texts` stand in the place of what those files hold, or are files that are not there yet.
    """
    bundle = read_files(directories, texts or {})
    _check_citation_ids(bundle)
    _check_identifiers(bundle)
    _check_references(bundle)
    for directory in directories:
        _read_manifest(bundle, directory, _shown(MANIFEST, directory, directories))
        _check_reading_notes(bundle, directory, _shown(READING_NOTES, directory, directories))
    if bundle.manifest is not None:
        bundle.faults.extend(_manifest_faults(bundle, bundle.manifest))
    if MANIFEST not in bundle.unreadable:
        _check_terms(bundle)
    for loop in loops(bundle.contents, bundle.contents.get):
        bundle.fault(loop.key, loop.field, "loop", loop.reason)
    if bundle.faults:
        count = f"{len(bundle.faults)} fault{'s' if len(bundle.faults) > 1 else ''}"
        raise InvalidInput(f"{count} in the seed data; nothing was written.", errors=bundle.faults)
    return bundle


def read_files(directories: Sequence[Path], texts: Mapping[Path, str]) -> Bundle:
    """The records, each judged alone: with the faults of files and records, and not of those between records."""
    bundle = Bundle()
    begun = {directory for directory in directories if any(directory in path.parents for path in texts)}
    if not directories or not all(directory.is_dir() or directory in begun for directory in directories):
        raise InvalidInput("There is no directory of seed data at that place.", errors=[])
    for directory in filter(Path.is_dir, directories):
        for fault in unknown_files(directory):
            bundle.faults.append(replace(fault, field=_shown(fault.field, directory, directories)))
    for resource in FILE_RESOURCES:
        for directory in directories:
            for seed_path in files_of(directory, resource, texts):
                path, name = seed_path.path, _shown(seed_path.name, directory, directories)
                file = parsed(texts[path], path, name) if path in texts else load(path, name)
                _read_records(bundle, resource, (directory, seed_path), file)
    return bundle


def differing(bundle: Bundle, contents: Mapping[Key, str]) -> list[Key]:
    """Those of the records (`text_of`) that the files do not hold, or hold otherwise."""
    found = bundle.contents
    return [key for key, text in contents.items() if key not in found or text_of(found[key]) != text]


def write_checked(
    directories: Sequence[Path], texts: Mapping[Path, str], contents: Mapping[Key, str] | None = None
) -> None:
    """Write the texts of files if the directories are without fault with them; InvalidInput lists the faults.

    `contents` are what records must be then (`text_of`).
    """
    bundle = load_bundle(directories, texts)
    if wrong := differing(bundle, contents or {}):
        reason = "would not be read back as it is; write it by hand"
        faults = [Fault("file", f"{key.type}/{key.id}", "differs", reason) for key in wrong]
        raise InvalidInput("Some records cannot be written; nothing was.", errors=faults)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def files_that_are_read(directory: Path) -> list[Path]:
    """Every file of the directory that says something; one of another name is in the list too, as a fault to come."""
    paths = {seed_path.path for resource in FILE_RESOURCES for seed_path in files_of(directory, resource)}
    paths |= {path for name in (MANIFEST, EXAMPLES, READING_NOTES) if (path := directory / name).exists()}
    paths |= {path for path in directory.glob("*.yaml") if path.is_file()}
    return sorted(paths)


def read_manifest(*directories: Path) -> Manifest | None:
    """What the directories say of the data set, the last one that says something; null where none does.

    InvalidInput lists the faults of the files.
    """
    bundle = Bundle()
    for directory in directories:
        _read_manifest(bundle, directory, _shown(MANIFEST, directory, directories))
    if bundle.faults:
        raise InvalidInput(f"{MANIFEST} cannot be used.", errors=bundle.faults)
    return bundle.manifest


# --- records ------------------------------------------------------------------------------------------------------


def _shown(name: str, directory: Path, directories: Sequence[Path]) -> str:
    """A file as faults name it: below its directory where there is one, else with the directory."""
    return name if len(directories) == 1 else f"{directory}/{name}"


def _read_records(bundle: Bundle, resource: Resource, at: tuple[Path, SeedPath], file: YamlFile | Fault) -> None:
    """Add the file's records. What cannot be read adds a fault, and its type or key to `unreadable`."""
    directory, seed_path = at
    fault = file if isinstance(file, Fault) else _shape_fault(file, seed_path.key, list)
    if fault is not None or isinstance(file, Fault):
        bundle.faults += [fault] if fault else []
        bundle.unreadable.add(resource.type)
        return
    defaults = _defaults(bundle, file, resource)
    for index in range(len(file.data[seed_path.key])):
        entry = SeedEntry(directory, file, (seed_path.key, index), {}, {}, defaults)
        _read_record(bundle, resource, entry)


def _shape_fault(file: YamlFile, key: str, kind: type[list[Any]] | type[dict[str, Any]]) -> Fault | None:
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


def _defaults(bundle: Bundle, file: YamlFile, resource: Resource) -> Mapping[str, Any]:
    """The file's defaults as far as records of the type have such fields."""
    defaults = file.data.get("defaults", {})
    if not isinstance(defaults, dict):
        reason = "must hold fields that every record of the file has unless it says otherwise"
        bundle.faults.append(Fault("file", f"{file.place(('defaults',))}: defaults", "shape", reason))
        return {}
    names = [name for name in resource.write.model_fields if name not in OWN_FIELDS]
    for name in defaults:
        if name not in names:
            at = f"{file.place(('defaults', name))}: defaults.{name}"
            guesses = nearest(str(name), names, 3) or None
            reason = "is no field that can have a default"
            bundle.faults.append(Fault("file", at, "extra_forbidden", reason, did_you_mean=guesses))
    return {name: value for name, value in defaults.items() if name in names}


def _read_record(bundle: Bundle, resource: Resource, entry: SeedEntry) -> None:
    record = entry.file.data[entry.path[0]][entry.path[1]]
    if not isinstance(record, dict):
        reason = "must be a record with fields"
        source = replace(entry, defaults={})
        bundle.faults.append(source.fault((), Fault("file", "", "model_type", reason)))
        return
    expanded = expand(resource.type, {**entry.defaults, **record}, bundle.documents)
    source = replace(entry, fields=expanded.fields, moved=expanded.moved)
    faults = list(expanded.faults)
    short = SCHEMES if resource.type in IDENTIFIER_LISTS else ()
    content = None if faults else _model_of(resource.write, source.fields, faults, short)
    if content is not None:
        faults += [
            (path_of(name), Fault("file", "", "rule", reason)) for name, reason in content_violations(resource, content)
        ]
        _add(bundle, resource, source, content)
    elif isinstance(record.get("id"), str):
        bundle.unreadable.add(Key(resource.type, record["id"]))
    bundle.faults += [source.fault(at, fault) for at, fault in faults]


def _model_of(
    model: type[Part], fields: Any, faults: list[tuple[PathInFile, Fault]], more_fields: Sequence[str] = ()
) -> Part | None:
    """The fields as a model; null where faults were added, each with the part that it is about."""
    marks = [(path, _UNFILLED) for path in _marks(fields)]
    if marks:
        faults += marks
        return None
    try:
        # As JSON, because strict validation of JSON accepts no string for a number and no number for a string.
        return model.model_validate_json(json.dumps(fields, default=json_number), strict=True)
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


def _add(bundle: Bundle, resource: Resource, source: SeedEntry, content: Record) -> None:
    """Add a record, unless one of its id is there: the same one may stand in two directories, not twice in one."""
    key = Key(resource.type, content.id)
    former = bundle.sources.get(key)
    if former is None:
        bundle.sources[key] = source
        bundle.contents[key] = content
        bundle.documents.add(content)
        return
    earlier = bundle.contents[key]
    if former.directory == source.directory:
        fault = Fault("file", "", "duplicate", f"stands already at {former.place(('id',))}")
        bundle.faults.append(source.fault(("id",), fault))
    elif earlier != content:
        names = [name for name in type(content).model_fields if getattr(earlier, name) != getattr(content, name)]
        reason = f"stands at {former.place(('id',))} with another content; they differ in {', '.join(names)}"
        bundle.faults.append(source.fault(("id",), Fault("file", "", "differs", reason)))
    else:
        bundle.copies.setdefault(key, []).append(source)


# --- records together ---------------------------------------------------------------------------------------------


def _check_citation_ids(bundle: Bundle) -> None:
    first: dict[str, tuple[Key, str]] = {}
    for key, content in bundle.contents.items():
        if isinstance(content, ClaimWrite):
            for index, citation in enumerate(content.citations):
                at = f"citations[{index}].id"
                if citation.id in first:
                    other, field_there = first[citation.id]
                    place = bundle.sources[other].place(path_of(field_there))
                    reason = f"is that of a citation at {place}: give this one an id of its own"
                    bundle.fault(key, at, "duplicate", reason)
                first.setdefault(citation.id, (key, at))


def _check_identifiers(bundle: Bundle) -> None:
    documents = [content for content in bundle.contents.values() if isinstance(content, DocumentWrite)]
    for document_id, name, reason in taken_identifiers(documents):
        bundle.fault(Key("document", document_id), name, "duplicate", reason)


def _check_references(bundle: Bundle) -> None:
    """References to missing or retired records; those to `unreadable` ones cannot be judged."""
    contents = bundle.contents
    for record_key, content in contents.items():
        published = content.status is Status.published
        references = list(BY_TYPE[record_key.type].references(content))
        if content.successor is not None:
            references.append(FieldReference("successor", Key(record_key.type, content.successor)))
        for name, key in references:
            target = contents.get(key)
            if target is not None and (target.status is Status.published or not published):
                continue
            if not _is_judged(bundle.unreadable, key):
                continue
            problem = "names no" if target is None else "names a retired"
            ids = (other.id for other in contents if other.type == key.type)
            guesses = nearest(key.id, ids) if target is None else None
            reason = f"{problem} {key.type.replace('_', ' ')}"
            bundle.fault(record_key, name, "unknown_reference", reason, guesses)


def _is_judged(unreadable: Collection[str | Key], key: Key) -> bool:
    return key not in unreadable and key.type not in unreadable


# --- the files beside the records ---------------------------------------------------------------------------------


def _file_beside(
    bundle: Bundle, path: Path, name: str, kind: type[list[Any]] | type[dict[str, Any]]
) -> YamlFile | None:
    """A file that holds no records, if it is there and of its shape."""
    if not path.exists():
        return None
    file = load(path, name)
    fault = file if isinstance(file, Fault) else _shape_fault(file, path.stem, kind)
    bundle.faults += [fault] if fault else []
    return file if fault is None and isinstance(file, YamlFile) else None


def _read_manifest(bundle: Bundle, directory: Path, name: str) -> None:
    """Take what the directory says of the data set in the place of what an earlier one says."""
    path = directory / MANIFEST
    file = _file_beside(bundle, path, name, dict)
    if file and (examples := directory / EXAMPLES).exists():
        try:
            file.data[path.stem]["examples"] = json.loads(examples.read_text(encoding="utf-8"))
        except ValueError:
            at = name.replace(MANIFEST, EXAMPLES)
            bundle.faults.append(Fault("file", at, "unreadable", "is no JSON in UTF-8"))
            return
    manifest = _model_in(bundle, file, (path.stem,), Manifest) if file else None
    if manifest is not None and file is not None:
        manifest = _with_earlier_sections(bundle, manifest, file)
        bundle.manifest, bundle.manifest_file = manifest, file
    elif path.exists():
        bundle.unreadable.add(MANIFEST)


def _with_earlier_sections(bundle: Bundle, manifest: Manifest, file: YamlFile) -> Manifest:
    """The manifest with the terms of those before it, on which records of their directories rest, and with the sections
    that it does not write: no warning is lost where a data set builds on another."""
    at = (Path(MANIFEST).stem,)
    for name, reason in manifest.vocabularies.faults(SHIPPED):
        bundle.faults.append(_at(file, at, ("vocabularies", *path_of(name)), Fault("file", "", "duplicate", reason)))
    if bundle.manifest is None:
        return manifest
    earlier = bundle.manifest.vocabularies
    for name, reason in manifest.vocabularies.differences(earlier):
        bundle.faults.append(_at(file, at, ("vocabularies", *path_of(name)), Fault("file", "", "differs", reason)))
    unwritten = {name for name in ("cds", "search", "dose_tiers") if name not in manifest.model_fields_set}
    kept = {name: getattr(bundle.manifest, name) for name in unwritten}
    return manifest.model_copy(update={"vocabularies": earlier.joined(manifest.vocabularies), **kept})


def _check_terms(bundle: Bundle) -> None:
    """Terms that neither come with the software nor stand in the manifest, and codes that their system cannot have."""
    own = bundle.manifest.vocabularies if bundle.manifest else Vocabularies()
    for key, content in bundle.contents.items():
        bundle.faults += [bundle.sources[key].fault(path_of(at), fault) for at, fault in term_faults(content, own)]


def _model_in(bundle: Bundle, file: YamlFile, path: PathInFile, model: type[Part]) -> Part | None:
    """The part of a file as a model; null where faults were noted."""
    fields: Any = file.data
    for part in path:
        fields = fields[part]
    faults: list[tuple[PathInFile, Fault]] = []
    content = _model_of(model, fields, faults)
    bundle.faults += [_at(file, path, at, fault) for at, fault in faults]
    return content


def _at(file: YamlFile, path: PathInFile, field: PathInFile, fault: Fault) -> Fault:
    """A fault of a file without ids: with its place and the field."""
    named = "".join(f"entry {part + 1}: " for part in path if isinstance(part, int))
    at = f"{file.place((*path, *field))}: {named}{field_of(field) or path[0]}"
    return replace(fault, field=at)


def _manifest_faults(bundle: Bundle, manifest: Manifest) -> Iterator[Fault]:
    """Records that the manifest names and that are not published; questions that name no record, or several."""
    file = bundle.manifest_file
    assert file is not None  # noqa: S101 - both are set together
    path = (Path(MANIFEST).stem,)
    named = [FieldReference("default_intervention", Key("intervention", manifest.default_intervention or ""))]
    for index, disclaimer in enumerate(manifest.disclaimers):
        at = f"disclaimers[{index}].intervention"
        named.append(FieldReference(at, Key("intervention", disclaimer.intervention or "")))
    tiered = [tiers.intervention for tiers in manifest.dose_tiers]
    for index, intervention in enumerate(tiered):
        named.append(FieldReference(f"dose_tiers[{index}].intervention", Key("intervention", intervention)))
        if intervention in tiered[:index]:
            fault = Fault("file", "", "duplicate", "has bands already; add to those")
            yield _at(file, path, ("dose_tiers", index, "intervention"), fault)
    for index, question in enumerate(manifest.questions):
        answers = {name: getattr(question, name) for name in ("claim", "condition", "side_effect")}
        if sum(answer is not None for answer in answers.values()) != 1:
            reason = "must name one record: a claim, a condition or a side_effect"
            yield _at(file, path, ("questions", index), Fault("file", "", "rule", reason))
        named += [
            FieldReference(f"questions[{index}].{name}", Key(name, answer or "")) for name, answer in answers.items()
        ]
    named += (
        [FieldReference(at, Key(kind, record)) for at, kind, record in manifest.cds.records()] if manifest.cds else []
    )
    published = {key for key, content in bundle.contents.items() if content.status is Status.published}
    for name, key in named:
        if key.id and key not in published and _is_judged(bundle.unreadable, key):
            guesses = nearest(key.id, _ids(published, key.type))
            reason = f"names no published {key.type.replace('_', ' ')}"
            fault = Fault("file", "", "unknown_reference", reason, did_you_mean=guesses)
            yield _at(file, path, path_of(name), fault)


def _check_reading_notes(bundle: Bundle, directory: Path, name: str) -> None:
    """Notes in another form, and those of a document that is not there or has notes already."""
    path = directory / READING_NOTES
    file = _file_beside(bundle, path, name, list)
    if file is None:
        return
    documents = set(_ids(bundle.contents, "document"))
    seen: set[str] = set()
    for index in range(len(file.data[path.stem])):
        note = _model_in(bundle, file, (path.stem, index), ReadingNote)
        if note is None:
            continue
        at = (file, (path.stem, index), ("document",))
        if note.document in seen:
            bundle.faults.append(_at(*at, Fault("file", "", "duplicate", "has notes already; add to those")))
        seen.add(note.document)
        key = Key("document", note.document)
        if note.document not in documents and _is_judged(bundle.unreadable, key):
            guesses = nearest(note.document, documents)
            fault = Fault("file", "", "unknown_reference", "names no document", did_you_mean=guesses)
            bundle.faults.append(_at(*at, fault))


def _ids(keys: Iterable[Key], record_type: str) -> Iterator[str]:
    return (key.id for key in keys if key.type == record_type)
