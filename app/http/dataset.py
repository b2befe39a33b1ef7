"""Which state of the data set an answer was made from, as headers."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy.orm import Session

from app.storage.history import current_release, current_serial

API_VERSION = "1"


@dataclass(frozen=True)
class Dataset:
    serial: int
    release: str | None

    @classmethod
    def of(cls, session: Session) -> Self:
        """As the session sees it."""
        return cls(serial=current_serial(session), release=current_release(session))

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Dataset-Serial": str(self.serial)}
        return headers | {"Dataset-Release": self.release} if self.release else headers
