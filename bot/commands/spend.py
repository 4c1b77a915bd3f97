"""`/reclaim spend`: what idle seats cost, by SKU."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.spend import spend_card
from reclaim.domain.roles import LOOK, RUN, RUN_AS_A_PERSON


async def show(call: Call) -> Reply:
    """Show recoverable spend."""
    report = await call.services.read_spend.report(call.arguments.number("days"))
    card = spend_card(report, call.zone, may_start=call.actor.may(RUN_AS_A_PERSON), may_sync=call.actor.may(RUN))
    return Reply(cards=(card,))


SPEND = Verb(
    name="spend",
    summary="What idle seats cost, by SKU.",
    usage="spend [--days DAYS]",
    example="spend --days 90",
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
    options=frozenset({"days"}),
    public=True,
)
