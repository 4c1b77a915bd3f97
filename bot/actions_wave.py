"""Clicks on a reviewer's list: answer what is ticked, turn pages, undo. The list is always read again afterwards."""

from bot.actions_forms import read_delegate, read_keep, refused
from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import ticks, whole
from cards.phrases import name
from cards.results import summary_card
from cards.review import NO_LIST, answers_card, gone_card, passed_on_strip, wave_card
from cards.review_forms import delegate_many_form, keep_many_form
from cards.view import CardView, Strip
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import BatchId, CampaignId, ItemId
from reclaim.domain.read_models import BulkResult, Wave, WaveRow
from reclaim.domain.review import Choice, Recommendation
from reclaim.domain.roles import EVERYONE
from reclaim.errors import Conflict, InvalidRequest

_NOTHING_TICKED = "Tick at least one seat."


async def present(click: Click) -> CardView:
    """Draw the list as it stands; `ref` is a campaign, or a campaign and a page."""
    return await _draw(click)


async def show(click: Click) -> Reply:
    """Draw the list."""
    return Reply(replace=await _draw(click))


async def next_page(click: Click) -> Reply:
    """Turn to the next page; what was ticked stays ticked."""
    return await _turn(click, 1)


async def previous_page(click: Click) -> Reply:
    """Turn to the page before."""
    return await _turn(click, -1)


async def revoke(click: Click) -> Reply:
    """Revoke what is ticked."""
    return await _answer(click, Choice.REVOKE)


async def not_sure(click: Click) -> Reply:
    """Say Not sure to what is ticked."""
    return await _answer(click, Choice.NOT_SURE)


async def keep(click: Click) -> Reply:
    """Keep what is ticked: at once, or with a reason where that goes against the recommendation."""
    wave, rows = await _ticked_rows(click)
    if any(row.item.recommendation is Recommendation.REVOKE for row in rows):
        return Reply(replace=keep_many_form(wave, rows, click.zone, click.services.policy.cooldown))
    result = await _decide(click, [row.item.id for row in rows], Choice.KEEP)
    return Reply(replace=await _draw(click, result))


async def keep_submit(click: Click) -> Reply:
    """Keep with the reason of the form."""
    wave, rows = await _ticked_rows(click)
    try:
        form = read_keep(click.inputs)
        result = await click.services.record_decision.decide(
            click.actor,
            [row.item.id for row in rows],
            Choice.KEEP,
            idem_key=click.key,
            bulk=True,
            reason=form.reason,
            note=form.note,
            keep_until=form.until,
        )
    except InvalidRequest as error:
        filled = await refused(click, error)
        form_card = keep_many_form(wave, rows, click.zone, click.services.policy.cooldown, filled)
        raise FormRefused(form_card, error.message) from error
    return Reply(replace=await _draw(click, result))


async def delegate(click: Click) -> Reply:
    """Ask to whom what is ticked should go."""
    wave, rows = await _ticked_rows(click)
    return Reply(replace=delegate_many_form(wave, rows, click.zone))


async def delegate_submit(click: Click) -> Reply:
    """Hand what is ticked to the person of the form."""
    wave, rows = await _ticked_rows(click)
    try:
        form = read_delegate(click.inputs)
        moved = await click.services.delegate_item.delegate(
            click.actor,
            [row.item.id for row in rows],
            form.to,
            form.reason,
            idem_key=click.key,
            others=form.others,
        )
    except InvalidRequest as error:
        filled = await refused(click, error, rename={"note": "reason"})
        raise FormRefused(delegate_many_form(wave, rows, click.zone, filled), error.message) from error
    who = name(await click.services.people.name_of(form.to) or "the person")
    return Reply(replace=await _draw(click, strip=passed_on_strip(moved, who)))


async def untick(click: Click) -> Reply:
    """Clear every box."""
    await click.services.read_wave.untick_all(_campaign(click), click.actor.id)
    return Reply(replace=await _draw(click))


async def answers(click: Click) -> Reply:
    """Show everything answered or passed on."""
    campaign, _, page = click.ref.partition(":")
    wave = await click.services.read_wave.wave(CampaignId(campaign), click.actor.id)
    if wave is None:
        return Reply(replace=gone_card(NO_LIST))
    number = whole(page, "page") if page else 1
    return Reply(replace=answers_card(wave, number, click.zone))


async def undo(click: Click) -> Reply:
    """Take back all answers of one click."""
    if click.batch is None:
        raise InvalidRequest("There is nothing to undo here.")
    result = await click.services.record_decision.undo(click.actor, BatchId(click.batch), idem_key=click.key)
    return Reply(replace=await _draw(click, result))


async def _turn(click: Click, by: int) -> Reply:
    campaign = _campaign(click)
    await _keep_ticks(click)
    await click.services.read_wave.turn_page(campaign, click.actor.id, by)
    return Reply(replace=await _draw(click))


async def _answer(click: Click, choice: Choice) -> Reply:
    ticked = _ticked(click)
    await _keep_ticks(click)
    return Reply(replace=await _draw(click, await _decide(click, ticked, choice)))


async def _decide(click: Click, items: list[ItemId], choice: Choice) -> BulkResult:
    return await click.services.record_decision.decide(click.actor, items, choice, idem_key=click.key, bulk=True)


async def _ticked_rows(click: Click) -> tuple[Wave, list[WaveRow]]:
    """Return the list and those of its rows that came back ticked: nobody answers what they have not seen.

    Raises:
        InvalidRequest: Nothing is ticked.
        Conflict: What is ticked is no longer on this page.
    """
    ticked = set(_ticked(click))
    await _keep_ticks(click)
    wave = await click.services.read_wave.wave(_campaign(click), click.actor.id)
    rows = [row for row in wave.open_rows if row.item.id in ticked] if wave else []
    if wave is None or not rows:
        raise Conflict("This list has changed. You see the present state now.")
    return wave, rows


def _ticked(click: Click) -> list[ItemId]:
    found = [ItemId(ref) for ref, ticked in ticks(click.inputs).items() if ticked]
    if not found:
        raise InvalidRequest(_NOTHING_TICKED)
    return found


async def _keep_ticks(click: Click) -> None:
    boxes = {ItemId(ref): ticked for ref, ticked in ticks(click.inputs).items()}
    await click.services.read_wave.keep_ticks(_campaign(click), click.actor.id, boxes)


async def _draw(click: Click, result: BulkResult | None = None, strip: Strip | None = None) -> CardView:
    wave = await click.services.read_wave.wave(_campaign(click), click.actor.id, result)
    if wave is not None and wave.campaign_state is not CampaignState.OPEN:
        summary = await click.services.read_summary.summary(wave.campaign_id, click.actor.id)
        if summary is not None and summary.concerns:
            return summary_card(summary, click.zone)
    return gone_card(NO_LIST) if wave is None else wave_card(wave, click.zone, strip=strip)


def _campaign(click: Click) -> CampaignId:
    return CampaignId(click.ref.partition(":")[0])


WAVE_ACTIONS: tuple[ActionVerb, ...] = tuple(
    ActionVerb(name=verb, roles=EVERYONE, handler=handler, present=present)
    for verb, handler in (
        ("wave.open", show),
        ("wave.next", next_page),
        ("wave.previous", previous_page),
        ("wave.revoke", revoke),
        ("wave.keep", keep),
        ("wave.keep.submit", keep_submit),
        ("wave.delegate", delegate),
        ("wave.delegate.submit", delegate_submit),
        ("wave.not_sure", not_sure),
        ("wave.untick", untick),
        ("wave.show", answers),
        ("batch.undo", undo),
    )
)
