"""`/reclaim inbox`: the lists that wait for this person, again, as the newest messages."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.review import nothing_card, wave_card
from cards.view import CardView
from reclaim.domain.notices import WaveNotice
from reclaim.domain.roles import EVERYONE
from reclaim.errors import DeliveryError


async def show(call: Call) -> Reply:
    """Deliver each list anew; one that no channel takes is answered here instead."""
    services = call.services
    inbox = await services.read_wave.inbox(call.actor.id)
    here: list[CardView] = []
    for wave in inbox.waves:
        try:
            await services.messenger.deliver(
                call.actor.id, WaveNotice(wave=wave, fresh=True, channel=call.actor.channel)
            )
        except DeliveryError:
            here.append(wave_card(wave, call.zone))
    if not inbox.waves:
        here.append(nothing_card())
    return Reply(cards=tuple(here))


INBOX = Verb(
    name="inbox",
    summary="The seats that wait for your answer.",
    usage="inbox",
    example="inbox",
    group=Group.LOOK,
    roles=EVERYONE,
    handler=show,
)
