"""Statements with which all types of record write their content into tables."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from app.storage.database import Base


def column_values(table: type[Base], content: BaseModel) -> dict[str, Any]:
    """The fields of the content that have a column of the same name, without the id."""
    return content.model_dump(include=set(table.__table__.c.keys()) - {"id"})


def key_of(session: Session, table: type[Base], record_id: str, record_type: str | None = None) -> int:
    """The internal key of an existing record; cached in the session."""
    cache: dict[tuple[str, str | None, str], int] = session.info.setdefault("keys", {})
    name = (table.__tablename__, record_type, record_id)
    if name not in cache:
        columns = table.__table__.c
        statement = select(columns.pk).where(columns.id == record_id)
        if record_type is not None:
            statement = statement.where(columns.type == record_type)
        cache[name] = session.execute(statement).scalar_one()
    return cache[name]


def upsert(session: Session, table: type[Base], identity: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Update the row with this identity, or insert it; returns its internal key."""
    columns = table.__table__.c
    where = [columns[name] == value for name, value in identity.items()]
    pk = session.execute(select(columns.pk).where(*where)).scalar_one_or_none()
    if pk is None:
        return add(session, table, {**identity, **values})
    session.execute(update(_table(table)).where(columns.pk == pk), values)
    return int(pk)


def add(session: Session, table: type[Base], values: Mapping[str, Any]) -> int:
    """Insert a row; returns its internal key. In this session `replace` then has no rows to delete for it."""
    pk = session.execute(insert(_table(table)).returning(_table(table).c.pk), dict(values)).scalar_one()
    session.info.setdefault("fresh", set()).add((table.__tablename__, pk))
    return int(pk)


def replace(session: Session, table: type[Base], owner: Mapping[str, int], rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace all rows of an owner; if the table has a column `position`, it numbers them from 0."""
    columns = table.__table__.c
    if not _is_fresh(session, table, owner):
        session.execute(delete(_table(table)).where(*(columns[name] == value for name, value in owner.items())))
    numbered = "position" in columns
    values = [{**owner, **row, **({"position": index} if numbered else {})} for index, row in enumerate(rows)]
    if values:
        session.execute(insert(_table(table)), values)


def _is_fresh(session: Session, table: type[Base], owner: Mapping[str, int]) -> bool:
    """Whether the owner was inserted in this session, so that it has no rows yet."""
    fresh = session.info.get("fresh", set())
    name, pk = next(iter(owner.items()))
    (owner_key,) = table.__table__.c[name].foreign_keys
    return (owner_key.column.table.name, pk) in fresh


def _table(table: type[Base]) -> Table:
    return cast("Table", table.__table__)
