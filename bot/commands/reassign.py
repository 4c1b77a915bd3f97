"""`/reclaim reassign`: move open seats to another reviewer."""

from bot.campaign_steps import status
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.naming import campaign_and_person
from cards.steer import moved_text
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest


async def show(call: Call) -> Reply:
    """Move all open seats of one reviewer, or with --seat those of one holder. It decides nothing."""
    to = call.arguments.options.get("to")
    holder = call.arguments.options.get("seat")
    campaign, reviewer = await campaign_and_person(call)
    if to is None:
        raise InvalidRequest("Please say to whom: --to PERSON", field="to")
    moving = call.services.reassign_items
    if holder is not None:
        if reviewer is not None:
            raise InvalidRequest("Please name either a reviewer or --seat PERSON, not both.", field="seat")
        moved = await moving.of_holder(call.actor, campaign.id, holder, to)
    elif reviewer is not None:
        moved = await moving.of_reviewer(call.actor, campaign.id, reviewer, to)
    else:
        raise InvalidRequest("Please name the reviewer whose seats move, or --seat PERSON.", field="person")
    return Reply(cards=(await status(call, campaign.id, moved_text(moved)),))


REASSIGN = Verb(
    name="reassign",
    summary="Move open seats to another reviewer. It decides nothing.",
    usage="reassign [CAMPAIGN] (PERSON | --seat PERSON) --to PERSON",
    example='reassign "Megan Bowen" --to "Nora Patel"',
    group=Group.ASK,
    roles=RUN,
    handler=show,
    options=frozenset({"to", "seat"}),
)
