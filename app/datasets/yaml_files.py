"""YAML files with the place of every part: plain scalars as in YAML 1.2, and faults with file, line and column."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
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


def _plain_data(text: str) -> Any:
    """What a file of plain YAML holds; ValueError for all that is left to PyYAML: tags, anchors, what is malformed.

    Taken from the events of the parser, which takes a third of the time that nodes take.
    """
    loader = _Loader(text)
    try:
        opening = [loader.get_event() for _ in range(2)]
        data = _plain_value(loader, loader.get_event())
        closing = [loader.get_event() for _ in range(2)]
    finally:
        loader.dispose()
    if not isinstance(opening[1], yaml.DocumentStartEvent) or not isinstance(closing[1], yaml.StreamEndEvent):
        raise ValueError("not one document")
    return data


def _plain_value(loader: _Loader, event: Any) -> Any:
    kind = type(event)
    if kind not in _PLAIN_EVENTS or event.anchor is not None or event.tag is not None:
        raise ValueError("an alias, an anchor, a tag, or nothing")
    if kind is yaml.ScalarEvent:
        return _plain_scalar(event.value) if event.implicit[0] else event.value
    if kind is yaml.SequenceStartEvent:
        items = []
        while type(event := loader.get_event()) is not yaml.SequenceEndEvent:
            items.append(_plain_value(loader, event))
        return items
    fields = {}
    while type(event := loader.get_event()) is not yaml.MappingEndEvent:
        name = _plain_value(loader, event)
        if not isinstance(name, str) or name in fields:
            raise ValueError("a field without a name, or one that stands twice")
        fields[name] = _plain_value(loader, loader.get_event())
    return fields


_PLAIN_EVENTS = (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)


def _plain_scalar(text: str) -> Any:
    for tag, pattern in _Loader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return _OF_TAG[tag](text)
    return text


def _merged(_text: str) -> Any:
    raise ValueError("fields of another mapping")


_OF_TAG: Mapping[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _text: None,
    "tag:yaml.org,2002:bool": "true".__eq__,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": Decimal,
    "tag:yaml.org,2002:merge": _merged,
}


@dataclass(frozen=True)
class YamlFile:
    """A file that was read: its data, and where each part stands."""

    path: Path
    name: str
    """As faults name it."""
    text: str
    data: Any
    """Null where only the places are still of use."""

    @cached_property
    def root(self) -> yaml.Node | None:
        """The nodes that say where each part stands; they take fifty times the memory of the text, and are made
        when a place is first asked for."""
        return _Loader(self.text).get_single_node()

    def places(self) -> "YamlFile":
        """The file without its data."""
        return replace(self, data=None)

    def place(self, path: PathInFile = ()) -> str:
        """`claims/pain.yaml:12:7`: where the part stands; of one that is not there, what should hold it."""
        mark = None if self.root is None else self.root.start_mark
        for key, _ in self._steps(path):
            mark = key.start_mark
        return place(self.name, mark)

    def holds(self, path: PathInFile) -> bool:
        """Whether the part is there."""
        return len(list(self._steps(path))) == len(path)

    def _steps(self, path: PathInFile) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Key and value of each part of the path, as far as there are such parts."""
        node = self.root
        for part in path:
            found = step(node, part)
            if found is None:
                return
            yield found
            node = found[1]


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
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return Fault("file", name, "malformed_yaml", "is not UTF-8")
    return parsed(text, path, name)


def parsed(text: str, path: Path, name: str) -> YamlFile | Fault:
    """What the text of a file holds, or why it cannot be read."""
    try:
        return YamlFile(path, name, text, _plain_data(text))
    except (yaml.YAMLError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        pass  # PyYAML says what is wrong, if anything is
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(_without_aliases(node))
    except yaml.YAMLError as error:
        reason = str(getattr(error, "problem", None) or "holds a character that YAML does not allow")
        return Fault("file", place(name, getattr(error, "problem_mark", None)), "malformed_yaml", reason)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        reason = "holds a tag that does not fit its value, or too many levels"
        return Fault("file", name, "malformed_yaml", reason)
    return YamlFile(path, name, text, data)


def path_of(field: str) -> PathInFile:
    """`citations[0].stance` as the parts that it is made of."""
    parts = re.split(r"[.\[\]]+", field)
    return tuple(int(part) if part.isdecimal() else part for part in parts if part)


def field_of(path: Sequence[str | int]) -> str:
    """The parts as `citations[0].stance`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def json_number(value: Any) -> Any:
    """A decimal as a number of JSON; TypeError for what JSON has no word for."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not a value of seed data")


def top_fields(file: YamlFile) -> Mapping[str, Any]:
    return file.data if isinstance(file.data, dict) else {}
