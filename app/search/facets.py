"""Which entries have which facet, as bitmaps that publishing keeps: counting thousands of results takes no query."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pyroaring import BitMap
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.search.models import SearchEntry, SearchFacet
from app.storage.history import current_serial

PORTION = 10_000


class Facet(NamedTuple):
    name: str
    value: str


FacetBitmaps = Mapping[Facet, BitMap]


def read(text: str) -> Iterator[Facet]:
    """The facets of an entry, from how it holds them."""
    for facet in text.split():
        name, _, value = facet.partition("=")
        yield Facet(name, value)


class Moves:
    """What gains and what loses facets, until it is written."""

    def __init__(self) -> None:
        self._added: dict[Facet, BitMap] = defaultdict(BitMap)
        self._removed: dict[Facet, BitMap] = defaultdict(BitMap)

    def add(self, pk: int, facets: str) -> None:
        for facet in read(facets):
            self._added[facet].add(pk)

    def remove(self, pk: int, facets: str) -> None:
        for facet in read(facets):
            self._removed[facet].add(pk)

    def write(self, session: Session) -> None:
        serial = current_serial(session)
        for facet in sorted(self._added.keys() | self._removed.keys()):
            here = (SearchFacet.name == facet.name, SearchFacet.value == facet.value)
            stored = session.scalar(select(SearchFacet.entries).where(*here))
            before = BitMap.deserialize(stored) if stored else BitMap()
            after = (before - self._removed.get(facet, BitMap())) | self._added.get(facet, BitMap())
            if after == before:
                continue
            session.execute(delete(SearchFacet).where(*here))
            # An empty one stays, so that whoever knows an older state learns of it.
            after.run_optimize()
            row = {"name": facet.name, "value": facet.value, "serial": serial, "entries": after.serialize()}
            session.execute(insert(SearchFacet), [row])


def rebuild(session: Session) -> None:
    """Make all bitmaps again from the entries."""
    session.execute(delete(SearchFacet))
    moves = Moves()
    rows = session.execute(select(SearchEntry.pk, SearchEntry.facets).execution_options(yield_per=PORTION))
    for pk, facets in rows:
        moves.add(pk, facets)
    moves.write(session)


def changed_since(session: Session, serial: int) -> dict[Facet, BitMap]:
    """The bitmaps that changed after a serial."""
    rows = session.execute(
        select(SearchFacet.name, SearchFacet.value, SearchFacet.entries).where(SearchFacet.serial > serial)
    )
    return {Facet(name, value): BitMap.deserialize(entries) for name, value, entries in rows}


def count(bitmaps: FacetBitmaps, found: Iterable[int]) -> dict[str, dict[str, int]]:
    """How many of the entries have each value, the most frequent first."""
    entries = BitMap(found)
    numbers = [(facet, entries.intersection_cardinality(having)) for facet, having in bitmaps.items()]
    counts: dict[str, dict[str, int]] = {}
    for (name, value), number in sorted(numbers, key=lambda counted: (-counted[1], counted[0])):
        if number:
            counts.setdefault(name, {})[value] = number
    return counts
