"""The bitmaps of filters in memory, each with the serial as of which it was read."""

import threading
from typing import NamedTuple

from pyroaring import BitMap

from app.core.cache import ByteBoundedCache
from app.storage.read_view import DatasetState, ReadView

MAX_BYTES = 24_000_000
"""Memory for bitmaps, for each database and process."""


class Filter(NamedTuple):
    """A parameter with one of its values."""

    name: str
    value: str


PUBLISHED = Filter("status", "published")
"""Keeps what lists show at all."""


class FilterBitmaps:
    """What filters keep, as far as it was read. Used by several threads at once."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._bitmaps: ByteBoundedCache[tuple[DatasetState, str, str, str], BitMap] = ByteBoundedCache(max_bytes)
        self._values: dict[tuple[DatasetState, str, str], dict[str, int]] = {}
        self._lock = threading.Lock()

    def of(self, view: ReadView, scope: str, item: Filter) -> BitMap:
        """Internal keys of the records that one filter keeps; not to be changed."""
        key = (view.state, scope, *item)
        with self._lock:
            bitmap = self._bitmaps.get(key)
        if bitmap is None:
            rows = view.rows(
                "SELECT b.bits FROM filters f JOIN filter_bits b ON b.filter_pk = f.pk "
                "WHERE f.scope = ? AND f.name = ? AND f.value = ?",
                scope,
                *item,
            )
            bitmap = BitMap.union(BitMap(), *(BitMap.deserialize(row[0]) for row in rows))
            with self._lock:
                self._bitmaps.put(key, bitmap, sum(len(row[0]) for row in rows) + 200)
        return bitmap

    def values(self, view: ReadView, scope: str, name: str) -> dict[str, int]:
        """The values of a filter under which some record stands, in order, each with the filter's internal key."""
        key = (view.state, scope, name)
        values = self._values.get(key)
        if values is None:
            sql = "SELECT value, pk FROM filters WHERE scope = ? AND name = ? ORDER BY value"
            values = {row[0]: row[1] for row in view.rows(sql, scope, name)}
            with self._lock:
                for old in [known for known in self._values if known[0] != view.state]:
                    del self._values[old]
                self._values[key] = values
        return values
