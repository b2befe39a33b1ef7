"""Items, lists and searches straight from what is stored, without router and models.

Answers only what it is sure of; anything else (an unknown parameter or value, a dose, an empty list) is left to the
application, which answers all of it alike.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.catalog import BY_PLURAL
from app.core.database import Database
from app.core.errors import InvalidInput
from app.core.filters import Bitmaps, Filter, Filterable, Kept, Reader, bitmaps_of, reader_of
from app.core.lists import MOST, Order, Slice, envelope, fingerprint, next_address, page_of
from app.evidence.filters import CITED, COMBINATION
from app.http import caching

_EXTRA = {"claim": b'"dose":null,"coverage":[],'}
"""What stands in front of the items, of claims about whose doses and coverage nothing is to be said."""
_NOT_HERE = frozenset({"status", "subject", COMBINATION, "year"})
"""Filters that are no parameters, or whose values are no text."""


@dataclass(frozen=True)
class Asked:
    """What an address asks for, as far as it can be told without the data."""

    kind: str
    """Answers of a kind have the same headers, but for those of the one record or page."""
    path: str
    query: str


@dataclass(frozen=True)
class AskedItem(Asked):
    type: str
    id: str


@dataclass(frozen=True)
class AskedList(Asked):
    type: str
    filterable: Filterable
    filters: tuple[tuple[Filter, ...], ...]
    descending: bool
    slice: Slice


@dataclass(frozen=True)
class AskedSearch(Asked):
    """In words; only the search understands them."""


@dataclass(frozen=True)
class Answer:
    """What changes from one answer to another of the same kind."""

    serial: int
    etag: str
    body: bytes
    following: str | None
    """Address of the next page of a list."""


def asked(path: str, query: str) -> Asked | None:
    """What the address asks for; null where the application has to tell."""
    if path == SEARCH:
        return AskedSearch("search", path, query)
    _, _, plural, *rest = path.split("/")
    resource = BY_PLURAL.get(plural)
    if resource is None or len(rest) > 1 or "%" in query or "+" in query:
        return None
    if rest:
        return None if query else AskedItem(f"one {resource.type}", path, query, resource.type, rest[0])
    return _asked_list(resource.type, resource.filters, path, query)


SEARCH = "/v1/search"


def _asked_list(record_type: str, filterable: Filterable, path: str, query: str) -> Asked | None:
    pairs = [part.partition("=") for part in query.split("&") if part]
    given = {name: [pair[2] for pair in same] for name, same in groupby(pairs, key=lambda pair: pair[0])}
    limit, cursor, sort = (given.pop(name, None) for name in ("limit", "cursor", "sort"))
    if any(one is not None and len(one) > 1 for one in (limit, cursor, sort)):
        return None
    if limit is not None and not (limit[0].isdecimal() and limit[0].isascii() and 1 <= int(limit[0]) <= MOST):
        return None
    if sort is not None and sort[0] not in ("id", "-id"):
        return None
    if given.keys() & _NOT_HERE or (record_type == "claim" and len(given.keys() & CITED.keys()) > 1):
        return None
    if any(len(values) > 1 for name, values in given.items() if name in ("cited", "stale", "is_review")):
        return None
    filters = {name: _value(values) for name, values in given.items()}
    if sort == ["-id"]:
        filters["sort"] = "-id"
    part = Slice(int(limit[0]) if limit else 20, cursor[0] if cursor else None, fingerprint(record_type, filters))
    groups = tuple(tuple(Filter(name, value) for value in values) for name, values in given.items())
    return AskedList(record_type, path, query, record_type, filterable, groups, sort == ["-id"], part)


def _value(values: list[str]) -> object:
    return values[0] == "true" if values[0] in ("true", "false") else values


Search = Callable[[Session, str, str], Answer | None]
"""The answer to a search, by the path and query of its address; null where the application has to give it."""


class Direct:
    """Reads what addresses ask for. SQLite takes microseconds and blocks nobody, so its records are read at once, over
    a connection of their own; `waits` tells what should be asked for in a thread."""

    def __init__(self, database: Database, search: Search) -> None:
        self._database = database
        self._search = search
        self._records: _Records = _Own(str(database.url.database)) if _is_near(database) else _Shared(database)

    def waits(self, wanted: Asked) -> bool:
        return isinstance(wanted, AskedSearch) or not _is_near(self._database)

    def answer(self, wanted: Asked) -> Answer | None:
        """The answer; null where the application has to give it."""
        try:
            if isinstance(wanted, AskedSearch):
                with self._database.read() as session:
                    return self._search(session, wanted.path, wanted.query)
            with self._records.reading() as seen:
                if isinstance(wanted, AskedItem):
                    return _item(seen.reader, wanted)
                return _list(seen, wanted) if isinstance(wanted, AskedList) else None
        except InvalidInput:
            return None  # a cursor that does not fit
        except (sqlite3.Error, SQLAlchemyError):
            self._records.close()
            return None

    def tag(self, wanted: Asked, serial: int) -> str | None:
        """The ETag that the answer would have; for a list it follows from the serial and the address."""
        if not isinstance(wanted, AskedItem):
            return caching.list_tag(serial, wanted.path, wanted.query)
        try:
            with self._records.reading() as seen:
                rows = seen.reader.rows(
                    "SELECT digest, serial FROM records WHERE type = ? AND id = ? AND status = 'published'",
                    wanted.type,
                    wanted.id,
                )
        except (sqlite3.Error, SQLAlchemyError):
            self._records.close()
            return None
        return caching.record_tag(*rows[0]) if rows else None

    def close(self) -> None:
        self._records.close()


def _is_near(database: Database) -> bool:
    return database.is_sqlite and not database.has_replica


class _Seen(NamedTuple):
    reader: Reader
    bitmaps: Bitmaps


class _Records(Protocol):
    """Where records are read from: one consistent view at a time."""

    @contextmanager
    def reading(self) -> Iterator[_Seen]: ...

    def close(self) -> None: ...


class _Own:
    """A connection that nothing else uses, opened by the thread that first reads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._bitmaps = Bitmaps()

    @contextmanager
    def reading(self) -> Iterator[_Seen]:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None, timeout=0.05
            )
            self._connection.execute("PRAGMA cache_size=-16000")
            self._reader = Reader(self._rows, is_sqlite=True)
        self._connection.execute("BEGIN")
        try:
            yield _Seen(self._reader, self._bitmaps)
        finally:
            self._connection.execute("COMMIT")

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        assert self._connection is not None  # noqa: S101 - open while somebody reads
        return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class _Shared:
    """The database's own sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator[_Seen]:
        with self._database.read() as session:
            yield _Seen(reader_of(session), bitmaps_of(session.get_bind().engine))

    def close(self) -> None:
        """Nothing is kept open."""


def _item(reader: Reader, wanted: AskedItem) -> Answer | None:
    rows = reader.rows(
        "SELECT body, digest, serial, (SELECT max(serial) FROM publications) FROM records "
        "WHERE type = ? AND id = ? AND status = 'published'",
        wanted.type,
        wanted.id,
    )
    if not rows:
        return None
    body, digest, changed_at, serial = rows[0]
    return Answer(serial, caching.record_tag(digest, changed_at), body, None)


def _list(seen: _Seen, wanted: AskedList) -> Answer | None:
    reader, scope, filterable = seen.reader, wanted.type, wanted.filterable
    ((serial,),) = reader.rows("SELECT max(serial) FROM publications")
    kept = Kept(reader, serial or 0, seen.bitmaps)
    if not all(known.value in kept.values(scope, known.name) for group in wanted.filters for known in group):
        return None
    bits = kept.every(scope, wanted.filters)
    order = Order(filterable.table.__tablename__, "id", wanted.descending, nullable=False)
    walked = [group[0] for group in wanted.filters if len(group) == 1]
    page = page_of(kept, scope, filterable, bits, wanted.slice, order, walked)
    if not page.ids:
        return None
    bodies = reader.rows(reader.bodies, json.dumps(page.ids), scope)
    following = next_address(wanted.path, wanted.query, page.next_cursor)
    body = envelope([row[0] for row in bodies], following, page, _EXTRA.get(scope, b""))
    return Answer(kept.serial, caching.list_tag(kept.serial, wanted.path, wanted.query), body, following)
