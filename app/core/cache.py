"""A cache bounded in bytes: values that were read again stay, those that were read once are evicted first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteBoundedCache(Generic[Key, Value]):
    """Two queues: newcomers wait in the first, and a second request moves them to the second, which is larger.

    A flood of different requests passes through the first queue and leaves the second alone.
    """

    def __init__(self, max_bytes: int, *, newcomers_share: float = 0.2) -> None:
        self._max_bytes = {"new": int(max_bytes * newcomers_share), "reused": int(max_bytes * (1 - newcomers_share))}
        self._queues: dict[str, OrderedDict[Key, tuple[Value, int]]] = {"new": OrderedDict(), "reused": OrderedDict()}
        self._sizes = {"new": 0, "reused": 0}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())

    def get(self, key: Key) -> Value | None:
        reused = self._queues["reused"]
        entry = reused.get(key)
        if entry is not None:
            reused.move_to_end(key)
            return entry[0]
        newcomer = self._queues["new"].pop(key, None)
        if newcomer is None:
            return None
        self._sizes["new"] -= newcomer[1]
        self._put("reused", key, *newcomer)
        return newcomer[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Store a value of that many bytes; one larger than a queue is not stored at all."""
        self.discard(key)
        self._put("new", key, value, size)

    def discard(self, key: Key) -> None:
        for name, queue in self._queues.items():
            removed = queue.pop(key, None)
            if removed is not None:
                self._sizes[name] -= removed[1]

    def clear(self) -> None:
        for name, queue in self._queues.items():
            queue.clear()
            self._sizes[name] = 0

    def _put(self, name: str, key: Key, value: Value, size: int) -> None:
        if size > self._max_bytes[name]:
            return
        queue = self._queues[name]
        queue[key] = (value, size)
        self._sizes[name] += size
        while self._sizes[name] > self._max_bytes[name]:
            _, (_, evicted) = queue.popitem(last=False)
            self._sizes[name] -= evicted
