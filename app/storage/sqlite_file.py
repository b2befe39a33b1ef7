"""The file of a SQLite database, watched: SQLite itself goes on with a file that was removed or replaced."""

import os
import sqlite3
import threading
import time
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app.storage.faults import (
    CORRUPT,
    FULL,
    LOCKED,
    LOG_MISSING,
    MISSING,
    REPLACED,
    DatabaseUnavailable,
    database_fault,
)

LOOK_SECONDS = 0.25
"""How old the knowledge may be that the file is still there. Before and after a commit it is looked at anew."""

_HEADER_BYTES = 100

_FIXED_IN = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""Versions of SQLite without the WAL-reset fault: 3.51.3 and all newer ones, and the last two of their own line. Read
in others' accounts of the release notes; SQLite's own page was not read."""


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
    """Whether file and log (`-wal`) are those that were opened. Threads may use it at the same time."""

    def __init__(self, path: str, *, must_exist: bool = False) -> None:
        """`must_exist`: no connection makes the file."""
        self.path = Path(path)
        self.generation = 0
        """Counts how often connections were opened anew, as for another file. What is remembered of a serial holds for
        one of them: another file may have the same serial."""
        self._must_exist = must_exist
        self._identity: tuple[int, int] | None = None
        """Device and number of the file; null before it was opened."""
        self._size = 0
        self._descriptor: int | None = None
        self._log = self.path.with_name(f"{self.path.name}-wal")
        self._log_identity: tuple[int, int] | None = None
        """Of the log that the open connections write to; null while there is none. SQLite removes a log when the last
        connection of all closes, so it stays while one of ours is open."""
        self._open: set[int] = set()
        """The connections that are open, by `id`."""
        self._looked_at = 0.0
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def watch(self, engine: Engine) -> None:
        """Let the connections of an engine be to this file, and make no new one in its place."""
        self._engine = engine

        @event.listens_for(engine, "do_connect")
        def before(*_arguments: object) -> None:
            if self._identity is not None or self._must_exist:
                self._identity_now()  # else SQLite would make an empty file
            if self._is_log_lost():
                raise DatabaseUnavailable(LOG_MISSING)  # else SQLite would make one that the others do not read

        @event.listens_for(engine, "connect", insert=True)
        def after(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
            record.info["generation"] = self.generation
            found = self._identity_now()
            if self._identity is None:
                self._identity = found
            elif found != self._identity:
                connection.close()
                raise DatabaseUnavailable(REPLACED)

        @event.listens_for(engine, "connect")
        def prepared(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
            """By now SQLite has opened the log."""
            self._open.add(id(connection))
            if self._log_identity is None:
                self._log_identity = _identity(self._log)
            try:
                self.require(record.info["generation"])
            except DatabaseUnavailable:
                forget(connection)
                connection.close()
                raise

        @event.listens_for(engine, "close")
        def forget(connection: sqlite3.Connection, _record: object = None) -> None:
            self._open.discard(id(connection))
            if not self._open:
                self._log_identity = None

    def check(self) -> None:
        """Raise DatabaseUnavailable if the file is gone or cut off; open the one that took its place, and a new log
        where that is gone. Nearly free: the files are asked for a few times a second."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            if self._identity is not None and (self._identity_now() != self._identity or self._is_log_lost()):
                self._change()
            self._looked_at = time.monotonic()

    def require(self, generation: int | None = None) -> None:
        """Raise DatabaseUnavailable unless file and log have their names at this moment, and are those of the
        connection with this `generation`."""
        if self._identity is None:
            return
        if self._identity_now() != self._identity or generation not in (None, self.generation):
            raise DatabaseUnavailable(REPLACED)
        if self._is_log_lost():
            self._looked_at = 0.0  # the next one opens it anew
            raise DatabaseUnavailable(LOG_MISSING)

    def _identity_now(self) -> tuple[int, int]:
        """Of the file that has the name now; DatabaseUnavailable where there is none, or ours was cut off."""
        try:
            found = self.path.stat()
        except OSError:
            raise DatabaseUnavailable(MISSING) from None
        identity = found.st_dev, found.st_ino
        if identity == self._identity:
            if found.st_size < self._size:  # VACUUM does that too
                if self._descriptor is None:
                    # Closed with the last connection only: closing it would drop the locks that SQLite holds.
                    self._descriptor = os.open(self.path, os.O_RDONLY)
                if _is_cut_off(self._descriptor):
                    raise DatabaseUnavailable(CORRUPT)
            self._size = found.st_size
        return identity

    def _is_log_lost(self) -> bool:
        return self._log_identity not in (None, _identity(self._log))

    def _change(self) -> None:
        """Let go of the former file or log, and take those of their names.

        The log of the former file keeps its name, and SQLite would copy it into the new file. So a connection to the
        former completes that one, which leaves an empty log, and the log goes. A log that is not empty now came with
        the new file and stays. Where the former cannot be completed, because it is damaged, its log is renamed.
        A log that lost its name is copied into its file in the same way: nothing that was acknowledged is lost.
        DatabaseUnavailable while the former is in use.
        """
        with self._lock:
            found = self._identity_now()
            if found == self._identity and not self._is_log_lost():
                return
            if found != self._identity:
                self._refuse_unless_whole()
            engine = self._engine
            assert isinstance(engine, Engine) and isinstance(engine.pool, QueuePool)  # noqa: S101, PT018 - by `watch`
            is_complete = True
            if engine.pool.checkedin() + engine.pool.checkedout():
                is_complete = _complete(engine)
                engine.dispose()
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
            if found != self._identity and not self._is_log_lost() and self._log.exists():
                if not is_complete:
                    self._log.rename(f"{self._log}.former")
                elif not self._log.stat().st_size:
                    self._log.unlink()
                if not self._log.exists():
                    self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
            self._open.clear()
            self.generation += 1
            self._identity, self._size, self._log_identity = found, 0, None

    def _refuse_unless_whole(self) -> None:
        """Raise DatabaseUnavailable for a new file that is still being written; nothing of ours has opened it yet."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            if _is_cut_off(descriptor):
                raise DatabaseUnavailable(CORRUPT)
        finally:
            os.close(descriptor)


def _complete(engine: Engine) -> bool:
    """Copy the log into its file, over a connection that is open; false if they are damaged."""
    former = engine.raw_connection()
    try:
        cursor = former.cursor()
        cursor.execute("PRAGMA busy_timeout=0")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((is_busy, *_),) = cursor.fetchall()
    except sqlite3.Error as error:
        if database_fault(error) in (FULL, LOCKED):
            raise
        return False
    finally:
        former.close()
    if is_busy:
        raise DatabaseUnavailable(REPLACED)
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of a file; null where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_cut_off(descriptor: int) -> bool:
    """Whether a file is shorter than its header says (https://sqlite.org/fileformat2.html#the_database_header)."""
    header = os.pread(descriptor, _HEADER_BYTES, 0)
    page_bytes, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
    if page_bytes == 1:
        page_bytes = 65_536
    return os.fstat(descriptor).st_size < max(_HEADER_BYTES, pages * page_bytes)
