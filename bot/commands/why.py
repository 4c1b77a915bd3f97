"""`/reclaim why PERSON`: why somebody's seats are flagged or left out, and what became of them."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.trail import why_card
from reclaim.domain.roles import LOOK
from reclaim.errors import InvalidRequest


async def show(call: Call) -> Reply:
    """Explain one person's seats."""
    if call.arguments.text is None:
        raise InvalidRequest("Please name a person.", field="person")
    report = await call.services.explain_seat.why(call.arguments.text)
    return Reply(cards=(why_card(report, call.zone),))


WHY = Verb(
    name="why",
    summary="Why a person’s seats are flagged or left out.",
    usage="why PERSON",
    example='why "Adele Vance"',
    group=Group.PROVE,
    roles=LOOK,
    handler=show,
)
