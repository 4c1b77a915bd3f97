"""`/reclaim cancel`: end a campaign before it closes. Nothing is removed."""

from bot.campaign_steps import cancel, cancelling
from bot.handling import CONSOLE, Call, Group, Verb
from bot.inbound import Reply
from reclaim.domain.roles import RUN


async def show(call: Call) -> Reply:
    """Ask first; at the command line, where there are no buttons, and with --yes it is done at once."""
    campaign = await call.services.read_status.find(call.arguments.text)
    reason = call.arguments.options.get("reason")
    if call.actor.channel == CONSOLE or "yes" in call.arguments.flags:
        return Reply(cards=(await cancel(call, campaign.id, reason),))
    return Reply(cards=(await cancelling(call, campaign.id, reason),))


CANCEL = Verb(
    name="cancel",
    summary="End a campaign before it closes. Nothing is removed.",
    usage="cancel [CAMPAIGN] [--reason TEXT] [--yes]",
    example='cancel "Q4 seat clean-up" --reason "the wrong list"',
    group=Group.STOP,
    roles=RUN,
    handler=show,
    options=frozenset({"reason"}),
    flags=frozenset({"yes"}),
)
