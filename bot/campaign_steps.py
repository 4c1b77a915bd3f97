"""What commands and buttons do to a running campaign alike: close early, abandon, retry, export."""

from bot.handling import Asked
from bot.inbound import Reply
from cards import formats
from cards.campaign import abandoning_card, closing_card, status_card
from cards.form import Filled
from cards.phrases import at_close
from cards.steer import cancelling_card, nudged_text
from cards.trail import exported_card, report_card
from cards.view import CardView, Strip, Tone
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId
from reclaim.domain.roles import RUN
from reclaim.errors import Conflict


async def status(asked: Asked, campaign: CampaignId, said: str | None = None, *, tone: Tone = Tone.GOOD) -> CardView:
    """Draw where the campaign stands, and what was just done to it."""
    found = await asked.services.read_status.status(campaign)
    strip = Strip(tone=tone, text=said) if said else None
    return status_card(found, asked.zone, may_run=asked.actor.may(RUN), strip=strip)


async def closing(asked: Asked, campaign: CampaignId) -> CardView:
    """Draw the step before a campaign closes early.

    Raises:
        Conflict: It is not open.
    """
    found = await asked.services.read_status.find(campaign)
    now_status = await asked.services.read_status.status(campaign)
    if found.state is not CampaignState.OPEN:
        raise Conflict(f"{found.name} is {found.state.value}; only an open campaign can close early.")
    at = min(found.closes_at, asked.now + asked.services.policy.close_grace)
    return closing_card(now_status, at_close(at, asked.zone), asked.zone, found.silence)


async def close_early(asked: Asked, campaign: CampaignId) -> CardView:
    """Move the close forward; every open card is told before it counts."""
    moved = await asked.services.close_campaign.early(asked.actor, campaign)
    return await status(
        asked, campaign, f"It closes {at_close(moved.closes_at, asked.zone)}. Every open card is told first."
    )


async def abandoning(asked: Asked, campaign: CampaignId) -> CardView:
    """Draw the step before a stopped campaign is abandoned.

    Raises:
        Conflict: It is not stopped.
    """
    found = await asked.services.read_status.status(campaign)
    if found.state is not CampaignState.PAUSED:
        raise Conflict(f"{found.name} is {found.state.value}. Only a paused campaign can be abandoned.")
    return abandoning_card(found)


async def abandon(asked: Asked, campaign: CampaignId) -> CardView:
    """Close a stopped campaign with seats left to remove."""
    await asked.services.close_campaign.abandon(asked.actor, campaign)
    return await status(asked, campaign)


async def retry(asked: Asked, campaign: CampaignId) -> CardView:
    """Try failed removals again."""
    tried = await asked.services.close_campaign.retry(asked.actor, campaign)
    verb = "is" if tried == 1 else "are"
    return await status(asked, campaign, f"{formats.count(tried, 'removal')} {verb} tried again.")


async def report(asked: Asked, campaign: CampaignId, *, pseudonymous: bool = False) -> Reply:
    """Hand the report to who asked."""
    found = await asked.services.read_status.status(campaign)
    file = await asked.services.export_evidence.report_file(asked.actor, campaign, pseudonymous=pseudonymous)
    return Reply(cards=(report_card(found.name, file, pseudonymous=pseudonymous),), files=(file,))


async def cancelling(asked: Asked, campaign: CampaignId, reason: str | None = None) -> CardView:
    """Draw the step before a campaign is cancelled.

    Raises:
        Conflict: It is closing or later.
    """
    found = await asked.services.read_status.find(campaign)
    found.cancel(asked.actor.id, asked.now, reason)
    return cancelling_card(await asked.services.read_status.status(campaign), Filled(values={"reason": reason or ""}))


async def cancel(asked: Asked, campaign: CampaignId, reason: str | None) -> CardView:
    """End the campaign; nothing is removed."""
    await asked.services.steer_campaign.cancel(asked.actor, campaign, reason)
    return await status(asked, campaign)


async def nudge(asked: Asked, campaign: CampaignId, person: str | None = None) -> CardView:
    """Remind those with open seats, or say when they may be reminded again."""
    nudged = await asked.services.nudge_reviewers.nudge(asked.actor, campaign, person)
    tone = Tone.GOOD if nudged.reminded else Tone.NEUTRAL
    return await status(asked, campaign, nudged_text(nudged, asked.zone), tone=tone)


async def export(asked: Asked, campaign: CampaignId, name: str) -> Reply:
    """Hand the evidence to who asked."""
    files = await asked.services.export_evidence.export(asked.actor, campaign)
    return Reply(cards=(exported_card(name, files),), files=files)
