"""Limits concurrent database use to the pool size.

Without a limit, requests that wait for a connection fill the threads that those who have one need to go on: nobody
goes on then, and the service answers nothing until it is asked nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.errors import Unavailable
from app.storage.faults import log_once_a_second

WAIT_SECONDS = 2.0
"""How long a request waits for a slot before it is answered 503."""
PRIMARY_SLOTS = 2
"""Writers queue for one lock anyway; and a primary that hangs must not take what serves from the replica."""


class Slots:
    """First come, first served. Waiting takes no thread, and giving up costs nothing."""

    def __init__(self, count: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self.count = count
        self.in_use = self.waits = self.refusals = 0
        """For metrics: slots that are held now; requests that had to wait for one, and that got none in time."""
        self._free = asyncio.Semaphore(count)
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot for as long as a connection may be in use; raises Unavailable if none becomes free in time.

        A request holds at most one slot: two would wait for each other.
        """
        self.waits += self._free.locked()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            self.refusals += 1
            log_once_a_second("overloaded", remedy="All slots of the database are taken: see POOL_SIZE.")
            raise Unavailable("The server is overloaded. Retry later.", retry_after=1) from None
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self._free.release()


class DatabaseLimiter:
    """The slots of one process: for reads, and for what only the primary can do beside them (writes, and reads for
    which the replica is too far behind)."""

    def __init__(self, readers: int) -> None:
        self.reading = Slots(readers)
        self.primary = Slots(PRIMARY_SLOTS)
