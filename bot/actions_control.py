"""Clicks that steer: status, close early, freeze and resume, retry, export, sync."""

from bot.campaign_steps import (
    abandon,
    abandoning,
    cancel,
    cancelling,
    close_early,
    closing,
    export,
    nudge,
    report,
    retry,
    status,
)
from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import text_of, whole
from bot.steering import draw_freeze, read_tenant
from cards.campaign import reviewers_card
from cards.control import freeze_form, resume_form, sync_card
from cards.steer import cancelling_card
from cards.view import CardView
from reclaim.domain.ids import CampaignId, RunId
from reclaim.domain.roles import ADMIN, ADMIN_AS_A_PERSON, LOOK, RUN
from reclaim.errors import InvalidRequest, NotFound


async def present_status(click: Click) -> CardView:
    """Draw where the campaign stands."""
    return await status(click, CampaignId(click.ref))


async def present_freeze(click: Click) -> CardView:
    """Draw the freeze as it stands."""
    return draw_freeze(click, await click.services.freeze_writes.view())


async def open_status(click: Click) -> Reply:
    """Draw where the campaign stands."""
    return Reply(replace=await present_status(click))


async def reviewers(click: Click) -> Reply:
    """Draw how far each reviewer is; `ref` is a campaign, or a campaign and a page."""
    campaign, _, page = click.ref.partition(":")
    number = whole(page, "page") if page else 1
    found = await click.services.read_status.reviewers(CampaignId(campaign), number)
    return Reply(replace=reviewers_card(found, click.zone))


async def report_get(click: Click) -> Reply:
    """Hand out the campaign's report."""
    return await report(click, CampaignId(click.ref))


async def close_step(click: Click) -> Reply:
    """Ask before closing early."""
    return Reply(replace=await closing(click, CampaignId(click.ref)))


async def close_submit(click: Click) -> Reply:
    """Close early."""
    return Reply(replace=await close_early(click, CampaignId(click.ref)))


async def abandon_step(click: Click) -> Reply:
    """Ask before abandoning."""
    return Reply(replace=await abandoning(click, CampaignId(click.ref)))


async def abandon_submit(click: Click) -> Reply:
    """Abandon."""
    return Reply(replace=await abandon(click, CampaignId(click.ref)))


async def retry_submit(click: Click) -> Reply:
    """Try failed removals again."""
    return Reply(replace=await retry(click, CampaignId(click.ref)))


async def export_get(click: Click) -> Reply:
    """Hand out the evidence."""
    found = await click.services.read_status.status(CampaignId(click.ref))
    return await export(click, found.campaign_id, found.name)


async def cancel_step(click: Click) -> Reply:
    """Ask before cancelling."""
    return Reply(replace=await cancelling(click, CampaignId(click.ref)))


async def cancel_submit(click: Click) -> Reply:
    """Cancel the campaign."""
    campaign = CampaignId(click.ref)
    try:
        return Reply(replace=await cancel(click, campaign, text_of(click.inputs, "reason") or None))
    except InvalidRequest as error:
        found = await click.services.read_status.status(campaign)
        raise FormRefused(cancelling_card(found, click.filled(error)), error.message) from error


async def nudge_run(click: Click) -> Reply:
    """Remind those with open seats."""
    return Reply(replace=await nudge(click, CampaignId(click.ref)))


async def freeze_ask(click: Click) -> Reply:
    """Ask for the reason; the card that was clicked stays."""
    return Reply(cards=(freeze_form(),))


async def freeze_submit(click: Click) -> Reply:
    """Stop every removal."""
    try:
        view = await click.services.freeze_writes.freeze(click.actor, text_of(click.inputs, "reason"))
    except InvalidRequest as error:
        raise FormRefused(freeze_form(click.filled(error)), error.message) from error
    return Reply(replace=draw_freeze(click, view))


async def resume_ask(click: Click) -> Reply:
    """Ask for the reason; the card that was clicked stays. A request that waits already is shown instead."""
    view = await click.services.freeze_writes.view()
    if not view.frozen or view.resume_ref is not None:
        return Reply(replace=draw_freeze(click, view))
    return Reply(cards=(resume_form(view, click.zone),))


async def resume_submit(click: Click) -> Reply:
    """Ask another admin to let removals go on."""
    freezing = click.services.freeze_writes
    try:
        view = await freezing.ask_resume(click.actor, text_of(click.inputs, "reason"))
    except InvalidRequest as error:
        form = resume_form(await freezing.view(), click.zone, click.filled(error))
        raise FormRefused(form, error.message) from error
    return Reply(replace=draw_freeze(click, view, asker=True))


async def resume_confirm(click: Click) -> Reply:
    """Let removals go on, as the second admin."""
    return Reply(replace=draw_freeze(click, await click.services.freeze_writes.confirm_resume(click.actor, click.ref)))


async def sync_run(click: Click) -> Reply:
    """Read the tenant anew."""
    return await read_tenant(click)


async def sync_open(click: Click) -> Reply:
    """Draw how far a sync is."""
    view = await click.services.sync_directory.view(RunId(click.ref))
    if view is None:
        raise NotFound("This sync is no longer here.")
    return Reply(replace=sync_card(view, click.now, click.zone))


CONTROL_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="status.open", roles=LOOK, handler=open_status),
    ActionVerb(name="close.early", roles=RUN, handler=close_step, present=present_status),
    ActionVerb(name="close.early.submit", roles=RUN, handler=close_submit, present=present_status),
    ActionVerb(name="close.abandon", roles=RUN, handler=abandon_step, present=present_status),
    ActionVerb(name="close.abandon.submit", roles=RUN, handler=abandon_submit, present=present_status),
    ActionVerb(name="retry.submit", roles=RUN, handler=retry_submit, present=present_status),
    ActionVerb(name="cancel.step", roles=RUN, handler=cancel_step, present=present_status),
    ActionVerb(name="cancel.submit", roles=RUN, handler=cancel_submit, present=present_status),
    ActionVerb(name="nudge.run", roles=RUN, handler=nudge_run, present=present_status),
    ActionVerb(name="export.get", roles=LOOK, handler=export_get),
    ActionVerb(name="report.get", roles=LOOK, handler=report_get),
    ActionVerb(name="campaign.reviewers", roles=LOOK, handler=reviewers),
    ActionVerb(name="freeze.form", roles=RUN, handler=freeze_ask),
    ActionVerb(name="freeze.submit", roles=RUN, handler=freeze_submit, present=present_freeze),
    ActionVerb(name="resume.form", roles=ADMIN, handler=resume_ask),
    ActionVerb(name="resume.submit", roles=ADMIN, handler=resume_submit, present=present_freeze),
    ActionVerb(name="resume.confirm", roles=ADMIN_AS_A_PERSON, handler=resume_confirm, present=present_freeze),
    ActionVerb(name="sync.run", roles=RUN, handler=sync_run),
    ActionVerb(name="sync.open", roles=RUN, handler=sync_open),
)
