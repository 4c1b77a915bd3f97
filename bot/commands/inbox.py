"""`/reclaim inbox`: the lists and questions that wait for this person, again, as the newest messages."""

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.consent import request_card
from cards.review import nothing_card, wave_card
from cards.view import CardView
from reclaim.domain.notices import ConsentNotice, WaveNotice
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
    questions = await services.read_consent.open_of(call.actor.id)
    for view in questions:
        try:
            await services.messenger.deliver(call.actor.id, ConsentNotice(view=view, fresh=True))
        except DeliveryError:
            here.append(request_card(view, call.zone))
    if not inbox.waves and not questions:
        here.append(nothing_card())
    return Reply(cards=tuple(here))


INBOX = Verb(
    name="inbox",
    summary="The seats and questions that wait for your answer.",
    usage="inbox",
    example="inbox",
    group=Group.LOOK,
    roles=EVERYONE,
    handler=show,
)
