"""The deadline of the request that is being answered: work that is past it stops, because nobody waits for it.

Loops over many records call `check()`. Outside a request, as on the command line, there is no deadline.
"""

import math
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from app.core.errors import Unavailable

Item = TypeVar("Item")


class DeadlinePassed(Unavailable):
    """The time for the answer is over."""

    def __init__(self) -> None:
        super().__init__("The answer took too long. Try again, or ask for less.")


class Deadline:
    """When the answer of one request has to be there. It runs only after `start`, and not once `stop` is called."""

    def __init__(self) -> None:
        self._at = math.inf

    @property
    def is_passed(self) -> bool:
        return time.monotonic() > self._at

    def start(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def stop(self) -> None:
        self._at = math.inf


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def begin() -> Deadline:
    """A new deadline for what the caller's context does from now on, in whatever thread."""
    deadline = Deadline()
    _current.set(deadline)
    return deadline


def check() -> None:
    """Raises DeadlinePassed if the deadline of the request has passed. Costs a fraction of a microsecond."""
    deadline = _current.get()
    if deadline is not None and deadline.is_passed:
        raise DeadlinePassed


def checked(items: Iterable[Item]) -> Iterator[Item]:
    """The items, with a `check()` before each."""
    for item in items:
        check()
        yield item
