"""The file of a SQLite database, watched: SQLite itself goes on with a file that was removed or replaced."""

import sqlite3
import threading
import time
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app.storage.faults import MISSING, REPLACED, DatabaseUnavailable

LOOK_SECONDS = 0.25
"""How old the knowledge may be that the file is still there. Before and after a commit it is looked at anew."""

_FIXED_IN = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""Versions of SQLite without the WAL-reset fault (https://sqlite.org/wal.html#walresetbug): 3.51.3 and all newer ones,
and the last two of their own line."""


def known_wal_fault(version: tuple[int, int, int] = sqlite3.sqlite_version_info[:3]) -> str | None:
    """What an operator should know of this version of SQLite; null where nothing is known against it."""
    newest, *lines = _FIXED_IN
    is_mended = version >= newest or any(version >= fixed and version[:2] == fixed[:2] for fixed in lines)
    if is_mended or version < (3, 7, 0):
        return None
    return (
        f"SQLite {'.'.join(map(str, version))} can damage a database, rarely, when two connections write and copy its "
        "log at the same moment (WAL-reset fault). Install SQLite 3.51.3 or newer, 3.50.7 or 3.44.6; until then "
        "publish while the server is stopped, or use PostgreSQL."
    )


class SqliteFile:
    """Whether the file is the one that was opened. Threads may use it at the same time."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.generation = 0
        """Counts the files that took the place of the first. What is remembered of a serial holds for one of them:
        another file may have the same serial."""
        self._identity: tuple[int, int] | None = None
        """Device and number of the file; null before it was opened."""
        self._looked_at = 0.0
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def watch(self, engine: Engine) -> None:
        """Let the connections of an engine be to this file, and make no new one in its place."""
        self._engine = engine

        @event.listens_for(engine, "do_connect")
        def before(*_arguments: object) -> None:
            if self._identity is not None:
                self._found()  # else SQLite would make an empty file

        @event.listens_for(engine, "connect", insert=True)
        def after(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
            record.info["generation"] = self.generation
            found = self._found()
            if self._identity is None:
                self._identity = found
            elif found != self._identity:
                connection.close()
                raise DatabaseUnavailable(REPLACED)

    def check(self) -> None:
        """Raise DatabaseUnavailable if the file is gone; open the one that took its place. Nearly free: the file is
        asked for a few times a second."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            if self._identity is not None and self._found() != self._identity:
                self._change()
            self._looked_at = time.monotonic()

    def require(self) -> None:
        """Raise DatabaseUnavailable unless the file has its name at this moment."""
        if self._identity is not None and self._found() != self._identity:
            raise DatabaseUnavailable(REPLACED)

    def _found(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except OSError:
            raise DatabaseUnavailable(MISSING) from None
        return found.st_dev, found.st_ino

    def _change(self) -> None:
        """Let go of the former file, and take the one of its name.

        The log of the former (`-wal`) keeps its name, and SQLite would copy it into the new file. So a connection to
        the former completes that one, which leaves an empty log, and the log goes. A log that is not empty now came
        with the new file and stays. DatabaseUnavailable while the former is in use.
        """
        with self._lock:
            found = self._found()
            if found == self._identity:
                return
            engine = self._engine
            assert isinstance(engine, Engine) and isinstance(engine.pool, QueuePool)  # noqa: S101, PT018 - by `watch`
            if engine.pool.checkedin() + engine.pool.checkedout():
                former = engine.raw_connection()
                try:
                    cursor = former.cursor()
                    cursor.execute("PRAGMA busy_timeout=0")
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    ((is_busy, *_),) = cursor.fetchall()
                finally:
                    former.close()
                if is_busy:
                    raise DatabaseUnavailable(REPLACED)
                engine.dispose()
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and not log.stat().st_size:
                log.unlink()
                self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
            self.generation += 1
            self._identity = found
