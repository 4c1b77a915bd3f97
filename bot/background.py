"""Work that an answer need not wait for, kept track of so that a stop does not cut it off."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import structlog

from reclaim.errors import ReclaimError

_FINISH_S: Final = 10.0

log = structlog.get_logger(__name__)


class Background:
    """Runs coroutines; errors are logged, since nobody waits for them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin, and return the task."""
        task = asyncio.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def finish(self) -> None:
        """Wait for all of it, at most ten seconds, then cancel the rest."""
        if not self._running:
            return
        _, left = await asyncio.wait(self._running, timeout=_FINISH_S)
        for task in left:
            task.cancel()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ReclaimError as error:
            log.warning("work behind an answer failed", error=error.code)
        except Exception:
            log.exception("work behind an answer failed")
