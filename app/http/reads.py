"""How routes read: a function of one view of the data, run where it costs least."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from app.core import deadline
from app.core.errors import AppError, Fault, InvalidInput, Unavailable
from app.http.database_limiter import DatabaseLimiter
from app.http.dataset import Dataset
from app.storage.database import Database
from app.storage.faults import LOCKED, database_fault
from app.storage.read_view import DatasetChanged, DatasetState, ReadView

WAIT_SECONDS = 1.0
"""How long a request waits for the serial that it asks for."""
_FIRST_PAUSE_SECONDS = 0.02
_MAX_PAUSE_SECONDS = 0.2
"""Most replicas are there at the second look, and who waits longer must not crowd out others."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Work = Callable[Concatenate[ReadView, Parameters], Result]


class Reads:
    """Runs reads, each with a view of its own that is closed in the thread that opened it."""

    def __init__(self, database: Database, limiter: DatabaseLimiter, pool_size: int) -> None:
        self.database = database
        self.limiter = limiter
        self._executor = ThreadPoolExecutor(pool_size, thread_name_prefix="read")
        self._states: dict[bool, DatasetState] = {}
        """What was seen last, by whether the primary was asked: the next read expects it, which saves an exchange with
        PostgreSQL. SQLite is asked at once."""
        self._is_local = database.is_sqlite and not database.has_replica

    async def inline(
        self, request: Request, work: Work[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """For work that is bounded by construction, such as an item or a page by an index: on SQLite it takes less
        than handing it to a thread, and runs right here. On PostgreSQL as `run`."""
        if not self._is_local or least_serial(request):
            return await self.run(request, work, *args, **kwargs)
        try:
            return self._read(request, False, 0, lambda view: work(view, *args, **kwargs))[1]  # type: ignore[return-value]
        except (OperationalError, sqlite3.OperationalError) as error:
            if database_fault(error) is not LOCKED:
                raise
            return await self.run(request, work, *args, **kwargs)  # the file is busy: wait for it in a thread

    async def run(
        self, request: Request, work: Work[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        """For everything else: one hop to a thread, in a slot of the database.

        With `Min-Dataset-Serial` the view is taken anew until that serial is there, and where a replica stays behind,
        from the primary. Nothing is held between two looks.
        """
        least = least_serial(request)
        give_up_at = time.monotonic() + WAIT_SECONDS
        is_primary, pause = False, _FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()

        def read(view: ReadView) -> Result:
            return work(view, *args, **kwargs)

        while True:
            slots = self.limiter.primary if is_primary else self.limiter.reading
            async with slots.slot():
                is_new_enough, result = await loop.run_in_executor(
                    self._executor, copy_context().run, self._read, request, is_primary, least, read
                )
            if is_new_enough:
                return result  # type: ignore[return-value]
            is_late = time.monotonic() > give_up_at
            if is_late and (is_primary or not self.database.has_replica):
                raise Unavailable("The data set has not come to this serial here yet.", retry_after=1)
            is_primary = is_late
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def _read(
        self, request: Request, is_primary: bool, least: int, read: Callable[[ReadView], Result]
    ) -> tuple[bool, Result | None]:
        """Whether the view was new enough, and what was read."""
        deadline.check()  # it may have waited for a thread
        try:
            return self._read_expecting(self._states.get(is_primary), request, is_primary, least, read)
        except DatasetChanged:
            return self._read_expecting(None, request, is_primary, least, read)

    def _read_expecting(
        self,
        expected: DatasetState | None,
        request: Request,
        is_primary: bool,
        least: int,
        read: Callable[[ReadView], Result],
    ) -> tuple[bool, Result | None]:
        with self.database.view(primary=is_primary, expected=expected) as view:
            try:
                if least and view.serial < least:
                    return False, None
                result = read(view)
                is_new_enough = view.serial >= least  # and the serial is read, whatever the work asked for
                if not view.is_sqlite:
                    self._states[is_primary] = view.state
                return is_new_enough, result
            except AppError:
                view.serial  # noqa: B018 - read for the headers of the error
                raise
            finally:
                if view.dataset is not None:  # for the headers of the answer, be it an error
                    request.state.dataset = Dataset(*view.dataset)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.database.dispose()


def reads_of(request: Request) -> Reads:
    reads: Reads = request.app.state.reads
    return reads


async def _slot_to_write(request: Request) -> AsyncIterator[None]:
    async with reads_of(request).limiter.primary.slot():
        yield


SlotToWrite = Annotated[None, Depends(_slot_to_write, scope="function")]
"""For an endpoint that writes; last among its parameters, so that a slow body is waited for without it."""


def least_serial(request: Request) -> int:
    """The serial of `Min-Dataset-Serial`; 0 where none is asked for."""
    sent = request.headers.get("min-dataset-serial")
    if sent is None:
        return 0
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 10):
        fault = Fault("header", "Min-Dataset-Serial", "invalid_serial", "Must be a serial: a whole number.")
        raise InvalidInput("Min-Dataset-Serial cannot be read.", errors=[fault])
    return int(sent)
