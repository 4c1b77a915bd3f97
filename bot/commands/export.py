"""`/reclaim export`: the evidence of a campaign as files."""

from bot.campaign_steps import export, report
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from reclaim.domain.roles import LOOK


async def show(call: Call) -> Reply:
    """Export a campaign, by default the newest."""
    campaign = await call.services.read_status.find(call.arguments.text)
    if "pseudonymous" in call.arguments.flags:
        return await report(call, campaign.id, pseudonymous=True)
    return await export(call, campaign.id, campaign.name)


EXPORT = Verb(
    name="export",
    summary="A campaign’s evidence: report, CSV and JSON; or the report without names.",
    usage="export [CAMPAIGN] [--pseudonymous]",
    example="export",
    group=Group.PROVE,
    roles=LOOK,
    handler=show,
    flags=frozenset({"pseudonymous"}),
)
