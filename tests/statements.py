"""Listening to what the database is asked, by whichever way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.storage.read_view import ReadView

Statement = tuple[str, Any]
"""SQL as the driver gets it, and its values."""


@contextmanager
def recorded_statements() -> Iterator[list[Statement]]:
    """All statements while it lasts: those that SQLAlchemy puts, and those that go to the driver as they are."""
    statements: list[Statement] = []
    rows = ReadView.rows

    def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        statements.append((statement, values))

    def listened(view: ReadView, sql: str, *values: Any) -> Any:
        statements.append((sql if view.is_sqlite else sql.replace("?", "%s"), values))
        return rows(view, sql, *values)

    event.listen(Engine, "before_cursor_execute", listen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReadView, "rows", listened)
        try:
            yield statements
        finally:
            event.remove(Engine, "before_cursor_execute", listen)
