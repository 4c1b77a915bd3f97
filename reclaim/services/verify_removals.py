"""Verification: a written removal counts only when the seat is seen to be gone, by a read or by the next sync."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId, ItemId, OrderId, RunId
from reclaim.domain.orders import OrderState, RemovalOrder, StepState
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem
from reclaim.errors import PortError
from reclaim.ports.directory import ReadBack, SeatWriter
from reclaim.ports.engine import Job
from reclaim.ports.storage import CONFIRMED, UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import verify_job, writeback_jobs
from reclaim.services.settle import (
    TAKES_EFFECT_WITHIN,
    close_if_settled,
    end_item,
    get_order,
    items_of,
    paths_json,
    steps_of,
    taken_by_us,
    with_steps,
)
from reclaim.services.tell_reviewers import enqueue

FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=6)

log = structlog.get_logger(__name__)


class VerifyRemovals:
    """Checks written orders again until every seat is gone, or clearly is not going."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, writer: SeatWriter) -> None:
        self._work = work
        self._clock = clock
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle(self, job: Job) -> None:
        """Read back every seat of the order that is written and not yet verified."""
        order_id = OrderId(str(job.args["order"]))
        async with self._work.read() as work:
            order = await get_order(work, order_id)
            items = [item for item in await items_of(work, order) if item.outcome is None]
        attempt = int(job.args["attempt"])
        if order.state is not OrderState.VERIFYING or order.attempt != attempt:
            return
        backs: list[tuple[ReviewItem, ReadBack | None]] = []
        for item in items:
            try:
                backs.append((item, await self._writer.read_back(item.person_id, item.product_id)))
            except PortError as error:
                log.warning("a removal could not be checked", order=order_id, item=item.id, why=error.code)
                backs.append((item, None))  # nothing is known of this seat; the next check asks again
        await self._store(order_id, attempt, backs)

    async def _store(
        self, order_id: OrderId, attempt: int, backs: Sequence[tuple[ReviewItem, ReadBack | None]]
    ) -> None:
        async with self._work.write() as work:
            order = await get_order(work, order_id)
            if order.state is not OrderState.VERIFYING or order.attempt != attempt:
                return
            for item, back in backs:
                order = await self._judge(work, order, item, back)
            await self._next(work, order)
            await work.commit()

    async def _judge(
        self, work: UnitOfWork, order: RemovalOrder, item: ReviewItem, back: ReadBack | None
    ) -> RemovalOrder:
        now = self._clock.now()
        item = (await work.items.get_many([item.id]))[item.id]
        if item.outcome is not None:
            return order
        mine = steps_of(order, item.id)
        steps = [step for step in mine if step.state is StepState.WRITTEN]
        # From the write, not from the close: an order may have waited for days before it was written.
        since = max((step.written_at for step in steps if step.written_at is not None), default=order.created_at)
        overdue = now - since > TAKES_EFFECT_WITHIN
        if back is None:
            # The steps stay `written`: a retry reads first, and counts what is gone by then as removed.
            if overdue:
                await end_item(work, self._attest, item, Outcome.FAILED, "unreadable", now=now)
            return order
        after = paths_json(back.seat)
        if back.seat is None:
            seen = [replace(step, state=StepState.VERIFIED, verified_at=now, after=after) for step in steps]
            outcome = Outcome.REMOVED if taken_by_us(mine) else Outcome.ALREADY_ABSENT
            facts: dict[str, Fact] = {"request_id": back.request_id, "checks": order.checks + 1}
            await end_item(work, self._attest, item, outcome, "verified_later", now=now, facts=facts)
        elif overdue:
            seen = [replace(step, state=StepState.FAILED, error="still there", after=after) for step in steps]
            await end_item(work, self._attest, item, Outcome.FAILED, "still_there", now=now)
        else:
            seen = [replace(step, after=after) for step in steps]
        return replace(with_steps(order, seen), version=order.version)

    async def _next(self, work: UnitOfWork, order: RemovalOrder) -> None:
        now = self._clock.now()
        items = await items_of(work, order)
        order = replace(order, attempt=order.attempt + 1, checks=order.checks + 1, version=order.version + 1)
        if all(item.outcome is not None for item in items):
            await work.orders.save(replace(order, state=OrderState.DONE, not_before=None))
            await close_if_settled(work, self._attest, order.campaign_id, now=now)
        else:
            wait = min(FIRST_WAIT * 2 ** min(order.checks - 1, 10), LONGEST_WAIT)
            await work.orders.save(replace(order, not_before=now + wait))

    async def after_sync(self, run: RunId) -> None:
        """Use a completed sync: waiting orders may start, written ones are checked, removed seats are confirmed.

        Goes on where it stopped when it is called again for the same run.
        """
        async with self._work.read() as work:
            complete = await work.syncs.get(run)
            campaigns = await work.campaigns.in_states([CampaignState.APPLYING, CampaignState.PAUSED])
        if complete is None:
            return
        for campaign in campaigns:
            await self._check(campaign.id)
            if campaign.closing_at is not None and complete.started_at >= campaign.closing_at:
                await self._start(campaign.id)
        await self._confirm(run)

    async def _check(self, campaign: CampaignId) -> None:
        after: OrderId | None = None
        while True:
            async with self._work.read() as work:
                orders = await work.orders.page(campaign, [OrderState.VERIFYING], after=after, limit=CHUNK)
            if not orders:
                return
            await enqueue(self._work, [verify_job(order.id, order.attempt) for order in orders])
            after = orders[-1].id

    async def _start(self, campaign_id: CampaignId) -> None:
        """Let the orders go that waited for this sync, as long as the campaign applies."""
        while True:
            async with self._work.write() as work:
                campaign = await work.campaigns.get(campaign_id)
                if campaign is None or campaign.state is not CampaignState.APPLYING:
                    return
                orders = await work.orders.page(campaign_id, [OrderState.QUEUED], after=None, limit=CHUNK)
                if not orders:
                    return
                now = self._clock.now()
                ready = [
                    replace(order, state=OrderState.READY, not_before=now, version=order.version + 1)
                    for order in orders
                ]
                await work.orders.save_many(ready)
                for job in writeback_jobs(ready):
                    await work.enqueue(job)
                await work.commit()

    async def _confirm(self, run: RunId) -> None:
        """Attest, once per seat, that a complete sync no longer finds what was removed."""
        after: ItemId | None = None
        while True:
            async with self._work.read() as reading:
                removed = await reading.items.unconfirmed(after=after, limit=CHUNK)
            if not removed:
                return
            after = removed[-1].id
            async with self._work.write() as work:
                now = self._clock.now()
                fresh = [item for item in removed if await work.controls.once(f"{CONFIRMED}{item.id}", at=now)]
                await work.events.append(*(self._confirmed(item, run) for item in fresh))
                await work.commit()

    def _confirmed(self, item: ReviewItem, run: RunId) -> Event:
        return self._attest.event(
            EventKind.SYNC_CONFIRMED,
            actor=SYSTEM,
            campaign=item.campaign_id,
            item=item.id,
            facts={"run": run, "sku": item.product_id},
        )
