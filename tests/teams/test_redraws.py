"""What a message shows in the end is what the last click led to."""

import asyncio

import pytest

from bot.teams.redraws import Redraws
from cards.view import CardView, Headline
from reclaim.errors import DeliveryError

PLACE = ("a:1", "m1")


def card(title: str) -> CardView:
    return CardView(kind="t", headline=Headline(title=title), body=(), fallback=title)


class Slow:
    """Draws when let go; fails for titles in `broken`."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.broken: set[str] = set()
        self.go = asyncio.Event()

    async def __call__(self, shown: CardView) -> None:
        self.drawn.append(shown.headline.title)
        await self.go.wait()
        if shown.headline.title in self.broken:
            raise DeliveryError("no")


async def begun(redraws: Redraws, draw: Slow, *titles: str) -> list[asyncio.Task[None]]:
    tasks = []
    for title in titles:
        tasks.append(asyncio.create_task(redraws.put(PLACE, card(title), draw)))
        await asyncio.sleep(0)
    return tasks


async def test_the_newest_card_is_drawn_last_and_those_between_are_not_sent() -> None:
    redraws, draw = Redraws(), Slow()
    tasks = await begun(redraws, draw, "1", "2", "3", "4")
    assert draw.drawn == ["1"]
    draw.go.set()
    await asyncio.gather(*tasks)
    assert draw.drawn == ["1", "4"]


async def test_messages_do_not_wait_for_each_other() -> None:
    redraws, draw = Redraws(), Slow()
    tasks = await begun(redraws, draw, "1")
    tasks.append(asyncio.create_task(redraws.put(("a:1", "m2"), card("other"), draw)))
    await asyncio.sleep(0)
    assert draw.drawn == ["1", "other"]
    draw.go.set()
    await asyncio.gather(*tasks)


async def test_a_card_that_waits_is_drawn_although_the_one_before_failed() -> None:
    redraws, draw = Redraws(), Slow()
    draw.broken.add("1")
    tasks = await begun(redraws, draw, "1", "2")
    draw.go.set()
    await asyncio.gather(*tasks)
    assert draw.drawn == ["1", "2"]


async def test_a_failure_of_the_last_is_told_and_the_message_can_be_drawn_again() -> None:
    redraws, draw = Redraws(), Slow()
    draw.broken.add("1")
    draw.go.set()
    with pytest.raises(DeliveryError):
        await redraws.put(PLACE, card("1"), draw)
    await redraws.put(PLACE, card("2"), draw)
    assert draw.drawn == ["1", "2"]
