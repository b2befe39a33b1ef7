"""Writes records as the YAML of seed files, as a curator would: short parts in one line, comments behind null."""

import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from app.core.content import Record

WIDTH = 120
MAX_INLINE = 80
"""Longer text is folded, longer lists and groups of fields have a line for each part."""

NO_DEFAULTS: Mapping[str, Any] = MappingProxyType({})
"""Of a file that says nothing for all of its records."""


class _Dumper(yaml.SafeDumper):
    """Writes as curators do: lists are indented, long text is folded, and text that looks like a number is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

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


def to_yaml(fields: Any, indent: int) -> str:
    """The fields or the list as YAML, every line indented by so many spaces."""
    out = io.StringIO()
    fields = _Block(fields) if isinstance(fields, dict) else fields
    yaml.dump(fields, out, _Dumper, allow_unicode=True, sort_keys=False, width=WIDTH - indent, default_flow_style=False)
    lines = out.getvalue().rstrip("\n").split("\n")
    return "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in lines)


def to_inline_yaml(value: Any) -> str:
    """The value as YAML in one line."""
    out = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6, default_flow_style=True)
    return out.removesuffix("\n").removesuffix("\n...")


def short_form(content: Record, file_defaults: Mapping[str, Any] = NO_DEFAULTS) -> dict[str, Any]:
    """The fields of a record that differ from what they are where nothing is written, by the file or by the model."""
    fields = content.model_dump(mode="json", exclude_defaults=True)
    if not file_defaults:
        return fields
    whole = content.model_dump(mode="json")
    return {
        name: value
        for name, value in whole.items()
        if (value != file_defaults[name] if name in file_defaults else name in fields)
    }


def record_text(fields: Mapping[str, Any], comments: Mapping[str, str] | None = None) -> str:
    """One entry of a seed file's list. A comment stands behind its field, or above a field of several lines."""
    lines: list[str] = []
    for name, value in fields.items():
        field_lines = to_yaml({name: value}, 4).rstrip("\n").split("\n")
        if comment := (comments or {}).get(name):
            is_short = len(field_lines) == 1
            field_lines = [f"{field_lines[0]}  # {comment}"] if is_short else [f"    # {comment}", *field_lines]
        lines += field_lines
    return "".join(f"{line}\n" for line in ["  - " + lines[0].lstrip(), *lines[1:]])


def file_text(key: str, records: Iterable[str], comment: str | None = None, schema: str = "") -> str:
    """A seed file with these entries; `schema` is its `schema_line`."""
    return schema + (f"# {comment}\n" if comment else "") + f"{key}:\n" + "\n".join(records)


def text_or_beginning(path: Path, key: str) -> str:
    """The text of a seed file; of one that is not there or empty, its first lines."""
    text = path.read_bytes().decode() if path.exists() else ""
    return text if text.strip() else file_text(key, (), schema=schema_line(path, key))


def schema_line(path: Path, key: str) -> str:
    """The first line of a seed file, from which editors know what may stand in it."""
    return f"# yaml-language-server: $schema={'../' if path.parent.name == key else ''}schema/{key}.json\n"
