"""`/reclaim start`: the form of a new campaign, filled in as far as the options go."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.start_form import draw_form
from bot.start_options import FLAGS, LISTS, OPTIONS, USAGE, draft_of
from reclaim.domain.roles import RUN_AS_A_PERSON


async def show(call: Call) -> Reply:
    """Open the form; nothing is sent before its preview was seen and started."""
    draft = await draft_of(call)
    await call.services.start_campaign.put_draft(call.actor, draft)
    return Reply(cards=(await draw_form(call, draft),))


START = Verb(
    name="start",
    summary="Put idle seats to their reviewers. You see a preview first.",
    usage=f"start {USAGE}",
    example="start --preset clear --until 2026-12-04",
    group=Group.ASK,
    roles=RUN_AS_A_PERSON,
    handler=show,
    options=OPTIONS,
    flags=FLAGS,
    lists=LISTS,
)
