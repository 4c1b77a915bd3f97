"""`/reclaim tasks`: the seats that a person has to take by hand."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.tasks import tasks_card
from reclaim.domain.roles import RUN


async def show(call: Call) -> Reply:
    """Show the open tasks of one campaign, or of all."""
    text = call.arguments.text
    campaign = await call.services.read_status.find(text) if text is not None else None
    found = await call.services.manual_tasks.list(campaign, call.arguments.number("page") or 1)
    return Reply(cards=(tasks_card(found, call.zone),))


TASKS = Verb(
    name="tasks",
    summary="Seats that a person has to take by hand, with what to do.",
    usage="tasks [CAMPAIGN] [--page PAGE]",
    example="tasks",
    group=Group.ASK,
    roles=RUN,
    handler=show,
    options=frozenset({"page"}),
)
