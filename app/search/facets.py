"""Facets of entries as bitmaps that publishing maintains: counting thousands of results needs no query."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pyroaring import BitMap
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.search.models import SearchEntry, SearchFacet
from app.storage.history import current_serial

BATCH = 10_000


class Facet(NamedTuple):
    name: str
    value: str


FacetBitmaps = Mapping[Facet, BitMap]


class FacetChanges:
    """Collects which entries gain and lose facets, until it is written."""

    def __init__(self) -> None:
        self._added: dict[Facet, BitMap] = defaultdict(BitMap)
        self._removed: dict[Facet, BitMap] = defaultdict(BitMap)

    def add(self, pk: int, facets: str) -> None:
        for facet in _parse(facets):
            self._added[facet].add(pk)

    def remove(self, pk: int, facets: str) -> None:
        for facet in _parse(facets):
            self._removed[facet].add(pk)

    def write(self, session: Session) -> None:
        serial = current_serial(session)
        for facet in sorted(self._added.keys() | self._removed.keys()):
            of_facet = (SearchFacet.name == facet.name, SearchFacet.value == facet.value)
            stored = session.scalar(select(SearchFacet.entries).where(*of_facet))
            before = BitMap.deserialize(stored) if stored else BitMap()
            after = (before - self._removed.get(facet, BitMap())) | self._added.get(facet, BitMap())
            if after == before:
                continue
            session.execute(delete(SearchFacet).where(*of_facet))
            # An empty bitmap stays, so that readers of an older serial learn of it.
            after.run_optimize()
            row = {"name": facet.name, "value": facet.value, "serial": serial, "entries": after.serialize()}
            session.execute(insert(SearchFacet), [row])


def _parse(facets: str) -> Iterator[Facet]:
    """The facets of an entry, from `SearchEntry.facets`."""
    for facet in facets.split():
        name, _, value = facet.partition("=")
        yield Facet(name, value)


def rebuild(session: Session) -> None:
    """Make all bitmaps from the entries."""
    session.execute(delete(SearchFacet))
    changes = FacetChanges()
    rows = session.execute(select(SearchEntry.pk, SearchEntry.facets).execution_options(yield_per=BATCH))
    for pk, facets in rows:
        changes.add(pk, facets)
    changes.write(session)


def changed_since(session: Session, serial: int) -> dict[Facet, BitMap]:
    """The bitmaps that changed after a serial."""
    rows = session.execute(
        select(SearchFacet.name, SearchFacet.value, SearchFacet.entries).where(SearchFacet.serial > serial)
    )
    return {Facet(name, value): BitMap.deserialize(entries) for name, value, entries in rows}


def count(bitmaps: FacetBitmaps, pks: Iterable[int]) -> dict[str, dict[str, int]]:
    """Facet -> value -> the number of the entries that have it, the largest first."""
    entries = BitMap(pks)
    numbers = [(facet, entries.intersection_cardinality(bitmap)) for facet, bitmap in bitmaps.items()]
    counts: dict[str, dict[str, int]] = {}
    for (name, value), number in sorted(numbers, key=lambda item: (-item[1], item[0])):
        if number:
            counts.setdefault(name, {})[value] = number
    return counts
