"""The log of what was asked of the practice tenant: method, address and status, never a body or a secret."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

KEPT = 2000


@dataclass(frozen=True, slots=True)
class Call:
    """One finished request; the status is None if the connection was cut."""

    seq: int
    method: str
    path: str
    status: int | None
    at_real_ms: int


class CallLog:
    """The newest calls, for readers that wait for more."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._count = 0
        self._started = time.monotonic()
        self._more = asyncio.Condition()

    async def add(self, method: str, path: str, status: int | None) -> None:
        """Note a finished request."""
        async with self._more:
            self._count += 1
            at_real_ms = int((time.monotonic() - self._started) * 1000)
            self._calls.append(Call(self._count, method, path, status, at_real_ms))
            self._more.notify_all()

    async def after(self, seq: int, wait_s: float) -> list[Call]:
        """Return the calls behind `seq`, waiting up to `wait_s` seconds for the first of them."""
        try:
            async with asyncio.timeout(wait_s), self._more:
                await self._more.wait_for(lambda: self._count > seq)
        except TimeoutError:
            return []
        return [call for call in self._calls if call.seq > seq]
