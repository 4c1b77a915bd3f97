"""`/reclaim seats SKU`: the idle seats of a SKU. `/reclaim seats mine`: what I hold myself."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.seat_list import Place, draw, opened
from cards.spend import nearest_card
from cards.trail import own_seats_card
from reclaim.domain.idle import Rule
from reclaim.domain.ids import ProductId
from reclaim.domain.roles import EVERYONE, LOOK
from reclaim.errors import InvalidRequest


async def show(call: Call) -> Reply:
    """List idle seats; a SKU that does not exist is answered with the nearest ones."""
    given = call.arguments
    product: ProductId | None = None
    if given.text is not None:
        try:
            product = await call.services.read_seats.product(given.text)
        except InvalidRequest as error:
            nearest = await call.services.read_seats.nearest_products(given.text)
            if not nearest:
                raise
            return Reply(cards=(nearest_card(error.message, nearest),), error=True, misused=True)
    place = Place(product=product, days=given.number("days") or call.services.policy.idle_days, rule=_rule(call))
    return Reply(cards=(await draw(call, await opened(call, place)),))


async def show_own(call: Call) -> Reply:
    """List the seats that the asker holds."""
    report = await call.services.explain_seat.why(call.actor.id)
    return Reply(cards=(own_seats_card(report, call.zone),))


def _rule(call: Call) -> Rule | None:
    flags = call.arguments.flags
    if {"disabled", "never"} <= flags:
        raise InvalidRequest("Please choose one: --disabled or --never.")
    if "disabled" in flags:
        return Rule.DISABLED
    return Rule.NEVER_SEEN if "never" in flags else None


SEATS = Verb(
    name="seats",
    summary="The idle seats of a SKU, to tick and put to review.",
    usage="seats [SKU] [--days DAYS] [--disabled | --never]",
    example='seats "Visio Plan 2" --days 90',
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
    options=frozenset({"days"}),
    flags=frozenset({"disabled", "never"}),
)

SEATS_MINE = Verb(
    name="seats mine",
    summary="The seats that you hold yourself.",
    usage="seats mine",
    example="seats mine",
    group=Group.LOOK,
    roles=EVERYONE,
    handler=show_own,
)
