"""`/reclaim history`: the newest attested events."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.trail import history_card
from reclaim.domain.roles import LOOK


async def show(call: Call) -> Reply:
    """Show the newest events of one campaign, or of all."""
    given = call.arguments
    campaign = await call.services.read_status.find(given.text) if given.text is not None else None
    limit = given.number("limit")
    reading = call.services.read_history
    history = await reading.history(campaign.id if campaign else None, 20 if limit is None else limit)
    return Reply(cards=(history_card(history, call.zone),))


HISTORY = Verb(
    name="history",
    summary="What happened, newest first.",
    usage="history [CAMPAIGN] [--limit LINES]",
    example="history --limit 50",
    group=Group.PROVE,
    roles=LOOK,
    handler=show,
    options=frozenset({"limit"}),
)
