import asyncio

import pytest

from reclaim.errors import PortError
from storage.turns import WriteTurns


class Line:
    """Writers that note their turn and keep it until they are told to end."""

    def __init__(self, timeout_s: float = 60) -> None:
        self.turns = WriteTurns(timeout_s)
        self.came: list[str] = []
        self.end = asyncio.Semaphore(0)

    async def write(self, name: str, *, answer: bool = False) -> None:
        async with self.turns.take(answer=answer):
            self.came.append(name)
            await self.end.acquire()

    async def queue(self, *writers: str) -> list[asyncio.Task[None]]:
        """Let these come in this order; a name with “answer” is one."""
        tasks = [asyncio.create_task(self.write(name, answer="answer" in name)) for name in writers]
        await asyncio.sleep(0)
        return tasks

    async def finish(self, tasks: list[asyncio.Task[None]]) -> None:
        for _ in tasks:
            self.end.release()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_answers_come_before_long_work_and_else_who_came_first() -> None:
    line = Line()

    await line.finish(await line.queue("opening", "sync", "answer 1", "close", "answer 2"))

    assert line.came == ["opening", "answer 1", "answer 2", "sync", "close"]


async def test_only_one_writes_at_a_time() -> None:
    line = Line()

    tasks = await line.queue("opening", "sync", "answer")

    assert line.came == ["opening"]
    await line.finish(tasks)


async def test_a_turn_is_free_again_after_its_last_writer() -> None:
    line = Line()
    await line.finish(await line.queue("one"))

    await line.finish(await line.queue("two"))

    assert line.came == ["one", "two"]


async def test_who_is_cancelled_while_waiting_or_writing_takes_no_turn_from_others() -> None:
    line = Line()
    tasks = await line.queue("one", "two", "three", "four")

    tasks[1].cancel()
    tasks[0].cancel()
    await asyncio.wait(tasks[:2])
    await line.finish(tasks[2:])

    assert line.came == ["one", "three", "four"]


async def test_who_is_cancelled_in_the_moment_of_their_turn_passes_it_on() -> None:
    line = Line()
    tasks = await line.queue("one", "two", "three")

    line.end.release()
    await asyncio.wait([tasks[0]])  # the turn is given to the second, which has not run yet
    tasks[1].cancel()
    await line.finish(tasks[1:])

    assert line.came[-1] == "three"


async def test_a_turn_that_does_not_come_in_time_is_an_error_that_may_pass() -> None:
    line = Line(timeout_s=0)
    tasks = await line.queue("one")

    with pytest.raises(PortError, match="busy"):
        await line.write("two")
    await line.finish(tasks)
    await line.finish(await line.queue("three"))

    assert line.came == ["one", "three"]
