"""The write budget, on a clock that stands until somebody sleeps."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.connectors.graph.budget import WINDOW_S, WriteBudget, percentage_of
from reclaim.errors import WriteBackError


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def calendar(self) -> datetime:
        return datetime(2026, 11, 23, 9, 0, tzinfo=UTC) + timedelta(seconds=self.now)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def budget(writes: int, time: Time) -> WriteBudget:
    return WriteBudget(writes, now=time.calendar, monotonic=time.monotonic, sleep=time.sleep)


async def made(of: WriteBudget, time: Time, number: int, *, clicked: bool = False) -> list[float]:
    """Make so many writes as fast as they are let through, and return when each was."""
    times = []
    for _ in range(number):
        await of.turn(clicked=clicked)
        times.append(time.now)
    return times


@given(st.integers(50, 2_000), st.lists(st.booleans(), min_size=1, max_size=40), st.floats(0, 20))
async def test_no_window_holds_more_than_the_budget(writes: int, clicks: list[bool], pause: float) -> None:
    time = Time()
    paced = budget(writes, time)
    times: list[float] = []
    while len(times) < 2 * writes:
        for clicked in clicks:
            await paced.turn(clicked=clicked)
            times.append(time.now)
        if len(times) % 7 == 0:
            time.now += pause

    for last in range(writes, len(times)):
        assert times[last] - times[last - writes] > WINDOW_S - 1e-6


async def test_a_long_run_uses_at_least_95_percent_of_the_budget() -> None:
    time = Time()

    times = await made(budget(1500, time), time, 4500)

    assert len(times) / times[-1] >= 0.95 * 1500 / WINDOW_S


async def test_a_click_goes_at_once_while_a_campaign_waits() -> None:
    time = Time()
    paced = budget(1500, time)
    await made(paced, time, 300)  # the campaign has used what there was

    before = time.now
    await paced.turn(clicked=True)
    clicked = time.now - before
    await paced.turn(clicked=False)

    assert clicked == 0.0
    assert time.now - before > 0.1  # the campaign pays for it


async def test_who_asked_first_writes_first() -> None:
    time = Time()
    order: list[int] = []

    async def sleep(seconds: float) -> None:
        await time.sleep(seconds)
        await asyncio.sleep(0)  # all others come before whoever slept

    paced = WriteBudget(1500, now=time.calendar, monotonic=time.monotonic, sleep=sleep)

    async def write(number: int) -> None:
        await paced.turn(clicked=False)
        order.append(number)

    await asyncio.gather(*(write(number) for number in range(100)))

    assert order == list(range(100))


async def test_whoever_stood_in_the_line_for_too_long_leaves_it_with_the_first() -> None:
    time = Time()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)  # all others stand in the line by then
        await time.sleep(seconds)
        paced.heard(percentage=None, refused_for=timedelta(seconds=10))

    paced = WriteBudget(1500, now=time.calendar, monotonic=time.monotonic, sleep=sleep)
    paced.heard(percentage=None, refused_for=timedelta(seconds=25))

    ended = await asyncio.gather(*(paced.turn(clicked=False) for _ in range(3)), return_exceptions=True)

    assert [type(one) for one in ended] == [WriteBackError] * 3
    assert time.now == pytest.approx(25)


async def test_clicks_may_not_overdraw_for_ever() -> None:
    time = Time()
    paced = budget(1500, time)

    times = await made(paced, time, 600, clicked=True)

    assert times[-1] > 50


async def test_error_429_stops_every_write_for_as_long_as_microsoft_asks() -> None:
    time = Time()
    paced = budget(1500, time)
    paced.heard(percentage=None, refused_for=timedelta(seconds=12))

    await paced.turn(clicked=True)

    assert time.now == pytest.approx(12)


async def test_a_wait_of_more_than_30_seconds_is_told_and_not_slept() -> None:
    time = Time()
    paced = budget(1500, time)
    paced.heard(percentage=None, refused_for=timedelta(seconds=90))

    with pytest.raises(WriteBackError) as raised:
        await paced.turn(clicked=False)

    assert (time.now, raised.value.retry_after, raised.value.maybe_applied) == (0.0, timedelta(seconds=90), False)


@pytest.mark.parametrize(("percentage", "share"), [(0.79, 1.0), (0.8, 1.0), (0.9, 0.75), (1.0, 0.5), (1.8, 0.1)])
async def test_above_80_percent_of_a_limit_writes_slow_down_and_go_on_fast_afterwards(
    percentage: float, share: float
) -> None:
    time = Time()
    paced = budget(1500, time)
    await made(paced, time, 300)
    full = (1500 - 2 * 30) / WINDOW_S  # the budget less twice the burst

    paced.heard(percentage=percentage, refused_for=None)
    began = time.now
    warned = await made(paced, time, 5)
    time.now += 60
    await made(paced, time, 100)
    after = await made(paced, time, 20)

    assert 5 / (warned[-1] - began) == pytest.approx(full * share, rel=0.05)
    assert 19 / (after[-1] - after[0]) == pytest.approx(full, rel=0.05)


@pytest.mark.parametrize(("text", "number"), [("0.85", 0.85), ("1.8", 1.8), (None, None), ("", None), ("high", None)])
def test_a_header_is_a_number_or_nothing(text: str | None, number: float | None) -> None:
    assert percentage_of(text) == number
