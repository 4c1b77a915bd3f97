"""Tell reviewers and owners: their list, a reminder, a new closing time, where the campaign stands."""

from datetime import datetime

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId, GroupId, ItemId, PersonId
from reclaim.domain.notices import (
    CampaignClosedNotice,
    CampaignOpenNotice,
    ListGoneNotice,
    Notice,
    WaveNotice,
    wave_matter,
)
from reclaim.domain.policy import Policy
from reclaim.errors import DeliveryError
from reclaim.ports.chat import Messenger
from reclaim.ports.engine import Job
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor, delivered
from reclaim.services.jobs import summary_job, wave_job
from reclaim.services.read_status import ReadStatus
from reclaim.services.read_wave import ReadWave
from reclaim.services.tell_reviewers import enqueue

OWNER_EVERY = 25  # deliveries between two updates of the owner's card
LONGEST_PAUSE_S = 30.0  # a job that must wait longer ends
_PAUSES_S = (1.0, 5.0, 15.0)

log = structlog.get_logger(__name__)


class SendWaves:
    """Handlers of the chat jobs. Sending is not idempotent on any channel, so a matter's live message is updated."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        read: ReadWave,
        status: ReadStatus,
        messenger: Messenger,
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._read = read
        self._status = status
        self._messenger = messenger
        self._expected: dict[CampaignId, int] = {}  # reviewers of a campaign when they were last counted
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle_wave(self, job: Job) -> None:
        """Show the reviewer the present state of their list."""
        campaign, person = _names(job)
        held = await self._held(campaign, person)
        wave = await self._read.wave(campaign, person)
        if wave is not None and wave.campaign_state not in (CampaignState.OPEN, CampaignState.CANCELLED):
            # Who has passed seats on is promised their result, also where they have no seat of their own any more.
            passed = {row.item.delegated_by for row in (*wave.answered, *wave.open_rows) if row.item.delegated_by}
            await enqueue(
                self._work,
                [summary_job(campaign, one, job.key.rpartition(":")[2]) for one in sorted({person} | passed)],
            )
        if wave is None:
            await self._take_away(campaign, person)
            return
        await self._show(WaveNotice(wave=wave), person, EventKind.MESSAGE_SENT, held)
        # At the close every list is drawn anew, and the owner's card has its own time.
        if wave.campaign_state is CampaignState.OPEN:
            await self._count_up(campaign)

    async def handle_group(self, job: Job) -> None:
        """Show every member of the group who can review their list, each by a job of their own."""
        campaign, group = CampaignId(str(job.args["campaign"])), GroupId(str(job.args["group"]))
        async with self._work.read() as work:
            members = await work.people.reviewers_in([group])
        people = sorted(members.get(group, frozenset()) - {job.args.get("but")})
        await enqueue(self._work, [wave_job(campaign, person, f"of-{job.key}") for person in people])

    async def _take_away(self, campaign: CampaignId, person: PersonId) -> None:
        """Leave no live buttons on the list of somebody whose last seat went to somebody else."""
        async with self._work.read() as work:
            live = await work.messages.live(person, wave_matter(campaign))
        if live is None:
            return
        try:
            await self._messenger.deliver(person, ListGoneNotice(campaign_id=campaign))
        except DeliveryError as error:
            # A click on the old card answers with the present state, so nothing can go wrong with it.
            log.warning("an empty list could not be redrawn", campaign=campaign, person=person, why=error.code)

    async def handle_reminder(self, job: Job) -> None:
        """Send the list again, at the foot of the chat, to who still has open seats in an open campaign."""
        campaign, person = _names(job)
        held = await self._held(campaign, person)
        wave = await self._read.wave(campaign, person)
        if wave is None or wave.open_count == 0 or wave.campaign_state is not CampaignState.OPEN:
            return
        if "by" in job.args:
            by = PersonId(str(job.args["by"]))
            async with self._work.read() as work:
                asker = await work.people.get(by)
            notice = WaveNotice(wave=wave, reminder=0, asked_by=asker.shown_name if asker else None, fresh=True)
        else:
            notice = WaveNotice(wave=wave, reminder=int(job.args["number"]), reminders=int(job.args["of"]), fresh=True)
        # Nobody sends a reminder a second time, so a channel that fails in passing gets a few tries here.
        for pause_s in _PAUSES_S:
            try:
                await self._show(notice, person, EventKind.REMINDER_SENT, held)
                return
            except DeliveryError as error:
                asked = error.retry_after.total_seconds() if error.retry_after else pause_s
                await self._clock.sleep(min(asked, LONGEST_PAUSE_S))
        await self._show(notice, person, EventKind.REMINDER_SENT, held)

    async def handle_owner(self, job: Job) -> None:
        """Show the owner where the campaign stands."""
        campaign = CampaignId(str(job.args["campaign"]))
        await self._tell_owner(campaign)

    async def handle_announce(self, job: Job) -> None:
        """Put a new closing time on every list, then let it count: no write starts before the time last shown.

        If a list that somebody can see could not be redrawn, the old time stands until the next attempt.
        """
        campaign_id = CampaignId(str(job.args["campaign"]))
        async with self._work.read() as work:
            # Also who has passed everything on: their list stands in the chat with the old time.
            live = {one.person_id for one in await work.messages.live_of_matter(wave_matter(campaign_id))}
            campaign = await work.campaigns.get(campaign_id)
        if campaign is None or campaign.state is not CampaignState.OPEN:
            return
        told = campaign.closes_at
        shown_to_all = True
        for person in sorted(live):
            held = await self._held(campaign_id, person)
            wave = await self._read.wave(campaign_id, person)
            if wave is None:
                continue
            try:
                shown_to_all &= await self._show(WaveNotice(wave=wave), person, EventKind.MESSAGE_SENT, held)
            except DeliveryError:
                shown_to_all = False  # the others are told all the same; the tick tries this one again
        if shown_to_all:
            await self._now_shown(campaign_id, told)
        await self._tell_owner(campaign_id)

    async def _now_shown(self, campaign_id: CampaignId, told: datetime) -> None:
        async with self._work.write() as work:
            campaign = await work.campaigns.get(campaign_id)
            if campaign is None or campaign.closes_at != told or campaign.shown_close_at == told:
                return
            await work.campaigns.save(campaign.shown())
            await work.commit()

    async def _held(self, campaign: CampaignId, person: PersonId) -> frozenset[ItemId]:
        """Return the person's items. Asked before the list is drawn: what arrives later is not on the card."""
        async with self._work.read() as work:
            items = await work.items.for_reviewer(campaign, person)
            members = {group: {person} for group in await work.people.groups_of(person)}
        return frozenset(item.id for item in items if item.is_with(person, members))

    async def _show(self, notice: WaveNotice, person: PersonId, kind: EventKind, held: frozenset[ItemId]) -> bool:
        try:
            delivery = await self._messenger.deliver(person, notice)
        except DeliveryError as error:
            log.warning(
                "a list could not be delivered", campaign=notice.wave.campaign_id, person=person, why=error.code
            )
            if not error.permanent:
                raise
            return False
        async with self._work.write() as work:
            # A card drawn after the close asks nothing, so nobody's silence to it may count.
            shown = held if notice.wave.campaign_state is CampaignState.OPEN else frozenset()
            await work.messages.show_items(delivery.message_id, sorted(shown))
            await work.events.append(
                self._attest.event(
                    kind,
                    actor=SYSTEM,
                    campaign=notice.wave.campaign_id,
                    facts={
                        **delivered(person, delivery),
                        "items": len(shown),
                        "open": notice.wave.open_count,
                        "closes_at_ms": int(notice.wave.closes_at.timestamp() * 1000),
                        "reminder": notice.reminder,
                    },
                )
            )
            await work.commit()
        return True

    async def _count_up(self, campaign: CampaignId) -> None:
        """Draw the owner's card anew from time to time, and when the last list has arrived.

        Whether that was the last is looked at only from the number that it took before: to count the reviewers of a large
        campaign with every list would take longer than to send it.
        """
        async with self._work.read() as work:
            by_state = await work.messages.counts(wave_matter(campaign))
            sent = sum(by_state.get(state, 0) for state in ("sent", "updated"))
            if sent % OWNER_EVERY and sent < self._expected.get(campaign, 0):
                return
            found = await work.campaigns.get(campaign)
            reviewers = (await work.items.reviewer_figures(campaign, top=0)).total
        self._expected[campaign] = reviewers
        if found is not None and found.state is CampaignState.OPEN and (sent >= reviewers or sent % OWNER_EVERY == 0):
            await self._tell_owner(campaign)

    async def _tell_owner(self, campaign_id: CampaignId) -> None:
        status = await self._status.status(campaign_id)
        async with self._work.read() as work:
            campaign = await work.campaigns.get(campaign_id)
        if campaign is None:
            return
        closed = status.state is CampaignState.CLOSED
        notice: Notice = CampaignClosedNotice(status=status) if closed else CampaignOpenNotice(status=status)
        try:
            await self._messenger.deliver(campaign.owner_id, notice)
        except DeliveryError as error:
            # The owner can ask by /reclaim status at any time; a missing card stops nothing.
            log.warning("the owner could not be told", campaign=campaign_id, why=error.code)


def _names(job: Job) -> tuple[CampaignId, PersonId]:
    return CampaignId(str(job.args["campaign"])), PersonId(str(job.args["person"]))
