"""Changes to the text of seed files: only the fields that change are written; every other byte stays as it is.

A part is found by its node, cut out and written anew. No library that reads a file and writes it whole keeps line
breaks, comments and the form of lists as curators wrote them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.core.errors import Fault, InvalidInput
from app.datasets.seed_text import to_inline_yaml, to_yaml
from app.datasets.yaml_files import YamlFile, parsed, step, top_fields

REMOVED = object()
"""In the place of a field's value: the field is to be taken out."""


@dataclass(frozen=True)
class TextEdit:
    """Puts `text` in the place of what stands between two positions."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: list[TextEdit]) -> str:
    """The text with all edits, none of which overlap."""
    # At one position what belongs to an inner part comes first, and that was listed first.
    for _, edit in sorted(enumerate(edits), key=lambda pair: (pair[1].start, pair[1].end, pair[0]), reverse=True):
        text = f"{text[: edit.start]}{edit.text}{text[edit.end :]}"
    return _with_even_line_breaks(text)


def _with_even_line_breaks(text: str) -> str:
    """The text with the line breaks of Windows everywhere if it has one of them."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else text


class Positions:
    """Positions in a file's text by line and column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|[\n\r\x85\u2028\u2029]", text))]

    def of(self, mark: Any) -> int:
        return int(self._starts[mark.line] + mark.column)

    def line_start(self, mark: Any) -> int:
        return int(self._starts[mark.line])

    def end_of(self, node: yaml.Node) -> int:
        """Where the last character of the node stands, plus one; what follows it on the line is not part of it."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self.end_of(last[1] if isinstance(last, tuple) else last)
        end = self.of(node.end_mark)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return len(self.text[:end].rstrip())
        return end

    def next_line(self, position: int) -> int:
        """The beginning of the line after the one that holds the position."""
        at = self.text.find("\n", position)
        return len(self.text) if at < 0 else at + 1


def field_edits(
    positions: Positions,
    node: yaml.MappingNode,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    order: Sequence[str] = (),
) -> Iterator[TextEdit]:
    """The edits by which the fields of a mapping become others; of lists and fields within it, only what differs.

    `before`: parsed value; `after`: new value. Fields that `after` does not have stay as they are, and `REMOVED` takes
    one out.
    A field that is new goes where it stands in `order`, to the end if that does not say.
    """
    added = {}
    for name, value in after.items():
        if name in before and before[name] == value:
            continue
        found = step(node, name)
        if found is None:
            if value is not REMOVED:
                added[name] = value
        elif value is REMOVED:
            yield _without(positions, node, name)
        else:
            yield from _value_edits(positions, node, name, (before.get(name), value))
    yield from _additions(positions, node, added, order)


def _value_edits(
    positions: Positions, node: yaml.MappingNode, name: str, values: tuple[Any, Any]
) -> Iterator[TextEdit]:
    key, value = step(node, name) or (node, node)
    before, after = values
    if isinstance(value, yaml.MappingNode) and all_instances(dict, before, after) and not value.flow_style:
        yield from field_edits(positions, value, before, _with_removed(before, after))
        return
    if isinstance(value, yaml.SequenceNode) and all_instances(list, before, after) and same_items(value, before, after):
        for item, old, new in zip(value.value, before, after, strict=True):
            if old != new:
                yield from field_edits(positions, item, old, _with_removed(old, new))
        return
    if node.flow_style:
        yield TextEdit(positions.of(value.start_mark), positions.end_of(value), to_inline_yaml(after))
        return
    column = key.start_mark.column
    start, end = positions.of(key.start_mark), positions.end_of(value)
    yield TextEdit(start, end, to_yaml({name: after}, column).strip())


def _with_removed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {**after, **{name: REMOVED for name in before if name not in after}}


