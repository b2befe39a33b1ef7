"""A cache bounded in bytes: what is asked for again stays, what was asked for once goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteBoundedCache(Generic[Key, Value]):
    """Two queues: newcomers wait in the first, and a second request moves them to the second, which is larger.

    A flood of different requests passes through the first queue and leaves the second alone.
    """

    def __init__(self, most_bytes: int, *, newcomers_share: float = 0.2) -> None:
        self._most = {"new": int(most_bytes * newcomers_share), "kept": int(most_bytes * (1 - newcomers_share))}
        self._queues: dict[str, OrderedDict[Key, tuple[Value, int]]] = {"new": OrderedDict(), "kept": OrderedDict()}
        self._sizes = {"new": 0, "kept": 0}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())

    def get(self, key: Key) -> Value | None:
        kept = self._queues["kept"]
        found = kept.get(key)
        if found is not None:
            kept.move_to_end(key)
            return found[0]
        waiting = self._queues["new"].pop(key, None)
        if waiting is None:
            return None
        self._sizes["new"] -= waiting[1]
        self._put("kept", key, *waiting)
        return waiting[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of that many bytes; one larger than a queue is not kept at all."""
        self.discard(key)
        self._put("new", key, value, size)

    def discard(self, key: Key) -> None:
        for name, queue in self._queues.items():
            gone = queue.pop(key, None)
            if gone is not None:
                self._sizes[name] -= gone[1]

    def clear(self) -> None:
        for name, queue in self._queues.items():
            queue.clear()
            self._sizes[name] = 0

    def _put(self, name: str, key: Key, value: Value, size: int) -> None:
        if size > self._most[name]:
            return
        queue = self._queues[name]
        queue[key] = (value, size)
        self._sizes[name] += size
        while self._sizes[name] > self._most[name]:
            _, (_, evicted) = queue.popitem(last=False)
            self._sizes[name] -= evicted
