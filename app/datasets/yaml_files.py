"""YAML files with the place of every part: plain scalars as in YAML 1.2, and faults with file, line and column."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from app.core.errors import Fault

PathInFile = tuple[str | int, ...]
"""Names of fields and positions in lists, from the top of a file or of a record down."""


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


@dataclass(frozen=True)
class YamlFile:
    """A file that was read: its data, and the nodes that say where each part stands."""

    path: Path
    name: str
    """As faults name it."""
    text: str
    root: yaml.Node | None
    data: Any

    def place(self, path: PathInFile = ()) -> str:
        """`claims/tea.yaml:12:7`: where the part stands; of one that is not there, what should hold it."""
        mark = None if self.root is None else self.root.start_mark
        node = self.root
        for part in path:
            found = step(node, part)
            if found is None:
                break
            key, node = found
            mark = key.start_mark
        return place(self.name, mark)


def step(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and the value of a field, or the item of a list twice; null if there is no such part."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def place(name: str, mark: Any) -> str:
    """File, line and column, counted from 1; the file alone where there is no mark."""
    return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name


def load(path: Path, name: str) -> YamlFile | Fault:
    """What the file holds, or why it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return parse(text, path, name)
    except UnicodeDecodeError:
        return Fault("file", name, "malformed_yaml", "is not UTF-8")
    except yaml.YAMLError as error:
        reason = str(getattr(error, "problem", None) or "holds a character that YAML does not allow")
        return Fault("file", place(name, getattr(error, "problem_mark", None)), "malformed_yaml", reason)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        reason = "holds a tag that does not fit its value, or too many levels"
        return Fault("file", name, "malformed_yaml", reason)


def parse(text: str, path: Path, name: str) -> YamlFile:
    """The file of a text; YAMLError or one of the errors of Python's conversions if it is none."""
    loader = _Loader(text)
    node = loader.get_single_node()
    data = None if node is None else loader.construct_document(_without_aliases(node))
    return YamlFile(path, name, text, node, data)


def path_of(field: str) -> PathInFile:
    """`citations[0].stance` as the parts that it is made of."""
    parts = re.split(r"[.\[\]]+", field)
    return tuple(int(part) if part.isdecimal() else part for part in parts if part)


def field_of(path: Sequence[str | int]) -> str:
    """The parts as `citations[0].stance`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def exact(value: Any) -> Any:
    """A decimal as a number of JSON; TypeError for what JSON has no word for."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not a value of seed data")


def top_fields(file: YamlFile) -> Mapping[str, Any]:
    return file.data if isinstance(file.data, dict) else {}
