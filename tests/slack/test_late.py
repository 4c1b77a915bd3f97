"""What takes longer than Slack waits: it is answered in time all the same, and what comes of it is shown when it is there."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.inbound import Action, Command, Reply, Suggestion
from cards.control import message_card
from cards.review import wave_card
from reclaim.domain.ids import PersonId
from storage.unit_of_work import SqlWork
from tests.fakes import FixedClock
from tests.golden.cards import models
from tests.golden.cards.gallery import CARDS
from tests.slack.conftest import ALLAN, World, serving
from tests.slack.workspace import Message, words

DONE = message_card("x", "It is done.", headline="Done")


class SlowCore:
    """A dispatch that answers when it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.reply = Reply(replace=DONE)
        self.asked: list[Command | Action] = []

    async def command(self, command: Command) -> Reply:
        self.asked.append(command)
        await self.go.wait()
        return self.reply

    async def action(self, action: Action) -> Reply:
        self.asked.append(action)
        await self.go.wait()
        return self.reply

    async def suggestions(self, person: PersonId) -> tuple[Suggestion, ...]:
        return ()

    async def people(self, person: PersonId, text: str) -> tuple[tuple[PersonId, str], ...]:
        return ()


@pytest.fixture
async def slow(slack_work: SqlWork) -> AsyncIterator[tuple[World, SlowCore]]:
    core = SlowCore()
    async with serving(slack_work, core, FixedClock(models.NOW), within_s=0.05) as world:
        yield world, core


async def listed(world: World) -> Message:
    workspace = await world.channel.transport.workspace(world.workspace.team)
    await world.channel.transport.post(workspace, ALLAN, wave_card(models.wave(), models.ZONE))
    return world.workspace.seen_by(ALLAN)[-1]


async def test_a_slow_command_says_that_it_works_and_answers_later(slow: tuple[World, SlowCore]) -> None:
    world, core = slow
    core.reply = Reply(cards=(DONE,))
    said = await world.slack.type(ALLAN, "sync")
    assert said["text"].startswith("Working on it")
    core.go.set()
    await world.settle()
    assert "It is done" in words(world.workspace.seen_by(ALLAN)[-1].blocks)


async def test_a_slow_click_says_that_it_saves_and_redraws_later(slow: tuple[World, SlowCore]) -> None:
    world, core = slow
    message = await listed(world)
    assert await world.slack.press(ALLAN, message, "Revoke ticked") == 200
    assert message.edits == 0
    core.go.set()
    await world.settle()
    assert "It is done" in words(message.blocks)
    [told] = [each for each in world.workspace.messages.values() if each.ephemeral_for == ALLAN]
    assert told.text == "Saving your answer…"


async def test_a_slow_form_says_that_it_saves_and_its_result_goes_to_the_list(slow: tuple[World, SlowCore]) -> None:
    world, core = slow
    core.go.set()
    message = await listed(world)
    core.reply = Reply(replace=CARDS["keep_form"])
    await world.slack.press(ALLAN, message, "Keep ticked…")
    await world.settle()
    core.go.clear()
    core.reply = Reply(replace=DONE)
    view = world.slack.open_view(ALLAN)
    said = await world.slack.submit(ALLAN, view, reason="current_work")
    assert "Saving your answer" in words(said["view"])
    core.go.set()
    await world.settle()
    assert "It is done" in words(message.blocks)
    assert "Saving" not in words(world.workspace.views[view["id"]])


async def test_a_stop_waits_for_what_goes_on_behind_answers(slow: tuple[World, SlowCore]) -> None:
    world, core = slow
    message = await listed(world)
    await world.slack.press(ALLAN, message, "Revoke ticked")
    asyncio.get_running_loop().call_later(0.05, core.go.set)
    await world.app.shutdown()
    assert "It is done" in words(message.blocks)


async def test_a_core_that_fails_is_said_and_answered_in_time(slow: tuple[World, SlowCore]) -> None:
    world, core = slow
    core.go.set()
    core.reply = Reply(toast="That did not work. Nothing was changed. Reference abc.", error=True)
    message = await listed(world)
    assert await world.slack.press(ALLAN, message, "Revoke ticked") == 200
    await world.settle()
    assert message.edits == 0
    assert "Reference abc" in world.workspace.seen_by(ALLAN)[-1].text
