"""`/reclaim resume`: ask another admin to let removals go on."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.steering import draw_freeze
from cards.control import resume_form
from reclaim.domain.roles import ADMIN


async def show(call: Call) -> Reply:
    """Ask with the reason given, or ask for one; a request that waits is shown, so that another admin can confirm."""
    freezing = call.services.freeze_writes
    view = await freezing.view()
    reason = call.arguments.options.get("reason") or call.arguments.text
    if not view.frozen or view.resume_ref is not None:
        return Reply(cards=(draw_freeze(call, view),))
    if reason is None:
        return Reply(cards=(resume_form(view, call.zone),))
    asked = await freezing.ask_resume(call.actor, reason)
    return Reply(cards=(draw_freeze(call, asked, asker=True),))


RESUME = Verb(
    name="resume",
    summary="Let removals go on. Another admin confirms.",
    usage="resume [REASON | --reason TEXT]",
    example='resume --reason "the list was checked"',
    group=Group.STOP,
    roles=ADMIN,
    handler=show,
    options=frozenset({"reason"}),
)
