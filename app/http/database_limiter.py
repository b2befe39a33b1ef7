"""Who may use the database now: as many requests as it has connections for, and the others wait in line.

Without a line, requests that wait for a connection fill the threads that those who have one need to go on: nobody
goes on then, and the service answers nothing until it is asked nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.errors import Unavailable

WAIT_SECONDS = 2.0
"""How long a request stands in line before it is told to come back."""
AT_THE_PRIMARY = 2
"""Writers take turns anyway; and a primary that hangs must not take what serves from the replica."""


class Line:
    """First come, first served, by so many at a time. Waiting takes no thread, and giving up costs nothing."""

    def __init__(self, at_once: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def turn(self, *, has_waited: bool = False) -> AsyncIterator[None]:
        """Held as long as a connection may be in use; Unavailable if it does not come. A request holds one turn of a
        line at most: two would wait for each other. Who has waited in vain once does not wait again."""
        try:
            async with asyncio.timeout(0 if has_waited else self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable("More is asked than can be answered just now.", retry_after=1) from None
        try:
            yield
        finally:
            self._free.release()


class Turns:
    """The lines of one process: for reads, and for what only the primary can do beside them (writes, and reads for
    which the replica is too far behind)."""

    def __init__(self, readers: int) -> None:
        self.reading = Line(readers)
        self.primary = Line(AT_THE_PRIMARY)
