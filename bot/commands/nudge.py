"""`/reclaim nudge`: remind those who have open seats, now."""

from bot.campaign_steps import nudge
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.naming import campaign_and_person
from reclaim.domain.roles import RUN


async def show(call: Call) -> Reply:
    """Remind everybody with open seats, or one person; nobody more than once in 24 hours."""
    campaign, person = await campaign_and_person(call)
    return Reply(cards=(await nudge(call, campaign.id, person),))


NUDGE = Verb(
    name="nudge",
    summary="Remind those who have open seats. Nobody more than once in 24 hours.",
    usage="nudge [CAMPAIGN] [PERSON]",
    example="nudge",
    group=Group.ASK,
    roles=RUN,
    handler=show,
)
