"""Clicks on the way to a campaign: from a SKU to its seats, ticked, into the form, the preview and the start."""

from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import ticks
from bot.seat_list import Place, decode, draft_of, draw, every_seat, keep_ticks, opened, put_seats
from bot.start_form import draw_form, new_draft, read_form
from cards.start import discarded_card, launched_card, preview_card
from cards.view import CardView
from reclaim.domain.campaign import WriteMode
from reclaim.domain.ids import ProductId
from reclaim.domain.roles import LOOK, RUN_AS_A_PERSON
from reclaim.errors import Conflict, GuardrailExceeded, InvalidRequest, NoSignInData


async def seats_of(click: Click) -> Reply:
    """List the idle seats of a SKU, or of all; the card that was clicked stays."""
    product = None if click.ref == "all" else ProductId(click.ref)
    place = Place(product=product, days=click.services.policy.idle_days)
    return Reply(cards=(await draw(click, await opened(click, place)),))


async def turn(click: Click) -> Reply:
    """Go to another page or filter; what was ticked stays ticked."""
    place = decode(click.ref)
    boxes = ticks(click.inputs)
    if boxes and place.draft is not None and click.actor.may(RUN_AS_A_PERSON):
        await keep_ticks(click, place, boxes)
    return Reply(replace=await draw(click, place))


async def take_all(click: Click) -> Reply:
    """Tick every seat of the list, over all its pages."""
    place = decode(click.ref)
    draft = await draft_of(click, place)
    seats = await every_seat(click, place)
    await put_seats(click, draft, place, [*draft.scope.seat_ids, *seats])
    return Reply(replace=await draw(click, place))


async def untick(click: Click) -> Reply:
    """Clear what was ticked, on all pages."""
    place = decode(click.ref)
    await put_seats(click, await draft_of(click, place), place, [])
    return Reply(replace=await draw(click, place))


async def reclaim(click: Click) -> Reply:
    """Take what is ticked into the form of a campaign."""
    place = decode(click.ref)
    draft = await keep_ticks(click, place, ticks(click.inputs))
    if not draft.scope.seat_ids:
        raise InvalidRequest("Tick at least one seat.")
    return Reply(cards=(await draw_form(click, draft),))


async def form(click: Click) -> Reply:
    """Open the form: a new one, or of a draft."""
    if click.ref != "new":
        return await change(click)
    draft = new_draft(click)
    await click.services.start_campaign.put_draft(click.actor, draft)
    return Reply(cards=(await draw_form(click, draft),))


async def change(click: Click) -> Reply:
    """Go back from the preview to the form."""
    draft = await click.services.start_campaign.draft(click.ref, click.actor)
    return Reply(replace=await draw_form(click, draft))


async def preview(click: Click) -> Reply:
    """Show what the campaign would do; a mistake leads back to its field."""
    services = click.services
    stored = await services.start_campaign.draft(click.ref, click.actor)
    live = services.policy.writes is WriteMode.LIVE
    try:
        draft = read_form(stored, click.inputs, live=live)
        shown = await services.start_campaign.preview(click.actor, draft)
        await services.start_campaign.put_draft(click.actor, draft)
    except (InvalidRequest, GuardrailExceeded, NoSignInData, Conflict) as error:
        mistake = error if isinstance(error, InvalidRequest) else InvalidRequest(error.message)
        raise FormRefused(await draw_form(click, stored, click.inputs, mistake), error.message) from error
    return Reply(replace=preview_card(shown, click.now, click.zone))


async def launch(click: Click) -> Reply:
    """Start the campaign as it was previewed."""
    campaign = await click.services.start_campaign.launch(click.actor, click.ref)
    return Reply(replace=launched_card(campaign.name, campaign.id))


async def discard(click: Click) -> Reply:
    """Throw the form away: nothing was sent."""
    return Reply(replace=discarded_card())


async def present_preview(click: Click) -> CardView:
    """Draw the preview as it is now, for a launch that the world overtook."""
    draft = await click.services.start_campaign.draft(click.ref, click.actor)
    shown = await click.services.start_campaign.preview(click.actor, draft)
    return preview_card(shown, click.now, click.zone)


START_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="spend.seats", roles=LOOK, handler=seats_of),
    ActionVerb(name="seats.page", roles=LOOK, handler=turn),
    ActionVerb(name="seats.filter", roles=LOOK, handler=turn),
    ActionVerb(name="seats.take_all", roles=RUN_AS_A_PERSON, handler=take_all),
    ActionVerb(name="seats.untick", roles=RUN_AS_A_PERSON, handler=untick),
    ActionVerb(name="seats.reclaim", roles=RUN_AS_A_PERSON, handler=reclaim),
    ActionVerb(name="start.form", roles=RUN_AS_A_PERSON, handler=form),
    ActionVerb(name="start.change", roles=RUN_AS_A_PERSON, handler=change),
    ActionVerb(name="start.preview", roles=RUN_AS_A_PERSON, handler=preview),
    ActionVerb(name="start.launch", roles=RUN_AS_A_PERSON, handler=launch, present=present_preview),
    ActionVerb(name="start.discard", roles=RUN_AS_A_PERSON, handler=discard),
)
