"""Records as others refer to them: now (with what is being published laid over the database) or at a serial."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.content import Record
from app.registry import BY_TYPE
from app.storage.history import StoredRecord, state_at
from app.storage.resource import Key


class CurrentRecords:
    """The current records, with pending content and derived values laid over them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._contents: dict[Key, Record] = {}
        self._derived: dict[Key, Any] = {}

    def overlay(self, key: Key, content: Record) -> None:
        self._contents[key] = content

    def overlay_derived(self, key: Key, derived: Any) -> None:
        self._derived[key] = derived

    def ids(self, record_type: str) -> list[str]:
        """Ids of the records being published."""
        return [key.id for key in self._contents if key.type == record_type]

    def content(self, key: Key) -> Any:
        if key not in self._contents:
            self._load(key)
        return self._contents[key]

    def derived(self, key: Key) -> Any:
        if key not in self._derived:
            self._load(key)
        return self._derived[key]

    def _load(self, key: Key) -> None:
        row = self._session.execute(
            select(StoredRecord.content, StoredRecord.derived).where(
                StoredRecord.type == key.type, StoredRecord.id == key.id
            )
        ).one_or_none()
        if row is None:
            raise KeyError(key)
        resource = BY_TYPE[key.type]
        self._contents.setdefault(key, resource.write.model_validate_json(row.content))
        self._derived.setdefault(key, resource.derived.model_validate_json(row.derived))


class RecordsAt:
    """The records as they were at a serial, in today's shape."""

    def __init__(self, session: Session, serial: int) -> None:
        self._session = session
        self._serial = serial
        self._cache: dict[Key, tuple[Any, Any]] = {}

    def content(self, key: Key) -> Any:
        return self._read(key)[0]

    def derived(self, key: Key) -> Any:
        return self._read(key)[1]

    def _read(self, key: Key) -> tuple[Any, Any]:
        if key not in self._cache:
            state = state_at(self._session, key.type, key.id, self._serial)
            if state is None:
                raise KeyError(key)
            resource = BY_TYPE[key.type]
            self._cache[key] = (
                resource.write.model_validate_json(state.content),
                resource.derived.model_validate(json.loads(state.derived)),
            )
        return self._cache[key]
