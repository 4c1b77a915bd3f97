"""`/reclaim extend`: give reviewers more time."""

from bot.campaign_steps import status
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.phrases import at_close
from reclaim.domain.calendar import parse_day
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest


async def show(call: Call) -> Reply:
    """Move due date and close later; every open card shows the new time."""
    words = call.arguments.words
    if not words:
        raise InvalidRequest("Please say until when.", field="until")
    due = parse_day(words[-1])
    campaign = await call.services.read_status.find(" ".join(words[:-1]) or None)
    later = await call.services.steer_campaign.extend(call.actor, campaign.id, due)
    said = f"✓ It closes {at_close(later.closes_at, call.zone)}. Every open card is told, and reminders follow."
    return Reply(cards=(await status(call, campaign.id, said),))


EXTEND = Verb(
    name="extend",
    summary="Give reviewers more time. Every open card is told.",
    usage="extend [CAMPAIGN] DATE",
    example='extend "Q4 seat clean-up" 2026-12-11',
    group=Group.ASK,
    roles=RUN,
    handler=show,
)
