"""What routes ask for: a reading session, and the state of the data set that it sees."""

import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.core.database import Database
from app.core.errors import Fault, InvalidInput, Unavailable
from app.core.history import current_release, current_serial
from app.http.dataset import Dataset


def database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


WAIT_SECONDS = 1.0
"""How long a request waits for the serial that it asks for."""
_POLL_SECONDS = 0.02


def read_session(request: Request) -> Iterator[Session]:
    """One consistent view of the data for the length of the request.

    With `Min-Dataset-Serial: n` nothing older is seen: the view is taken anew until the serial is there, and where a
    replica stays behind, from the primary.
    """
    least = _least_serial(request)
    found = database(request)
    with found.read() as session:
        if _comes_to(least, session):
            yield session
            return
    if found.has_replica:
        with found.read(primary=True) as session:
            if current_serial(session) >= least:
                yield session
                return
    raise Unavailable("The data set has not come to this serial here yet.", retry_after=1)


def _comes_to(least: int, session: Session) -> bool:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while least and current_serial(session) < least:
        session.rollback()  # the next look is at a new state, and nobody waits for this connection meanwhile
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _least_serial(request: Request) -> int:
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
    seen = Dataset(serial=current_serial(session), release=current_release(session))
    request.app.state.dataset = seen
    return seen


CurrentDataset = Annotated[Dataset, Depends(dataset, scope="function")]
