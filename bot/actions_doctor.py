"""Clicks on the checkup."""

from bot.handling import ActionVerb, Click
from bot.inbound import Reply
from cards.checkup import checkup_card, checkup_text
from cards.view import CardView
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.roles import LOOK


async def again(click: Click) -> Reply:
    """Look again, in place."""
    return Reply(replace=await _present(click))


async def as_text(click: Click) -> Reply:
    """Give the same as a text file, to be sent on."""
    found = await click.services.run_checks.run()
    text = checkup_text(found, click.zone).encode()
    return Reply(
        replace=checkup_card(found, click.zone),
        files=(ExportedFile(name="reclaim-checkup.txt", content=text, media_type="text/plain"),),
    )


async def _present(click: Click) -> CardView:
    return checkup_card(await click.services.run_checks.run(), click.zone)


DOCTOR_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="doctor.again", roles=LOOK, handler=again, present=_present, repeatable=True),
    ActionVerb(name="doctor.text", roles=LOOK, handler=as_text, present=_present),
)
