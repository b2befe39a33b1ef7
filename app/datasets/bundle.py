"""Seed files: YAML that curators edit, one file for each type of record, read and checked as a whole."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from app.claims.schemas import ClaimWrite
from app.core.content import Record
from app.core.errors import Fault, InvalidInput, nearest
from app.core.manifest import Manifest
from app.core.vocabulary import Status
from app.publishing.changes import Change, content_violations
from app.publishing.loops import loops
from app.registry import BY_TYPE, RESOURCES
from app.sources.rules import taken_identifiers
from app.sources.schemas import DocumentWrite
from app.storage.resource import FieldReference, Key, Resource


class _Loader(yaml.CSafeLoader):
    """Plain scalars as in YAML 1.2: only true and false are booleans, dates stay text, decimals stay exact."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a field's name is a plain word", key.start_mark)
        if key.value in keys:
            raise yaml.constructor.ConstructorError(None, None, f"the field {key.value!r} stands twice", key.start_mark)
        keys.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", lambda _loader, node: Decimal(node.value))


def _without_aliases(root: yaml.Node) -> yaml.Node:
    """The node; ConstructorError if a part stands in two places, or in itself.

    No seed file needs that, and a few lines of parts within parts stand for gigabytes.
    """
    seen: set[int] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            raise yaml.constructor.ConstructorError(None, None, "an alias: write the part out", node.start_mark)
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            pending += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
    return root


def file_name(resource: Resource) -> str:
    return f"{resource.plural.replace('-', '_')}.yaml"


MANIFEST = "dataset.yaml"
"""What the data set says of itself."""
Part = TypeVar("Part")

MORE_FILES: Mapping[str, tuple[str, ...]] = {"intervention": ("drugs.yaml",)}
"""Further files of a type: drugs have many names and codes, and are easier to edit apart from dose regimens."""


def read(directory: Path) -> list[Change]:
    """Every record of the directory's files, parents first; InvalidInput lists all faults of all files."""
    faults: list[Fault] = []
    changes: list[Change] = []
    unreadable: set[str | Key] = set()
    if not directory.is_dir():
        raise InvalidInput("There is no directory of seed data at that place.", errors=[])
    for resource in RESOURCES:
        if resource.part_of is None:
            for name in (file_name(resource), *MORE_FILES.get(resource.type, ())):
                changes.extend(_read_file(directory / name, resource, faults, unreadable))
    faults.extend(_duplicates(changes))
    faults.extend(_unresolved_references(changes, unreadable))
    manifest = _read_manifest(directory)
    faults.extend(_manifest_faults(manifest, changes, unreadable) if isinstance(manifest, Manifest) else manifest)
    contents = {change.key: change.content for change in changes}
    for loop in loops(contents, contents.get):
        faults.append(Fault("file", f"{loop.key.type}/{loop.key.id}: {loop.field}", "loop", loop.reason))
    if faults:
        raise InvalidInput(f"{len(faults)} faults in the seed data; nothing was written.", errors=faults)
    return changes


def read_manifest(directory: Path) -> Manifest | None:
    """What the directory says of the data set; null where it has no such file. InvalidInput lists its faults."""
    manifest = _read_manifest(directory)
    if isinstance(manifest, Manifest):
        return manifest
    if manifest:
        raise InvalidInput(f"{MANIFEST} cannot be used.", errors=manifest)
    return None


