"""The records that a resource is made of, read in few statements, with what is needed to version the resource."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from app.core.vocabulary import Status
from app.registry import BY_TYPE
from app.storage.history import RecordReference, StoredRecord, state_at
from app.storage.resource import Key

_COLUMNS = (
    StoredRecord.type,
    StoredRecord.id,
    StoredRecord.status,
    StoredRecord.successor,
    StoredRecord.serial,
    StoredRecord.updated_at,
    StoredRecord.content,
    StoredRecord.derived,
)


@dataclass(frozen=True)
class Row:
    content: Any
    derived: Any
    retired: bool
    successor: str | None
    serial: int
    """At which the record's bytes last changed."""
    updated_at: str


class Reading:
    """A world that remembers which records were looked at: the newest of them dates the resource."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[Key, Row] = {}
        self._seen: set[Key] = set()

    def load(self, record_type: str, ids: Sequence[str]) -> None:
        """The records and all that they name, and what those name, in three statements at most."""
        fresh = [record_id for record_id in ids if Key(record_type, record_id) not in self._rows]
        if fresh:
            self._keep(select(*_COLUMNS).where(StoredRecord.type == record_type, StoredRecord.id.in_(fresh)))
            named = self._named(record_type, fresh)
            # A citation's claim comes with its statement; what the claim names is needed to word its certainty.
            claims = [key.id for key in named if key.type == "claim"]
            if claims and record_type != "claim":
                self._named("claim", claims)

    def row(self, key: Key) -> Row | None:
        if key not in self._rows:
            self._find(key)
        self._seen.add(key)
        return self._rows.get(key)

    def content(self, key: Key) -> Any:
        return self._found(key).content

    def derived(self, key: Key) -> Any:
        return self._found(key).derived

    def begin(self) -> None:
        """Forget what was looked at: another resource follows."""
        self._seen.clear()

    def newest(self) -> tuple[int, str]:
        """Serial and instant at which the resource last changed."""
        seen = [row for key in self._seen if (row := self._rows.get(key))]
        return max(row.serial for row in seen), max(row.updated_at for row in seen)

    def _find(self, key: Key) -> None:
        self._keep(select(*_COLUMNS).where(StoredRecord.type == key.type, StoredRecord.id == key.id))

    def _found(self, key: Key) -> Row:
        row = self.row(key)
        if row is None:
            raise KeyError(key)
        return row

    def _named(self, record_type: str, ids: Sequence[str]) -> list[Key]:
        link = and_(RecordReference.to_type == StoredRecord.type, RecordReference.to_id == StoredRecord.id)
        statement = select(*_COLUMNS).join(RecordReference, link)
        return self._keep(statement.where(RecordReference.type == record_type, RecordReference.id.in_(ids)).distinct())

    def _keep(self, statement: Select[*tuple[Any, ...]]) -> list[Key]:
        kept = []
        for row in self._session.execute(statement):
            key = Key(row.type, row.id)
            if key not in self._rows:
                self._rows[key] = _row(row, row.successor)
            kept.append(key)
        return kept


class Past(Reading):
    """The records as they were at a serial, read one at a time: which named which is known of today alone."""

    def __init__(self, session: Session, serial: int) -> None:
        super().__init__(session)
        self._serial = serial

    def load(self, record_type: str, ids: Sequence[str]) -> None:
        """Nothing is read ahead."""

    def _find(self, key: Key) -> None:
        state = state_at(self._session, key.type, key.id, self._serial)
        if state is not None:
            self._rows[key] = _row(state, None)


def _row(stored: Any, successor: str | None) -> Row:
    resource = BY_TYPE[stored.type]
    return Row(
        content=resource.write.model_validate_json(stored.content),
        derived=resource.derived.model_validate_json(stored.derived),
        retired=stored.status == Status.retired,
        successor=successor,
        serial=stored.serial,
        updated_at=stored.updated_at,
    )
