"""The clock that asks what is due. No rule, no SQL, no HTTP: services answer, and enqueue what has to be done.

Nothing is kept between ticks: due dates lie in our tables, so a tick that did not happen is made up for by the next.
Every replica may tick, because a job's key makes it one job.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

INTERVAL = timedelta(seconds=15)

log = structlog.stdlib.get_logger()


class Scheduler:
    """Calls `tick` at a fixed interval of real time, one call at a time.

    Args:
        tick: Looks for due work and enqueues it; idempotent.
        interval: From the start of one tick to the start of the next.
    """

    def __init__(self, tick: Callable[[], Awaitable[object]], interval: timedelta = INTERVAL) -> None:
        self._tick = tick
        # UTC: interval ticks need no local time, and to find the machine's zone fails on some of them.
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            # A late tick is as good as one in time; two late ones are one.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_job(self._guarded, "interval", seconds=interval.total_seconds())

    def start(self) -> None:
        """Begin to tick, in the running loop; the first tick comes after one interval."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more. A tick that runs now goes on to its end."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def tick(self) -> object:
        """Tick now, by hand, and return what the tick returned; its error is the caller's."""
        return await self._tick()

    async def _guarded(self) -> None:
        """Tick on time; one of the three places where every error is caught: the next tick must come."""
        with structlog.contextvars.bound_contextvars(correlation_id=f"tick:{uuid.uuid4().hex}"):
            try:
                await self._tick()
            except Exception:
                log.exception("tick failed")
