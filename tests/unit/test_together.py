"""One reading for what several ask at the same time."""

import asyncio
from collections.abc import Sequence

import pytest

from reclaim.errors import NotFound, PortError
from reclaim.together import MOST, Together
from tests.fakes import Killed


class Reader:
    """Doubles numbers; answers as told, once it may."""

    def __init__(self) -> None:
        self.readings: list[list[int]] = []
        self.go = asyncio.Event()
        self.fails = False
        self.dies = False

    async def read(self, asked: Sequence[int]) -> dict[int, int | Exception]:
        self.readings.append(list(asked))
        await self.go.wait()
        if self.dies:
            raise Killed
        if self.fails:
            raise PortError("The database is busy.")
        return {one: NotFound(f"There is no {one}.") if one < 0 else 2 * one for one in asked}


async def test_a_lone_question_is_read_at_once_and_what_comes_meanwhile_is_read_together() -> None:
    reader = Reader()
    together = Together(reader.read)
    asked = [asyncio.create_task(together.ask(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked += [asyncio.create_task(together.ask(one)) for one in (2, 3, 2)]
    await asyncio.sleep(0)
    reader.go.set()

    assert await asyncio.gather(*asked) == [2, 4, 6, 4]
    assert reader.readings == [[1], [2, 3]]


async def test_an_error_is_raised_where_it_was_asked_for() -> None:
    reader = Reader()
    reader.go.set()
    together = Together(reader.read)

    good, bad = await asyncio.gather(together.ask(1), together.ask(-1), return_exceptions=True)

    assert good == 2
    assert isinstance(bad, NotFound)


async def test_a_reading_that_fails_fails_for_all_of_it_and_not_for_the_next() -> None:
    reader = Reader()
    reader.fails = True
    reader.go.set()
    together = Together(reader.read)
    failed = await asyncio.gather(together.ask(1), together.ask(2), return_exceptions=True)
    reader.fails = False

    assert [type(one) for one in failed] == [PortError, PortError]
    assert await together.ask(3) == 6


async def test_who_gives_up_does_not_take_the_others_along() -> None:
    reader = Reader()
    together = Together(reader.read)
    impatient, patient = (asyncio.create_task(together.ask(one)) for one in (1, 2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    reader.go.set()

    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_one_reading_takes_so_many_and_leaves_the_rest_to_the_next() -> None:
    reader = Reader()
    reader.go.set()
    together = Together(reader.read)

    await asyncio.gather(*(together.ask(one) for one in range(MOST + 1)))

    assert [len(one) for one in reader.readings] == [MOST, 1]


async def test_where_the_process_ends_nobody_waits_for_ever() -> None:
    reader = Reader()
    reader.dies = True
    together = Together(reader.read, most=1)
    asked = [asyncio.create_task(together.ask(one)) for one in (1, 2)]
    await asyncio.sleep(0)
    reader.go.set()

    ended = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(one) for one in ended] == [Killed, Killed]
    assert reader.readings == [[1]]


async def test_a_reading_ends_with_the_last_who_asked_for_it() -> None:
    reader = Reader()
    together = Together(reader.read)
    asked = [asyncio.create_task(together.ask(one)) for one in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for one in asked:
        one.cancel()

    ended = await asyncio.gather(*asked, return_exceptions=True)
    reader.go.set()

    assert [type(one) for one in ended] == [asyncio.CancelledError, asyncio.CancelledError]
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "reading together"]
    assert await together.ask(3) == 6
