"""`/reclaim close`: close a campaign early, or abandon one that was stopped."""

from bot.campaign_steps import abandon, abandoning, close_early, closing
from bot.handling import CONSOLE, Call, Group, Verb
from bot.inbound import Reply
from reclaim.domain.roles import RUN


async def show(call: Call) -> Reply:
    """Ask first; at the command line, where there are no buttons, and with --yes it is done at once."""
    campaign = await call.services.read_status.find(call.arguments.text)
    at_once = call.actor.channel == CONSOLE or "yes" in call.arguments.flags
    if "abandon" in call.arguments.flags:
        card = await (abandon(call, campaign.id) if at_once else abandoning(call, campaign.id))
    else:
        card = await (close_early(call, campaign.id) if at_once else closing(call, campaign.id))
    return Reply(cards=(card,))


CLOSE = Verb(
    name="close",
    summary="Close a campaign early. Every open card is told first.",
    usage="close [CAMPAIGN] [--abandon] [--yes]",
    example='close "Q4 seat clean-up"',
    group=Group.ASK,
    roles=RUN,
    handler=show,
    flags=frozenset({"abandon", "yes"}),
)
