"""What the command `undo` and its buttons do alike."""

from bot.handling import Asked
from cards.restores import restores_card, restoring_card, undoing_card
from cards.view import CardView
from reclaim.domain.ids import CampaignId, ItemId, PersonId
from reclaim.domain.roles import RUN_AS_A_PERSON


async def restoring(asked: Asked, item: ItemId) -> CardView:
    """Draw one removed seat and its way back."""
    line = await asked.services.restore_seats.line(item)
    return restoring_card(line, asked.zone, may_undo=asked.actor.may(RUN_AS_A_PERSON))


async def restore_item(asked: Asked, item: ItemId) -> CardView:
    """Let one removed seat be given back."""
    line = await asked.services.restore_seats.undo(asked.actor, item)
    return restoring_card(line, asked.zone, may_undo=True)


async def undoing(asked: Asked, campaign: CampaignId, person: PersonId | None) -> CardView:
    """Draw what an undo would give back, with the step to do it."""
    return undoing_card(await asked.services.restore_seats.preview(campaign, person), asked.zone)


async def restore_campaign(asked: Asked, campaign: CampaignId, person: PersonId | None) -> CardView:
    """Let a campaign's removals be undone, and draw how far that is."""
    await asked.services.restore_seats.undo_campaign(asked.actor, campaign, person)
    return restores_card(await asked.services.restore_seats.view(campaign), asked.zone)
