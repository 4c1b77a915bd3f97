"""The two clocks: the machine's, and that of the rehearsal, which moves only when told. Nobody else reads the time."""

import asyncio
from datetime import UTC, datetime
from typing import Final

LONGEST_SLEEP_S: Final = 30.0  # longer waits are due dates in our tables, which survive a restart


class SystemClock:
    """Implements `reclaim.ports.system.Clock` on the machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await _sleep(seconds)


class SteppingClock:
    """Implements `reclaim.ports.system.Clock` for the rehearsal: calendar time stands still until it is moved.

    Args:
        start: Aware; kept in UTC.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _utc(start)

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await _sleep(seconds)  # back-off and Retry-After are real waits, whatever the calendar says

    def move_to(self, moment: datetime) -> None:
        """Step forward.

        Raises:
            ValueError: `moment` is naive or lies in the past.
        """
        moment = _utc(moment)
        if moment < self._now:
            message = f"the clock shows {self._now.isoformat()} and never goes back to {moment.isoformat()}"
            raise ValueError(message)
        self._now = moment


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "an instant needs a time zone"
        raise ValueError(message)
    return moment.astimezone(UTC)


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(min(seconds, LONGEST_SLEEP_S))
