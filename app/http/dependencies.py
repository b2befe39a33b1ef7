"""What routes ask for: a reading session, and the state of the data set that it sees."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.core.errors import Fault, InvalidInput, Unavailable
from app.http.database_limiter import Turns
from app.http.dataset import Dataset
from app.storage.database import Database
from app.storage.history import serial_seen
from app.storage.statements import reader_of


def database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


def turns(request: Request) -> Turns:
    found: Turns = request.app.state.turns
    return found


WAIT_SECONDS = 1.0
"""How long a request waits for the serial that it asks for."""
_FIRST_PAUSE = 0.02
_MAX_LENGTH_PAUSE = 0.2
"""Seconds between two looks: most replicas are there at the second, and who waits longer must not crowd out others."""


@asynccontextmanager
async def reading(found: Database, lines: Turns, least: int, *, has_waited: bool = False) -> AsyncIterator[Session]:
    """One consistent view of the data, taken by its first statement, that shows nothing older than a serial.

    It is taken anew until the serial is there, and where a replica stays behind, from the primary. Between two looks
    nothing is held.
    """
    give_up_at = time.monotonic() + WAIT_SECONDS
    at_primary, pause = False, _FIRST_PAUSE
    while True:
        line = lines.primary if at_primary else lines.reading
        async with line.turn(has_waited=has_waited), _session(found, primary=at_primary) as session:
            if not least or await run_in_threadpool(_shows, session, least):
                yield session
                return
        is_late = time.monotonic() > give_up_at
        if is_late and (at_primary or not found.has_replica):
            raise Unavailable("The data set has not come to this serial here yet.", retry_after=1)
        at_primary = is_late
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_LENGTH_PAUSE)


@asynccontextmanager
async def _session(found: Database, *, primary: bool) -> AsyncIterator[Session]:
    session = found.reader(primary=primary)
    try:
        yield session
    finally:
        if found.is_sqlite:
            session.close()
        else:
            await run_in_threadpool(session.close)  # a word to another machine, for which nobody else should wait


def _shows(session: Session, least: int) -> bool:
    return serial_seen(reader_of(session)) >= least


async def read_session(request: Request) -> AsyncIterator[Session]:
    """One consistent view of the data for the length of the request."""
    has_waited = getattr(request.state, "has_waited", False)  # in the lane
    async with reading(database(request), turns(request), least_serial(request), has_waited=has_waited) as session:
        yield session


async def turn_to_write(request: Request) -> AsyncIterator[None]:
    async with turns(request).primary.turn():
        yield


def least_serial(request: Request) -> int:
    """The serial of `Min-Dataset-Serial`; 0 where none is asked for."""
    sent = request.headers.get("min-dataset-serial")
    if sent is None:
        return 0
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 10):
        fault = Fault("header", "Min-Dataset-Serial", "invalid_serial", "Must be a serial: a whole number.")
        raise InvalidInput("Min-Dataset-Serial cannot be read.", errors=[fault])
    return int(sent)


ReadSession = Annotated[Session, Depends(read_session, scope="function")]
TurnToWrite = Annotated[None, Depends(turn_to_write, scope="function")]
"""For an endpoint that writes; last among its parameters, so that a slow body is waited for without it."""


def dataset(request: Request, session: ReadSession) -> Dataset:
    """Serial and release as this request's session sees them; also kept for the headers of error answers."""
    seen = Dataset.of(session)
    request.app.state.dataset = request.state.dataset = seen
    return seen


CurrentDataset = Annotated[Dataset, Depends(dataset, scope="function")]
