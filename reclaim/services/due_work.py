"""What is due now: asked by every tick, answered from our own rows. The clock that is injected decides, nothing else."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

import structlog

from reclaim.domain.calendar import last_at, next_at
from reclaim.domain.campaign import Campaign, CampaignState, reminder_times
from reclaim.domain.ids import CampaignId, PersonId
from reclaim.domain.orders import OrderState, RemovalOrder
from reclaim.domain.policy import Policy
from reclaim.domain.syncing import SyncKind
from reclaim.errors import Conflict
from reclaim.ports.engine import Job
from reclaim.ports.storage import SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.appeal_removals import AppealRemovals
from reclaim.services.chunks import CHUNK
from reclaim.services.close_campaign import CloseCampaign
from reclaim.services.confirm_launch import ConfirmLaunch
from reclaim.services.due_consent import DueConsent
from reclaim.services.due_restores import HOUR, TOLD_KINDS, due_restores, tell_again
from reclaim.services.jobs import (
    RECEIPT,
    SUMMARY,
    announce_job,
    close_job,
    open_job,
    progress_job,
    receipts_job,
    remind_job,
    summary_job,
    tries,
    verify_job,
    wave_job,
    writeback_jobs,
)
from reclaim.services.sync_directory import SyncDirectory
from reclaim.services.tell_reviewers import enqueue
from reclaim.services.verify_removals import VerifyRemovals

RESEND = timedelta(minutes=10)  # a card that could not be sent is tried again after this
RESULTS_TRIED_FOR = timedelta(hours=24)
RESULT_KINDS = ("review.summary", "consent.receipt")  # kinds of cards, as the message record has them

log = structlog.get_logger(__name__)


class _Queued(Enum):
    """Whether removals wait for a sync."""

    NOTHING = "nothing"
    MAY_START = "may start"
    NEEDS_SYNC = "needs a sync"


class DueWork:
    """Enqueues what is due. Keys repeat within a slot, so several replicas and restarts do a thing once."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        policy: Policy,
        close: CloseCampaign,
        sync: SyncDirectory,
        verify: VerifyRemovals,
        confirm: ConfirmLaunch,
        consent: DueConsent,
        appeals: AppealRemovals,
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._close = close
        self._sync = sync
        self._verify = verify
        self._tried: dict[CampaignId, tuple[int, frozenset[PersonId]]] = {}  # slot, and whose cards were tried in it
        self._confirm = confirm
        self._consent = consent
        self._appeals = appeals

    async def tick(self) -> tuple[str, ...]:
        """Enqueue all that is due and return what was, in short sentences."""
        now = self._clock.now()
        told: list[str] = []
        async with self._work.read() as work:
            campaigns = await work.campaigns.in_states(
                [CampaignState.OPENING, CampaignState.OPEN, CampaignState.CLOSING, CampaignState.APPLYING]
            )
        self._tried = {one.id: self._tried[one.id] for one in campaigns if one.id in self._tried}
        for campaign in campaigns:
            try:
                told += await self._campaign(campaign, now)
            except Conflict:
                log.info("a campaign changed during the tick", campaign=campaign.id)  # the next tick sees it as it is
        lapsed = await self._confirm.expire()
        told += [_sentence(lapsed, "request", "to confirm lapsed")] if lapsed else []
        overdue = await self._appeals.expire()
        told += [_sentence(overdue, "appeal", "went on without an answer")] if overdue else []
        told += await self._orders(now)
        await self._results(now)
        async with self._work.read() as work:
            restoring = await due_restores(work, now)
        await enqueue(self._work, restoring)
        told += await self._consent.tick()
        told += await self._directory(now)
        return tuple(told)

    async def next_due(self, until: datetime) -> datetime | None:
        """Return the earliest instant after now and up to `until` at which something becomes due."""
        now = self._clock.now()
        times: list[datetime] = [*await self._confirm.next_expiry(), *await self._consent.next_due(now)]
        async with self._work.read() as work:
            for campaign in await work.campaigns.in_states([CampaignState.OPEN]):
                times.append(campaign.may_close_at)
                times.extend(reminder_times(campaign, self._policy.reminder_before))
            order_due = await work.orders.next_due(now)
            if order_due is not None:
                times.append(order_due)
            restore_due = await work.restores.next_due(now)
            if restore_due is not None:
                times.append(restore_due)
            appeal_due = await work.appeals.next_due(now)
            if appeal_due is not None:
                times.append(appeal_due)
            newest = await work.syncs.newest_complete()
            if newest is not None:
                times.append(next_at(self._policy.sync_at, now, self._policy.zone))
                times += [at for at in [await self._changes_due(work)] if at is not None]
        return min((at for at in times if now < at <= until), default=None)

    async def _campaign(self, campaign: Campaign, now: datetime) -> list[str]:
        if campaign.state is CampaignState.OPENING:
            await enqueue(self._work, [open_job(campaign.id, tries(campaign.created_at, now, RESEND))])
            return []
        if campaign.state is CampaignState.CLOSING or (
            campaign.state is CampaignState.OPEN and now >= campaign.may_close_at
        ):
            # Counted from its time, so that a close whose job died runs again and one that is running does not.
            await enqueue(self._work, [close_job(campaign.id, tries(campaign.may_close_at, now, RESEND))])
            return [f"{campaign.name} closed."] if campaign.state is CampaignState.OPEN else []
        if campaign.state is CampaignState.APPLYING:
            await self._progress(campaign)
        if campaign.state is not CampaignState.OPEN:
            return []
        if campaign.shown_close_at != campaign.closes_at:
            await enqueue(self._work, [announce_job(campaign.id, f"slot-{_slot(now)}-{campaign.version}")])
        told = await self._reminders(campaign, now)
        await self._missing_cards(campaign, now)
        await self._all_answered(campaign, now)
        return told

    async def _reminders(self, campaign: Campaign, now: datetime) -> list[str]:
        """Send the newest reminder that is due; one that was missed while we were down is not sent beside it."""
        times = reminder_times(campaign, self._policy.reminder_before)
        due = [number for number, at in enumerate(times, start=1) if at <= now]
        if not due:
            return []
        async with self._work.write() as work:
            if not await work.controls.once(f"reminder:{campaign.id}:{_window(campaign)}{due[-1]}", at=now):
                return []
            people = await work.items.asked(campaign.id, open_only=True)
            await work.enqueue(remind_job(campaign.id, due[-1], len(times), window=_window(campaign)))
            await work.commit()
        return [_sentence(len(people), "reminder", "sent")] if people else []

    async def _missing_cards(self, campaign: Campaign, now: datetime) -> None:
        """Try again to reach who has no card, each person once in a slot.

        While thousands of cards are being sent thousands are missing: to ask the engine at every tick whether it has all
        these jobs already would hold the write lock for seconds.
        """
        slot = _slot(now)
        tried_in, tried = self._tried.get(campaign.id, (slot, frozenset()))
        if tried_in != slot:
            tried = frozenset()
        async with self._work.read() as work:
            people = await work.items.without_card(campaign.id)
        fresh = [wave_job(campaign.id, person, f"slot-{slot}") for person in people if person not in tried]
        await enqueue(self._work, fresh)
        self._tried[campaign.id] = (slot, tried.union(people))

    async def _progress(self, campaign: Campaign) -> None:
        """Bring summaries up to date once for every number of seats that have ended."""
        async with self._work.read() as work:
            figures = await work.items.figures(campaign.id)
        ended = sum(figure.items for figure in figures if figure.outcome is not None)
        await enqueue(self._work, [progress_job(campaign.id, f"{campaign.attempt}-{ended}")])

    async def _results(self, now: datetime) -> None:
        """Try again, hourly for a day, to tell results that a channel failed to take."""
        async with self._work.read() as work:
            failed = await work.messages.failed((*RESULT_KINDS, *TOLD_KINDS), since=now - RESULTS_TRIED_FOR)
        occasion = f"hour-{int(now.timestamp() // HOUR.total_seconds())}"
        jobs = tell_again(failed, occasion)
        for matter, person in failed:
            about, _, campaign = matter.partition(":")
            if about in (RECEIPT, SUMMARY):
                one = CampaignId(campaign)
                jobs.append(
                    receipts_job(one, [person], occasion) if about == RECEIPT else summary_job(one, person, occasion)
                )
        await enqueue(self._work, jobs)

    async def _all_answered(self, campaign: Campaign, now: datetime) -> None:
        if campaign.closes_at <= now + self._policy.close_grace:
            return
        async with self._work.read() as work:
            waits = await work.items.any_open(campaign.id) or not await work.items.any_left(campaign.id)
        if not waits:
            await self._close.early(None, campaign.id)

    async def _orders(self, now: datetime) -> list[str]:
        async with self._work.read() as work:
            due = await work.orders.due(now, limit=CHUNK)
            newest = await work.syncs.newest_complete()
            queued = await self._queued(work, newest, now)
        await enqueue(self._work, _order_jobs(due, now))
        if newest is not None and queued is _Queued.MAY_START:
            await self._verify.after_sync(newest.id)
        elif queued is _Queued.NEEDS_SYNC:
            await self._sync.request(None)
        checks = sum(1 for order in due if order.state is OrderState.VERIFYING)
        return [_sentence(checks, "removal", "checked again")] if checks else []

    async def _queued(self, work: UnitOfWork, newest: SyncRun | None, now: datetime) -> "_Queued":
        """Say whether orders wait for sign-in data, and whether the newest sync serves them (rule 5)."""
        found = _Queued.NOTHING
        for campaign in await work.campaigns.in_states([CampaignState.APPLYING]):
            if not await work.orders.any_in_state(campaign.id, [OrderState.QUEUED]):
                continue
            fresh = (
                newest is not None
                and campaign.closing_at is not None
                and newest.started_at >= campaign.closing_at
                and now - newest.started_at <= self._policy.activity_max_age
            )
            if not fresh:
                return _Queued.NEEDS_SYNC
            found = _Queued.MAY_START
        return found

    async def _directory(self, now: datetime) -> list[str]:
        async with self._work.read() as work:
            running = await work.syncs.running()
            newest = await work.syncs.newest_complete()
            last = await work.syncs.newest()
            read = await work.syncs.newest_read()
            changes_due = await self._changes_due(work)
        if running is not None:
            if running.error is not None:
                await self._sync.request(None, SyncKind(running.kind))  # goes on where the passing error stopped it
            return []
        if newest is None or read is None or last is None:
            return []  # the first read is somebody's wish
        if newest.started_at < last_at(self._policy.sync_at, now, self._policy.zone):
            started = await self._sync.request(None, behind=newest.id)
            # After a failure the sync rests for a while, and names the run that failed.
            if started != last.id:
                return ["The tenant was read again."] if started != newest.id else []
        if changes_due is not None and changes_due <= now:
            started = await self._sync.request(None, SyncKind.CHANGES, behind=read.id)
            return ["Changes were read."] if started not in {last.id, read.id} else []
        return []

    async def _changes_due(self, work: UnitOfWork) -> datetime | None:
        """Return when what has changed is to be read; None: never, or nobody knows since when."""
        read = await work.syncs.newest_read()
        if not self._policy.changes_every or read is None or await work.changes.link() is None:
            return None
        return (read.completed_at or read.started_at) + self._policy.changes_every


def _order_jobs(orders: Sequence[RemovalOrder], now: datetime) -> list[Job]:
    jobs: list[Job] = []
    by_try: defaultdict[int, list[RemovalOrder]] = defaultdict(list)
    for order in orders:
        again = tries(order.not_before or order.created_at, now, HOUR)
        if order.state is OrderState.VERIFYING:
            jobs.append(verify_job(order.id, order.attempt, again))
        else:
            by_try[again].append(order)
    for again, ready in by_try.items():
        jobs += writeback_jobs(ready, again)
    return jobs


def _window(campaign: Campaign) -> str:
    """Return what tells the reminders after an extension from those before it, whose numbers they have."""
    return f"{int(campaign.extended_at.timestamp())}:" if campaign.extended_at else ""


def _slot(now: datetime) -> int:
    return int(now.timestamp() // RESEND.total_seconds())


def _sentence(number: int, noun: str, verb: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'} {verb}."
