"""Items and lists straight from the stored documents, without router and models: what was never asked for before.

For SQLite, whose reads take microseconds and block nobody. Answers only what it is sure of; anything else (an unknown
parameter or value, words, doses, an empty list) is left to the application, which answers all of it alike.
"""

import json
import sqlite3
from dataclasses import dataclass
from itertools import groupby

from app.catalog import BY_PLURAL
from app.core.errors import InvalidInput
from app.core.filters import Bitmaps, Filter, Kept, Reader
from app.core.lists import MOST, Order, Slice, envelope, fingerprint, next_address, page_of
from app.core.resource import Resource
from app.evidence.filters import CITED, COMBINATION
from app.http import caching

_EXTRA = {"claim": b'"dose":null,"coverage":[],'}
"""What stands in front of the items, of claims about whose doses and coverage nothing is to be said."""
_NOT_HERE = frozenset({"status", "subject", COMBINATION, "year"})
"""Filters that are no parameters, or whose values are no text."""


@dataclass(frozen=True)
class Asked:
    """What an address asks for, as far as it can be told without the data."""

    resource: Resource
    record_id: str | None
    """Null for a list."""
    path: str
    query: str
    filters: tuple[tuple[Filter, ...], ...] = ()
    descending: bool = False
    slice: Slice | None = None
    """Of a list."""


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
    _, _, plural, *rest = path.split("/")
    resource = BY_PLURAL.get(plural)
    if resource is None or len(rest) > 1 or "%" in query or "+" in query:
        return None
    if rest:
        return Asked(resource, rest[0], path, query) if not query else None
    return _asked_list(resource, path, query)


def _asked_list(resource: Resource, path: str, query: str) -> Asked | None:
    pairs = [part.partition("=") for part in query.split("&") if part]
    given = {name: [pair[2] for pair in same] for name, same in groupby(pairs, key=lambda pair: pair[0])}
    limit, cursor, sort = (given.pop(name, None) for name in ("limit", "cursor", "sort"))
    if any(one is not None and len(one) > 1 for one in (limit, cursor, sort)):
        return None
    if limit is not None and not (limit[0].isdecimal() and limit[0].isascii() and 1 <= int(limit[0]) <= MOST):
        return None
    if sort is not None and sort[0] not in ("id", "-id"):
        return None
    if given.keys() & _NOT_HERE or (resource.type == "claim" and len(given.keys() & CITED.keys()) > 1):
        return None
    if any(len(values) > 1 for name, values in given.items() if name in ("cited", "stale", "is_review")):
        return None
    filters = {name: _value(values) for name, values in given.items()}
    return Asked(
        resource,
        None,
        path,
        query,
        tuple(tuple(Filter(name, value) for value in values) for name, values in given.items()),
        descending=sort == ["-id"],
        slice=Slice(
            int(limit[0]) if limit else 20,
            cursor[0] if cursor else None,
            fingerprint(resource.type, filters | ({"sort": "-id"} if sort == ["-id"] else {})),
        ),
    )


def _value(values: list[str]) -> object:
    return values[0] == "true" if values[0] in ("true", "false") else values


class Direct:
    """Reads over one connection of its own, from the thread that first does."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._bitmaps = Bitmaps()

    def answer(self, wanted: Asked) -> Answer | None:
        """The answer; null where the application has to give it."""
        try:
            connection = self._connected()
            if wanted.slice is None:
                return _item(connection, wanted.resource.type, wanted.record_id or "")
            connection.execute("BEGIN")
            try:
                return self._list(connection, wanted, wanted.slice)
            finally:
                connection.execute("COMMIT")
        except InvalidInput:
            return None  # a cursor that does not fit
        except sqlite3.Error:
            self.close()
            return None

    def tag(self, wanted: Asked, serial: int) -> str | None:
        """The ETag that the answer would have; for a list it follows from the serial and the address."""
        if wanted.record_id is None:
            return caching.list_tag(serial, wanted.path, wanted.query)
        try:
            row = (
                self._connected()
                .execute(
                    "SELECT digest, serial FROM records WHERE type = ? AND id = ? AND status = 'published'",
                    (wanted.resource.type, wanted.record_id),
                )
                .fetchone()
            )
        except sqlite3.Error:
            self.close()
            return None
        return caching.record_tag(*row) if row else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None, timeout=0.05
            )
            self._connection.execute("PRAGMA cache_size=-16000")
        return self._connection

    def _list(self, connection: sqlite3.Connection, wanted: Asked, part: Slice) -> Answer | None:
        scope, filterable = wanted.resource.type, wanted.resource.filters
        reader = Reader(lambda sql, values: connection.execute(sql, values).fetchall(), is_sqlite=True)
        kept = Kept(reader, _serial(connection), self._bitmaps)
        if not all(known.value in kept.values(scope, known.name) for group in wanted.filters for known in group):
            return None
        bits = kept.every(scope, wanted.filters)
        order = Order(filterable.table.__tablename__, "id", wanted.descending, nullable=False)
        walked = [group[0] for group in wanted.filters if len(group) == 1]
        page = page_of(kept, scope, filterable, bits, part, order, walked)
        if not page.ids:
            return None
        rows = connection.execute(
            "SELECT r.body FROM json_each(?) AS k CROSS JOIN records AS r ON r.type = ? AND r.id = k.value",
            (json.dumps(page.ids), scope),
        )
        following = next_address(wanted.path, wanted.query, page.next_cursor)
        body = envelope([row[0] for row in rows], following, page, _EXTRA.get(scope, b""))
        return Answer(kept.serial, caching.list_tag(kept.serial, wanted.path, wanted.query), body, following)


def _item(connection: sqlite3.Connection, record_type: str, record_id: str) -> Answer | None:
    row = connection.execute(
        "SELECT body, digest, serial, (SELECT max(serial) FROM publications) FROM records "
        "WHERE type = ? AND id = ? AND status = 'published'",
        (record_type, record_id),
    ).fetchone()
    if row is None:
        return None
    body, digest, changed_at, serial = row
    return Answer(serial, caching.record_tag(digest, changed_at), body, None)


def _serial(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(serial) FROM publications").fetchone()[0] or 0)
