"""The live stream: what arrives, for whom, and that nothing is lost or said twice when it breaks."""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.web import stream
from tests.web.conftest import Window
from tests.web.fakes import MEGAN, World
from tests.web.sample_cards import item, wave

Line = dict[str, Any]


class Listener:
    """Reads lines of one stream."""

    def __init__(self, lines: AsyncIterator[Line]) -> None:
        self._lines = lines

    async def until(self, wanted: Callable[[Line], bool]) -> list[Line]:
        """Return all lines up to the first that is wanted."""
        seen: list[Line] = []
        async with asyncio.timeout(10):
            async for line in self._lines:
                seen.append(line)
                if wanted(line):
                    return seen
        raise AssertionError(f"the stream ended after {seen}")


async def lines_of(content: AsyncIterable[bytes]) -> AsyncIterator[Line]:
    async for raw in content:
        yield json.loads(raw)


@asynccontextmanager
async def listening(window: Window, after: int = 0, calls: int = 99) -> AsyncIterator[Listener]:
    response = await window.get(f"/rehearsal/events?after={after}&calls={calls}")
    assert (response.status, response.content_type) == (200, "application/x-ndjson")
    try:
        yield Listener(lines_of(response.content))
    finally:
        response.close()


def of_type(*types: str) -> Callable[[Line], bool]:
    return lambda line: line["type"] in types


async def test_a_card_arrives_while_the_page_listens(world: World, megan: Window) -> None:
    async with listening(megan) as listener:
        await listener.until(of_type("clock"))
        sent = await world.transport.send(MEGAN, wave())

        seen = await listener.until(of_type("message"))

    assert seen[-1]["message"]["id"] == sent.external_id
    assert seen[-1]["message"]["fallback"].startswith("Q4 seat clean-up: 9 seats")


async def test_a_redrawn_card_arrives_as_an_update(world: World, megan: Window) -> None:
    sent = await world.transport.send(MEGAN, wave())
    async with listening(megan) as listener:
        await listener.until(of_type("message"))
        await world.transport.update(MEGAN, sent.external_id, item())

        seen = await listener.until(of_type("updated", "message"))

    assert (seen[-1]["type"], seen[-1]["message"]["kind"]) == ("updated", "review.item")


async def test_a_broken_stream_resumes_after_what_the_page_has(world: World, megan: Window) -> None:
    await world.transport.send(MEGAN, wave())
    async with listening(megan) as listener:
        [*_, first] = await listener.until(of_type("message"))
    world.conversations.tell("1 day later: nothing was due.")
    second = await world.transport.send(MEGAN, item())

    async with listening(megan, after=first["seq"]) as listener:
        seen = await listener.until(of_type("clock"))

    numbered = [line for line in seen if "seq" in line]
    assert [line["type"] for line in numbered] == ["told", "message"]
    assert numbered[1]["message"]["id"] == second.external_id


async def test_a_card_new_and_redrawn_during_the_break_arrives_once(world: World, megan: Window) -> None:
    sent = await world.transport.send(MEGAN, wave())
    await world.transport.update(MEGAN, sent.external_id, item())

    async with listening(megan) as listener:
        seen = await listener.until(of_type("clock"))

    assert [line["type"] for line in seen if "seq" in line] == ["message"]


async def test_cards_of_others_show_as_unread_counts_only(world: World, allan: Window) -> None:
    async with listening(allan) as listener:
        await listener.until(of_type("clock"))
        await world.transport.send(MEGAN, wave())

        seen = await listener.until(of_type("unread"))

    assert [line["type"] for line in seen] == ["tenant", "unread"]
    assert {person["id"]: person["unread"] for person in seen[-1]["personas"]}["megan"] == 1


async def test_what_the_stream_shows_counts_as_read(world: World, megan: Window, allan: Window) -> None:
    async with listening(megan) as listener:
        await listener.until(of_type("clock"))
        await world.transport.send(MEGAN, wave())
        await listener.until(of_type("message"))

    people = (await allan.json("/rehearsal/personas"))["personas"]
    assert [person["unread"] for person in people if person["id"] == "megan"] == [0]


async def test_the_clock_and_what_it_brought_reach_every_window(allan: Window, megan: Window) -> None:
    async with listening(megan) as listener:
        await listener.until(of_type("clock"))
        await allan.post("/rehearsal/clock", {"advance": "day"})

        seen = await listener.until(of_type("clock"))

    assert [line["text"] for line in seen if line["type"] == "told"] == ["1 day later: nothing was due."]
    assert seen[-1]["now"] == "2026-11-24T09:00:00+00:00"


async def test_calls_to_the_tenant_follow_the_last_one_seen(allan: Window) -> None:
    async with listening(allan, calls=4) as listener:
        [*_, line] = await listener.until(of_type("calls"))

    assert [call["seq"] for call in line["calls"]] == [5, 6]


async def test_a_silent_stream_pings(allan: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LOOK_S", 0.01)
    monkeypatch.setattr(stream, "PING_S", 0.02)

    async with listening(allan) as listener:
        [*_, line] = await listener.until(of_type("ping"))

    assert line == {"type": "ping"}


async def test_a_stream_ends_when_the_server_goes_down(world: World, allan: Window) -> None:
    response = await allan.get("/rehearsal/events")

    world.conversations.close()

    async with asyncio.timeout(10):
        await response.read()
    response.close()
