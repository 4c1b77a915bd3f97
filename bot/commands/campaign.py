"""`/reclaim campaigns` and `/reclaim campaign`: all of them, and one."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.campaign import campaigns_card, status_card
from reclaim.domain.roles import LOOK, RUN


async def show_all(call: Call) -> Reply:
    """List every campaign, newest first."""
    return Reply(cards=(campaigns_card(await call.services.read_status.campaigns(), call.zone),))


async def show_one(call: Call) -> Reply:
    """Show one campaign, by default the newest."""
    campaign = await call.services.read_status.find(call.arguments.text)
    status = await call.services.read_status.status(campaign.id)
    return Reply(cards=(status_card(status, call.zone, may_run=call.actor.may(RUN)),))


CAMPAIGNS = Verb(
    name="campaigns",
    summary="All campaigns, newest first.",
    usage="campaigns",
    example="campaigns",
    group=Group.LOOK,
    roles=LOOK,
    handler=show_all,
)

CAMPAIGN = Verb(
    name="campaign",
    summary="One campaign, by name or id.",
    usage="campaign [CAMPAIGN]",
    example='campaign "Q4 seat clean-up"',
    group=Group.LOOK,
    roles=LOOK,
    handler=show_one,
)
