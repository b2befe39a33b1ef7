"""Engines and sessions for SQLite and PostgreSQL: one writer at a time, exact pragmas, no bound values in errors."""

import fcntl
import select as sockets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from sqlalchemy import Engine, MetaData, String, Text, event, func, select
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.errors import Unavailable
from app.core.text import SLUG_LENGTH
from app.storage.filter_bitmaps import FilterBitmaps
from app.storage.read_view import ReadView

SLUG = String(SLUG_LENGTH).with_variant(String(SLUG_LENGTH, collation="C"), "postgresql")
"""Ids sort by code point on both engines, so that cursors and ties agree."""

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

PING_AFTER_SECONDS = 1.0
"""A connection to PostgreSQL that was idle for longer is tested before it is used."""

BUSY_SECONDS = 5
"""How long a statement waits for another writer of SQLite."""

SHORT_WRITE_WAIT_SECONDS = 1.5
"""How long a request waits for SQLite's writer before it is answered 503."""

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

    With `read_url` readers go to a replica, which may be a little behind.
    """

    def __init__(
        self, url: str, *, read_url: str | None = None, pool_size: int = 10, statement_timeout_ms: int = 3000
    ) -> None:
        self.url = usable(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, pool_size, statement_timeout_ms)
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
    def view(self, *, primary: bool = False) -> Iterator[ReadView]:
        """One consistent view of the data, whatever is written meanwhile; from the replica if there is one."""
        connection = (self._primary_views if primary else self._views).connect()
        try:
            view = ReadView(connection, self.bitmaps, self._opening)
        except BaseException:
            connection.close()
            raise
        try:
            yield view
        finally:
            view.close()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end or rolled back whole; concurrent writers queue up fairly."""
        with (
            self.exclusive() as connection,
            Session(connection, expire_on_commit=False, join_transaction_mode="control_fully") as session,
        ):
            yield session
            session.commit()

    @contextmanager
    def short_write(self) -> Iterator[Session]:
        """One short transaction on tables that no publication touches, such as used tokens; committed at the end.

        On PostgreSQL it does not stand in the writers' line, so that a publication never delays it. SQLite has one
        writer: after `SHORT_WRITE_WAIT_SECONDS` beside a publication it is locked (OperationalError).
        """
        with self.engine.connect().execution_options(write=True) as connection:
            driver: Any = connection.connection.driver_connection
            if self.is_sqlite:
                driver.execute(f"PRAGMA busy_timeout={int(1000 * SHORT_WRITE_WAIT_SECONDS)}")
            try:
                with Session(connection, expire_on_commit=False, join_transaction_mode="control_fully") as session:
                    yield session
                    session.commit()
            finally:
                if self.is_sqlite:
                    driver.execute(f"PRAGMA busy_timeout={1000 * BUSY_SECONDS}")

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """A connection while nobody else writes; rolled back unless the caller commits."""
        with self._lock_file(), self.engine.connect().execution_options(write=True) as connection:
            if not self.is_sqlite:
                # Else two writers would read the same state, and the second would undo what the first did.
                connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
            yield connection

    @contextmanager
    def _lock_file(self) -> Iterator[None]:
        # SQLite's own queue starves writers (one waits seconds while another repeats); a lock file is fair.
        if not self.is_sqlite:
            yield
            return
        try:
            lock = Path(f"{self.url.database}.lock").open("a")  # noqa: SIM115 - closed below, after the yield
        except OSError as error:
            reason = "The database file is in a directory that cannot be written to. Check DATABASE_URL."
            raise Unavailable(reason) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def dispose(self) -> None:
        self.engine.dispose()
        self._views.dispose()


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
    if url.drivername != "postgresql+psycopg" and not (url.drivername == "sqlite" and url.database):
        raise UnusableUrl
    return url


def _engine(url: URL, pool_size: int, statement_timeout_ms: int) -> Engine:
    """An engine whose transactions begin in the way that the options of the connection ask for."""
    is_sqlite = url.get_backend_name() == "sqlite"
    options = _sqlite_options(url) if is_sqlite else _POSTGRESQL_OPTIONS
    engine = sqlalchemy_engine(url, hide_parameters=True, pool_size=pool_size, pool_timeout=2, **options)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        _ping_idle_connections(engine)

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


def _sqlite_options(url: URL) -> dict[str, Any]:
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable("The directory of the database file cannot be made. Check DATABASE_URL.") from error
    return {"max_overflow": WRITERS_AND_INLINE, "connect_args": {"check_same_thread": False, "timeout": BUSY_SECONDS}}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin above, never behind our back
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")


def _ping_idle_connections(engine: Engine) -> None:
    """Test a connection before it is used again, and replace all older ones if it is broken.

    `pool_pre_ping` would ask the server each time: one exchange beside the two of an item. Here it is asked where the
    connection was idle for long, or where there is something to read: a server that closes a connection says so.
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def test(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        waiting = sockets.poll()
        waiting.register(connection.fileno(), sockets.POLLIN)
        is_idle = time.monotonic() - record.info.get("used_at", time.monotonic()) > PING_AFTER_SECONDS
        if not is_idle and not waiting.poll(0):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


_POSTGRESQL_OPTIONS: dict[str, Any] = {
    "max_overflow": 0,
    "connect_args": {
        "connect_timeout": 2,
        "tcp_user_timeout": 5000,
        "prepare_threshold": None,  # prepared statements do not survive a pooler in transaction mode
        "autocommit": True,  # transactions begin above
    },
}
