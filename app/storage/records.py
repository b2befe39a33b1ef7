"""Reads records: as they are now, with pending changes laid over them, or as they were at a serial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Select, and_, func, null, select
from sqlalchemy.orm import Session

from app.core import deadline
from app.core.cache import ByteBoundedCache
from app.core.content import Record
from app.core.vocabulary import Status
from app.storage.history import RecordState, StoredRecord, are_among, batches
from app.storage.resource import Key, Resource, resource_of


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
    def _content(self) -> _ParsedContent:
        return _parsed.content(self.type, self.content_json)

    @property
    def content(self) -> Any:
        return self._content.value

    @property
    def named(self) -> Set[Key]:
        """The records that the content names."""
        return self._content.named

    @cached_property
    def derived(self) -> Any:
        return _parsed.derived(self.type, self.derived_json)

    @property
    def is_retired(self) -> bool:
        return self.status == Status.retired


class _ParsedContent:
    """A content, and the records that it names."""

    def __init__(self, resource: Resource, text: str) -> None:
        self.value = resource.write.model_validate_json(text)
        self.named = frozenset(reference.key for reference in resource.references(self.value))


class _ParsedTexts:
    """Remembers what stored texts were parsed to: the same text is the same frozen value, at whatever serial."""

    def __init__(self, max_bytes: int) -> None:
        self._values = ByteBoundedCache[tuple[type[Any], str, str], Any](max_bytes, newcomers_share=0.5)
        self._lock = Lock()

    def content(self, record_type: str, text: str) -> _ParsedContent:
        content: _ParsedContent = self._get(_ParsedContent, record_type, text, _ParsedContent)
        return content

    def derived(self, record_type: str, text: str) -> Any:
        return self._get(
            BaseModel, record_type, text, lambda resource, text: resource.derived.model_validate_json(text)
        )

    def _get(self, kind: type[Any], record_type: str, text: str, parse: Callable[[Resource, str], Any]) -> Any:
        key = (kind, record_type, text)
        with self._lock:
            value = self._values.get(key)
        if value is None:
            value = parse(resource_of(record_type), text)
            with self._lock:
                self._values.put(key, value, _MEMORY_PER_BYTE * len(text) + _MEMORY_PER_VALUE)
        return value


MAX_PARSED_BYTES = 16_000_000
"""Of memory for values that were parsed before, for each process. Nine tenths of the shipped data set fit into it."""
MAX_PENDING_BYTES = 8_000_000
"""The same for what is about to be published: each value is used by few records, one soon after the other."""
_MEMORY_PER_BYTE = 10
"""A parsed value takes 7 to 12 times as much memory as its text, which is kept as well."""
_MEMORY_PER_VALUE = 1_000
_parsed = _ParsedTexts(MAX_PARSED_BYTES)


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
        self.session = session
        self._rows: dict[Key, RecordRow | None] = {}
        self._tracked: set[Key] = set()

    def row(self, key: Key) -> RecordRow | None:
        """The stored record; null if there is none. What reads many records stops here at the request's deadline."""
        deadline.check()
        if key not in self._rows:
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
            named = (row.named for key in keys if (row := self._rows[key]))
            self.prefetch(set().union(*named), depth - 1)

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
            for values in self.session.execute(self._select(some)):
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
        self._pending_derived: dict[Key, str] = {}
        self._parsed = _ParsedTexts(MAX_PENDING_BYTES)

    def overlay(self, key: Key, content: Record) -> None:
        self._pending_contents[key] = content

    def overlay_derived(self, key: Key, text: str) -> None:
        """Derived values as they are about to be stored."""
        self._pending_derived[key] = text

    def derived_text(self, key: Key) -> str:
        """The derived values as they are stored, or are about to be."""
        return self._pending_derived.get(key) or self._existing(key).derived_json

    def content(self, key: Key) -> Any:
        return self._pending_contents.get(key) or super().content(key)

    def derived(self, key: Key) -> Any:
        text = self._pending_derived.get(key)
        return self._parsed.derived(key.type, text) if text else super().derived(key)

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
