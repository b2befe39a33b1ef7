"""Which state of the data set an answer was made from, as headers."""

from typing import NamedTuple

API_VERSION = "1"


class Dataset(NamedTuple):
    """The newest serial and release that a read saw; 0 and null for an empty data set."""

    serial: int
    release: str | None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Dataset-Serial": str(self.serial)}
        return headers | {"Dataset-Release": self.release} if self.release else headers
