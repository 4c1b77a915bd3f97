"""`/reclaim retry`: try failed removals again."""

from bot.campaign_steps import retry
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from reclaim.domain.roles import RUN


async def show(call: Call) -> Reply:
    """Try again what failed in a campaign, by default the newest."""
    campaign = await call.services.read_status.find(call.arguments.text)
    return Reply(cards=(await retry(call, campaign.id),))


RETRY = Verb(
    name="retry",
    summary="Try failed removals again.",
    usage="retry [CAMPAIGN]",
    example="retry",
    group=Group.ASK,
    roles=RUN,
    handler=show,
)
