"""The page over the fakes, to look at it: `python -m tests.web.demo 8088 [first|open]`, then open /?token=…"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta

from aiohttp import web

from bot.inbound import Action, Command, Reply
from bot.web.watch import CampaignNumbers, GraphCall
from reclaim.domain.ids import PersonId
from tests.web import sample_cards
from tests.web.fakes import ALLAN, LEE, MEGAN, FakeDispatch, World

OPEN = CampaignNumbers(
    name="Q4 seat clean-up", revoke=41, keep=9, not_sure=2, open=34, state="52 of 86 answered", phase="open"
)


class DemoDispatch(FakeDispatch):
    """Starts the campaign for real, as far as this world goes: reviewers get cards, answers move the panel."""

    world: World

    async def command(self, command: Command) -> Reply:
        campaign = self.world.watch.campaign
        if command.text == "close" and campaign is not None:
            self.world.watch.campaign = replace(campaign, phase="closed", state="closed")
            self.world.watch.recoverable = "$1,934"
            return Reply(cards=(sample_cards.status(),))
        if command.text == "sync":
            return Reply(toast="The tenant is read again.")
        return await super().command(command)

    async def action(self, action: Action) -> Reply:
        campaign = self.world.watch.campaign
        match action.verb:
            case "campaign.launch":
                for person in (MEGAN, PersonId("p-ben"), PersonId("p-debra"), LEE):
                    await self.world.transport.send(person, sample_cards.wave())
                self.world.watch.campaign = OPEN
                self.world.watch.log.append(GraphCall(seq=7, method="GET", path="/groups/41c0…/members", status=200))
                return Reply(replace=sample_cards.status())
            case "wave.delegate.submit":
                return Reply(replace=sample_cards.wave(decided=True), toast=f"Passed on to {action.inputs['who']}.")
            case "wave.revoke" if campaign is not None:
                self.world.watch.campaign = replace(
                    campaign, revoke=campaign.revoke + 7, open=campaign.open - 7, state="59 of 86 answered"
                )
        return await super().action(action)


async def serve(port: int, scene: str) -> None:
    dispatch = DemoDispatch()
    world = dispatch.world = World(port, dispatch)
    world.clock.told = ("7 reminders sent.",)
    await world.transport.send(ALLAN, sample_cards.hero())
    if scene == "open":
        world.clock.at += timedelta(hours=5, minutes=5)
        chat = await world.conversations.reach(ALLAN)
        assert chat is not None
        await world.chat.command(chat, "status", "demo")
        await dispatch.action(Action(person_id=ALLAN, channel="web", verb="campaign.launch", ref="c1", key="demo"))
    runner = web.AppRunner(world.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "first"))