def all_instances(kind: type, *values: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def same_items(node: yaml.SequenceNode, before: list[Any], after: list[Any]) -> bool:
    """Whether the lists hold the same things in the same order, so that each can be edited where it stands."""
    if len(before) != len(after) or len(node.value) != len(after):
        return False
    if not all(isinstance(item, yaml.MappingNode) for item in node.value) or not all_instances(dict, *before, *after):
        return False
    names = [
        next((name for name in ("id", "scheme", "citation", "study", "name") if name in one), None) for one in after
    ]
    return all(
        name is None or old.get(name) == new.get(name) for name, old, new in zip(names, before, after, strict=True)
    )


def _without(positions: Positions, node: yaml.MappingNode, name: str) -> TextEdit:
    key, value = step(node, name) or (node, node)
    start, end = positions.of(key.start_mark), positions.end_of(value)
    if node.flow_style:
        rest = re.match(r"\s*,\s*", positions.text[end:])
        if rest:
            return TextEdit(start, end + rest.end(), "")
        before = re.search(r",?\s*$", positions.text[:start])
        return TextEdit(before.start() if before else start, end, "")
    if node.value[0][0] is key:  # the first field of an item stands behind its dash
        return TextEdit(start, end, f"{name}: null")
    return TextEdit(positions.line_start(key.start_mark), positions.next_line(end), "")


def _additions(
    positions: Positions, node: yaml.MappingNode, fields: Mapping[str, Any], order: Sequence[str]
) -> Iterator[TextEdit]:
    """New fields, each in front of the first of those that are to follow it and that stand there."""
    last = {}
    for name, value in fields.items():
        later = order[order.index(name) + 1 :] if name in order else ()
        followers = [key for key, _ in node.value[1:] if key.value in later]
        if node.flow_style or not followers:
            last[name] = value
            continue
        at = positions.line_start(followers[0].start_mark)
        yield TextEdit(at, at, to_yaml({name: value}, node.start_mark.column))
    if last:
        yield _addition(positions, node, last)


def _addition(positions: Positions, node: yaml.MappingNode, fields: Mapping[str, Any]) -> TextEdit:
    if node.flow_style:
        at = positions.of(node.end_mark) - 1
        text = to_inline_yaml(dict(fields))[1:-1]
        return TextEdit(at, at, f", {text}" if node.value else text)
    at = positions.next_line(positions.end_of(node))
    text = to_yaml(dict(fields), node.start_mark.column)
    return TextEdit(at, at, text if positions.text[:at].endswith("\n") else f"\n{text}")


def with_records(text: str, key: str, records: Sequence[str], name: str = "") -> str:
    """The text of a seed file with more records (`record_text`) at the end of its list, indented as those there are.

    `name` is that of the file in faults.
    InvalidInput if the file cannot be read, holds something else, or holds its records in one line.
    """
    file = _readable(text, name or f"{key}.yaml")
    fields = top_fields(file)
    if other := next((name for name in fields if name not in (key, "defaults")), None):
        raise InvalidInput(f"The file holds {other}, not {key}; name another one. Nothing was written.", errors=[])
    positions, found = Positions(text), step(file.root, key)
    if found is None:
        whole = f"{_ended(text)}{key}:\n" + "\n".join(records)
    elif not fields[key]:
        whole = _in_place_of(positions, found[1], records)
    elif isinstance(found[1], yaml.SequenceNode) and not found[1].flow_style:
        whole = _behind(positions, found[1], records, is_last=list(fields)[-1] == key)
    else:
        raise InvalidInput(f"The file of {key} has no list with lines of its own; nothing was written.", errors=[])
    return _with_even_line_breaks(whole)


def file_defaults(text: str, key: str) -> Mapping[str, Any]:
    """What a seed file says once for all of its records."""
    defaults = top_fields(_readable(text, f"{key}.yaml")).get("defaults")
    return defaults if isinstance(defaults, dict) else {}


def _readable(text: str, name: str) -> YamlFile:
    file = parsed(text, Path(name), name)
    if isinstance(file, Fault):
        raise InvalidInput("The file cannot be read; nothing was written.", errors=[file])
    return file


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _in_place_of(positions: Positions, empty: yaml.Node, records: Sequence[str]) -> str:
    """The text with the records in the place of an empty list."""
    start, end = positions.of(empty.start_mark), positions.of(empty.end_mark)
    before, after = positions.text[:start], positions.text[end:]
    line, _, rest = after.partition("\n")
    before = before.rstrip(" ") if not line.strip() else before
    return f"{before}{line.rstrip()}\n" + "\n".join(records) + rest


def _behind(positions: Positions, items: yaml.SequenceNode, records: Sequence[str], *, is_last: bool) -> str:
    """The text with the records behind those of a list; comments at the end of the file stay above them."""
    shift = int(items.start_mark.column) - 2
    lines = [(" " * shift + line if shift > 0 else line[-shift:]) if line else "" for line in _lines(records)]
    text = positions.text
    at = len(text) if is_last else positions.next_line(positions.end_of(items))
    return "\n".join([text[:at].rstrip(), "", *lines]) + text[at:]


def _lines(records: Sequence[str]) -> list[str]:
    return "\n".join(records).split("\n")
