"""Writes the stored records back into the seed files, so that files and database agree.

What did not change stays as it is written, with its comments; a record that stands in no file is added at the end of
its type's.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.content import Record
from app.core.errors import InvalidInput
from app.datasets.bundle import Bundle, SourceRecord, load_bundle
from app.datasets.edits import GONE, Positions, TextEdit, append_record, apply_edits, field_edits, written
from app.datasets.layout import TYPES, stem
from app.datasets.shorthands import IDENTIFIER_LISTS, SCHEMES
from app.datasets.yaml_files import step
from app.registry import BY_TYPE
from app.storage.history import StoredRecord, text_of
from app.storage.resource import Key

EditsOf = Callable[[Positions, SourceRecord, Record, Record], list[TextEdit]]


def pull(session: Session, directories: Sequence[Path]) -> list[str]:
    """Write every stored record whose content is not that of the files; a line for each.

    New records go to the last directory.
    """
    bundle = load_bundle(directories)
    stored = dict(_stored(session))
    differing = _differing(bundle, stored)
    lines = [f"{bundle.sources[key].place()}: {key.type}/{key.id}" for key in differing]
    before = {source.file.path: source.file.text for source in map(bundle.sources.__getitem__, differing)}
    _rewrite(bundle, {key: stored[key] for key in differing}, _field_edits)
    try:
        bundle = load_bundle(directories)
        left = _differing(bundle, stored)
    except InvalidInput:  # a form that cannot be edited in part
        for path, text in before.items():
            path.write_text(text, encoding="utf-8")
        bundle = load_bundle(directories)
        left = differing
    _rewrite(bundle, {key: stored[key] for key in left}, _whole_record)
    for key, content in stored.items():
        if key not in bundle.sources:
            path = append_record(directories[-1], key.type, short_form(content), _file_for(directories[-1], key))
            lines.append(f"{path.relative_to(directories[-1])}: {key.type}/{key.id}, new")
    return lines


def _differing(bundle: Bundle, stored: Mapping[Key, Record]) -> list[Key]:
    """Records that stand in the files with another content than the stored one."""
    contents = {change.key: text_of(change.content) for change in bundle.changes}
    return [key for key, content in stored.items() if key in contents and contents[key] != text_of(content)]


def _rewrite(bundle: Bundle, contents: Mapping[Key, Record], edits_of: EditsOf) -> None:
    files = {change.key: change.content for change in bundle.changes}
    edits: dict[Path, list[TextEdit]] = {}
    texts: dict[Path, Positions] = {}
    for key, content in contents.items():
        source = bundle.sources[key]
        positions = texts.setdefault(source.file.path, Positions(source.file.text))
        edits.setdefault(source.file.path, []).extend(edits_of(positions, source, files[key], content))
    for path, some in edits.items():
        path.write_text(apply_edits(texts[path].text, some), encoding="utf-8")


def short_form(content: Record) -> dict[str, Any]:
    """The fields of a record without those that have their default."""
    return content.model_dump(mode="json", exclude_defaults=True)


def _stored(session: Session) -> list[tuple[Key, Record]]:
    found = []
    for resource in TYPES:
        rows = select(StoredRecord.id, StoredRecord.content).filter_by(type=resource.type).order_by(StoredRecord.id)
        for record_id, content in session.execute(rows):
            found.append((Key(resource.type, record_id), BY_TYPE[resource.type].write.model_validate_json(content)))
    return found


def _file_for(directory: Path, key: Key) -> str | None:
    """The file of a folder for records that nobody has sorted yet, where the type is split; else the type's own."""
    name = stem(BY_TYPE[key.type])
    return f"{name}/new.yaml" if (directory / name).is_dir() and not (directory / f"{name}.yaml").exists() else None


def _field_edits(positions: Positions, source: SourceRecord, before: Record, after: Record) -> list[TextEdit]:
    """Edits of the fields that differ."""
    node = _node_of(source)
    old, new = short_form(before), short_form(after)
    fields: dict[str, Any] = {}
    for name in type(after).model_fields:
        if old.get(name) == new.get(name):
            continue
        # What the file does not say follows from a default or from other fields: then nothing must be said as well.
        is_written = step(node, name) is not None
        fields[name] = new[name] if name in new else GONE if is_written else _default(after, name)
    edits: list[TextEdit] = []
    if IDENTIFIER_LISTS.get(source_type(source)) in fields:
        short = [name for name in SCHEMES if step(node, name)]
        edits += field_edits(positions, node, dict.fromkeys(short), dict.fromkeys(short, GONE))
    return [*edits, *field_edits(positions, node, old, fields, list(type(after).model_fields))]


def _whole_record(positions: Positions, source: SourceRecord, _before: Record, after: Record) -> list[TextEdit]:
    """One edit that writes the whole record anew, with the defaults of its file set aside where they do not hold."""
    node = _node_of(source)
    fields = short_form(after)
    fields |= {name: _default(after, name) for name in source.defaults if name not in fields}
    column = node.start_mark.column
    text = written(fields, column).strip()
    return [TextEdit(positions.of(node.start_mark), positions.end_of(node), text)]


def _node_of(source: SourceRecord) -> yaml.MappingNode:
    node: yaml.Node | None = source.file.root
    for part in source.path:
        found = step(node, part)
        node = found[1] if found else None
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the record was read from it
    return node


def _default(record: Record, name: str) -> Any:
    value = type(record).model_fields[name].get_default(call_default_factory=True)
    return list(value) if isinstance(value, tuple) else value


def source_type(source: SourceRecord) -> str:
    """The type of a record by the list in which it stands."""
    return next((resource.type for resource in TYPES if stem(resource) == source.path[0]), "intervention")
