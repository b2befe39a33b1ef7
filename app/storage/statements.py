"""Statements that go to the driver as they are written: where building them anew would cost more than running them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session


@dataclass(frozen=True)
class Reader:
    """Runs statements, with `?` for values, as one consistent view of the data sees them."""

    run: Callable[[str, tuple[Any, ...]], Sequence[Any]]
    is_sqlite: bool

    def rows(self, sql: str, *values: Any) -> Sequence[Any]:
        return self.run(sql if self.is_sqlite else sql.replace("?", "%s"), values)

    def spread(self, sql: str, *values: Any) -> Sequence[Any]:
        """As `rows`, and lists stand for the values of an `IN`."""
        first, *rest = sql.split("?")
        parts = [first]
        flat: list[Any] = []
        for value, part in zip(values, rest, strict=True):
            several = isinstance(value, list)
            flat += value if several else [value]
            parts += [f"({','.join('?' * len(value))})" if several else "?", part]
        return self.rows("".join(parts), *flat)

    def among(self, table: str) -> str:
        """The rows of a table that have one of the internal keys given as `keys`; each is looked up."""
        keys = "SELECT value AS k FROM json_each(?)" if self.is_sqlite else "SELECT unnest(CAST(? AS integer[])) AS k"
        return f"({keys}) AS keys {self._looking_up} {table} ON {table}.pk = k"

    def named(self, table: str) -> str:
        """The rows of a table that have one of the ids given as a list in JSON; each is looked up."""
        named = "value AS named FROM json_each(?)"
        if not self.is_sqlite:
            named = "named FROM json_array_elements_text(CAST(? AS json)) AS named"
        return f"(SELECT {named}) AS ids {self._looking_up} {table} ON {table}.id = ids.named"

    @property
    def _looking_up(self) -> str:
        """SQLite takes it as an order: the left side first."""
        return "CROSS JOIN" if self.is_sqlite else "JOIN"

    def keys(self, bits: Iterable[int]) -> Any:
        return _json(bits) if self.is_sqlite else list(bits)


def reader_of(session: Session) -> Reader:
    """Statements in the session's transaction."""
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    failures = connection.dialect.loaded_dbapi.Error

    def run(sql: str, values: tuple[Any, ...]) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = driver.execute(sql, values).fetchall()
        except failures:
            # Once more where errors are understood: it fails again, or the trouble is over.
            rows = connection.exec_driver_sql(sql, values).fetchall()
        return rows

    return Reader(run, connection.dialect.name == "sqlite")


def is_among(
    session: Session, column: ColumnElement[int] | InstrumentedAttribute[int], keys: Iterable[int]
) -> ColumnElement[bool]:
    """The column is one of these keys, however many: they are one value of the statement."""
    if session.get_bind().dialect.name == "postgresql":
        return column == func.any(cast(list(keys), ARRAY(Integer)))
    return column.in_(select(func.json_each(_json(keys)).table_valued("value").c.value))


def _json(keys: Iterable[int]) -> str:
    return f"[{','.join(map(str, keys))}]"
