"""Connections to PostgreSQL that do not wait for ever: a server that is frozen keeps its sockets open and says nothing.

The limits that a server keeps (`statement_timeout`) and those of its network say nothing of that. Imported only where
PostgreSQL is used.
"""

import select
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from app.storage.faults import ServerSilent

PING_AFTER_SECONDS = 1.0
"""A connection that was idle for longer is tested before it is used."""
FAIL_FAST_SECONDS = 1.0
"""Who comes that soon after a server kept silent does not wait for it again."""
PROBE_SECONDS = 5
"""How long a second connection may take to prove that a silent server still works."""

Result = TypeVar("Result")


class SilentConnection(ServerSilent, psycopg.OperationalError):
    """The connection was closed here, because the server said nothing."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed, with an error, when the server says nothing for too long."""

    silence_seconds: float = 2.5
    is_patient = False
    """Whether a long silence is borne as long as the server still answers others: it may work on one long statement."""
    on_silence: Callable[[], None] | None = None
    before_exchange: Callable[[], None] | None = None

    def wait(self, gen: PQGen[Result], *args: Any, **options: Any) -> Result:
        """Every exchange with the server passes here."""
        if self.before_exchange is not None:
            self.before_exchange()
        return super().wait(self._bounded(gen), *args, **options)

    def _bounded(self, gen: PQGen[Result]) -> Generator[Any, Any, Result]:
        try:
            waits_for = next(gen)
            heard_at = time.monotonic()
            while True:
                ready = yield waits_for
                if ready:
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at > self.silence_seconds:
                    if not (self.is_patient and self._server_answers()):
                        gen.close()
                        self._give_up()
                    heard_at = time.monotonic()
                waits_for = gen.send(ready)
        except StopIteration as end:
            result: Result = end.value
            return result

    def _give_up(self) -> None:
        self.pgconn.finish()
        if self.on_silence is not None:
            self.on_silence()
        raise SilentConnection("The server does not answer.")

    def _server_answers(self) -> bool:
        address = make_conninfo(self.info.dsn, password=self.info.password or None, connect_timeout=PROBE_SECONDS)
        try:
            with BoundedConnection.connect(address, autocommit=True) as other:
                other.silence_seconds = PROBE_SECONDS
                other.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


def bound_waits(engine: Engine, silence_seconds: float, *, is_patient: bool) -> None:
    """Let no wait for the server of an engine last longer than this.

    `pool_pre_ping` would ask the server before each use: one exchange beside the two of an item. Here it is asked where
    the connection was idle for long, or where there is something to read: a server that closes a connection says so.
    """
    silent_at = -FAIL_FAST_SECONDS

    def note_silence() -> None:
        nonlocal silent_at
        silent_at = time.monotonic()

    def refuse_while_silent() -> None:
        if time.monotonic() - silent_at < FAIL_FAST_SECONDS:
            raise SilentConnection("The server did not answer just now.")

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: Any, options: Any) -> BoundedConnection:
        refuse_while_silent()
        try:
            connection = BoundedConnection.connect(*args, **options)
        except psycopg.errors.ConnectionTimeout as error:
            note_silence()
            raise SilentConnection("The server does not answer.") from error
        connection.silence_seconds, connection.is_patient = silence_seconds, is_patient
        # Also of what is under way: threads may queue up behind one that waits for the server.
        connection.on_silence, connection.before_exchange = note_silence, refuse_while_silent
        return connection

    @event.listens_for(engine, "checkin")
    def note_use(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def test(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        refuse_while_silent()
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        is_idle = time.monotonic() - record.info.get("used_at", time.monotonic()) > PING_AFTER_SECONDS
        if not is_idle and not waiting.poll(0):
            return
        try:
            engine.dialect.do_ping(connection)
        except ServerSilent:
            raise
        except psycopg.Error as error:
            raise InvalidatePoolError from error
