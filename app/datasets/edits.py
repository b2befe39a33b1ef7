"""Changes to the text of seed files: only the fields that change are written; every other byte stays as it is.

A part is found by its node, cut out and written anew. No library that reads a file and writes it whole keeps line
breaks, comments and the form of lists as curators wrote them.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from app.datasets.layout import stem
from app.datasets.yaml_files import YamlFile, parse, step
from app.registry import BY_TYPE

WIDTH = 120
MAX_INLINE = 80
"""Longer text is folded, longer lists and groups of fields have a line for each part."""
GONE = object()
"""In the place of a field's value: the field is to be taken out."""


class _Dumper(yaml.SafeDumper):
    """Writes as curators do: lists are indented, long text is folded, and text that looks like a number is quoted."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


class _Block(dict[str, Any]):
    """Fields of which each stands on a line of its own."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    is_prose = len(text) > MAX_INLINE and "\n" not in text and "  " not in text and text == text.strip()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=">" if is_prose else None)


def _number_node(dumper: yaml.SafeDumper, number: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{Decimal(repr(number)):f}")


def _fields_node(dumper: yaml.SafeDumper, fields: dict[str, Any]) -> yaml.Node:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", fields)
    node.flow_style = not isinstance(fields, _Block) and "id" not in fields and _is_short(fields.values(), str(fields))
    return node


def _list_node(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", items)
    node.flow_style = _is_short(items, str(items))
    return node


def _is_short(values: Iterable[Any], text: str) -> bool:
    return len(text) <= MAX_INLINE and not any(isinstance(value, dict | list) for value in values)


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(float, _number_node)
_Dumper.add_representer(dict, _fields_node)
_Dumper.add_representer(_Block, _fields_node)
_Dumper.add_representer(list, _list_node)


def written(fields: Any, indent: int) -> str:
    """The fields or the list as YAML, every line indented by so many spaces."""
    out = io.StringIO()
    fields = _Block(fields) if isinstance(fields, dict) else fields
    yaml.dump(fields, out, _Dumper, allow_unicode=True, sort_keys=False, width=WIDTH - indent, default_flow_style=False)
    lines = out.getvalue().rstrip("\n").split("\n")
    return "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in lines)


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
    return text


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

    `before` is what the node means, `after` what it is to mean: others stay as they are, and `GONE` takes one out.
    A field that is new goes where it stands in `order`, to the end if that does not say.
    """
    added = {}
    for name, value in after.items():
        if name in before and before[name] == value:
            continue
        found = step(node, name)
        if found is None:
            if value is not GONE:
                added[name] = value
        elif value is GONE:
            yield _without(positions, node, name)
        else:
            yield from _value_edits(positions, node, name, (before.get(name), value))
    yield from _additions(positions, node, added, order)


def _value_edits(
    positions: Positions, node: yaml.MappingNode, name: str, values: tuple[Any, Any]
) -> Iterator[TextEdit]:
    key, value = step(node, name) or (node, node)
    before, after = values
    if isinstance(value, yaml.MappingNode) and _are(dict, before, after) and not value.flow_style:
        yield from field_edits(positions, value, before, _with_gone(before, after))
        return
    if isinstance(value, yaml.SequenceNode) and _are(list, before, after) and _alike(value, before, after):
        for item, old, new in zip(value.value, before, after, strict=True):
            if old != new:
                yield from field_edits(positions, item, old, _with_gone(old, new))
        return
    if node.flow_style:
        yield TextEdit(positions.of(value.start_mark), positions.end_of(value), _inline(after))
        return
    column = key.start_mark.column
    start, end = positions.of(key.start_mark), positions.end_of(value)
    yield TextEdit(start, end, written({name: after}, column).strip())


def _with_gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {**after, **{name: GONE for name in before if name not in after}}


def _are(kind: type, *values: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def _alike(node: yaml.SequenceNode, before: list[Any], after: list[Any]) -> bool:
    """Whether the lists hold the same things in the same order, so that each can be edited where it stands."""
    if len(before) != len(after) or len(node.value) != len(after):
        return False
    if not all(isinstance(item, yaml.MappingNode) for item in node.value) or not _are(dict, *before, *after):
        return False
    names = [
        next((name for name in ("id", "scheme", "citation", "study", "name") if name in one), None) for one in after
    ]
    return all(
        name is None or old.get(name) == new.get(name) for name, old, new in zip(names, before, after, strict=True)
    )


def _inline(value: Any) -> str:
    out = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6, default_flow_style=True)
    return out.removesuffix("\n").removesuffix("\n...")


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
        yield TextEdit(at, at, written({name: value}, node.start_mark.column))
    if last:
        yield _addition(positions, node, last)


def _addition(positions: Positions, node: yaml.MappingNode, fields: Mapping[str, Any]) -> TextEdit:
    if node.flow_style:
        at = positions.of(node.end_mark) - 1
        text = _inline(dict(fields))[1:-1]
        return TextEdit(at, at, f", {text}" if node.value else text)
    at = positions.next_line(positions.end_of(node))
    text = written(dict(fields), node.start_mark.column)
    return TextEdit(at, at, text if positions.text[:at].endswith("\n") else f"\n{text}")


def append_record(directory: Path, record_type: str, fields: Mapping[str, Any], file: str | None = None) -> Path:
    """Add a record at the end of a file of its type; the path of the file.

    `file` names it below the directory, such as `claims/pain.yaml`; by default the type's own. It is made if need be.
    """
    key = stem(BY_TYPE[record_type])
    path = directory / (file or f"{key}.yaml")
    key = path.stem if path.parent == directory else path.parent.name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else f"{schema_line(path, directory)}{key}:\n"
    path.write_text(with_record(text, key, fields), encoding="utf-8")
    return path


def schema_line(path: Path, directory: Path) -> str:
    """The first line of a seed file, from which editors know what may stand in it."""
    inside = path.parent != directory
    name = path.parent.name if inside else path.stem
    return f"# yaml-language-server: $schema={'../' if inside else ''}schema/{name}.json\n"


def with_record(text: str, key: str, fields: Mapping[str, Any]) -> str:
    """The text of a file with one more record at the end of its list."""
    text = re.sub(rf"(?m)^{key}: *\[ *\] *$", f"{key}:", text)
    text = text if text.endswith("\n") else f"{text}\n"
    indent = _indent(parse(text, Path(key), key), key)
    separator = "" if text.rstrip().endswith(f"{key}:") else "\n"
    return f"{text}{separator}{written([dict(fields)], indent)}"


def _indent(file: YamlFile, key: str) -> int:
    found = step(file.root, key)
    items = found[1] if found else None
    if isinstance(items, yaml.SequenceNode) and items.value:
        return max(int(items.value[0].start_mark.column) - 2, 0)
    return 2
