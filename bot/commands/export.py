"""`/reclaim export`: the evidence of a campaign as files."""

from bot.campaign_steps import export
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from reclaim.domain.roles import LOOK


async def show(call: Call) -> Reply:
    """Export a campaign, by default the newest."""
    campaign = await call.services.read_status.find(call.arguments.text)
    return await export(call, campaign.id, campaign.name)


EXPORT = Verb(
    name="export",
    summary="The evidence of a campaign as CSV and JSON.",
    usage="export [CAMPAIGN]",
    example="export",
    group=Group.PROVE,
    roles=LOOK,
    handler=show,
)
