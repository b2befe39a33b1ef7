"""What routes ask for: a reading session, and the state of the data set that it sees."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.core.database import Database
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


def dataset(request: Request, session: ReadSession) -> Dataset:
    """Serial and release as this request's session sees them; also kept for the headers of error answers."""
    seen = Dataset(serial=current_serial(session), release=current_release(session))
    request.app.state.dataset = seen
    return seen


CurrentDataset = Annotated[Dataset, Depends(dataset, scope="function")]
