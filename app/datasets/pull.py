"""Writes the stored records back into the seed files, so that files and database agree.

What did not change stays as it is written, with its comments; a record that stands in no file is added at the end of
its type's.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.content import Record
from app.datasets.bundle import differing, load_bundle, read_files, write_checked
from app.datasets.edits import REMOVED, Positions, TextEdit, apply_edits, field_edits, file_defaults, with_records
from app.datasets.entries import Bundle, SeedEntry
from app.datasets.layout import FILE_RESOURCES, stem
from app.datasets.seed_text import record_text, short_form, text_or_beginning, to_yaml
from app.datasets.shorthands import IDENTIFIER_LISTS, SCHEMES
from app.datasets.yaml_files import step
from app.registry import BY_TYPE
from app.storage.history import StoredRecord
from app.storage.resource import Key


def pull(session: Session, directories: Sequence[Path]) -> list[str]:
    """Write every stored record whose content is not that of the files; a line for each.

    New records go to the last directory. InvalidInput if the files would have a fault then; nothing is written.
    """
    bundle = load_bundle(directories)
    stored = _stored(session)
    added = _read({key: text for key, text in stored.items() if key not in bundle.contents})
    edited = _read({key: stored[key] for key in differing(bundle, stored) if key not in added})
    texts = _edited(bundle, edited)
    again = read_files(directories, texts) if texts else bundle
    if whole := differing(again, {key: stored[key] for key in edited}):
        # The edits of single fields did not give what is stored.
        texts = _edited(bundle, edited, whole)
    lines = [f"{bundle.sources[key].place()}: {key.type}/{key.id}" for key in edited]
    lines += _add(directories[-1], added, texts)
    if texts:
        write_checked(directories, texts, stored)
    return lines


def _stored(session: Session) -> dict[Key, str]:
    """The contents of the stored records, parents first."""
    contents = {}
    for resource in FILE_RESOURCES:
        rows = select(StoredRecord.id, StoredRecord.content).filter_by(type=resource.type).order_by(StoredRecord.id)
        contents.update({Key(resource.type, record_id): content for record_id, content in session.execute(rows)})
    return contents


def _read(contents: Mapping[Key, str]) -> dict[Key, Record]:
    return {key: BY_TYPE[key.type].write.model_validate_json(content) for key, content in contents.items()}


def _edited(bundle: Bundle, contents: Mapping[Key, Record], whole: Collection[Key] = ()) -> dict[Path, str]:
    """The texts of the files in which the records stand: with fields edited, and those of `whole` written anew."""
    edits: dict[Path, list[TextEdit]] = {}
    texts: dict[Path, Positions] = {}
    for key, content in contents.items():
        for source in (bundle.sources[key], *bundle.copies.get(key, ())):
            path = source.file.path
            if path not in texts:
                texts[path], edits[path] = Positions(source.file.text), []
            if key in whole:
                edits[path].append(_whole_record(texts[path], source, content))
            else:
                edits[path] += _field_edits(texts[path], source, key.type, (bundle.contents[key], content))
    return {path: apply_edits(texts[path].text, some) for path, some in edits.items()}


def _add(directory: Path, contents: Mapping[Key, Record], texts: dict[Path, str]) -> Iterable[str]:
    """Add the records to the texts of the files of their types, each of which is parsed once; a line for each."""
    by_path: dict[Path, list[Key]] = {}
    for key in contents:
        by_path.setdefault(directory / _file_for(directory, key), []).append(key)
    for path, keys in by_path.items():
        name = stem(BY_TYPE[keys[0].type])
        if path not in texts:
            texts[path] = text_or_beginning(path, name)
        defaults = file_defaults(texts[path], name)
        records = [record_text(short_form(contents[key], defaults)) for key in keys]
        texts[path] = with_records(texts[path], name, records)
        for key in keys:
            yield f"{path.relative_to(directory)}: {key.type}/{key.id}, new"


def _file_for(directory: Path, key: Key) -> str:
    """The type's own file; where the type is split, that of its folder for records that nobody has sorted yet."""
    name = stem(BY_TYPE[key.type])
    is_split = (directory / name).is_dir() and not (directory / f"{name}.yaml").exists()
    return f"{name}/new.yaml" if is_split else f"{name}.yaml"


def _field_edits(
    positions: Positions, source: SeedEntry, record_type: str, contents: tuple[Record, Record]
) -> list[TextEdit]:
    """Edits of the fields in which the second content differs from the first, which is what the file says."""
    node = _node_of(source)
    before, after = contents
    old, new, whole = short_form(before), short_form(after), after.model_dump(mode="json")
    fields: dict[str, Any] = {}
    for name in type(after).model_fields:
        if old.get(name) == new.get(name):
            continue
        # What the file does not say follows from a default or from other fields: then nothing must be said as well.
        is_written = step(node, name) is not None
        fields[name] = new[name] if name in new else REMOVED if is_written else whole[name]
    edits: list[TextEdit] = []
    if IDENTIFIER_LISTS.get(record_type) in fields:
        short = [name for name in SCHEMES if step(node, name)]
        edits += field_edits(positions, node, dict.fromkeys(short), dict.fromkeys(short, REMOVED))
    return [*edits, *field_edits(positions, node, old, fields, list(type(after).model_fields))]


def _whole_record(positions: Positions, source: SeedEntry, content: Record) -> TextEdit:
    """Writes the whole record anew, with the defaults of its file set aside where they do not hold."""
    node = _node_of(source)
    text = to_yaml(short_form(content, source.defaults), node.start_mark.column).strip()
    return TextEdit(positions.of(node.start_mark), positions.end_of(node), text)


def _node_of(source: SeedEntry) -> yaml.MappingNode:
    node: yaml.Node | None = source.file.root
    for part in source.path:
        found = step(node, part)
        node = found[1] if found else None
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the record was read from it
    return node
