"""How many writes we make: a share of what Microsoft lets one application do in one tenant, so that others have the rest.

Microsoft counts 3,000 writes in 150 seconds for an application in a tenant, and refuses what is beyond with 429; an answer
above 80 % of a limit says so in a header. Source: Microsoft Graph docs, throttling-limits (identity and access) and
throttling. A rejected call still counts there, so that the point is never to be rejected.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from reclaim.errors import WriteBackError

WINDOW_S: Final = 150.0
PERCENTAGE: Final = "x-ms-throttle-limit-percentage"
# Whoever would wait longer comes back through a due date in our tables.
LONGEST_WAIT_S: Final = 30.0
_BURST: Final = 0.02  # of the budget at once, the rest spread evenly over the window
_NEAR: Final = 0.8
# How long a warning holds: resource units are counted over ten seconds.
_WARNED_FOR_S: Final = 10.0
_SLOWEST: Final = 0.1


class WriteBudget:
    """Lets writes through, evenly and no more in any window than the budget holds.

    What a person clicked never waits behind what a campaign writes: it may overdraw, by as much as the burst, and the
    campaign waits until that is earned again.

    Args:
        writes: In 150 seconds.
        now: Calendar time, by which a wait that Microsoft asks for ends, as the due dates in our tables do.
        monotonic: Seconds that only grow.
        sleep: Waits so many seconds of real time.
    """

    def __init__(
        self,
        writes: int,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._burst = max(1.0, writes * _BURST)
        self._per_s = max(writes - 2 * self._burst, writes * 0.5) / WINDOW_S
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._left = self._burst
        self._at = monotonic()
        self._closed_until: datetime | None = None
        self._share = 1.0
        self._warned_until = 0.0
        # Who asked first writes first. Woken all at once, the unlucky ones would wait for ever behind those that came later.
        self._lines = {clicked: asyncio.Lock() for clicked in (True, False)}

    async def turn(self, *, clicked: bool) -> None:
        """Wait until one write may be made, and count it.

        Args:
            clicked: A person waits for this one.

        Raises:
            WriteBackError: That is more than 30 seconds away; `retry_after` says how far. Nothing was sent.
        """
        began = self._monotonic()
        async with self._lines[clicked]:
            while (wait := self._wait(clicked=clicked)) > 0:
                if self._monotonic() - began + wait > LONGEST_WAIT_S:
                    raise WriteBackError(
                        "Microsoft Graph takes no more changes for now; the removal waits.",
                        retry_after=timedelta(seconds=wait),
                        maybe_applied=False,
                    )
                await self._sleep(wait)
            self._left -= 1

    def heard(self, *, percentage: float | None, refused_for: timedelta | None) -> None:
        """Learn from an answer.

        Args:
            percentage: How much of a limit is used, where Microsoft said so: 1.0 is all of it.
            refused_for: How long Microsoft asks to wait, where it refused with 429.
        """
        now = self._monotonic()
        if refused_for is not None:
            until = self._now() + refused_for
            self._closed_until = max(self._closed_until or until, until)
        if percentage is not None and percentage >= _NEAR:
            self._earn(now)
            # Full speed just below 80 %, half of it at the limit, a tenth far beyond.
            self._share = max(_SLOWEST, min(1.0, 1.0 - (percentage - _NEAR) / (1.0 - _NEAR) / 2))
            self._warned_until = now + _WARNED_FOR_S

    def _wait(self, *, clicked: bool) -> float:
        now = self._monotonic()
        self._earn(now)
        if self._closed_until is not None:
            closed = (self._closed_until - self._now()).total_seconds()
            if closed > 0:
                return closed
            self._closed_until = None
        missing = (1.0 - self._burst if clicked else 1.0) - self._left
        return missing / (self._per_s * self._share) if missing > 1e-9 else 0.0

    def _earn(self, now: float) -> None:
        if now >= self._warned_until:
            self._share = 1.0
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s * self._share)
        self._at = now


def percentage_of(text: str | None) -> float | None:
    """Return the header's number, or None where it is absent or no number."""
    try:
        return float(text) if text else None
    except ValueError:
        return None
