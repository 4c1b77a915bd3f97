"""Clicks on an appeal: the holder's form on the receipt, and the answer of who decides."""

from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import text_of
from cards.appeals import appeal_card, appeal_form, leave_form
from cards.form import EMPTY, Filled
from cards.results import receipt_card
from cards.view import CardView
from reclaim.domain.appeals import TEXT_LENGTH
from reclaim.domain.ids import CampaignId, ItemId
from reclaim.domain.read_models import SeatReceipt
from reclaim.domain.roles import EVERYONE
from reclaim.errors import Conflict, InvalidRequest, NotFound


async def present_receipt(click: Click) -> CardView:
    """Draw the holder's receipt as it stands; `ref` is the campaign."""
    return receipt_card(await _receipt(click), click.zone)


async def form(click: Click) -> Reply:
    """Ask the holder for their sentence."""
    return Reply(replace=await _form(click, await _receipt(click)))


async def submit(click: Click) -> Reply:
    """Send the holder's appeal."""
    receipt = await _receipt(click)
    able = {seat.item.id for seat in receipt.seats if seat.may_appeal}
    chosen = text_of(click.inputs, "seat") or (next(iter(able)) if len(able) == 1 else "")
    try:
        if chosen not in able:
            raise InvalidRequest("Please pick a seat.", field="seat")
        text = text_of(click.inputs, "text", longest=2 * TEXT_LENGTH)
        await click.services.appeal_removals.appeal(click.actor, ItemId(chosen), text)
    except InvalidRequest as error:
        filled = click.filled(error)
        raise FormRefused(await _form(click, receipt, filled), error.message) from error
    return Reply(replace=await present_receipt(click))


async def present(click: Click) -> CardView:
    """Draw the appeal as it stands."""
    return appeal_card(await click.services.appeal_removals.view(click.actor, ItemId(click.ref)), click.zone)


async def open_appeal(click: Click) -> Reply:
    """Draw the appeal as it stands."""
    return Reply(replace=await present(click))


async def give(click: Click) -> Reply:
    """Give the seat back."""
    return Reply(
        replace=appeal_card(await click.services.appeal_removals.grant(click.actor, ItemId(click.ref)), click.zone)
    )


async def leave(click: Click) -> Reply:
    """Ask for a reason before the seat stays removed."""
    view = await click.services.appeal_removals.view(click.actor, ItemId(click.ref))
    return Reply(replace=leave_form(view, click.zone) if view.may_answer else appeal_card(view, click.zone))


async def leave_submit(click: Click) -> Reply:
    """Leave the seat removed."""
    appeals, item = click.services.appeal_removals, ItemId(click.ref)
    try:
        view = await appeals.refuse(click.actor, item, text_of(click.inputs, "reason", longest=2 * TEXT_LENGTH))
    except InvalidRequest as error:
        filled = click.filled(error)
        refused = leave_form(await appeals.view(click.actor, item), click.zone, filled)
        raise FormRefused(refused, error.message) from error
    return Reply(replace=appeal_card(view, click.zone))


async def _form(click: Click, receipt: SeatReceipt, filled: Filled = EMPTY) -> CardView:
    able = [seat.item.id for seat in receipt.seats if seat.may_appeal]
    if not able:
        raise Conflict("There is nothing to appeal any more. You see the present state now.")
    return appeal_form(receipt, await click.services.appeal_removals.decider_name(click.actor, able[0]), filled)


async def _receipt(click: Click) -> SeatReceipt:
    receipt = await click.services.read_summary.receipt(CampaignId(click.ref), click.actor.id)
    if receipt is None:
        raise NotFound("This receipt is not yours, or no longer here.")
    return receipt


APPEAL_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="receipt.appeal", roles=EVERYONE, handler=form, present=present_receipt),
    ActionVerb(name="receipt.appeal.submit", roles=EVERYONE, handler=submit, present=present_receipt),
    ActionVerb(name="appeal.open", roles=EVERYONE, handler=open_appeal),
    ActionVerb(name="appeal.give", roles=EVERYONE, handler=give, present=present),
    ActionVerb(name="appeal.leave", roles=EVERYONE, handler=leave, present=present),
    ActionVerb(name="appeal.leave.submit", roles=EVERYONE, handler=leave_submit, present=present),
)
