"""`/reclaim undo`: give removed seats back, exactly as they were."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.restore_steps import restore_item, undoing
from reclaim.domain.roles import RUN_AS_A_PERSON


async def show(call: Call) -> Reply:
    """Restore the seat that is named, or show what an undo of a campaign would give back, with the step to do it."""
    text = call.arguments.text
    item = await call.services.restore_seats.find_item(text) if text is not None else None
    if item is not None:
        return Reply(cards=(await restore_item(call, item),))
    campaign = await call.services.read_status.find(text)
    named = call.arguments.options.get("person")
    person = await call.services.restore_seats.find_person(named) if named is not None else None
    return Reply(cards=(await undoing(call, campaign.id, person),))


UNDO = Verb(
    name="undo",
    summary="Give removed seats back, as they were.",
    usage="undo [ITEM | CAMPAIGN] [--person PERSON]",
    example='undo --person "Adele Vance"',
    group=Group.STOP,
    roles=RUN_AS_A_PERSON,
    handler=show,
    options=frozenset({"person"}),
)
