"""Reads records: as they are now, with pending changes laid over them, or as they were at a serial."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Select, and_, func, null, select
from sqlalchemy.orm import Session

from app.core import deadline
from app.core.content import Record
from app.core.vocabulary import Status
from app.storage.history import RecordState, StoredRecord, are_among, batches
from app.storage.resource import Key, resource_of


@dataclass(frozen=True)
class RecordRow:
    """A stored state of a record; content and derived values are parsed when they are first used."""

    type: str
    id: str
    version: int
    status: str
    serial: int
    """The serial at which the record's body last changed."""
    updated_at: str
    content_json: str
    derived_json: str
    successor: str | None
    """Null in earlier states."""
    digest: str | None
    """Null in earlier states."""

    @cached_property
    def content(self) -> Any:
        return resource_of(self.type).write.model_validate_json(self.content_json)

    @cached_property
    def derived(self) -> Any:
        return resource_of(self.type).derived.model_validate_json(self.derived_json)

    @property
    def is_retired(self) -> bool:
        return self.status == Status.retired


class RecordsInMemory:
    """Reads contents that a caller holds; there are no derived values."""

    def __init__(self, contents: Mapping[Key, Any]) -> None:
        self._contents = contents

    def content(self, key: Key) -> Any:
        return self._contents[key]

    def derived(self, key: Key) -> Any:
        raise KeyError(key)


class DatabaseRecords:
    """Reads records in a session, each of them once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[Key, RecordRow | None] = {}
        self._tracked: set[Key] = set()

    def row(self, key: Key) -> RecordRow | None:
        """The stored record; null if there is none. What reads many records stops here at the request's deadline."""
        deadline.check()
        self._load((key,))
        self._tracked.add(key)
        return self._rows[key]

    def content(self, key: Key) -> Any:
        return self._existing(key).content

    def derived(self, key: Key) -> Any:
        return self._existing(key).derived

    def prefetch(self, keys: Iterable[Key], depth: int = 0) -> None:
        """Read many records with few statements; with `depth` 1 also the records that they refer to, and so on."""
        keys = set(keys)
        self._load(keys)
        if depth:
            rows = [row for key in keys if (row := self._rows[key])]
            named = (reference.key for row in rows for reference in resource_of(row.type).references(row.content))
            self.prefetch(named, depth - 1)

    def start_tracking(self) -> None:
        """Let `last_change` count from here: another resource is about to be made."""
        self._tracked.clear()

    def last_change(self) -> tuple[int, str]:
        """Newest serial and instant among the records that were read since `start_tracking`."""
        rows = [row for key in self._tracked if (row := self._rows[key])]
        return max(row.serial for row in rows), max(row.updated_at for row in rows)

    def _existing(self, key: Key) -> RecordRow:
        row = self.row(key)
        if row is None:
            raise KeyError(key)
        return row

    def _load(self, keys: Iterable[Key]) -> None:
        missing = [key for key in keys if key not in self._rows]
        self._rows.update(dict.fromkeys(missing))
        for some in batches(missing):
            for values in self._session.execute(self._select(some)):
                row = RecordRow(*values)
                self._rows[Key(row.type, row.id)] = row

    def _select(self, keys: Sequence[Key]) -> Select[*tuple[Any, ...]]:
        """Selects the fields of `RecordRow`."""
        raise NotImplementedError


class CurrentRecords(DatabaseRecords):
    """Reads current records. Content and derived values that are about to be published take precedence."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._pending_contents: dict[Key, Record] = {}
        self._pending_derived: dict[Key, Any] = {}

    def overlay(self, key: Key, content: Record) -> None:
        self._pending_contents[key] = content

    def overlay_derived(self, key: Key, derived: Any) -> None:
        self._pending_derived[key] = derived

    def content(self, key: Key) -> Any:
        return self._pending_contents.get(key) or super().content(key)

    def derived(self, key: Key) -> Any:
        return self._pending_derived.get(key) or super().derived(key)

    def _select(self, keys: Sequence[Key]) -> Select[*tuple[Any, ...]]:
        r = StoredRecord
        columns = (r.type, r.id, r.version, r.status, r.serial, r.updated_at, r.content, r.derived)
        return select(*columns, r.successor, r.digest).where(are_among((r.type, r.id), keys))


class RecordsAt(DatabaseRecords):
    """Reads records as they were at a serial, in today's models."""

    def __init__(self, session: Session, serial: int) -> None:
        super().__init__(session)
        self._serial = serial

    def _select(self, keys: Sequence[Key]) -> Select[*tuple[Any, ...]]:
        s = RecordState
        newest = (
            select(s.type, s.id, func.max(s.serial).label("serial"))
            .where(are_among((s.type, s.id), keys), s.serial <= self._serial)
            .group_by(s.type, s.id)
            .subquery()
        )
        is_newest = and_(s.type == newest.c.type, s.id == newest.c.id, s.serial == newest.c.serial)
        columns = (s.type, s.id, s.version, s.status, s.serial, s.updated_at, s.content, s.derived)
        return select(*columns, null(), null()).join(newest, is_newest)
