"""Records that lead back to themselves by one of their fields: a parent that is its own descendant, and the like."""

from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from app.concepts.schemas import ConditionWrite, InterventionWrite
from app.core.content import Record
from app.sources.schemas import StudyWrite
from app.storage.resource import Key

MAX_LOOPS = 20
"""Of one field; whoever mends these will see the next."""


class Loop(NamedTuple):
    """The first of the records, by id, and the field by which one leads to the next."""

    key: Key
    field: str
    ids: tuple[str, ...]
    """The first once more at the end."""

    @property
    def reason(self) -> str:
        return f"leads back to itself: {' -> '.join(self.ids)}"


def _parent(content: Record) -> Iterable[str]:
    return [content.parent] if isinstance(content, InterventionWrite | ConditionWrite) and content.parent else []


def _successor(content: Record) -> Iterable[str]:
    return [content.successor] if content.successor else []


def _members(content: Record) -> Iterable[str]:
    return content.members if isinstance(content, InterventionWrite) else []


def _included(content: Record) -> Iterable[str]:
    return content.includes.studies if isinstance(content, StudyWrite) and content.includes else []


_FIELDS: dict[str, Callable[[Record], Iterable[str]]] = {
    "parent": _parent,
    "members": _members,
    "includes.studies": _included,
    "successor": _successor,
}
"""Fields that name records of the same type, none of which may lead back."""


def loops(keys: Iterable[Key], find: Callable[[Key], Record | None]) -> Iterator[Loop]:
    """The loops to which these records lead. A record that names itself is left to the rules of its type."""
    by_type: dict[str, set[str]] = {}
    for key in keys:
        by_type.setdefault(key.type, set()).add(key.id)
    for record_type, ids in sorted(by_type.items()):
        for field, names in _FIELDS.items():
            graph = _graph(record_type, ids, names, find)
            for _ in range(MAX_LOOPS):
                loop = _first_loop(graph)
                if loop is None:
                    break
                yield Loop(Key(record_type, loop[0]), field, loop)
                for record_id in loop:
                    graph.pop(record_id, None)


def _graph(
    record_type: str,
    ids: Iterable[str],
    names: Callable[[Record], Iterable[str]],
    find: Callable[[Key], Record | None],
) -> dict[str, list[str]]:
    """What these records name, and what that names in turn; without records that name nothing."""
    graph: dict[str, list[str]] = {}
    waiting, seen = sorted(ids), set()
    while waiting:
        record_id = waiting.pop()
        if record_id not in seen:
            seen.add(record_id)
            content = find(Key(record_type, record_id))
            named = [other for other in names(content) if other != record_id] if content else []
            if named:
                graph[record_id] = named
                waiting += named
    return graph


def _first_loop(graph: dict[str, list[str]]) -> tuple[str, ...] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # It lists what is named before what names it.
        *ring, _ = reversed(error.args[1])
        start = ring.index(min(ring))
        return (*ring[start:], *ring[:start], ring[start])
    return None
