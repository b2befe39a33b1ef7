"""Which records a list holds: those that filters keep, and that meet further conditions in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.storage.filter_bitmaps import Filter
from app.storage.filter_index import FilterIndexView, FilterSpec

MAX_READ = 5_000
"""Records that meet words or a dose are read up to here, to count those that meet the other filters as well."""


@dataclass(frozen=True)
class Selection:
    """Published records of a type that every group of filters keeps; of each group one filter must."""

    scope: str
    spec: FilterSpec
    groups: tuple[Sequence[Filter], ...] = ()
    only: BitMap | None = None
    """Internal keys, where something else than filters and SQL has chosen."""
    conditions: tuple[ColumnElement[bool], ...] = ()
    """Further conditions, for which there are no bitmaps."""
    max_read: int | None = None
    """How many of the records that meet `conditions` may be read to count; null for all."""

    def filtered(self, name: str, values: Sequence[str]) -> Self:
        """Those that one of these values of a filter keeps; without a value, all."""
        return replace(self, groups=(*self.groups, [Filter(name, value) for value in values])) if values else self

    def where(self, *conditions: ColumnElement[bool], max_read: int | None = None) -> Self:
        """Those that meet these conditions as well."""
        return replace(self, conditions=(*self.conditions, *conditions), max_read=max_read or self.max_read)

    def keys(self, session: Session, index: FilterIndexView) -> BitMap:
        """Internal keys of all of them, however many."""
        keys = self.filtered_keys(index)
        return keys & BitMap(session.scalars(self._meeting())) if self.conditions else keys

    def filtered_keys(self, index: FilterIndexView) -> BitMap:
        """Internal keys of those that the filters alone keep; not to be changed."""
        keys = index.every(self.scope, self.groups)
        return keys if self.only is None else keys & self.only

    def count(self, session: Session, index: FilterIndexView) -> tuple[BitMap, bool]:
        """Internal keys of all of them and True; or, with False, of as many as were read."""
        if self.max_read is None or not self.conditions:
            return self.keys(session, index), True
        read = BitMap(session.scalars(self._meeting().limit(self.max_read + 1)))
        return self.filtered_keys(index) & read, len(read) <= self.max_read

    def meeting(self, session: Session, keys: Sequence[int]) -> set[int]:
        """Which of these keys meet the conditions."""
        return set(session.scalars(self._meeting().where(self.spec.pk.in_(keys))))

    def _meeting(self) -> Select[Any]:
        return select(self.spec.pk).where(*self.conditions)
