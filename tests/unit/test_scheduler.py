import asyncio
from datetime import timedelta

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from scheduler import Scheduler

OFTEN = timedelta(milliseconds=10)
NEVER = timedelta(days=365)


async def test_a_tick_by_hand_returns_what_was_told() -> None:
    async def tick() -> tuple[str, ...]:
        return ("7 reminders sent.",)

    assert await Scheduler(tick, NEVER).tick() == ("7 reminders sent.",)


async def test_a_tick_by_hand_raises_the_error_to_whoever_asked() -> None:
    async def tick() -> None:
        raise LookupError("no such table")

    with pytest.raises(LookupError):
        await Scheduler(tick, NEVER).tick()


async def test_it_ticks_again_and_again_once_started() -> None:
    third = asyncio.Event()
    count = 0

    async def tick() -> None:
        nonlocal count
        count += 1
        if count == 3:
            third.set()

    scheduler = Scheduler(tick, OFTEN)
    scheduler.start()
    await asyncio.wait_for(third.wait(), timeout=10)
    scheduler.stop()


async def test_a_tick_that_fails_is_logged_under_an_id_and_the_next_one_comes() -> None:
    second = asyncio.Event()
    count = 0

    async def tick() -> None:
        nonlocal count
        count += 1
        if count == 1:
            raise LookupError("Ada Lovelace")
        second.set()

    scheduler = Scheduler(tick, OFTEN)
    with capture_logs(processors=[merge_contextvars]) as logs:
        scheduler.start()
        await asyncio.wait_for(second.wait(), timeout=10)
        scheduler.stop()

    assert [entry["event"] for entry in logs] == ["tick failed"]
    assert logs[0]["correlation_id"].startswith("tick:")


async def test_a_tick_never_overlaps_the_one_before() -> None:
    running, most, ticks = 0, 0, 0
    enough = asyncio.Event()

    async def tick() -> None:
        nonlocal running, most, ticks
        running += 1
        most = max(most, running)
        await asyncio.sleep(5 * OFTEN.total_seconds())
        running -= 1
        ticks += 1
        if ticks == 2:
            enough.set()

    scheduler = Scheduler(tick, OFTEN)
    scheduler.start()
    await asyncio.wait_for(enough.wait(), timeout=10)
    scheduler.stop()

    assert most == 1


async def test_stop_before_start_is_harmless() -> None:
    async def tick() -> None: ...

    Scheduler(tick, NEVER).stop()
