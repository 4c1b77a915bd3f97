"""One reading for what several ask at the same time: a read costs its statements, hardly its rows.

What is asked while a reading runs is read by the next one. There is no timer and so no added wait: a lone question is read
at once. What several want stored goes the same way, in one transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

MOST: Final = 64  # questions in one reading: the first need not wait for hundreds
MOST_WRITES: Final = 32  # in one transaction, which others wait for

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """Collects questions, in one event loop.

    Args:
        read: Answers distinct questions. An error as an answer is raised where that question was asked; an error that it
            raises itself concerns all of them.
        most: Questions in one reading.
    """

    def __init__(
        self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value | Exception]]], *, most: int = MOST
    ) -> None:
        self._read = read
        self._most = most
        self._asked: list[tuple[Key, asyncio.Future[Value]]] = []
        self._waiting: Sequence[tuple[Key, asyncio.Future[Value]]] = ()  # for the reading that runs
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Value:
        """Return the answer of a reading that began after this was asked."""
        found: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._asked.append((key, found))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all(), name="reading together")
        try:
            return await found
        except asyncio.CancelledError:
            await self._end_if_nobody_waits(self._reading)
            raise

    async def _end_if_nobody_waits(self, reading: asyncio.Task[None]) -> None:
        """Let no reading, nor what it stores, outlive all who asked for it."""
        if reading.done() or any(not future.done() for _, future in (*self._waiting, *self._asked)):
            return
        reading.cancel()
        await asyncio.wait([reading])

    async def _read_all(self) -> None:
        while self._asked:
            self._waiting, self._asked = self._asked[: self._most], self._asked[self._most :]
            waiting = self._waiting
            try:
                answers: Mapping[Key, Value | Exception] = await self._read(
                    list(dict.fromkeys(key for key, _ in waiting))
                )
            except Exception as error:  # noqa: BLE001 - raised where the callers wait; the next reading must still run
                answers = dict.fromkeys((key for key, _ in waiting), error)
            except BaseException as error:  # noqa: BLE001 - the process ends: whoever waits ends with it, and not never
                for _, future in (*waiting, *self._asked):
                    if not future.done():
                        future.set_exception(error)
                self._asked = []
                return
            for key, future in waiting:
                if not future.done():  # its caller may have been cancelled
                    _tell(future, answers[key])


def _tell(future: asyncio.Future[Value], answer: Value | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
