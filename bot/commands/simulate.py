"""`/reclaim simulate`: what a campaign would do, without one."""

from dataclasses import replace

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.start_options import FLAGS, LISTS, OPTIONS, draft_of
from cards.preview import simulation_card
from reclaim.domain.roles import LOOK, RUN_AS_A_PERSON


async def show(call: Call) -> Reply:
    """Show the figures of the preview. What is kept of it for a person's next click cannot be launched."""
    starting = call.services.start_campaign
    draft = replace(await draft_of(call), simulated=True)
    shown = await starting.simulate(call.actor, draft)
    if call.actor.is_person:
        await starting.put_draft(call.actor, draft)
    card = simulation_card(
        shown,
        call.now,
        call.zone,
        may_start=call.actor.may(RUN_AS_A_PERSON),
        may_list=call.actor.is_person,
    )
    return Reply(cards=(card,))


SIMULATE = Verb(
    name="simulate",
    summary="What a campaign would do. Nothing is sent or started.",
    usage="simulate [NAME] [OPTIONS OF START]",
    example='simulate --sku "Visio Plan 2" --days 60',
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
    options=OPTIONS,
    flags=FLAGS,
    lists=LISTS,
)
