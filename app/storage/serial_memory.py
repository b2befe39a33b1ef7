"""Keeps what is read of the whole data set in memory until the data set changes."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Pool
from sqlalchemy.orm import Session

from app.storage.history import current_publication, current_serial
from app.storage.read_view import DatasetState, ReadView

T = TypeVar("T")


class SerialMemory(Generic[T]):
    """A value for each database, read anew when its serial has moved. Threads may use it at the same time."""

    def __init__(self, read: Callable[[Session], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._by_pool: WeakKeyDictionary[Pool, tuple[DatasetState, T]] = WeakKeyDictionary()

    def get(self, session: Session) -> T:
        """The value at the serial that the session sees. A connection pool stands for its database."""
        pool = session.get_bind().engine.pool
        view: ReadView | None = session.info.get("view")
        if view is None:
            serial, publication = current_serial(session), current_publication(session)
            state = DatasetState(session.connection().info.get("generation", 0), serial, publication)
        else:
            state = view.state
        known = self._by_pool.get(pool)
        if known is None or known[0] != state:
            with self._lock:  # one thread reads for all
                known = self._by_pool.get(pool)
                if known is None or known[0] != state:
                    known = self._by_pool[pool] = state, self._read(session)
        return known[1]
