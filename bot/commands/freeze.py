"""`/reclaim freeze`: stop every removal at once."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.steering import draw_freeze
from cards.control import freeze_form
from reclaim.domain.roles import RUN


async def show(call: Call) -> Reply:
    """Freeze with the reason given, or ask for one; if it is frozen already, say so."""
    freezing = call.services.freeze_writes
    reason = call.arguments.options.get("reason") or call.arguments.text
    view = await freezing.view()
    if view.frozen:
        return Reply(cards=(draw_freeze(call, view),))
    if reason is None:
        return Reply(cards=(freeze_form(),))
    return Reply(cards=(draw_freeze(call, await freezing.freeze(call.actor, reason)),))


FREEZE = Verb(
    name="freeze",
    summary="Stop all removals at once. People can still answer.",
    usage="freeze [REASON | --reason TEXT]",
    example='freeze --reason "wrong seats are being removed"',
    group=Group.STOP,
    roles=RUN,
    handler=show,
    options=frozenset({"reason"}),
)
