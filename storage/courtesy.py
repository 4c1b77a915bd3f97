"""Long work gives way to answers: one event loop and one processor serve both.

`storage.turns` orders who writes next. This is about the steps in between: a campaign that opens computes most of the time,
and each of a click's dozen reads would wait for a step of it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final

# For so long one step of long work waits while somebody is answered: it goes on even if answers never cease. With 0.05 s,
# clicks that came faster than they could be answered took twice as long.
AT_MOST_S: Final = 0.25

_answering: ContextVar[bool] = ContextVar("answering", default=False)


def is_answer() -> bool:
    """Whether this task works for somebody who waits."""
    return _answering.get()


class Courtesy:
    """Counts who waits for an answer, in one event loop."""

    def __init__(self) -> None:
        self._waiting = 0
        self._nobody = asyncio.Event()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Say, for the block and the tasks that it starts, that somebody waits."""
        token = _answering.set(True)
        self._waiting += 1
        self._nobody.clear()
        try:
            yield
        finally:
            _answering.reset(token)
            self._waiting -= 1
            if not self._waiting:
                self._nobody.set()

    async def give_way(self) -> None:
        """Return once nobody waits, or after a moment; who works for an answer never waits here."""
        if not self._waiting or is_answer():
            await asyncio.sleep(0)  # whoever is about to ask gets the loop
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(AT_MOST_S):
                await self._nobody.wait()
