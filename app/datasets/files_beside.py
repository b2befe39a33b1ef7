"""The files of a data set that hold no records: what it says of itself, and notes of what was read."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.concepts.manifest import Manifest
from app.concepts.terms import SHIPPED, Vocabularies
from app.core.content import ContentModel
from app.core.errors import Fault, InvalidInput, nearest
from app.core.text import OneLine, Slug, Text
from app.core.vocabulary import Status
from app.datasets.entries import Bundle, Part, is_judged, model_of, shape_fault, shown_name
from app.datasets.layout import EXAMPLES, MANIFEST, READING_NOTES
from app.datasets.yaml_files import PathInFile, YamlFile, field_of, load, path_of
from app.grading.method import grading_faults
from app.publishing.terms import unknown_terms
from app.storage.resource import FieldReference, Key


class ReadingNote(ContentModel):
    """What was read of a document, where, and the numbers that a finding may use; not published."""

    document: Slug
    read: tuple[OneLine, ...]
    """The parts that were read, such as `abstract`."""
    read_at: tuple[OneLine, ...] = ()
    """Addresses and places."""
    notes: Text
    """In our own words, with every number that a finding may use."""


def read_manifest(*directories: Path) -> Manifest | None:
    """What the directories say of the data set, the last one that says something; null where none does.

    InvalidInput lists the faults of the files.
    """
    bundle = Bundle()
    for directory in directories:
        take_manifest(bundle, directory, shown_name(MANIFEST, directory, directories))
    if bundle.faults:
        raise InvalidInput(f"{MANIFEST} cannot be used.", errors=bundle.faults)
    return bundle.manifest


def _file_beside(
    bundle: Bundle, path: Path, name: str, kind: type[list[Any]] | type[dict[str, Any]]
) -> YamlFile | None:
    """A file that holds no records, if it is there and of its shape."""
    if not path.exists():
        return None
    file = load(path, name)
    fault = file if isinstance(file, Fault) else shape_fault(file, path.stem, kind)
    bundle.faults += [fault] if fault else []
    return file if fault is None and isinstance(file, YamlFile) else None


def take_manifest(bundle: Bundle, directory: Path, name: str) -> None:
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
    earlier = bundle.manifest.vocabularies if bundle.manifest else Vocabularies()
    for name, reason in manifest.vocabularies.faults(SHIPPED, earlier):
        bundle.faults.append(_at(file, at, ("vocabularies", *path_of(name)), Fault("file", "", "duplicate", reason)))
    for field, reason in grading_faults(manifest.grading) if manifest.grading else ():
        fault = _at(file, at, ("grading", *path_of(field)), Fault("file", "", "rule", reason))
        bundle.faults.append(fault)
    if bundle.manifest is None:
        return manifest
    for name, reason in manifest.vocabularies.differences(earlier):
        bundle.faults.append(_at(file, at, ("vocabularies", *path_of(name)), Fault("file", "", "differs", reason)))
    unwritten = {name for name in ("cds", "search", "dose_tiers", "grading") if name not in manifest.model_fields_set}
    kept = {name: getattr(bundle.manifest, name) for name in unwritten}
    return manifest.model_copy(update={"vocabularies": earlier.joined(manifest.vocabularies), **kept})


def used_name(bundle: Bundle, serial: int) -> Fault:
    """That the method of the manifest has other numbers under the names that it had at a serial."""
    reason = f"names the method of serial {serial}, which had other numbers: give this one another name or version"
    file, at = bundle.manifest_file, (Path(MANIFEST).stem,)
    fault = Fault("file", f"{MANIFEST}: grading.consensus", "duplicate", reason)
    return _at(file, at, ("grading", "consensus"), fault) if file else fault


def _model_in(bundle: Bundle, file: YamlFile, path: PathInFile, model: type[Part]) -> Part | None:
    """The part of a file as a model; null where faults were noted."""
    fields: Any = file.data
    for part in path:
        fields = fields[part]
    faults: list[tuple[PathInFile, Fault]] = []
    content = model_of(model, fields, faults)
    bundle.faults += [_at(file, path, at, fault) for at, fault in faults]
    return content


def _at(file: YamlFile, path: PathInFile, field: PathInFile, fault: Fault) -> Fault:
    """A fault of a file without ids: with its place and the field."""
    named = "".join(f"entry {part + 1}: " for part in path if isinstance(part, int))
    at = f"{file.place((*path, *field))}: {named}{field_of(field) or path[0]}"
    return replace(fault, field=at)


def manifest_faults(bundle: Bundle, manifest: Manifest) -> Iterator[Fault]:
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
    for name, fault in unknown_terms(manifest, manifest.vocabularies):
        yield _at(file, path, path_of(name), fault)
    published = {key for key, content in bundle.contents.items() if content.status is Status.published}
    for name, key in named:
        if key.id and key not in published and is_judged(bundle.unreadable, key):
            guesses = nearest(key.id, _ids(published, key.type))
            reason = f"names no published {key.type.replace('_', ' ')}"
            fault = Fault("file", "", "unknown_reference", reason, did_you_mean=guesses)
            yield _at(file, path, path_of(name), fault)


def check_reading_notes(bundle: Bundle, directory: Path, name: str) -> None:
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
        if note.document not in documents and is_judged(bundle.unreadable, key):
            guesses = nearest(note.document, documents)
            fault = Fault("file", "", "unknown_reference", "names no document", did_you_mean=guesses)
            bundle.faults.append(_at(*at, fault))


def _ids(keys: Iterable[Key], record_type: str) -> Iterator[str]:
    return (key.id for key in keys if key.type == record_type)
