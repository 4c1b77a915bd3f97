"""Clicks on the way back: undo by who runs campaigns, and a holder who wants a seat back."""

from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import text_of
from bot.restore_steps import restore_campaign, restore_item, restoring, undoing
from cards.restores import ask_back_card, choose_card, restores_card
from cards.results import receipt_card
from cards.view import CardView
from reclaim.domain.ids import CampaignId, ItemId, PersonId
from reclaim.domain.read_models import SeatReceipt
from reclaim.domain.restore import AskedHow
from reclaim.domain.roles import EVERYONE, LOOK, RUN_AS_A_PERSON
from reclaim.errors import NotFound


async def present_item(click: Click) -> CardView:
    """Draw the removed seat and its way back."""
    return await restoring(click, ItemId(click.ref))


async def open_item(click: Click) -> Reply:
    """Draw the removed seat and its way back."""
    return Reply(replace=await present_item(click))


async def item(click: Click) -> Reply:
    """Restore one seat, or try that again."""
    return Reply(replace=await restore_item(click, ItemId(click.ref)))


async def present_campaign(click: Click) -> CardView:
    """Draw what an undo of the campaign would give back."""
    campaign, _, person = click.ref.partition(":")
    return await undoing(click, CampaignId(campaign), PersonId(person) if person else None)


async def campaign_step(click: Click) -> Reply:
    """Ask before a campaign's removals are undone."""
    return Reply(replace=await present_campaign(click))


async def campaign_submit(click: Click) -> Reply:
    """Undo a campaign's removals, or those of one person in it."""
    campaign, _, person = click.ref.partition(":")
    return Reply(replace=await restore_campaign(click, CampaignId(campaign), PersonId(person) if person else None))


async def present_status(click: Click) -> CardView:
    """Draw where the restores of a campaign stand."""
    return restores_card(await click.services.restore_seats.view(CampaignId(click.ref)), click.zone)


async def open_status(click: Click) -> Reply:
    """Draw where the restores of a campaign stand."""
    return Reply(replace=await present_status(click))


async def present_receipt(click: Click) -> CardView:
    """Draw the holder's receipt as it stands; `ref` is the campaign."""
    return receipt_card(await _receipt(click, CampaignId(click.ref)), click.zone)


async def open_receipt(click: Click) -> Reply:
    """Draw the holder's receipt as it stands."""
    return Reply(replace=await present_receipt(click))


async def present_receipt_of_seat(click: Click) -> CardView:
    """Draw the receipt that the seat stands on."""
    line = await click.services.restore_seats.line(ItemId(click.ref))
    return receipt_card(await _receipt(click, line.item.campaign_id), click.zone)


async def receipt_back(click: Click) -> Reply:
    """Give the holder the seat back."""
    line = await click.services.restore_seats.get_back(click.actor, ItemId(click.ref), AskedHow.RECEIPT)
    return Reply(replace=receipt_card(await _receipt(click, line.item.campaign_id), click.zone))


async def receipt_choose(click: Click) -> Reply:
    """Ask which of several seats is to come back."""
    return Reply(replace=choose_card(await _receipt(click, CampaignId(click.ref))))


async def receipt_choose_submit(click: Click) -> Reply:
    """Give the holder the chosen seat back."""
    campaign, chosen = CampaignId(click.ref), text_of(click.inputs, "seat")
    receipt = await _receipt(click, campaign)
    if chosen not in {seat.item.id for seat in receipt.seats}:
        problem = "Please pick a seat."
        raise FormRefused(choose_card(receipt, problem), problem)
    await click.services.restore_seats.get_back(click.actor, ItemId(chosen), AskedHow.RECEIPT)
    return Reply(replace=receipt_card(await _receipt(click, campaign), click.zone))


async def present_question(click: Click) -> CardView:
    """Draw the question to the holder as it stands."""
    return ask_back_card(await click.services.restore_seats.ask_back(ItemId(click.ref), click.actor.id), click.zone)


async def open_question(click: Click) -> Reply:
    """Draw the question to the holder as it stands."""
    return Reply(replace=await present_question(click))


async def yes(click: Click) -> Reply:
    """Give the holder who signed in again the seat back."""
    await click.services.restore_seats.get_back(click.actor, ItemId(click.ref), AskedHow.ASKED_BACK)
    return Reply(replace=await present_question(click))


async def no(click: Click) -> Reply:
    """Note that the holder does not want it."""
    view = await click.services.restore_seats.decline(click.actor, ItemId(click.ref))
    return Reply(replace=ask_back_card(view, click.zone))


async def _receipt(click: Click, campaign: CampaignId) -> SeatReceipt:
    receipt = await click.services.read_summary.receipt(campaign, click.actor.id)
    if receipt is None:
        raise NotFound("This receipt is not yours, or no longer here.")
    return receipt


RESTORE_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="restore.open", roles=LOOK, handler=open_item),
    ActionVerb(name="restore.item", roles=RUN_AS_A_PERSON, handler=item, present=present_item),
    ActionVerb(name="restore.campaign", roles=RUN_AS_A_PERSON, handler=campaign_step, present=present_campaign),
    ActionVerb(
        name="restore.campaign.submit", roles=RUN_AS_A_PERSON, handler=campaign_submit, present=present_campaign
    ),
    ActionVerb(name="restore.status", roles=LOOK, handler=open_status),
    ActionVerb(name="receipt.open", roles=EVERYONE, handler=open_receipt),
    ActionVerb(name="receipt.back", roles=EVERYONE, handler=receipt_back, present=present_receipt_of_seat),
    ActionVerb(name="receipt.choose", roles=EVERYONE, handler=receipt_choose, present=present_receipt),
    ActionVerb(name="receipt.choose.submit", roles=EVERYONE, handler=receipt_choose_submit, present=present_receipt),
    ActionVerb(name="askback.open", roles=EVERYONE, handler=open_question),
    ActionVerb(name="askback.yes", roles=EVERYONE, handler=yes, present=present_question),
    ActionVerb(name="askback.no", roles=EVERYONE, handler=no, present=present_question),
)
