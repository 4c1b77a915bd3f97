"""How often sign-in activity is asked for: Microsoft allows ten requests a minute, for one application in a tenant.

Source: Microsoft Graph docs, resources/signinactivity and throttling-limits. A request counts from its answer on, so that
one that took long is not followed too soon.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

_MINUTE_S: Final = 60.0


class SignInPace:
    """Spaces requests evenly: no minute ever holds more than its share.

    Args:
        per_minute: How many requests this process makes.
        monotonic: Seconds that only grow.
        sleep: Waits so many seconds of real time, at most 30.
    """

    def __init__(
        self, per_minute: int, *, monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._gap_s = _MINUTE_S / per_minute
        self._monotonic = monotonic
        self._sleep = sleep
        self._free_at = monotonic()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold the one request that may be under way; those who come meanwhile wait in order."""
        async with self._lock:
            while (wait := self._free_at - self._monotonic()) > 0:
                await self._sleep(wait)
            try:
                yield
            finally:
                self._free_at = self._monotonic() + self._gap_s

    def time_for(self, rows: int, *, rows_a_request: int) -> timedelta:
        """Return how long it takes to ask for so many rows."""
        return timedelta(seconds=math.ceil(max(0, rows) / rows_a_request) * self._gap_s)
