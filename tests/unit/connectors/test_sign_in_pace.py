"""Ten requests for sign-in activity in a minute, counted from their answers."""

import asyncio
from datetime import timedelta

from reclaim.connectors.graph.sign_in_pace import SignInPace


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += min(seconds, 30.0)


def pace(time: Time, per_minute: int = 10) -> SignInPace:
    return SignInPace(per_minute, monotonic=lambda: time.now, sleep=time.sleep)


async def test_the_first_request_does_not_wait_and_the_next_waits_from_its_answer_on() -> None:
    time = Time()
    turns = pace(time)

    async with turns.turn():
        time.now += 4.0  # the answer took so long
    assert time.waits == []
    async with turns.turn():
        pass
    assert time.waits == [6.0]


async def test_no_minute_holds_more_than_its_share() -> None:
    time = Time()
    turns = pace(time)
    answered = []

    for _ in range(50):
        async with turns.turn():
            time.now += 0.5
        answered.append(time.now)

    for start in answered:
        assert sum(start <= at < start + 60 for at in answered) <= 10


async def test_those_who_come_meanwhile_wait_in_order() -> None:
    time = Time()
    turns = pace(time)
    order = []

    async def one(number: int) -> None:
        async with turns.turn():
            order.append(number)

    await asyncio.gather(*(one(number) for number in range(5)))

    assert order == [0, 1, 2, 3, 4]
    assert sum(time.waits) == 24.0


async def test_a_failed_request_counts_too() -> None:
    time = Time()
    turns = pace(time)
    try:
        async with turns.turn():
            raise OSError
    except OSError:
        pass

    async with turns.turn():
        pass

    assert time.waits == [6.0]


def test_the_time_left_is_told_in_requests() -> None:
    turns = pace(Time())

    assert turns.time_for(100_000, rows_a_request=500) == timedelta(minutes=20)
    assert turns.time_for(501, rows_a_request=500) == timedelta(seconds=12)
    assert turns.time_for(-3, rows_a_request=500) == timedelta(0)
