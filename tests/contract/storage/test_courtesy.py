"""Long work gives way to answers, but never for ever."""

import asyncio
import contextvars

import pytest

from storage import courtesy
from storage.courtesy import Courtesy, is_answer


async def test_long_work_waits_until_nobody_waits_for_an_answer() -> None:
    there = Courtesy()
    with there.answering(), there.answering():
        work = asyncio.ensure_future(_work_of_its_own(there))
        await asyncio.sleep(0.01)
        assert not work.done()

    assert await work is False


async def test_who_works_for_an_answer_does_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "AT_MOST_S", 3600)
    there = Courtesy()

    async def part_of_the_answer() -> bool:
        await there.give_way()
        return is_answer()

    with there.answering():
        assert await part_of_the_answer()
        assert await asyncio.create_task(part_of_the_answer())

    assert not is_answer()


async def test_it_goes_on_after_a_moment_even_if_answers_never_cease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "AT_MOST_S", 0.001)
    there = Courtesy()

    started = asyncio.Event()

    async def never_answered() -> None:
        with there.answering():
            started.set()
            await asyncio.Event().wait()

    stuck = asyncio.create_task(never_answered())
    await started.wait()
    await asyncio.wait_for(there.give_way(), timeout=30)
    stuck.cancel()


async def _work_of_its_own(there: Courtesy) -> bool:
    """Give way in a context of its own: a task takes its maker's along, and would count as a part of the answer."""

    async def work() -> bool:
        await there.give_way()
        return is_answer()

    return await contextvars.Context().run(asyncio.get_running_loop().create_task, work())
