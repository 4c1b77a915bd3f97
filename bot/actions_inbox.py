"""Clicks in the inbox: which seats are shown, and which page of them."""

from bot.handling import ActionVerb, Click
from bot.inbound import Reply
from bot.parsing import whole
from cards.inbox import inbox_card
from cards.view import CardView
from reclaim.domain.read_models import InboxShow
from reclaim.domain.roles import EVERYONE
from reclaim.errors import InvalidRequest


async def present(click: Click) -> CardView:
    """Draw the inbox as it stands; `ref` is what to show, or that and a page."""
    kind, _, page = click.ref.partition(":")
    try:
        show = InboxShow(kind)
    except ValueError as error:
        raise InvalidRequest("The inbox has no such list.") from error
    found = await click.services.read_wave.inbox_page(click.actor.id, show, whole(page, "page") if page else 1)
    return inbox_card(found, click.zone)


async def show(click: Click) -> Reply:
    """Draw the inbox."""
    return Reply(replace=await present(click))


INBOX_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="inbox.open", roles=EVERYONE, handler=show, present=present, repeatable=True),
)
