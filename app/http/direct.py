"""Items, lists and searches straight from what is stored, without router and models.

Answers only what it is sure of; anything else (an unknown parameter or value, a dose, an empty list) is left to the
application, which answers all of it alike.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.claims import views
from app.core.errors import AppError
from app.http import conditional as caching
from app.registry import BY_PLURAL
from app.storage.database import Database
from app.storage.filter_index import PUBLISHED, Filter, FilterBitmaps, FilterIndexView, FilterSpec, kept
from app.storage.history import documents, serial_seen, stored_body, stored_digest
from app.storage.paging import MAX, Order, PageRequest, envelope, fingerprint, next_address, page_of
from app.storage.statements import Reader, reader_of

_BESIDE = {"claim": views.beside(None, None, ())}
"""What lists hold beside the fields of every list, where nothing was asked that these would tell."""


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
    filter_spec: FilterSpec
    filters: tuple[tuple[Filter, ...], ...]
    order: Order
    slice: PageRequest


@dataclass(frozen=True)
class AskedSearch(Asked):
    """In words; only the search understands them."""


class Answer(NamedTuple):
    """What changes from one answer to another of the same kind."""

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


def _asked_list(record_type: str, filter_spec: FilterSpec, path: str, query: str) -> Asked | None:
    pairs = [part.partition("=") for part in query.split("&") if part]
    given = {name: [pair[2] for pair in same] for name, same in groupby(pairs, key=lambda pair: pair[0])}
    limit, cursor, sort = (given.pop(name, None) for name in ("limit", "cursor", "sort"))
    if any(one is not None and len(one) > 1 for one in (limit, cursor, sort)):
        return None
    if limit is not None and not (limit[0].isdecimal() and limit[0].isascii() and 1 <= int(limit[0]) <= MAX):
        return None
    if sort is not None and sort[0] not in ("id", "-id"):
        return None
    if PUBLISHED.name in given or given.keys() & filter_spec.inner or len(given.keys() & filter_spec.together) > 1:
        return None
    if any(len(values) > 1 for name, values in given.items() if name in filter_spec.flags):
        return None
    told = given | ({"sort": sort} if sort == ["-id"] else {})
    part = PageRequest(int(limit[0]) if limit else 20, cursor[0] if cursor else None, fingerprint(record_type, told))
    groups = tuple(tuple(Filter(name, value) for value in values) for name, values in given.items())
    order = Order(filter_spec.table.__tablename__, "id", sort == ["-id"], nullable=False)
    return AskedList(record_type, path, query, record_type, filter_spec, groups, order, part)


Search = Callable[[Session, str, str, int], Answer | None]
"""The answer to a search, by the path and query of its address and the serial that the session sees; null where the
application has to give it."""


Result = TypeVar("Result")


class Direct:
    """Reads what addresses ask for. SQLite takes microseconds and blocks nobody, so its records are read at once, over
    a connection of their own; `waits` tells what should be asked for in a thread."""

    def __init__(self, database: Database, search: Search) -> None:
        self._database = database
        self._search = search
        is_near = database.is_sqlite and not database.has_replica
        self._near = _Near(str(database.url.database)) if is_near else None
        self._tags: dict[tuple[str, str], str | None] = {}
        self._tags_serial = 0

    def waits(self, wanted: Asked) -> bool:
        """Whether to ask for the answer in a thread."""
        return self._near is None or isinstance(wanted, AskedSearch)

    def waits_for_tag(self, wanted: Asked) -> bool:
        """Whether to ask for the ETag in a thread."""
        return self._near is None and isinstance(wanted, AskedItem)

    def answer(self, wanted: Asked, serial: int) -> Answer | None:
        """The answer at a serial; null where the application has to give it."""
        if isinstance(wanted, AskedSearch):
            return self._in_session(serial, lambda session: self._search(session, wanted.path, wanted.query, serial))
        return self._read(serial, lambda seen: _answer(seen, wanted))

    def tag(self, wanted: Asked, serial: int) -> str | None:
        """The ETag that the answer would have: for a list it follows from the serial and the address, and for a record
        it is remembered as long as the data set stays at its serial."""
        if not isinstance(wanted, AskedItem):
            return caching.list_tag(serial, wanted.path, wanted.query)
        if serial != self._tags_serial or len(self._tags) > MAX_TAGS:
            self._tags_serial = serial
            self._tags = {}
        tags, name = self._tags, (wanted.type, wanted.id)  # another thread may begin anew
        if name not in tags:
            tags[name] = self._read(serial, lambda seen: _tag(seen, wanted))
        return tags[name]

    def _read(self, serial: int, read: Callable[[FilterIndexView], Result | None]) -> Result | None:
        """What is read of the data at a serial; null where they are at another one, or cannot be read."""
        if self._near is None:
            return self._in_session(serial, lambda session: read(kept(session, serial)))
        try:
            seen = self._near.view(serial)
            return read(seen) if seen is not None else None
        except AppError:
            return None  # a cursor that does not fit
        except sqlite3.Error:
            self.close()
            return None

    def _in_session(self, serial: int, read: Callable[[Session], Result | None]) -> Result | None:
        try:
            with self._database.read() as session:
                return read(session) if serial_seen(reader_of(session)) == serial else None
        except (AppError, SQLAlchemyError):
            return None  # the application says what is wrong

    def close(self) -> None:
        if self._near is not None:
            self._near.close()


class _Near:
    """A view of an SQLite file, held while requests keep coming and nothing is published: taking one for each would
    cost more system calls than the reading itself."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._bitmaps = FilterBitmaps()
        self._view: FilterIndexView | None = None

    def view(self, serial: int) -> FilterIndexView | None:
        """The data at a serial; null where it is at another one by now."""
        if self._view is not None and self._view.serial == serial:
            return self._view
        self._let_go()
        connection = self._connected()
        connection.execute("BEGIN")
        # A view that nobody lets go keeps the log of what is written from ever being cut.
        asyncio.get_running_loop().call_later(HOLD_SECONDS, self._let_go)
        reader = Reader(lambda sql, values: connection.execute(sql, values).fetchall(), is_sqlite=True)
        self._view = FilterIndexView(reader, serial_seen(reader), self._bitmaps)
        return self._view if self._view.serial == serial else None

    def _let_go(self) -> None:
        self._view = None
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None, timeout=0.05
            )
            self._connection.execute("PRAGMA cache_size=-16000")
        return self._connection

    def close(self) -> None:
        self._view = None
        if self._connection is not None:
            self._connection.close()
        self._connection = None


