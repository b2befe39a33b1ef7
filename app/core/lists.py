"""Pages of records by keyset: flat in time however deep, whole however much is published in between."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.errors import Fault, InvalidInput
from app.core.text import Cursor, Words, printable

MOST = 200


Sorts = Mapping[str, InstrumentedAttribute[Any]]
"""The columns that a list can be sorted by, under their public names."""


class ListQuery(BaseModel):
    """Paging, the same on every list; unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    limit: int = Field(default=20, ge=1, le=MOST)
    """Records on a page, 1 to 200."""
    cursor: Cursor | None = None
    """From `next_cursor` of the page before, with the same filters and sort."""

    def fingerprint(self) -> str:
        """Stands for the filters and the sort: a cursor is good for the list it came from, and for no other."""
        filters = self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_defaults=True)
        text = json.dumps([type(self).__name__, filters], sort_keys=True)
        return blake2b(text.encode(), digest_size=6).hexdigest()


class SortedQuery(ListQuery):
    sort: str = "id"
    """A name from the list's closed set, `-` in front for descending; nulls come last, ties go by id."""


class WordedQuery(SortedQuery):
    q: Words | None = None
    """Words that must all occur in what the record can be found by; see `/v1/search` for ranked results."""


@dataclass(frozen=True)
class Page:
    """Ids of one page in order, the cursor of the next one, and how many there are in all."""

    ids: tuple[str, ...]
    next_cursor: str | None
    total: int


def paginate(
    session: Session,
    matching: Select[Any],
    query: ListQuery,
    *,
    sort: str,
    columns: Sorts,
    key: InstrumentedAttribute[str],
) -> Page:
    """One page of `matching` (a select of any columns), ordered by a named column, nulls last, ties by id.

    `sort` is a name in `columns`, with `-` in front for descending. Two statements: the count and the page.
    """
    column, descending = columns[sort.removeprefix("-")], sort.startswith("-")
    total = session.scalar(select(func.count()).select_from(matching.with_only_columns(key).subquery())) or 0
    order = (column.is_(None), column.desc() if descending else column.asc(), key.asc())
    statement = matching.with_only_columns(key, column).order_by(*order).limit(query.limit + 1)
    if query.cursor is not None:
        last_value, last_id = decode(query.cursor, query.fingerprint())
        statement = statement.where(_after(column, descending, last_value, key, last_id))
    rows: Sequence[Any] = session.execute(statement).all()
    shown, more = rows[: query.limit], len(rows) > query.limit
    next_cursor = encode(query.fingerprint(), [shown[-1][1], shown[-1][0]]) if more else None
    return Page(tuple(row[0] for row in shown), next_cursor, total)


def _after(
    column: InstrumentedAttribute[Any], descending: bool, value: Any, key: InstrumentedAttribute[str], last_id: str
) -> ColumnElement[bool]:
    if value is None:
        return and_(column.is_(None), key > last_id)
    beyond = column < value if descending else column > value
    return or_(beyond, and_(column == value, key > last_id), column.is_(None))


def encode(fingerprint: str, place: Sequence[Any]) -> str:
    """A cursor: opaque, tied to its list, and refused when altered."""
    payload = json.dumps([fingerprint, *place], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(payload) + payload).decode().rstrip("=")


def decode(cursor: str, fingerprint: str) -> tuple[Any, str]:
    """The place that a cursor stands for; InvalidInput where it was altered or comes from another list."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        seal, payload = raw[:6], raw[6:]
        if seal != _seal(payload):
            raise ValueError("altered")
        found, value, record_id = json.loads(payload)
        _check_place(value, record_id)
    except (TypeError, ValueError, RecursionError) as error:
        raise _refused("malformed_cursor", "was altered or cut; take it from next_cursor as it is") from error
    if found != fingerprint:
        raise _refused("foreign_cursor", "belongs to a list with other filters or another sort")
    return value, record_id


def _check_place(value: object, record_id: object) -> None:
    """Whoever forges a cursor must not send the database what it cannot compare."""
    if not isinstance(record_id, str) or not isinstance(value, str | int | float | None):
        raise TypeError("not a place in a list")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("beyond every column")
    printable(record_id)
    printable(value if isinstance(value, str) else "")


def _seal(payload: bytes) -> bytes:
    # A check against accidents, not a secret: whoever forges a cursor gains no more than another page.
    return blake2b(payload, digest_size=6, person=b"cursor").digest()


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput("The cursor cannot be used here.", errors=[Fault("query", "cursor", code, message)])
