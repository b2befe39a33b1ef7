"""Engines and sessions for SQLite and PostgreSQL: one writer at a time, exact pragmas, no bound values in errors."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Engine, MetaData, String, Text, event, func, select
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.core.text import SLUG_LENGTH
from app.storage.faults import DATABASE_ERRORS, LOCKED, OTHER, DatabaseUnavailable, database_fault
from app.storage.filter_bitmaps import FilterBitmaps
from app.storage.read_view import DatasetState, ReadView
from app.storage.sqlite_file import SqliteFile

SLUG = String(SLUG_LENGTH).with_variant(String(SLUG_LENGTH, collation="C"), "postgresql")
"""Ids sort by code point on both engines, so that cursors and ties agree."""

MAX_KEYS = 500
"""Records named in one statement."""
CHANNEL = "dataset"
"""PostgreSQL notifications of new serials."""

Pk = Annotated[int, mapped_column(primary_key=True)]
"""Internal key; never leaves the database."""
SlugColumn = Annotated[str, mapped_column(SLUG)]
TermColumn = Annotated[str, mapped_column(String(40))]
LineColumn = Annotated[str, mapped_column(String(500))]
TextColumn = Annotated[str, mapped_column(Text)]
DateColumn = Annotated[str, mapped_column(String(10))]
"""A partial date as text: precision is kept, and it sorts."""
InstantColumn = Annotated[str, mapped_column(String(20))]
"""RFC 3339, UTC, whole seconds; the same text on both engines, and it sorts."""


WRITERS = 0x4C444E
"""Number of the advisory lock that PostgreSQL's writers take in turn."""

WRITERS_AND_INLINE = 3
"""Connections to SQLite beyond the pool's size: two writers in line, and one read that takes no thread."""

COMMAND_WAIT_SECONDS = 600.0
"""How long a command waits for its turn to write."""
COMMAND_SILENCE_SECONDS = 60.0
"""How long a command waits for PostgreSQL to say something; longer, if it still answers others."""
SILENCE_SECONDS = 0.5
"""How much longer than a statement may take a request waits for PostgreSQL: the server ends statements itself."""
MAX_PAUSE_SECONDS = 0.05
"""Between two looks whether another writer is done."""
MAX_BUSY_SECONDS = 30.0
"""How long SQLite waits where somebody writes without waiting for a turn."""

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""What PostgreSQL must have switched on to keep what it acknowledged."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class RecordColumns:
    """The columns that the tables of records share. Concepts have their own: their ids are unique within a type."""

    pk: Mapped[Pk]
    id: Mapped[str] = mapped_column(SLUG, unique=True)
    status: Mapped[TermColumn]
    successor: Mapped[str | None] = mapped_column(SLUG)


def now() -> str:
    """The current instant, from the one clock that everything uses."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class UnusableUrl(ValueError):
    """Not the address of a database that this software can use. The address itself may hold a password."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL must be sqlite:///path/to/file or postgresql://user:password@host/name, "
            "and DATABASE_READ_URL of the same kind."
        )