def _read_manifest(directory: Path) -> Manifest | list[Fault]:
    """The manifest, or why there is none; no fault where there is no file."""
    path = directory / MANIFEST
    fields: dict[str, Any] | list[Fault] | Fault = _load(path, dict) if path.exists() else []
    if isinstance(fields, Fault):
        return [fields]
    if not isinstance(fields, dict):
        return []
    try:
        return Manifest.model_validate_json(json.dumps(fields, default=_exact), strict=True)
    except ValidationError as error:
        return [
            Fault("file", f"{MANIFEST}: {'.'.join(map(str, detail['loc']))}", detail["type"], detail["msg"])
            for detail in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    except (RecursionError, TypeError, ValueError):
        return [Fault("file", MANIFEST, "unreadable", "holds a value that is neither text, number, list nor fields")]


def _manifest_faults(
    manifest: Manifest, changes: Sequence[Change], unreadable: Collection[str | Key]
) -> Iterator[Fault]:
    """Records that the manifest names and that are not published; questions that name no record, or several."""
    named = [FieldReference("default_intervention", Key("intervention", manifest.default_intervention or ""))]
    for index, disclaimer in enumerate(manifest.disclaimers):
        at = f"disclaimers.{index}.intervention"
        named.append(FieldReference(at, Key("intervention", disclaimer.intervention or "")))
    for index, question in enumerate(manifest.questions):
        answers = {name: getattr(question, name) for name in ("claim", "condition", "side_effect")}
        if sum(answer is not None for answer in answers.values()) != 1:
            reason = "must name one record: a claim, a condition or a side_effect"
            yield Fault("file", f"{MANIFEST}: questions.{index}", "rule", reason)
        named += [
            FieldReference(f"questions.{index}.{name}", Key(name, answer or "")) for name, answer in answers.items()
        ]
    published = {change.key for change in changes if change.content.status is Status.published}
    for field, key in named:
        if key.id and key not in published and key not in unreadable and key.type not in unreadable:
            guesses = nearest(key.id, (other.id for other in published if other.type == key.type))
            reason = f"names no published {key.type.replace('_', ' ')}"
            yield Fault("file", f"{MANIFEST}: {field}", "unknown_reference", reason, did_you_mean=guesses)


def _read_file(path: Path, resource: Resource, faults: list[Fault], unreadable: set[str | Key]) -> Iterator[Change]:
    """The file's records. What cannot be read adds a fault, and its type or key to `unreadable`."""
    records = _load(path, list) if path.exists() else []
    if isinstance(records, Fault):
        faults.append(records)
        unreadable.add(resource.type)
        return
    for index, record in enumerate(records):
        content = _read_record(path, resource, index, record, faults)
        if content is not None:
            yield Change(resource.type, content)
        elif isinstance(record, dict) and isinstance(record.get("id"), str):
            unreadable.add(Key(resource.type, record["id"]))


def _load(path: Path, kind: type[Part]) -> Part | Fault:
    """The list or the fields in the file, or why there are none."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(_without_aliases(node))
    except UnicodeDecodeError:
        return Fault("file", path.name, "malformed_yaml", "is not UTF-8")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        reason = str(getattr(error, "problem", None) or "holds a character that YAML does not allow")
        return Fault("file", f"{path.name}{at}", "malformed_yaml", reason)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        reason = "holds a tag that does not fit its value, or too many levels"
        return Fault("file", path.name, "malformed_yaml", reason)
    records = data.get(path.stem) if isinstance(data, dict) and set(data) == {path.stem} else None
    if isinstance(records, kind):
        return records
    what = "one list" if kind is list else "fields"
    return Fault("file", path.name, "shape", f"must hold {what} under the key {path.stem!r}")


def _read_record(path: Path, resource: Resource, index: int, record: Any, faults: list[Fault]) -> Record | None:
    name = record.get("id") if isinstance(record, dict) else None
    at = f"{path.name}: {name if isinstance(name, str) else f'record {index + 1}'}"
    try:
        # As JSON, because strict validation of JSON accepts no string for a number and no number for a string.
        content = resource.write.model_validate_json(json.dumps(record, default=_exact), strict=True)
    except ValidationError as error:  # a ValueError too, so it stands first
        for detail in error.errors(include_url=False, include_input=False, include_context=False):
            path_in_record = ".".join(str(part) for part in detail["loc"]) or "record"
            faults.append(Fault("file", f"{at}: {path_in_record}", detail["type"], detail["msg"]))
        return None
    except (RecursionError, TypeError, ValueError):
        reason = "holds a value that is neither text, number, truth value, list nor fields, or that holds itself"
        faults.append(Fault("file", f"{at}: record", "unreadable", reason))
        return None
    faults.extend(Fault("file", f"{at}: {f}", "rule", reason) for f, reason in content_violations(resource, content))
    return content


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not a value of seed data")


def _duplicates(changes: list[Change]) -> Iterator[Fault]:
    claims = [change.content for change in changes if isinstance(change.content, ClaimWrite)]
    citations = [Key("citation", citation.id) for claim in claims for citation in claim.citations]
    for key, count in Counter([*(change.key for change in changes), *citations]).items():
        if count > 1:
            yield Fault("file", f"{key.type}/{key.id}: id", "duplicate", f"stands {count} times")
    documents = [change.content for change in changes if isinstance(change.content, DocumentWrite)]
    for document_id, field, reason in taken_identifiers(documents):
        yield Fault("file", f"document/{document_id}: {field}", "duplicate", reason)


def _unresolved_references(changes: list[Change], unreadable: set[str | Key]) -> Iterator[Fault]:
    """References to missing or retired records; those to `unreadable` ones cannot be judged."""
    contents = {change.key: change.content for change in changes}
    for change in changes:
        published = change.content.status is Status.published
        references = list(BY_TYPE[change.type].references(change.content))
        if change.content.successor is not None:
            references.append(FieldReference("successor", Key(change.type, change.content.successor)))
        for field, key in references:
            target = contents.get(key)
            if target is not None and (target.status is Status.published or not published):
                continue
            if key in unreadable or key.type in unreadable:
                continue
            at = f"{change.type}/{change.content.id}: {field}"
            problem = "names no" if target is None else "names a retired"
            ids = (other.id for other in contents if other.type == key.type)
            guesses = nearest(key.id, ids) if target is None else None
            reason = f"{problem} {key.type.replace('_', ' ')}"
            yield Fault("file", at, "unknown_reference", reason, did_you_mean=guesses)
