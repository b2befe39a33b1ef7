"""A clock that stands still, so that what is published in tests is dated alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Self
from unittest.mock import patch

FROZEN_AT = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)


class _FrozenTime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(FROZEN_AT.timestamp(), tz)


@contextmanager
def frozen_clock(module: str) -> Iterator[None]:
    """Publications made inside are dated `FROZEN_AT`; `module` is the one that holds the clock."""
    with patch(f"{module}.datetime", _FrozenTime):
        yield