class Database:
    """An engine with its two kinds of session: many readers, one writer at a time.

    With `read_url` readers go to a replica, which may be a little behind. No wait is longer than a statement may take,
    by half a second; with `statement_timeout_ms=0`, for the command line, statements may take as long as they work.
    """

    def __init__(
        self,
        url: str,
        *,
        read_url: str | None = None,
        pool_size: int = 10,
        statement_timeout_ms: int = 2000,
        must_exist: bool = False,
    ) -> None:
        """`must_exist`: neither a file of SQLite nor its directory is made; DatabaseUnavailable upon connecting."""
        self.url = usable(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.wait_seconds = statement_timeout_ms / 1000 or COMMAND_WAIT_SECONDS
        """How long a writer waits for its turn."""
        self.on_wait: Callable[[str], object] | None = None
        """Told once when a writer has to wait for another one."""
        self.write_fault: tuple[float, str] | None = None
        """When the newest write failed (`time.monotonic`), and the code of its fault; null once one succeeded."""
        if self.is_sqlite and not must_exist:
            _make_directory(self.url)
        self.engine = _engine(self.url, pool_size, statement_timeout_ms)
        self.file = SqliteFile(str(self.url.database), must_exist=must_exist) if self.is_sqlite else None
        if self.file is not None:
            self.file.watch(self.engine)
        self.has_replica = read_url is not None
        self._views = self._primary_views = _for_views(self.engine)
        if read_url is not None:
            replica = usable(read_url)
            if replica.get_backend_name() != self.url.get_backend_name():
                raise UnusableUrl
            self._views = _for_views(_engine(replica, pool_size, statement_timeout_ms))
        self._opening = None if self.is_sqlite else f"BEGIN {_SNAPSHOT}; {_limits(statement_timeout_ms)}"
        self.bitmaps = FilterBitmaps()
        """What filters keep, as far as it was read."""

    @contextmanager
    def read(self, *, primary: bool = False) -> Iterator[Session]:
        """A session over one consistent view of the data; from the replica if there is one."""
        with self.view(primary=primary) as view:
            yield view.session

    @contextmanager
    def view(self, *, primary: bool = False, expected: DatasetState | None = None) -> Iterator[ReadView]:
        """One consistent view of the data, whatever is written meanwhile; from the replica if there is one."""
        if self.file is not None:
            self.file.check()
        connection = (self._primary_views if primary else self._views).connect()
        try:
            view = ReadView(connection, self.bitmaps, self._opening, expected)
        except BaseException:
            connection.close()
            raise
        try:
            yield view
        finally:
            view.close()

    @contextmanager
    def write(self, *, in_turn: bool = True) -> Iterator[Session]:
        """One transaction, committed at the end or rolled back whole; writers take turns.

        `in_turn=False` is for a short transaction on tables that no publication touches, such as used tokens: on
        PostgreSQL no publication delays it. SQLite has one writer at a time in any case.
        DatabaseUnavailable if no turn comes in time, and if the file of SQLite or its log is gone or another when the
        transaction has been committed: what is acknowledged is in the files of those names.
        """
        try:
            with (
                self.exclusive(in_turn=in_turn) as connection,
                Session(connection, expire_on_commit=False, join_transaction_mode="control_fully") as session,
            ):
                yield session
                generation = connection.info.get("generation")
                if self.file is not None:
                    self.file.require(generation)
                session.commit()
                if self.file is not None:
                    self.file.require(generation)
        except (DatabaseUnavailable, *DATABASE_ERRORS) as error:
            if (fault := database_fault(error)) is not OTHER:
                self.write_fault = time.monotonic(), fault.code
            raise
        self.write_fault = None

    @contextmanager
    def exclusive(self, *, in_turn: bool = True) -> Iterator[Connection]:
        """A connection while nobody else writes; rolled back unless the caller commits. `in_turn` as in `write`."""
        if self.file is not None:
            self.file.check()
        with self._lock_file(), self.engine.connect().execution_options(write=True) as connection:
            if in_turn and not self.is_sqlite:
                # Else two writers would read the same state, and the second would undo what the first did.
                self._wait(lambda: connection.scalar(select(func.pg_try_advisory_xact_lock(WRITERS))))
            yield connection

    @contextmanager
    def _lock_file(self) -> Iterator[None]:
        """The turn to write. SQLite's own queue starves writers: one waits seconds while another repeats."""
        if self.file is None:
            yield
            return
        path = self.file.path.with_name(f"{self.file.path.name}.lock")
        descriptors: list[int] = []

        def lock() -> bool:
            if not descriptors or not _is_at(descriptors[0], path):
                try:
                    descriptors.insert(0, os.open(path, os.O_CREAT | os.O_RDWR, 0o666))
                except OSError as error:
                    raise DatabaseUnavailable(database_fault(error)) from error
            try:
                fcntl.flock(descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return _is_at(descriptors[0], path)  # else somebody removed it, and another one may be locked by now

        try:
            self._wait(lock)
            yield
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _wait(self, lock: Callable[[], bool | None]) -> None:
        """Try until it succeeds; DatabaseUnavailable if that takes too long."""
        give_up_at = time.monotonic() + self.wait_seconds
        pause = 0.002
        is_told = False
        while not lock():
            if time.monotonic() > give_up_at:
                raise DatabaseUnavailable(LOCKED)
            if self.on_wait is not None and not is_told and pause >= MAX_PAUSE_SECONDS:
                self.on_wait("Waiting for another writer to finish.")
                is_told = True
            time.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    def dispose(self) -> None:
        self.engine.dispose()
        self._views.dispose()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def lax_settings(session: Session) -> list[str]:
    """Settings of a PostgreSQL server that let a crash undo what it acknowledged; SQLite's are set below."""
    if session.get_bind().dialect.name == "sqlite":
        return []
    found = session.execute(select(*(func.current_setting(name).label(name) for name in DURABLE))).one()
    return [name for name, value in found._asdict().items() if value == "off"]


def usable(text: str) -> URL:
    """The address of a database, with the driver that is used here."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise UnusableUrl from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    is_file = url.drivername == "sqlite" and not (url.database or ":memory:").startswith((":memory:", "file:"))
    if url.drivername != "postgresql+psycopg" and not is_file:
        raise UnusableUrl
    return url


def _engine(url: URL, pool_size: int, statement_timeout_ms: int) -> Engine:
    """An engine whose transactions begin in the way that the options of the connection ask for."""
    is_sqlite = url.get_backend_name() == "sqlite"
    seconds = statement_timeout_ms / 1000
    options = _sqlite_options(seconds or MAX_BUSY_SECONDS) if is_sqlite else _POSTGRESQL_OPTIONS
    engine = sqlalchemy_engine(url, hide_parameters=True, pool_size=pool_size, pool_use_lifo=True, **options)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        from app.storage.postgres import bound_waits  # heavy, and not needed on SQLite

        silence = seconds + SILENCE_SECONDS if seconds else COMMAND_SILENCE_SECONDS
        bound_waits(engine, silence, is_patient=not seconds)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        chosen = connection.get_execution_options()
        if chosen.get("begins_itself"):
            return
        if is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if chosen.get("write") else "BEGIN")
        else:
            connection.exec_driver_sql(f"BEGIN; {_limits(statement_timeout_ms)}")

    return engine


_SNAPSHOT = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""A PostgreSQL transaction that sees one state throughout, as SQLite's do anyway."""


def _for_views(engine: Engine) -> Engine:
    """The engine for `ReadView`, which begins its transactions itself."""
    return engine.execution_options(begins_itself=True)


def _limits(statement_timeout_ms: int) -> str:
    """Limits for one transaction each: a pooler refuses them as options of the connection, and would hand on to
    strangers what is set on the session."""
    return f"SET LOCAL statement_timeout = {statement_timeout_ms}; SET LOCAL lock_timeout = 5000"


def _make_directory(url: URL) -> None:
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(database_fault(error)) from error


def _sqlite_options(wait_seconds: float) -> dict[str, Any]:
    arguments = {"check_same_thread": False, "timeout": min(wait_seconds, MAX_BUSY_SECONDS)}
    return {"max_overflow": WRITERS_AND_INLINE, "pool_timeout": 2, "connect_args": arguments}


PAGES_KIB = 2000
"""Of memory for pages of an SQLite file, for each connection: SQLite's own number, into which some lists of long
claims fit. The connection that was used last is used next, so that few of them hold so much."""


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin above, never behind our back
    memory = ("mmap_size=0", f"cache_size=-{PAGES_KIB}")
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", *memory):
        connection.execute(f"PRAGMA {pragma}")


_POSTGRESQL_OPTIONS: dict[str, Any] = {
    "max_overflow": 0,
    "pool_timeout": 0.5,  # who reads waits in the slots of a process; writers take a connection beside them
    "connect_args": {
        "connect_timeout": 2,
        "tcp_user_timeout": 5000,
        "prepare_threshold": None,  # prepared statements do not survive a pooler in transaction mode
        "autocommit": True,  # transactions begin above
    },
}
