"""What commands and buttons do to the installation alike: the freeze as this person sees it, and a new reading."""

from bot.handling import Asked
from bot.inbound import Reply
from cards.control import freeze_card, sync_card
from cards.view import CardView
from reclaim.domain.notices import SyncNotice
from reclaim.domain.read_models import FreezeView
from reclaim.domain.roles import ADMIN, ADMIN_AS_A_PERSON
from reclaim.domain.syncing import SyncKind
from reclaim.errors import DeliveryError, NotFound


def draw_freeze(asked: Asked, view: FreezeView, *, asker: bool = False) -> CardView:
    """Draw the freeze. Who asked to resume gets no Confirm: that is another admin's."""
    own = asker or view.resume_by == asked.actor.id
    return freeze_card(
        view,
        asked.zone,
        may_resume=asked.actor.may(ADMIN),
        may_confirm=asked.actor.may(ADMIN_AS_A_PERSON) and not own,
    )


async def read_tenant(asked: Asked, kind: SyncKind = SyncKind.FULL) -> Reply:
    """Start a sync, or join the one that runs; its card counts up in place where a channel reaches the person."""
    services, actor = asked.services, asked.actor
    run = await services.sync_directory.request(actor.id if actor.is_person else None, kind)
    view = await services.sync_directory.view(run)
    if view is None:
        raise NotFound("This sync is no longer here.")
    if actor.is_person:
        try:
            await services.messenger.deliver(actor.id, SyncNotice(sync=view, now=asked.now))
        except DeliveryError:
            pass
        else:
            return Reply()
    return Reply(cards=(sync_card(view, asked.now, asked.zone),))
