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


def read_session(request: Request) -> Iterator[Session]:
    """One consistent view of the data for the length of the request."""
    with database(request).read() as session:
        yield session


ReadSession = Annotated[Session, Depends(read_session, scope="function")]


WAIT_SECONDS = 1.0
"""How long a request waits for the serial that it asks for."""
_POLL_SECONDS = 0.02


def dataset(request: Request, session: ReadSession) -> Dataset:
    """Serial and release as this request's session sees them; also kept for the headers of error answers.

    With `Min-Dataset-Serial: n` nothing older is seen: the session looks again until the serial is there, or gives up.
    """
    least = _least_serial(request)
    give_up_at = time.monotonic() + WAIT_SECONDS
    while (serial := current_serial(session)) < least:
        session.rollback()  # the next look is at a new state, and nobody waits for this connection meanwhile
        if time.monotonic() > give_up_at:
            raise Unavailable("The data set has not come to this serial here yet.", retry_after=1)
        time.sleep(_POLL_SECONDS)
    seen = Dataset(serial=serial, release=current_release(session))
    request.app.state.dataset = seen
    return seen


def _least_serial(request: Request) -> int:
    sent = request.headers.get("min-dataset-serial")
    if sent is None:
        return 0
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 10):
        fault = Fault("header", "Min-Dataset-Serial", "invalid_serial", "Must be a serial: a whole number.")
        raise InvalidInput("Min-Dataset-Serial cannot be read.", errors=[fault])
    return int(sent)


CurrentDataset = Annotated[Dataset, Depends(dataset, scope="function")]
