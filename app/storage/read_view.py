"""One consistent view of the data: statements that go to the driver as they are written, and a session beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Connection, Integer, cast, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

if TYPE_CHECKING:
    from pyroaring import BitMap

    from app.storage.filter_bitmaps import FilterBitmaps

_IDENTITY = "at || ' ' || actor || ' ' || note"
PUBLICATION = f"SELECT {_IDENTITY} FROM publications"
"""What tells a publication from another one of equal serial, in a data set that was restored and went another way."""
NEWEST = f"SELECT serial, {_IDENTITY} FROM publications ORDER BY serial DESC LIMIT 1"
_DATASET = (
    "SELECT (SELECT max(serial) FROM publications), (SELECT name FROM releases ORDER BY serial DESC, name DESC LIMIT 1)"
    f", ({PUBLICATION} ORDER BY serial DESC LIMIT 1)"
)

MAX_KEYS_SENT = 1_000
"""So many keys, about 5 kB, restrict a statement at most."""


class DatasetState(NamedTuple):
    """Which data set a view sees."""

    generation: int
    """Counts the files of SQLite that took the place of another."""
    serial: int
    publication: str
    """Instant, actor and note of the newest publication; empty for an empty data set."""

    @property
    def name(self) -> str:
        """The same wherever this state is served, and after a restart."""
        return f"{self.serial} {self.publication}"


class DatasetChanged(Exception):
    """A view sees another state of the data set than was expected; read again without expecting any."""


class ReadView:
    """One connection and one read-only transaction. What is written meanwhile is not seen.

    Statements hold `?` for values. They are for what is read most; everything else goes through `session`, which
    works on the same connection. The caller closes the view.
    """

    def __init__(
        self,
        connection: Connection,
        bitmaps: FilterBitmaps,
        opening: str | None = None,
        expected: DatasetState | None = None,
    ) -> None:
        """`opening` begins the transaction on PostgreSQL, together with the first statement; null for SQLite.

        Until that statement has run, `state` gives the `expected` one, which costs no exchange with the server. If it
        was given and the statement sees another state, the statement raises DatasetChanged.
        """
        self.connection = connection
        self.bitmaps = bitmaps
        self.is_sqlite = opening is None
        self._opening = opening or ""
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._failures: type[Exception] = connection.dialect.loaded_dbapi.Error
        self.dataset: tuple[int, str | None] | None = None
        """Serial and release, once they were read."""
        self._state = expected
        self._is_state_used = False
        self._bodies: dict[tuple[str, str], bytes] = {}
        """Those that came along with other rows, by type and id."""
        if self.is_sqlite:
            self._driver.execute("BEGIN")

    @property
    def serial(self) -> int:
        """The newest serial; 0 for an empty data set. Read once."""
        return self._dataset_seen()[0]

    @property
    def state(self) -> DatasetState:
        """What memory and ETags go by: the serial alone does not tell a data set from one that was restored."""
        if self._state is None:
            self._dataset_seen()
        assert self._state is not None  # noqa: S101 - set by the first statement
        self._is_state_used = True
        return self._state

    @property
    def release(self) -> str | None:
        """The newest release's name; null before the first."""
        return self._dataset_seen()[1]

    def rows(self, sql: str, *values: Any) -> Sequence[Any]:
        """All rows of a statement."""
        try:
            return self._fetch(sql, values)
        except self._failures:
            # Retries through SQLAlchemy so that errors are wrapped, and a broken connection is replaced.
            return self.connection.exec_driver_sql(self._in_the_drivers_style(sql), values).fetchall()

    def spread(self, sql: str, *values: Any) -> Sequence[Any]:
        """As `rows`, and lists stand for the values of an `IN`."""
        first, *rest = sql.split("?")
        parts = [first]
        flat: list[Any] = []
        for value, part in zip(values, rest, strict=True):
            is_list = isinstance(value, list)
            flat += value if is_list else [value]
            parts += [f"({','.join('?' * len(value))})" if is_list else "?", part]
        return self.rows("".join(parts), *flat)

    @cached_property
    def session(self) -> Session:
        """An ORM session in the same transaction."""
        self._dataset_seen()  # on PostgreSQL, begins the transaction
        session = Session(self.connection, autoflush=False, join_transaction_mode="control_fully")
        session.info["view"] = self
        return session

    def close(self) -> None:
        """End the transaction and give the connection back."""
        if "session" in self.__dict__:
            self.session.close()
        self.connection.close()

    # --- SQL that differs by engine -------------------------------------------------------------------------------

    def among(self, table: str) -> str:
        """The rows of a table that have one of the internal keys given as `keys`; each is looked up."""
        keys = "SELECT value AS k FROM json_each(?)" if self.is_sqlite else "SELECT unnest(CAST(? AS integer[])) AS k"
        return f"({keys}) AS keys {self._lookup_join} {table} ON {table}.pk = k"

    def named(self, table: str) -> str:
        """The rows of a table that have one of the ids given as a list in JSON; each is looked up."""
        ids = "value AS wanted FROM json_each(?)"
        if not self.is_sqlite:
            ids = "wanted FROM json_array_elements_text(CAST(? AS json)) AS wanted"
        return f"(SELECT {ids}) AS ids {self._lookup_join} {table} ON {table}.id = ids.wanted"

    def body_beside(self, record_type: str, table: str) -> str:
        """A column with the current body of each row's record on PostgreSQL, where another statement would cost more
        than the bodies; NULL on SQLite. It is a text, since a first statement gets bytes as digits."""
        if self.is_sqlite:
            return "NULL"
        text = "convert_from(body, 'UTF8')"
        return f"(SELECT {text} FROM records WHERE type = '{record_type}' AND records.id = {table}.id)"

    def remember_bodies(self, record_type: str, bodies: Iterable[tuple[str, str | None]]) -> None:
        """Bodies by id, for `remembered_bodies`; null for one that did not come along."""
        self._bodies.update({(record_type, record_id): body.encode() for record_id, body in bodies if body is not None})

    def remembered_bodies(self, record_type: str, ids: Iterable[str]) -> dict[str, bytes]:
        """Those of these records whose bodies came along with other rows."""
        found = ((record_id, self._bodies.get((record_type, record_id))) for record_id in ids)
        return {record_id: body for record_id, body in found if body is not None}

    def keys(self, bits: Iterable[int]) -> Any:
        """Internal keys as the value of `among`."""
        return _json(bits) if self.is_sqlite else _array(bits)

    def restriction(self, column: str, keys: BitMap) -> tuple[str, str] | None:
        """A condition that a row has one of these keys, and its value, so that a statement gives no other rows; null
        where the keys are many, and on SQLite, where rows cost less than keys."""
        if self.is_sqlite or len(keys) > MAX_KEYS_SENT:
            return None
        return f"{column} = ANY(CAST(? AS integer[]))", _array(keys)

    @property
    def _lookup_join(self) -> str:
        """SQLite takes CROSS JOIN as an order: the left side first."""
        return "CROSS JOIN" if self.is_sqlite else "JOIN"

    # --- statements -----------------------------------------------------------------------------------------------

    def _dataset_seen(self) -> tuple[int, str | None]:
        if self.dataset is None:
            if self.is_sqlite:
                self._take(self.rows(_DATASET))
            else:
                self.rows("SELECT 1")
        assert self.dataset is not None  # noqa: S101 - set by the first statement
        return self.dataset

    def _fetch(self, sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
        if self.is_sqlite:
            rows: Sequence[Any] = self._driver.execute(sql, values).fetchall()
            return rows
        if self.dataset is None:
            return self._begin_with(sql, values)
        # Bodies are bytes, which the text format would write as twice as many digits.
        cursor = self._driver.execute(self._in_the_drivers_style(sql), values, binary=True)
        return cursor.fetchall()  # type: ignore[no-any-return]

    def _begin_with(self, sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
        """Begin the transaction, read the serial and run the first statement, in one exchange with the server."""
        from psycopg import ClientCursor  # heavy, and not needed on SQLite

        with ClientCursor(self._driver) as cursor:
            cursor.execute(f"{self._opening}; {_DATASET}; {self._in_the_drivers_style(sql)}", values)
            results = [cursor.fetchall() for _ in cursor.results() if cursor.description is not None]
        self._take(results[0])
        return results[1]

    def _take(self, rows: Sequence[Any]) -> None:
        """What `_DATASET` gave."""
        ((serial, release, publication),) = rows
        self.dataset = serial or 0, release
        expected = self._state
        self._state = DatasetState(self.connection.info.get("generation", 0), serial or 0, publication or "")
        if self._is_state_used and self._state != expected:
            raise DatasetChanged

    def _in_the_drivers_style(self, sql: str) -> str:
        return sql if self.is_sqlite else sql.replace("?", "%s")


def view_of(session: Session) -> ReadView:
    """The view in whose transaction a session works."""
    view: ReadView = session.info["view"]
    return view


def is_among(
    session: Session, column: ColumnElement[int] | InstrumentedAttribute[int], keys: Iterable[int]
) -> ColumnElement[bool]:
    """The column is one of these keys, however many: they are one value of the statement."""
    if session.get_bind().dialect.name == "postgresql":
        return column == func.any(cast(literal(_array(keys)), ARRAY(Integer)))
    return column.in_(select(func.json_each(_json(keys)).table_valued("value").c.value))


def _array(keys: Iterable[int]) -> str:
    """As PostgreSQL writes arrays: its driver would turn a list into that number by number."""
    return f"{{{','.join(map(str, keys))}}}"


def _json(keys: Iterable[int]) -> str:
    return f"[{','.join(map(str, keys))}]"
