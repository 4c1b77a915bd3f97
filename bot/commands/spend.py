"""`/reclaim spend`: what idle seats cost, by SKU; of one SKU, what became of every seat."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.population import population_card
from cards.spend import spend_card
from reclaim.domain.roles import LOOK, RUN, RUN_AS_A_PERSON


async def show(call: Call) -> Reply:
    """Show recoverable spend, or count every seat of one SKU."""
    text, days = call.arguments.text, call.arguments.number("days")
    if text is not None:
        product = await call.services.read_seats.product(text)
        found = await call.services.read_spend.population(product, days)
        return Reply(cards=(population_card(found, call.zone),))
    report = await call.services.read_spend.report(days)
    card = spend_card(report, call.zone, may_start=call.actor.may(RUN_AS_A_PERSON), may_sync=call.actor.may(RUN))
    return Reply(cards=(card,))


SPEND = Verb(
    name="spend",
    summary="What idle seats cost, by SKU.",
    usage="spend [SKU] [--days DAYS]",
    example="spend --days 90",
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
    options=frozenset({"days"}),
    public=True,
)
