"""What is wrong with a database: a stable code, a sentence and a remedy for each kind, never the text of the error."""

import errno
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.errors import Unavailable

DATABASE_ERRORS = (DBAPIError, PoolTimeout, sqlite3.Error)
"""What a read or a write raises when the database fails, beside `DatabaseUnavailable`."""


class DatabaseFault(NamedTuple):
    """A kind of fault. `code` is stable; `remedy` is for whoever runs the service."""

    code: str
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy} ({self.code})"


FULL = DatabaseFault(
    "database_full", "The disk of the database is full.", "Free some space; nothing needs to be restarted."
)
READ_ONLY = DatabaseFault(
    "database_read_only",
    "The database cannot be written to.",
    "Make its file and directory writable, or let DATABASE_URL name the primary.",
)
LOCKED = DatabaseFault("database_locked", "Another program is writing to the database.", "Wait until it is done.")
UNREACHABLE = DatabaseFault(
    "database_unreachable", "The database cannot be reached.", "Start its server, or check DATABASE_URL."
)
SILENT = DatabaseFault(
    "database_silent",
    "The database does not answer in time.",
    "Look at the load of its server, and whether it hangs.",
)
REFUSED = DatabaseFault(
    "database_refused", "The database refuses this user.", "Check user, password, name and rights in DATABASE_URL."
)
CORRUPT = DatabaseFault(
    "database_corrupt", "The database is damaged.", "Stop and restore a backup, or check DATABASE_URL."
)
MISSING = DatabaseFault("database_missing", "The file of the database is gone.", "Put it back, or check DATABASE_URL.")
REPLACED = DatabaseFault(
    "database_replaced",
    "Another file has taken the place of the database.",
    "It is opened as soon as nobody uses the former one.",
)
LOG_MISSING = DatabaseFault(
    "database_log_missing",
    "The log of the database (-wal) was removed.",
    "It is made anew as soon as nobody uses the former one.",
)
NOT_MIGRATED = DatabaseFault(
    "database_not_migrated", "The tables of the database do not fit this software.", "Run: ldn-evidence migrate"
)
BUSY = DatabaseFault("database_busy", "All connections to the database are in use.", "Retry later, or raise POOL_SIZE.")
OTHER = DatabaseFault("database_error", "The database reports an error.", "The log names its class and code.")

_BY_SQLITE_NAME = (
    # The first prefix of the error's name that fits.
    ("SQLITE_FULL", FULL),
    ("SQLITE_IOERR_SHMSIZE", FULL),
    ("SQLITE_READONLY_DBMOVED", REPLACED),
    ("SQLITE_READONLY", READ_ONLY),
    ("SQLITE_BUSY", LOCKED),
    ("SQLITE_LOCKED", LOCKED),
    ("SQLITE_CORRUPT", CORRUPT),
    ("SQLITE_NOTADB", CORRUPT),
    ("SQLITE_CANTOPEN", MISSING),
)
_BY_SQLSTATE = (
    # PostgreSQL's appendix A; the first prefix that fits.
    ("53100", FULL),
    ("25006", READ_ONLY),
    ("55P03", LOCKED),
    ("40P01", LOCKED),
    ("57014", SILENT),
    ("53300", BUSY),
    ("57P", UNREACHABLE),
    ("08", UNREACHABLE),
    ("28", REFUSED),
    ("3D000", REFUSED),
    ("42501", REFUSED),
    ("XX001", CORRUPT),
    ("XX002", CORRUPT),
    ("42P01", NOT_MIGRATED),
    ("42703", NOT_MIGRATED),
)
_BY_ERRNO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), FULL),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), READ_ONLY),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EEXIST), MISSING),
}


class DatabaseUnavailable(Unavailable):
    """503 with the code of the fault."""

    def __init__(self, fault: DatabaseFault, *, with_remedy: bool = False) -> None:
        super().__init__(f"{fault.sentence} {fault.remedy}" if with_remedy else fault.sentence)
        self.fault = fault
        self.code = fault.code


class ServerSilent(Exception):
    """A server of PostgreSQL said nothing for as long as an exchange may take."""


def database_fault(error: BaseException) -> DatabaseFault:
    """What an error of the database, of its driver or of its files means."""
    return next((fault for cause in _causes(error) if (fault := _fault(cause)) is not None), OTHER)


def unavailable(error: Exception) -> DatabaseUnavailable:
    """The answer to a request that met this error; the cause goes into the log, once a second at most."""
    fault = database_fault(error)
    cause = next((cause for cause in _causes(error) if _fault(cause) is not None), error)
    log_once_a_second(
        fault.code,
        exception=f"{type(cause).__module__}.{type(cause).__qualname__}",
        sqlstate=getattr(cause, "sqlstate", None),
        sqlite=getattr(cause, "sqlite_errorname", None),
        remedy=fault.remedy,
    )
    return error if isinstance(error, DatabaseUnavailable) else DatabaseUnavailable(fault)


def log_once_a_second(event: str, **values: object) -> None:
    """Log an error, unless the same one was logged less than a second ago; `unlogged` counts those since."""
    moment = time.monotonic()
    with _lock:
        logged_at, unlogged = _logged.get(event, (moment - 1, 0))
        is_due = moment - logged_at >= 1
        _logged[event] = (moment, 0) if is_due else (logged_at, unlogged + 1)
    if is_due:
        structlog.get_logger("app.storage").error(event, **values, unlogged=unlogged)


_logged: dict[str, tuple[float, int]] = {}
"""When an event was logged, and how often it happened since."""
_lock = threading.Lock()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, the first cause first: a retry may fail in another way."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return reversed(chain)


def _fault(error: BaseException) -> DatabaseFault | None:
    if isinstance(error, DatabaseUnavailable):
        return error.fault
    if isinstance(error, ServerSilent):
        return SILENT
    if isinstance(error, PoolTimeout):
        return BUSY
    if isinstance(error, sqlite3.Error):
        return _sqlite_fault(error)
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0)
    if not hasattr(error, "sqlstate"):
        return None
    if error.sqlstate is None:  # of the client library: the connection broke, or could not be made
        return _connection_fault(str(error)) if type(error).__name__ == "OperationalError" else None
    return next((fault for prefix, fault in _BY_SQLSTATE if error.sqlstate.startswith(prefix)), None)


def _sqlite_fault(error: sqlite3.Error) -> DatabaseFault | None:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_ERROR" and str(error).startswith(("no such table", "no such column")):
        return NOT_MIGRATED
    return next((fault for prefix, fault in _BY_SQLITE_NAME if name.startswith(prefix)), None)


def _connection_fault(message: str) -> DatabaseFault:
    """A server that refuses says why in words alone; `FATAL` is how its words begin."""
    if "FATAL" not in message or any(words in message for words in ("starting up", "shutting down", "recovery")):
        return UNREACHABLE
    return BUSY if "too many" in message or "remaining connection slots" in message else REFUSED
