"""Clicks on the way to a campaign: from a SKU to its seats, ticked, into the form, the preview and the start."""

from dataclasses import replace

from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import ticks, whole
from bot.seat_list import Place, decode, draft_of, draw, every_seat, keep_ticks, opened, put_seats
from bot.start_form import draw_form, new_draft, read_form, with_preset
from cards.preview import asked_card, launch_request_card, preview_card, simulation_card, start_seats_card
from cards.start import discarded_card, launched_card
from cards.view import CardView
from reclaim.domain.ids import ProductId
from reclaim.domain.roles import ADMIN_AS_A_PERSON, LOOK, RUN_AS_A_PERSON
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


async def preset(click: Click) -> Reply:
    """Set what a preset sets; all else stays as filled in."""
    ref, _, chosen = click.ref.partition(":")
    draft = await click.services.start_campaign.draft(ref, click.actor)
    return Reply(replace=await draw_form(click, draft, with_preset(click, click.inputs, chosen)))


async def preview(click: Click) -> Reply:
    """Show what the campaign would do; a mistake leads back to its field."""
    services = click.services
    stored = await services.start_campaign.draft(click.ref, click.actor)
    try:
        draft = await read_form(click, stored, click.inputs)
        shown = await services.start_campaign.preview(click.actor, draft)
        await services.start_campaign.put_draft(click.actor, draft)
    except (InvalidRequest, GuardrailExceeded, NoSignInData, Conflict) as error:
        mistake = error if isinstance(error, InvalidRequest) else InvalidRequest(error.message)
        raise FormRefused(await draw_form(click, stored, click.inputs, mistake), error.message) from error
    return Reply(replace=preview_card(shown, click.now, click.zone))


async def show(click: Click) -> Reply:
    """Go back from the list of seats to the figures."""
    return Reply(replace=await present_preview(click))


async def seats(click: Click) -> Reply:
    """List the seats that the campaign would ask about."""
    ref, _, page = click.ref.rpartition(":")
    return Reply(
        replace=start_seats_card(await click.services.start_campaign.seats(click.actor, ref, whole(page, "page")))
    )


async def simulated(click: Click) -> Reply:
    """Lead from a simulation into the form: what was looked at becomes a draft of its own."""
    services = click.services
    found = await services.start_campaign.draft(click.ref, click.actor)
    draft = replace(found, ref=services.tokens.new_id(), simulated=False)
    await services.start_campaign.put_draft(click.actor, draft)
    return Reply(cards=(await draw_form(click, draft),))


async def reopen(click: Click) -> Reply:
    """Open the form of a draft that was not confirmed; the card that says so stays."""
    draft = await click.services.start_campaign.draft(click.ref, click.actor)
    return Reply(cards=(await draw_form(click, draft),))


async def launch(click: Click) -> Reply:
    """Start the campaign as it was previewed."""
    try:
        campaign = await click.services.start_campaign.launch(click.actor, click.ref)
    except GuardrailExceeded as error:
        # The data moved under the preview: the card as it is now says what to do.
        return Reply(replace=await present_preview(click), toast=error.message, error=True)
    return Reply(replace=launched_card(campaign.name, campaign.id))


async def ask(click: Click) -> Reply:
    """Ask a second admin; the card that shows the answer is a message of its own."""
    await click.services.confirm_launch.ask(click.actor, click.ref)
    return Reply(replace=asked_card())


async def confirm(click: Click) -> Reply:
    """Start the campaign as the second admin."""
    await click.services.confirm_launch.confirm(click.actor, click.ref)
    return Reply(replace=await present_request(click))


async def decline(click: Click) -> Reply:
    """Refuse to confirm."""
    await click.services.confirm_launch.decline(click.actor, click.ref)
    return Reply(replace=await present_request(click))


async def withdraw(click: Click) -> Reply:
    """Take the own request back."""
    await click.services.confirm_launch.withdraw(click.actor, click.ref)
    return Reply(replace=await present_request(click))


async def discard(click: Click) -> Reply:
    """Throw the form away: nothing was sent."""
    return Reply(replace=discarded_card())


async def present_preview(click: Click) -> CardView:
    """Draw the preview or the simulation as it is now, for a click that the world overtook."""
    starting = click.services.start_campaign
    draft = await starting.draft(click.ref, click.actor)
    if draft.simulated:
        shown = await starting.simulate(click.actor, draft)
        may_start = click.actor.may(RUN_AS_A_PERSON)
        return simulation_card(shown, click.now, click.zone, may_start=may_start, may_list=True)
    return preview_card(await starting.preview(click.actor, draft), click.now, click.zone)


async def present_request(click: Click) -> CardView:
    """Draw where a request to confirm stands, from the side of whoever clicks."""
    view = await click.services.confirm_launch.view(click.ref)
    return launch_request_card(view, click.zone, to_asker=view.by == click.actor.id)


START_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="spend.seats", roles=LOOK, handler=seats_of),
    ActionVerb(name="seats.page", roles=LOOK, handler=turn),
    ActionVerb(name="seats.filter", roles=LOOK, handler=turn),
    ActionVerb(name="seats.take_all", roles=RUN_AS_A_PERSON, handler=take_all),
    ActionVerb(name="seats.untick", roles=RUN_AS_A_PERSON, handler=untick),
    ActionVerb(name="seats.reclaim", roles=RUN_AS_A_PERSON, handler=reclaim),
    ActionVerb(name="start.form", roles=RUN_AS_A_PERSON, handler=form),
    ActionVerb(name="start.change", roles=RUN_AS_A_PERSON, handler=change),
    ActionVerb(name="start.preset", roles=RUN_AS_A_PERSON, handler=preset),
    ActionVerb(name="start.show", roles=LOOK, handler=show),
    ActionVerb(name="start.seats", roles=LOOK, handler=seats),
    ActionVerb(name="start.simulated", roles=RUN_AS_A_PERSON, handler=simulated),
    ActionVerb(name="start.reopen", roles=RUN_AS_A_PERSON, handler=reopen),
    ActionVerb(name="start.ask", roles=RUN_AS_A_PERSON, handler=ask, present=present_preview),
    ActionVerb(name="launch.confirm", roles=ADMIN_AS_A_PERSON, handler=confirm, present=present_request),
    ActionVerb(name="launch.decline", roles=ADMIN_AS_A_PERSON, handler=decline, present=present_request),
    ActionVerb(name="launch.withdraw", roles=RUN_AS_A_PERSON, handler=withdraw, present=present_request),
    ActionVerb(name="start.preview", roles=RUN_AS_A_PERSON, handler=preview),
    ActionVerb(name="start.launch", roles=RUN_AS_A_PERSON, handler=launch, present=present_preview),
    ActionVerb(name="start.discard", roles=RUN_AS_A_PERSON, handler=discard),
)
