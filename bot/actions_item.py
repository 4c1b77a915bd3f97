"""Clicks on the card of one seat. It is read again afterwards and drawn in the state that the person now meets."""

from bot.actions_forms import read_delegate, read_keep, refused
from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import flag_of, ticks
from cards.form import Filled
from cards.phrases import name
from cards.review import gone_card, passed_on_strip, wave_card
from cards.review_forms import delegate_form, keep_form, lose_form
from cards.review_item import is_open_for_viewer, item_card, why_card
from cards.view import CardView
from reclaim.domain.ids import ItemId
from reclaim.domain.read_models import ItemView
from reclaim.domain.review import Choice, DataLoss, Recommendation
from reclaim.domain.roles import EVERYONE, RUN_AS_A_PERSON
from reclaim.errors import Conflict, InvalidRequest, NotFound


async def present(click: Click) -> CardView:
    """Draw the seat as it stands, or that it is none of this person's any more."""
    try:
        return _card(click, await _view(click))
    except NotFound:
        return gone_card("This seat is not on your list any more.")


async def show(click: Click) -> Reply:
    """Draw the seat; boxes ticked on the list that led here stay ticked."""
    view = await _view(click)
    boxes = {ItemId(ref): ticked for ref, ticked in ticks(click.inputs).items()}
    if boxes:
        await click.services.read_wave.keep_ticks(view.item.campaign_id, click.actor.id, boxes)
    return Reply(replace=_card(click, view))


def _card(click: Click, view: ItemView) -> CardView:
    return item_card(view, click.zone, may_restore=click.actor.may(RUN_AS_A_PERSON))


async def revoke(click: Click) -> Reply:
    """Revoke this seat."""
    return await _answer(click, Choice.REVOKE)


async def not_sure(click: Click) -> Reply:
    """Say Not sure to this seat."""
    return await _answer(click, Choice.NOT_SURE)


async def undo(click: Click) -> Reply:
    """Take this one answer back."""
    return await _answer(click, Choice.WITHDRAWN)


async def keep(click: Click) -> Reply:
    """Keep this seat: at once, or with a reason where that goes against the recommendation."""
    view = await _open_view(click)
    if view.item.recommendation is Recommendation.REVOKE:
        return Reply(replace=keep_form(view, click.zone, click.services.policy.cooldown))
    return await _answer(click, Choice.KEEP)


async def keep_submit(click: Click) -> Reply:
    """Keep this seat with the reason of the form."""
    view = await _open_view(click)
    try:
        form = read_keep(click.inputs)
        await click.services.record_decision.decide(
            click.actor,
            [view.item.id],
            Choice.KEEP,
            idem_key=click.key,
            bulk=False,
            reason=form.reason,
            note=form.note,
            keep_until=form.until,
        )
    except InvalidRequest as error:
        filled = await refused(click, error)
        form_card = keep_form(view, click.zone, click.services.policy.cooldown, filled)
        raise FormRefused(form_card, error.message) from error
    return Reply(replace=await present(click))


async def lose(click: Click) -> Reply:
    """Ask once more before a seat is revoked that takes data along."""
    return Reply(replace=lose_form(await _open_view(click), click.zone))


async def lose_submit(click: Click) -> Reply:
    """Revoke this seat though its data goes with it, if the box says that this is known."""
    view = await _open_view(click)
    if not flag_of(click.inputs, "sure"):
        message = "Tick the box, or go back: nothing is decided yet."
        filled = Filled(values=click.inputs, field="sure", error=message)
        raise FormRefused(lose_form(view, click.zone, filled), message)
    return await _answer(click, Choice.REVOKE, DataLoss.ANYWAY)


async def convert(click: Click) -> Reply:
    """Have the mailbox made a shared one by a person, who takes the license then."""
    return await _answer(click, Choice.REVOKE, DataLoss.CONVERT_FIRST)


async def delegate(click: Click) -> Reply:
    """Ask to whom this seat should go."""
    return Reply(replace=delegate_form(await _open_view(click), click.zone))


async def delegate_submit(click: Click) -> Reply:
    """Hand this seat to the person of the form."""
    view = await _open_view(click)
    try:
        form = read_delegate(click.inputs)
        moved = await click.services.delegate_item.delegate(
            click.actor, [view.item.id], form.to, form.reason, idem_key=click.key, others=form.others
        )
    except InvalidRequest as error:
        filled = await refused(click, error, rename={"note": "reason"})
        raise FormRefused(delegate_form(view, click.zone, filled), error.message) from error
    if not form.others:
        return Reply(replace=await present(click))
    who = name(await click.services.people.name_of(form.to) or "the person")
    wave = await click.services.read_wave.wave(view.item.campaign_id, click.actor.id)
    strip = passed_on_strip(moved, who)
    return Reply(replace=gone_card(strip.text) if wave is None else wave_card(wave, click.zone, strip=strip))


async def why(click: Click) -> Reply:
    """Show why this seat was put to this reviewer."""
    return Reply(replace=why_card(await _view(click), click.zone))


async def take_back(click: Click) -> Reply:
    """Take back a seat that this person passed on."""
    await click.services.delegate_item.take_back(click.actor, ItemId(click.ref), idem_key=click.key)
    return Reply(replace=await present(click))


async def give_back(click: Click) -> Reply:
    """Return a seat to who passed it on to this person."""
    await click.services.delegate_item.give_back(click.actor, ItemId(click.ref), idem_key=click.key)
    return Reply(replace=await present(click))


async def _answer(click: Click, choice: Choice, data_loss: DataLoss | None = None) -> Reply:
    await click.services.record_decision.decide(
        click.actor, [ItemId(click.ref)], choice, idem_key=click.key, bulk=False, data_loss=data_loss
    )
    return Reply(replace=await present(click))


async def _view(click: Click) -> ItemView:
    return await click.services.read_wave.item(ItemId(click.ref), click.actor.id)


async def _open_view(click: Click) -> ItemView:
    """Return the seat if this person may answer it now.

    Raises:
        Conflict: They may not; the present state says why.
    """
    view = await _view(click)
    if not is_open_for_viewer(view):
        raise Conflict("This seat has changed. You see the present state now.")
    return view


# The others are remembered by the router: handing over knows its key too, but what is shown then depends on the moment.
_REPEATABLE = frozenset(
    {"item.open", "item.why", "item.revoke", "item.keep", "item.not_sure", "item.undo", "item.convert", "item.lose"}
)
ITEM_ACTIONS: tuple[ActionVerb, ...] = tuple(
    ActionVerb(name=verb, roles=EVERYONE, handler=handler, present=present, repeatable=verb in _REPEATABLE)
    for verb, handler in (
        ("item.open", show),
        ("item.revoke", revoke),
        ("item.keep", keep),
        ("item.keep.submit", keep_submit),
        ("item.lose", lose),
        ("item.lose.submit", lose_submit),
        ("item.convert", convert),
        ("item.delegate", delegate),
        ("item.delegate.submit", delegate_submit),
        ("item.not_sure", not_sure),
        ("item.why", why),
        ("item.undo", undo),
        ("item.take_back", take_back),
        ("item.give_back", give_back),
    )
)
