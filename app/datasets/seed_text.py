"""Writes records as the YAML of seed files, as a curator would: short parts in one line, comments behind null."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from app.core.content import Record

WIDTH = 110
_Fields = dict[str, Any]


class _Inline(dict[str, Any]):
    """A part that is written in one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


_Dumper.add_representer(
    _Inline, lambda dumper, part: dumper.represent_mapping("tag:yaml.org,2002:map", part, flow_style=True)
)


def fields_of(content: Record) -> _Fields:
    """The fields of a record that differ from their defaults, in their order."""
    return content.model_dump(mode="json", exclude_defaults=True)


def record_text(fields: Mapping[str, Any], comments: Mapping[str, str] | None = None) -> str:
    """One entry of a seed file's list. A comment stands behind its field, or above a field of several lines."""
    lines: list[str] = []
    for name, value in fields.items():
        text = yaml.dump(
            {name: _compact(value)}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH, indent=2
        )
        written = text.rstrip("\n").split("\n")
        if comment := (comments or {}).get(name):
            written = [f"{written[0]}  # {comment}"] if len(written) == 1 else [f"# {comment}", *written]
        lines += written
    return "".join(f"{'  - ' if not at else '    ' if line else ''}{line}\n" for at, line in enumerate(lines))


def file_text(stem: str, records: Iterable[str], comment: str | None = None) -> str:
    """A seed file with these entries."""
    return (f"# {comment}\n" if comment else "") + f"{stem}:\n" + "\n".join(records)


def _compact(value: Any) -> Any:
    if isinstance(value, list):
        return [_compact(part) for part in value]
    if not isinstance(value, dict):
        return value
    parts = {name: _compact(part) for name, part in value.items()}
    is_short = all(not isinstance(part, list | dict) for part in parts.values()) and len(str(parts)) < WIDTH - 10
    return _Inline(parts) if is_short else parts
