"""At which serial the data set is, asked millions of times: a few microseconds on SQLite, a listener on PostgreSQL."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from typing import NamedTuple, Protocol

from sqlalchemy.engine import URL

from app.storage.database import CHANNEL, Database, usable
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable
from app.storage.read_view import NEWEST
from app.storage.sqlite_file import SqliteFile

HEARTBEAT_SECONDS = 1.0
"""How long a publication may go unseen where a notification was lost."""
REST_SECONDS = 15.0
"""For how long no answer is kept after another file of SQLite has taken the place of the former: longer than a request
may take, so that no answer of the former is kept at an equal serial."""
_LINE = {"autocommit": True, "prepare_threshold": None, "connect_timeout": 2, "tcp_user_timeout": 5000}


class NewestState(NamedTuple):
    """What a read would see now."""

    serial: int | None
    """Of the data set; null where it is not known."""
    publication: str
    """Tells the newest publication from another of equal serial: a data set that is restored may go another way."""


UNKNOWN = NewestState(None, "")


class Freshness(Protocol):
    def state(self) -> NewestState: ...

    def saw(self, serial: int) -> None:
        """An answer was made at this serial: whoever wrote through this process reads what was written."""

    def close(self) -> None:
        """Let go of connections and threads."""


def of(database: Database, listen_url: str | None) -> Freshness:
    """The watcher that fits the database."""
    if database.file is not None:
        return SqliteFreshness(database.file)
    return PostgresFreshness(database.url if listen_url is None else usable(listen_url))


class SqliteFreshness:
    """Asks the file over a connection of its own: `PRAGMA data_version` tells whether another connection committed.

    No file of SQLite's is opened beside SQLite itself: closing one would drop the locks that it holds on it, and the
    next process would take the shared memory for abandoned and truncate it under the server.
    """

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._generation = 0
        self._rests_until = 0.0
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._known = UNKNOWN
        """The newest state at that version."""
        self._state = UNKNOWN
        self._asked_in: asyncio.AbstractEventLoop | None = None

    def state(self) -> NewestState:
        """The file is asked once for all requests that have been received by then.

        Each of them already waits as a task of the event loop, which runs tasks in the order in which they came. So
        `_ask_again` runs after theirs, and before the task of any request that is received later.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._ask()
        if self._asked_in is not loop:
            self._state, self._asked_in = self._ask(), loop
            loop.call_soon(self._ask_again)
        return self._state

    def _ask_again(self) -> None:
        self._asked_in = None

    def _ask(self) -> NewestState:
        try:
            self._file.check()
            if self._file.generation != self._generation:
                self.close()
                self._generation, self._rests_until = self._file.generation, time.monotonic() + REST_SECONDS
                return UNKNOWN
            if self._connection is None:
                if time.monotonic() < self._rests_until:
                    return UNKNOWN
                self._connection = sqlite3.connect(f"file:{self._file.path}?mode=ro", uri=True, isolation_level=None)
                self._file.require()
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                newest = self._connection.execute(NEWEST).fetchone()
                self._known = NewestState(*newest) if newest else UNKNOWN
                # Taken before the serial was read: what is written in between is seen next time.
                self._version = version
        except (sqlite3.Error, *DATABASE_ERRORS, DatabaseUnavailable):
            self.close()
            return UNKNOWN
        return self._known

    def saw(self, serial: int) -> None:
        """Nothing to learn: the file itself is asked every time."""

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._version, self._known = None, None, UNKNOWN


class PostgresFreshness:
    """A thread that listens on a direct connection, and asks every second in case a notification was lost.

    Its serial is the primary's. A replica's answer names the serial that the replica showed; one from before the
    newest is given, but never kept as the newest.
    """

    def __init__(self, url: URL) -> None:
        self._arguments = url.get_dialect()().create_connect_args(url)[1]
        self._state = UNKNOWN
        self._heard_at = 0.0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def state(self) -> NewestState:
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="freshness", daemon=True)
            self._thread.start()
        alive = time.monotonic() - self._heard_at < 2 * HEARTBEAT_SECONDS
        return self._state if alive else UNKNOWN

    def saw(self, serial: int) -> None:
        with self._lock:
            if self._state.serial is not None and serial > self._state.serial:
                self._state = self._state._replace(serial=serial)

    def close(self) -> None:
        self._closing.set()

    def _listen(self) -> None:
        import psycopg  # heavy, and not needed on SQLite

        from app.storage.postgres import BoundedConnection

        while not self._closing.is_set():
            with (
                contextlib.suppress(psycopg.Error),
                BoundedConnection.connect(**{**_LINE, **self._arguments}) as connection,
            ):
                connection.execute(f"LISTEN {CHANNEL}")
                self._state = UNKNOWN  # another server may answer now, and it may know less
                while not self._closing.is_set():
                    before = self._state
                    row = connection.execute(NEWEST).fetchone()
                    self._learn(NewestState(*row) if row else UNKNOWN, before)
                    self._heard_at = time.monotonic()
                    for _ in connection.notifies(timeout=HEARTBEAT_SECONDS, stop_after=1):
                        pass
            self._closing.wait(HEARTBEAT_SECONDS)

    def _learn(self, newest: NewestState, before: NewestState) -> None:
        """Take what was read, unless an answer has shown a later serial since. A serial goes back with a restore."""
        with self._lock:
            if self._state == before or (newest.serial or 0) >= (self._state.serial or 0):
                self._state = newest
