"""What routes ask for: a reading session, and the state of the data set that it sees."""

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.core.database import Database
from app.core.errors import Fault, InvalidInput, Unavailable
from app.core.history import serial_seen
from app.core.reading import reader_of
from app.http.dataset import Dataset


def database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


WAIT_SECONDS = 1.0
"""How long a request waits for the serial that it asks for."""
_POLL_SECONDS = 0.02


async def read_session(request: Request) -> AsyncIterator[Session]:
    """One consistent view of the data for the length of the request, taken by its first statement."""
    least, found = least_serial(request), database(request)
    session = await run_in_threadpool(fresh, found, least) if least else found.reader()
    try:
        yield session
    finally:
        if found.is_sqlite:
            session.close()
        else:
            await run_in_threadpool(session.close)  # a word to another machine, for which nobody else should wait


def fresh(found: Database, least: int) -> Session:
    """A session that sees nothing older than a serial: its view is taken anew until the serial is there, and where a
    replica stays behind, from the primary. The caller closes it."""
    session = found.reader()
    try:
        if _comes_to(least, session):
            return session
        session.close()
        if found.has_replica:
            session = found.reader(primary=True)
            if serial_seen(reader_of(session)) >= least:
                return session
        raise Unavailable("The data set has not come to this serial here yet.", retry_after=1)
    except BaseException:
        session.close()
        raise


def _comes_to(least: int, session: Session) -> bool:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while least and serial_seen(reader_of(session)) < least:
        session.rollback()  # the next look is at a new state, and nobody waits for this connection meanwhile
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_POLL_SECONDS)
    return True


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


def dataset(request: Request, session: ReadSession) -> Dataset:
    """Serial and release as this request's session sees them; also kept for the headers of error answers."""
    seen = Dataset.of(session)
    request.app.state.dataset = request.state.dataset = seen
    return seen


CurrentDataset = Annotated[Dataset, Depends(dataset, scope="function")]
