"""Seed files: YAML that curators edit, one file or one folder for each type of record, read and checked as a whole.

Directories stack: what an earlier one holds, a later one may name. Which files a directory may hold: `layout`; what a
file need not say: `shorthands`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.claims.schemas import ClaimWrite
from app.concepts.terms import Vocabularies
from app.core.content import Record
from app.core.errors import Fault, InvalidInput, nearest
from app.core.vocabulary import Status
from app.datasets.entries import Bundle, SeedEntry, is_judged, model_of, shape_fault, shown_name
from app.datasets.files_beside import check_reading_notes, manifest_faults, take_manifest
from app.datasets.layout import EXAMPLES, FILE_RESOURCES, MANIFEST, READING_NOTES, SeedPath, files_of, unknown_files
from app.datasets.shorthands import IDENTIFIER_LISTS, OWN_FIELDS, SCHEMES, KnownDocuments, expand
from app.datasets.yaml_files import PathInFile, YamlFile, load, parsed, path_of
from app.publishing.changes import Change, content_violations
from app.publishing.loops import loops
from app.publishing.terms import term_faults
from app.registry import BY_TYPE
from app.sources.rules import taken_identifiers
from app.sources.schemas import DocumentWrite
from app.storage.history import text_of
from app.storage.resource import FieldReference, Key, Resource

_NOTHING_MOVED: Mapping[PathInFile, PathInFile] = MappingProxyType({})


def read(*directories: Path) -> list[Change]:
    """Every record of the directories' files, parents first; InvalidInput lists all faults of all files."""
    return load_bundle(directories).changes


def load_bundle(directories: Sequence[Path], texts: Mapping[Path, str] | None = None) -> Bundle:
    """The records with the places where they stand; InvalidInput lists all faults of all files.

    `texts` stand in the place of what those files hold, or are files that are not there yet.
    """
    bundle = read_files(directories, texts or {})
    check_citation_ids(bundle)
    _check_identifiers(bundle)
    _check_references(bundle)
    for directory in directories:
        take_manifest(bundle, directory, shown_name(MANIFEST, directory, directories))
        check_reading_notes(bundle, directory, shown_name(READING_NOTES, directory, directories))
    if bundle.manifest is not None:
        bundle.faults.extend(manifest_faults(bundle, bundle.manifest))
    if MANIFEST not in bundle.unreadable:
        _check_terms(bundle)
    for loop in loops(bundle.contents, bundle.contents.get):
        bundle.fault(loop.key, loop.field, "loop", loop.reason)
    if bundle.faults:
        count = f"{len(bundle.faults)} fault{'s' if len(bundle.faults) > 1 else ''}"
        raise InvalidInput(f"{count} in the seed data; nothing was written.", errors=bundle.faults)
    return bundle


def read_files(
    directories: Sequence[Path],
    texts: Mapping[Path, str],
    only: Collection[Path] | None = None,
    documents: KnownDocuments | None = None,
) -> Bundle:
    """The records, each judged alone: with the faults of files and records, and not of those between records.

    `only` names the files to read, if not all; `documents` are those that citations may name beside the files'.
    """
    bundle = Bundle(documents=documents or KnownDocuments())
    begun = {directory for directory in directories if any(directory in path.parents for path in texts)}
    if not directories or not all(directory.is_dir() or directory in begun for directory in directories):
        raise InvalidInput("There is no directory of seed data at that place.", errors=[])
    for directory in filter(Path.is_dir, directories):
        for fault in unknown_files(directory):
            bundle.faults.append(replace(fault, field=shown_name(fault.field, directory, directories)))
    for resource in FILE_RESOURCES:
        for directory in directories:
            for seed_path in files_of(directory, resource, texts):
                if only is not None and seed_path.path not in only:
                    continue
                path, name = seed_path.path, shown_name(seed_path.name, directory, directories)
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


# --- records ------------------------------------------------------------------------------------------------------


def _read_records(bundle: Bundle, resource: Resource, at: tuple[Path, SeedPath], file: YamlFile | Fault) -> None:
    """Add the file's records. What cannot be read adds a fault, and its type or key to `unreadable`."""
    directory, seed_path = at
    fault = file if isinstance(file, Fault) else shape_fault(file, seed_path.key, list)
    if fault is not None or isinstance(file, Fault):
        bundle.faults += [fault] if fault else []
        bundle.unreadable.add(resource.type)
        return
    defaults, places = _defaults(bundle, file, resource), file.places()
    for index, record in enumerate(file.data[seed_path.key]):
        entry = SeedEntry(directory, places, (seed_path.key, index), None, _NOTHING_MOVED, defaults)
        _read_record(bundle, resource, entry, record)


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


def _read_record(bundle: Bundle, resource: Resource, entry: SeedEntry, record: Any) -> None:
    if not isinstance(record, dict):
        reason = "must be a record with fields"
        source = replace(entry, defaults={})
        bundle.faults.append(source.fault((), Fault("file", "", "model_type", reason)))
        return
    expanded = expand(resource.type, {**entry.defaults, **record}, bundle.documents)
    source = replace(entry, id=expanded.fields.get("id"), moved=expanded.moved or _NOTHING_MOVED)
    faults = list(expanded.faults)
    short = SCHEMES if resource.type in IDENTIFIER_LISTS else ()
    content = None if faults else model_of(resource.write, expanded.fields, faults, short)
    if content is not None:
        faults += [
            (path_of(name), Fault("file", "", "rule", reason)) for name, reason in content_violations(resource, content)
        ]
        _add(bundle, resource, source, content)
    elif isinstance(record.get("id"), str):
        bundle.unreadable.add(Key(resource.type, record["id"]))
    bundle.faults += [source.fault(at, fault) for at, fault in faults]


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


def check_citation_ids(bundle: Bundle) -> None:
    """An id names one citation."""
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
            if not is_judged(bundle.unreadable, key):
                continue
            problem = "names no" if target is None else "names a retired"
            ids = (other.id for other in contents if other.type == key.type)
            guesses = nearest(key.id, ids) if target is None else None
            reason = f"{problem} {key.type.replace('_', ' ')}"
            bundle.fault(record_key, name, "unknown_reference", reason, guesses)


def _check_terms(bundle: Bundle) -> None:
    """Terms that neither come with the software nor stand in the manifest, and codes that their system cannot have."""
    own = bundle.manifest.vocabularies if bundle.manifest else Vocabularies()
    for key, content in bundle.contents.items():
        bundle.faults += [bundle.sources[key].fault(path_of(at), fault) for at, fault in term_faults(content, own)]
