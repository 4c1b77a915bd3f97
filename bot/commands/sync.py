"""`/reclaim sync`: read the tenant anew."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.steering import read_tenant
from cards.control import sync_card
from reclaim.domain.roles import ADMIN, RUN
from reclaim.domain.syncing import SyncKind


async def show(call: Call) -> Reply:
    """Start a sync, or show the one that runs: a full one, or with --changes of what has changed only.

    With --accept, take the outcome of one that stopped at a drop.
    """
    accepted = call.arguments.options.get("accept")
    if accepted is None:
        return await read_tenant(call, SyncKind.CHANGES if "changes" in call.arguments.flags else SyncKind.FULL)
    call.require(ADMIN)
    view = await call.services.sync_directory.accept(accepted, call.actor)
    return Reply(cards=(sync_card(view, call.now, call.zone),))


SYNC = Verb(
    name="sync",
    summary="Read the tenant anew.",
    usage="sync [--changes] [--accept RUN]",
    example="sync",
    group=Group.ASK,
    roles=RUN,
    handler=show,
    options=frozenset({"accept"}),
    flags=frozenset({"changes"}),
)
