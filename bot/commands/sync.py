"""`/reclaim sync`: read the tenant anew."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.steering import read_tenant
from cards.control import sync_card
from reclaim.domain.roles import ADMIN, RUN


async def show(call: Call) -> Reply:
    """Start a sync, or show the one that runs; with --accept, take the outcome of one that stopped at a drop."""
    accepted = call.arguments.options.get("accept")
    if accepted is None:
        return await read_tenant(call)
    call.require(ADMIN)
    view = await call.services.sync_directory.accept(accepted, call.actor)
    return Reply(cards=(sync_card(view, call.now, call.zone),))


SYNC = Verb(
    name="sync",
    summary="Read the tenant anew.",
    usage="sync [--accept RUN]",
    example="sync",
    group=Group.ASK,
    roles=RUN,
    handler=show,
    options=frozenset({"accept"}),
)
