"""`/reclaim status`: where the running campaigns stand."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.campaign import campaigns_card, none_open_card, reviewers_card, status_card
from reclaim.domain.campaign import RUNNING
from reclaim.domain.roles import LOOK, RUN


async def show(call: Call) -> Reply:
    """Show the campaign named; without a name the one that runs, one row each if several do, or that none does."""
    status = call.services.read_status
    if "by-reviewer" in call.arguments.flags:
        found = await status.find(call.arguments.text)
        return Reply(cards=(reviewers_card(await status.reviewers(found.id), call.zone),))
    if call.arguments.text is not None:
        campaign = await status.find(call.arguments.text)
        card = status_card(await status.status(campaign.id), call.zone, may_run=call.actor.may(RUN))
        return Reply(cards=(card,))
    campaigns = await status.campaigns()
    running = [one for one in campaigns.rows if one.state in RUNNING]
    if len(running) == 1:
        return Reply(cards=(status_card(running[0], call.zone, may_run=call.actor.may(RUN)),))
    if not campaigns.rows:
        return Reply(cards=(none_open_card(campaigns),))
    if not running:
        return Reply(cards=(status_card(campaigns.rows[0], call.zone, may_run=call.actor.may(RUN)),))
    return Reply(cards=(campaigns_card(campaigns, call.zone),))


STATUS = Verb(
    name="status",
    summary="Where the campaign stands.",
    usage="status [CAMPAIGN] [--by-reviewer]",
    example="status",
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
    flags=frozenset({"by-reviewer"}),
)
