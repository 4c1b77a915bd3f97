"""`/reclaim doctor`: what works, what does not, and how to mend it."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.checkup import checkup_card
from reclaim.domain.roles import LOOK


async def show(call: Call) -> Reply:
    """Look at everything that a campaign needs."""
    found = await call.services.run_checks.run()
    return Reply(cards=(checkup_card(found, call.zone),), unwell=not found.well)


DOCTOR = Verb(
    name="doctor",
    summary="Check permissions, data, chat and everything else that a campaign needs.",
    usage="doctor",
    example="doctor",
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
)