HOLD_SECONDS = 0.1
MAX_TAGS = 10_000
"""Of records, to be remembered."""


def _answer(seen: FilterIndexView, wanted: Asked) -> Answer | None:
    if isinstance(wanted, AskedItem):
        return _item(seen, wanted)
    return _list(seen, wanted) if isinstance(wanted, AskedList) else None


def _tag(seen: FilterIndexView, wanted: AskedItem) -> str | None:
    found = stored_digest(seen.reader, wanted.type, wanted.id)
    return caching.record_tag(*found) if found is not None else None


def _item(seen: FilterIndexView, wanted: AskedItem) -> Answer | None:
    found = stored_body(seen.reader, wanted.type, wanted.id)
    if found is None:
        return None
    digest, changed_at, body = found
    return Answer(caching.record_tag(digest, changed_at), body, None)


def _list(seen: FilterIndexView, wanted: AskedList) -> Answer | None:
    scope, filter_spec = wanted.type, wanted.filter_spec
    several = [group for group in wanted.filters if len(group) > 1]
    if not all(known.value in seen.values(scope, known.name) for group in several for known in group):
        return None
    bits = seen.every(scope, wanted.filters)
    walked = [group[0] for group in wanted.filters if len(group) == 1]
    page = page_of(seen, scope, filter_spec, bits, wanted.slice, wanted.order, walked, with_bodies=True)
    if not page.ids:  # there may be no such value
        return None
    bodies = page.bodies or documents(seen.reader, scope, page.ids)
    following = next_address(wanted.path, wanted.query, page.next_cursor)
    body = envelope(bodies, following, page, _BESIDE.get(scope, b""))
    return Answer(caching.list_tag(seen.serial, wanted.path, wanted.query), body, following)
