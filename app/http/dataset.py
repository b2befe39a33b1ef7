"""Which state of the data set an answer was made from, as headers."""

from dataclasses import dataclass

API_VERSION = "1"


@dataclass(frozen=True)
class Dataset:
    serial: int
    release: str | None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Dataset-Serial": str(self.serial)}
        return headers | {"Dataset-Release": self.release} if self.release else headers
