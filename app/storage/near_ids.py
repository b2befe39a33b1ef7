"""Ids of the data set that are near one that no record has: a slip, the same words in another order, or a beginning."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import deadline
from app.core.errors import Fault, NotFound
from app.core.folding import words
from app.core.text import SLUG_LENGTH
from app.core.vocabulary import Status
from app.storage.history import RecordState, StoredRecord
from app.storage.serial_memory import SerialMemory

MAX_NEAR = 5
MAX_COMPARED = 100_000
"""Ids of a type that are kept in memory and compared, which takes about 50 ms. Of more, only those beside the unknown
id in alphabetical order are."""
_MAX_NEIGHBOURS = 2_000
"""Of a type with more ids, so many on either side are compared."""
_AT_ONCE = 20_000
"""Ids compared between two deadline checks."""
_MIN_LIKENESS = 65
"""In per cent; an id with a slip in each word has more."""
_LIKENESS_OF_BEGINNING = 88
"""Between an id with a slip or two and one that lacks a word."""
_MAX_CONTINUED = 200
"""Ids that begin with the unknown id are read up to here."""


@dataclass
class _KnownIds:
    """For each type, its ids as words with spaces between, in order; null where there are too many."""

    by_type: dict[str, list[str] | None] = field(default_factory=dict)


_memory: SerialMemory[_KnownIds] = SerialMemory(lambda session: _KnownIds())


def near_ids(session: Session, record_type: str, unknown_id: str, serial: int | None = None) -> tuple[str, ...]:
    """At most five other ids that are like this one, the best first: of published records, or of those that there were
    at a serial."""
    text = " ".join(words(unknown_id[: 2 * SLUG_LENGTH]))
    texts = _texts(session, record_type, text)
    likeness = dict.fromkeys(_sharing_beginning(texts, text), float(_LIKENESS_OF_BEGINNING))
    for scorer in (fuzz.ratio, fuzz.token_sort_ratio):
        for start in deadline.checked(range(0, len(texts), _AT_ONCE)):
            some = texts[start : start + _AT_ONCE]
            for near, score, _ in process.extract(
                text, some, scorer=scorer, score_cutoff=_MIN_LIKENESS, limit=2 * MAX_NEAR
            ):
                likeness[near] = max(score, likeness.get(near, 0))
    likeness.pop(text, None)
    best = sorted(likeness, key=lambda near: (-likeness[near], len(near), near))[: 4 * MAX_NEAR]
    ids = [near.replace(" ", "-") for near in best]
    existing = _existing(session, record_type, ids, serial)
    return tuple(near for near in ids if near in existing)[:MAX_NEAR]


class FirstNearIds:
    """Near ids of the first unknown id of a request. They take long to find: those after it get none."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_first = True

    def of(self, record_type: str, unknown_id: str) -> tuple[str, ...]:
        if not self._is_first:
            return ()
        self._is_first = False
        return near_ids(self._session, record_type, unknown_id)


class IdFaults:
    """Collects what is wrong with the ids that a parameter names."""

    def __init__(self, session: Session, parameter: str, names: Sequence[str]) -> None:
        self.faults: list[Fault] = []
        self._near = FirstNearIds(session)
        self._parameter = parameter
        self._is_list = len(names) > 1

    def __len__(self) -> int:
        return len(self.faults)

    def add(self, position: int, fault: Fault) -> None:
        """`position` counts from 1; it is told where the parameter names several."""
        self.faults.append(replace(fault, position=position if self._is_list else None))

    def add_retired(self, position: int, record_id: str, successor: str | None, message: str) -> None:
        self.add(position, Fault("query", self._parameter, "retired", message, successor=successor, id=record_id))

    def add_unknown(self, position: int, record_type: str, unknown_id: str, message: str) -> None:
        near = self._near.of(record_type, unknown_id)
        self.add(position, Fault("query", self._parameter, "unknown_value", message, did_you_mean=near))


def _existing(session: Session, record_type: str, ids: list[str], serial: int | None) -> set[str]:
    if serial is None:
        now = select(StoredRecord.id).where(StoredRecord.type == record_type, StoredRecord.id.in_(ids))
        return set(session.scalars(now.where(StoredRecord.status == Status.published)))
    states = select(RecordState.id).where(RecordState.type == record_type, RecordState.id.in_(ids))
    return set(session.scalars(states.where(RecordState.serial <= serial)))


def unknown_record(
    session: Session,
    record_type: str,
    record_id: str,
    detail: str,
    *,
    parameter: str = "id",
    serial: int | None = None,
) -> NotFound:
    """A 404 that offers the ids that are near, which may be none; `parameter` is that of the path."""
    return not_found(detail, near_ids(session, record_type, record_id, serial), parameter)


def not_found(detail: str, near: Sequence[str], parameter: str = "id") -> NotFound:
    """A 404 with the ids that may have been meant."""
    message = "No record of this type has this id."
    return NotFound(detail, errors=[Fault("path", parameter, "unknown_id", message, did_you_mean=tuple(near) or None)])


def _texts(session: Session, record_type: str, text: str) -> list[str]:
    """What the unknown id is compared with."""
    known = _memory.get(session).by_type
    if record_type not in known:
        of_type = select(StoredRecord.id).where(StoredRecord.type == record_type).order_by(StoredRecord.id)
        ids = session.scalars(of_type.limit(MAX_COMPARED + 1)).all()
        known[record_type] = sorted(map(_as_words, ids)) if len(ids) <= MAX_COMPARED else None
    texts = known[record_type]
    return texts if texts is not None else _alphabetical_neighbours(session, record_type, text.replace(" ", "-"))


def _alphabetical_neighbours(session: Session, record_type: str, unknown_id: str) -> list[str]:
    ids = select(StoredRecord.id).where(StoredRecord.type == record_type).limit(_MAX_NEIGHBOURS)
    after = session.scalars(ids.where(StoredRecord.id >= unknown_id).order_by(StoredRecord.id))
    before = session.scalars(ids.where(StoredRecord.id < unknown_id).order_by(StoredRecord.id.desc()))
    return sorted(map(_as_words, (*before, *after)))


def _sharing_beginning(texts: list[str], text: str) -> Iterator[str]:
    """Ids that begin with the unknown one, the shortest first; and those that it begins with, up to a whole word."""
    start = bisect_left(texts, text)
    some = [near for near in texts[start : start + _MAX_CONTINUED] if near.startswith(text)]
    yield from sorted(some, key=len)[: 2 * MAX_NEAR]
    several = text.split(" ")
    for count in range(1, len(several)):
        beginning = " ".join(several[:count])
        position = bisect_left(texts, beginning)
        if texts[position : position + 1] == [beginning]:
            yield beginning


def _as_words(record_id: str) -> str:
    return record_id.replace("-", " ")
