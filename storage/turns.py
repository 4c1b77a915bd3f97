"""Who writes next to the one SQLite file: answers before long work, and within each in the order of arrival.

SQLite itself does not queue: whoever finds the lock taken sleeps up to 100 ms and looks again, so that an opening campaign,
which takes the lock again and again, would keep answers out by luck alone. Within this process they wait here instead.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reclaim.errors import PortError

_Waiting = deque[asyncio.Future[None]]


class WriteTurns:
    """One writer at a time, in one event loop.

    Args:
        timeout_s: How long one may wait for a turn.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._taken = False
        self._answers: _Waiting = deque()
        self._others: _Waiting = deque()

    @asynccontextmanager
    async def take(self, *, answer: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block.

        Args:
            answer: Somebody waits for it at a card.

        Raises:
            PortError: It did not come in time.
        """
        await self._take(self._answers if answer else self._others)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, line: _Waiting) -> None:
        if not self._taken:
            self._taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        line.append(mine)
        try:
            async with asyncio.timeout(self._timeout_s):
                await mine
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self._pass_on()  # it came in the moment in which we gave up
            elif mine in line:
                line.remove(mine)
            if isinstance(error, TimeoutError):
                raise PortError("The database is busy. Please try again.") from error
            raise

    def _pass_on(self) -> None:
        for line in (self._answers, self._others):
            while line:
                following = line.popleft()
                if not following.done():  # else its waiter is being cancelled
                    following.set_result(None)
                    return
        self._taken = False
