"""Extend an open campaign, or cancel one before it closes. Every open card is told."""

from datetime import date

from reclaim.domain.attestation import EventKind
from reclaim.domain.calendar import end_of_day
from reclaim.domain.campaign import Campaign
from reclaim.domain.ids import CampaignId
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.jobs import announce_job, owner_job, tell_job

REASON_LENGTH = 500


class SteerCampaign:
    """What admins and license managers may do to a campaign that asks people."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def extend(self, actor: Actor, campaign_id: CampaignId, due: date) -> Campaign:
        """Move the close to the end of that local day, and put the new time on every open card.

        Raises:
            NotFound: There is no such campaign.
            Conflict: It is not open, or everybody has answered.
            InvalidRequest: The day is not later than the close as it stands or as a card shows it.
        """
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            later = campaign.extend(end_of_day(due, campaign.zone), self._clock.now())
            if not await work.items.any_open(campaign_id):
                raise Conflict(f"Everybody has answered in {campaign.name}. There is nothing to wait for.")
            await work.campaigns.save(later)
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_EXTENDED,
                    actor=actor.id,
                    campaign=campaign_id,
                    facts={
                        "from_ms": int(campaign.closes_at.timestamp() * 1000),
                        "to_ms": int(later.closes_at.timestamp() * 1000),
                        "channel": actor.channel,
                    },
                )
            )
            await work.enqueue(announce_job(campaign_id, f"v{later.version}"))
            await work.commit()
        return later

    async def cancel(self, actor: Actor, campaign_id: CampaignId, reason: str | None) -> Campaign:
        """End the campaign: its questions close, its cards lose their buttons, nothing is removed.

        Raises:
            NotFound: There is no such campaign.
            Conflict: It is closing or later, or was cancelled before.
            InvalidRequest: The reason is too long.
        """
        reason = reason.strip() if reason and reason.strip() else None
        if reason is not None and len(reason) > REASON_LENGTH:
            raise InvalidRequest(f"Please use at most {REASON_LENGTH} characters.", field="reason")
        async with self._work.write() as work:
            campaign = await _get(work, campaign_id)
            now = self._clock.now()
            cancelled = campaign.cancel(actor.id, now, reason)
            await work.campaigns.save(cancelled)
            await work.campaigns.drop_seats(campaign_id)
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_CANCELLED,
                    actor=actor.id,
                    campaign=campaign_id,
                    facts={"from": campaign.state.value, "channel": actor.channel},
                    personal={"reason": reason},
                )
            )
            await work.enqueue(tell_job(campaign_id, f"cancelled-{cancelled.version}"))
            await work.enqueue(owner_job(campaign_id, f"cancelled-{cancelled.version}"))
            await work.commit()
        return cancelled


async def _get(work: UnitOfWork, campaign_id: CampaignId) -> Campaign:
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign
